//! What a client calls.

use std::ffi::c_void;
use std::time::Duration;

use logflux_transport::StatsInterval;

use super::logflux_config;
use crate::arguments::there;
use crate::boundary::boundary;
use crate::client::logflux_stats_callback;
use crate::drops::logflux_drop_callback;
use crate::error::logflux_error;
use crate::gate::Callback;
use crate::notices::logflux_notice_callback;
use crate::status::logflux_status;

/// Sets what is called when messages were dropped; NULL for none, which is the default, and then a
/// line goes to stderr, at most once a minute. `context` is handed to it, and must live until the
/// clients that are built from this config are freed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_on_drop(
    config: Option<&mut logflux_config>,
    callback: logflux_drop_callback,
    context: *mut c_void,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        there(config, "config")?.on_drop = Callback::new(callback, context);
        Ok(())
    })
}

/// Sets what is called with every sentence about the client that would be a line on stderr: what was
/// dropped and why, and what holds messages up. NULL for none, which is the default; drops then go to
/// the callback of logflux_config_set_on_drop, if there is one, and everything else to stderr, each
/// sentence at most once a minute. `context` is handed to it, and must live until the clients that
/// are built from this config are freed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_on_notice(
    config: Option<&mut logflux_config>,
    callback: logflux_notice_callback,
    context: *mut c_void,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        there(config, "config")?.on_notice = Callback::new(callback, context);
        Ok(())
    })
}

/// Keeps every sentence about the client that would be a line on stderr, until
/// logflux_client_take_notice fetches it, of 64 the newest. For runtimes that no thread of ours may call
/// into. False is the default; a callback of logflux_config_set_on_notice comes before it.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_keep_notices(
    config: Option<&mut logflux_config>,
    keep: bool,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        there(config, "config")?.keeps_notices = keep;
        Ok(())
    })
}

/// Sets what is called with the statistics every `interval_ms` milliseconds, 10 to 86,400,000, once
/// the client has begun to work, and with the last ones by logflux_client_free; NULL for none, which
/// is the default. `context` is handed to it, and must live until the clients that are built from
/// this config are freed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_on_stats(
    config: Option<&mut logflux_config>,
    interval_ms: u64,
    callback: logflux_stats_callback,
    context: *mut c_void,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.on_stats = match Callback::new(callback, context) {
            Some(callback) => {
                Some((StatsInterval::new(Duration::from_millis(interval_ms))?, callback))
            }
            None => None,
        };
        Ok(())
    })
}
