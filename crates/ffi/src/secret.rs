//! Secrets from memory, the environment, a file, or newly made.

use std::ffi::{OsStr, c_char};
use std::path::PathBuf;
use std::time::Duration;

use logflux_envelope::{Secret, SecretSource};

use crate::arguments::{Out, bytes, string, there};
use crate::boundary::{boundary, freeing};
use crate::error::{Failure, logflux_error};
use crate::status::logflux_status;

/// The passphrase or generated key from which every key is derived (PROTOCOL 3): UTF-8, taken exactly
/// as given. Zeroed when it is freed.
pub struct logflux_secret(pub(crate) Secret);

/// Takes a secret of at least one byte from memory. The caller's copy stays the caller's to zero.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_new(
    secret: *const c_char,
    secret_length: usize,
    out: Option<&mut *mut logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(logflux_secret(Secret::from_utf8(bytes!(secret, secret_length).to_vec())?))
    })
}

/// logflux_secret_new for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_new_cstr(
    secret: *const c_char,
    out: Option<&mut *mut logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(logflux_secret(Secret::from_utf8(string!(secret).to_vec())?))
    })
}

/// Takes the secret that the environment names by exactly one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE
/// and LOGFLUX_SECRET_COMMAND (which is given to `sh -c`, and whose output is the secret; it may run for
/// LOGFLUX_SECRET_COMMAND_TIMEOUT, 30 s by default). No other thread may change the environment
/// meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_from_env(
    out: Option<&mut *mut logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(logflux_secret(SecretSource::from_env()?.load_within(command_timeout()?)?))
    })
}

/// Reads a secret from a file. One line end at its end is the file's, not the secret's.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_from_file(
    path: *const c_char,
    path_length: usize,
    out: Option<&mut *mut logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(from_file(bytes!(path, path_length))?)
    })
}

/// logflux_secret_from_file for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_from_file_cstr(
    path: *const c_char,
    out: Option<&mut *mut logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(from_file(string!(path))?)
    })
}

/// How long the command that prints the secret may run.
#[cfg(feature = "client")]
fn command_timeout() -> Result<Duration, Failure> {
    Ok(logflux_transport::SecretCommandTimeout::from_env()?.get())
}

/// How long the command that prints the secret may run, by the same rules as with the client.
#[cfg(not(feature = "client"))]
fn command_timeout() -> Result<Duration, Failure> {
    const VARIABLE: &str = "LOGFLUX_SECRET_COMMAND_TIMEOUT";
    const BOUNDS: std::ops::RangeInclusive<Duration> =
        SecretSource::COMMAND_TIMEOUT_MIN..=SecretSource::COMMAND_TIMEOUT_MAX;
    let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(SecretSource::COMMAND_TIMEOUT);
    };
    let given = value.to_str().and_then(|text| logflux_wire::parse_duration(text).ok());
    given.filter(|timeout| BOUNDS.contains(timeout)).ok_or_else(|| {
        let what = format_args!("{VARIABLE}: must be a duration from 1 s to 10 min");
        logflux_error::at(logflux_status::InvalidSetting, VARIABLE, what)
    })
}

fn from_file(file: &[u8]) -> Result<logflux_secret, Failure> {
    Ok(logflux_secret(SecretSource::File(path(file, "path")?).load()?))
}

/// Makes a new secret of 256 bits from the operating system's generator, written as 64 hexadecimal
/// digits.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_generate(
    out: Option<&mut *mut logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        out.give(logflux_secret(Secret::generate()?))
    })
}

/// Gives the secret itself, to be kept in a safe place. It is not NUL-terminated, and lives as long
/// as the handle.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_expose(
    secret: Option<&logflux_secret>,
    out_text: Option<&mut *const c_char>,
    out_length: Option<&mut usize>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let text = there(secret, "secret")?.0.expose();
        let (out_text, out_length) =
            (there(out_text, "out_text")?, there(out_length, "out_length")?);
        *out_text = text.as_ptr().cast();
        *out_length = text.len();
        Ok(())
    })
}

/// Zeroes and frees a secret. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_secret_free(secret: Option<Box<logflux_secret>>) {
    freeing(secret);
}

/// A path as the system has it: any bytes on Unix.
pub(crate) fn path(bytes: &[u8], name: &str) -> Result<PathBuf, Failure> {
    if bytes.is_empty() || bytes.contains(&0) {
        let what = format_args!("{name} is empty or has a NUL in it");
        return Err(logflux_error::at(logflux_status::InvalidSetting, name, what));
    }
    #[cfg(unix)]
    let path: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    #[cfg(not(unix))]
    let path = OsStr::new(crate::arguments::utf8(bytes, name)?);
    Ok(path.into())
}
