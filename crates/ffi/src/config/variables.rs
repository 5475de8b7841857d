//! A configuration out of variables that need not be those of the environment.

use std::collections::HashMap;
use std::ffi::{OsString, c_char};

use logflux_envelope::Secret;
use logflux_transport::ClientConfig;

use super::logflux_config;
use crate::arguments::{Out, bytes, os_string};
use crate::boundary::boundary;
use crate::error::{Failure, logflux_error};
use crate::secret::logflux_secret;
use crate::status::logflux_status;

/// Makes the configuration that variables name, as logflux_config_from_env does with those of the
/// environment: for a program, or for a library of another language, that has its settings as text. A
/// variable is `NAME=value`, and ends with NUL; `variables_length` counts every byte of all. Of two with
/// one name the last counts, and names that no setting has are left out. Where `secret` is not NULL, the
/// variables of the secret are left out as well.
///
/// The usual variables of proxies (HTTPS_PROXY and others) are still those of the environment.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_from_variables(
    variables: *const c_char,
    variables_length: usize,
    secret: Option<&logflux_secret>,
    out: Option<&mut *mut logflux_config>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let variables = split(bytes!(variables, variables_length))?;
        let get = |name: &str| variables.get(name.as_bytes()).cloned();
        let config = ClientConfig::from_variables(&get)?;
        let secret = match secret {
            Some(secret) => secret.0.clone(),
            None => Secret::from_variables(&get, config.secret_command_timeout.get())?,
        };
        out.give(logflux_config::new(config, secret))
    })
}

fn split(block: &[u8]) -> Result<HashMap<&[u8], OsString>, Failure> {
    block
        .split(|byte| *byte == 0)
        .filter(|variable| !variable.is_empty())
        .map(|variable| {
            let equals = variable.iter().position(|byte| *byte == b'=');
            let (name, value) = variable.split_at_checked(equals?)?;
            Some((name, os_string(value.get(1..)?)?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| {
            let what = "variables: each must be NAME=value, with a NUL behind it";
            logflux_error::at(logflux_status::InvalidSetting, "variables", what)
        })
}
