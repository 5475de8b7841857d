//! The secret that the environment names.

use logflux_envelope::Secret;
use logflux_transport::SecretCommandTimeout;

use crate::Fault;
use crate::settings::Environment;

/// The secret that these variables name, and the time that its command may take. A command is run, and
/// waited for.
///
/// # Errors
/// [`Fault::Secret`] where there is no secret, or several; [`Fault::Settings`] for a wrong time.
pub fn of(environment: &Environment) -> Result<Secret, Fault> {
    let timeout = match environment.get("LOGFLUX_SECRET_COMMAND_TIMEOUT") {
        Some(text) if !text.is_empty() => {
            text.parse().map_err(|error| Fault::Settings(ToString::to_string(&error)))?
        }
        _ => SecretCommandTimeout::DEFAULT,
    };
    from_env(environment, timeout)
}

/// The secret of the variables that are given. A command is run, and waited for.
pub(crate) fn from_env(
    environment: &Environment,
    timeout: SecretCommandTimeout,
) -> Result<Secret, Fault> {
    Secret::from_variables(&|name| environment.get(name).map(Into::into), timeout.get())
        .map_err(|error| Fault::Secret(error.to_string()))
}
