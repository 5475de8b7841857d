//! The bounds of every setting, through the functions that C calls.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::time::Duration;

use logflux_transport::{Kind, SETTINGS};

use super::callbacks::logflux_config_set_on_stats;
use super::files::{logflux_config_set_spool, logflux_config_set_sync_interval};
use super::*;
use crate::error::{logflux_error_field, logflux_error_free, logflux_error_message};
use crate::secret::{logflux_secret_free, logflux_secret_new_cstr};

extern "C" fn told(_: *mut c_void, _: *const logflux_client_stats) {}

/// A setting's value as C has it: a number, milliseconds, or a factor.
#[derive(Clone, Copy, Debug)]
enum Value {
    Whole(u64),
    Factor(f64),
}

/// Sets one setting, and the others of its function to what they are by default.
fn set(
    name: &str,
    value: Value,
    config: &mut logflux_config,
    error: &mut *mut logflux_error,
) -> logflux_status {
    let (config, error) = (Some(config), Some(error));
    let number = match value {
        Value::Whole(number) => number,
        Value::Factor(factor) => {
            assert_eq!(name, "backoff_factor");
            return logflux_config_set_retry(config, 5, 500, 30_000, factor, error);
        }
    };
    // On a machine of 64 bits, as the test's are, every number fits.
    let size = usize::try_from(number).unwrap();
    let day = 86_400_000;
    match name {
        "queue_size" => logflux_config_set_queue(config, size, 1 << 20, error),
        "queue_bytes" => logflux_config_set_queue(config, 10, size, error),
        "max_in_flight" => logflux_config_set_max_in_flight(config, size, error),
        "max_retries" => {
            let retries = u32::try_from(number).unwrap_or(u32::MAX);
            logflux_config_set_retry(config, retries, 500, 30_000, 2.0, error)
        }
        "spool_max_bytes" => logflux_config_set_spool(config, number, 0, error),
        "http_timeout" => logflux_config_set_http_timeout(config, number, error),
        "flush_interval" => logflux_config_set_flush_interval(config, number, error),
        "sync_interval" => logflux_config_set_sync_interval(config, number, error),
        "initial_delay" => logflux_config_set_retry(config, 5, number, day, 2.0, error),
        "max_delay" => logflux_config_set_retry(config, 5, 1, number, 2.0, error),
        "retry_deadline" => logflux_config_set_retry_deadline(config, number, error),
        "close_timeout" => logflux_config_set_close_timeout(config, number, error),
        "stats_interval" => {
            logflux_config_set_on_stats(config, number, Some(told), ptr::null_mut(), error)
        }
        _ => panic!("this test does not know the function of {name}"),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

#[test]
fn every_bound_is_kept_in_c_and_one_value_beyond_it_is_an_error() {
    let (mut secret, mut config, mut error) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let status = logflux_secret_new_cstr(c"secret".as_ptr(), Some(&mut secret), None);
    assert_eq!(status, logflux_status::Ok);
    // SAFETY: the call gave a secret, which lives until it is freed below.
    let secret = unsafe { Box::from_raw(secret) };
    let status = logflux_config_new_cstr(
        c"https://127.0.0.1:1".as_ptr(),
        c"lf_0123456789abcdefABCDEF0123456789".as_ptr(),
        Some(&secret),
        Some(&mut config),
        None,
    );
    assert_eq!(status, logflux_status::Ok);
    // SAFETY: the call gave a config, which lives until it is freed below.
    let mut config = unsafe { Box::from_raw(config) };

    for setting in SETTINGS.iter().filter(|setting| setting.c.is_some()) {
        let (good, bad) = match setting.kind {
            Kind::Number { min, max, .. } | Kind::Size { min, max, .. } => {
                let bad = [min.checked_sub(1), Some(max + 1), Some(u64::MAX)];
                let bad = bad.into_iter().flatten().map(Value::Whole).collect::<Vec<_>>();
                ([min, max].map(Value::Whole), bad)
            }
            Kind::Duration { min, max, .. } => {
                let (min, max) = (milliseconds(min), milliseconds(max));
                let bad = [min.checked_sub(1), Some(max + 1), Some(u64::MAX)];
                let bad = bad.into_iter().flatten().map(Value::Whole).collect();
                ([min, max].map(Value::Whole), bad)
            }
            Kind::Factor { min, max, .. } => {
                let bad = [min.next_down(), max.next_up(), f64::NAN, f64::INFINITY];
                ([min, max].map(Value::Factor), bad.map(Value::Factor).to_vec())
            }
            _ => continue,
        };
        for value in good {
            let status = set(setting.name, value, &mut config, &mut error);
            assert_eq!(status, logflux_status::Ok, "{} {value:?}", setting.name);
            assert!(error.is_null());
        }
        let before = format!("{:?}", config.config);
        for value in bad {
            let status = set(setting.name, value, &mut config, &mut error);
            assert_eq!(status, logflux_status::InvalidSetting, "{} {value:?}", setting.name);
            // SAFETY: a call that failed gave an error, which lives until it is freed here.
            let failure = unsafe { Box::from_raw(error) };
            let text = |text: *const c_char| {
                // SAFETY: texts of an error end with NUL, and live as long as it.
                unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
            };
            assert_eq!(text(logflux_error_field(Some(&failure))), setting.name);
            let expected = format!("{}: must be {}", setting.name, setting.kind.values());
            assert_eq!(text(logflux_error_message(Some(&failure))), expected);
            logflux_error_free(Some(failure));
            error = ptr::null_mut();
            assert_eq!(format!("{:?}", config.config), before, "{} was changed", setting.name);
        }
    }
    logflux_config_free(Some(config));
    logflux_secret_free(Some(secret));
}
