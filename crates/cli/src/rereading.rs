//! Reading the secret, the API key and the CA file again, for commands that go on and on.

use logflux_envelope::Secret;
use logflux_transport::ClientConfig;

use crate::connection::ConnectionArgs;
use crate::failure::Outcome;
use crate::secret::SecretArgs;
use crate::streams::say;

/// Which of them come from where they can change while the program runs, in words.
pub(crate) fn changeable(
    connection: &ConnectionArgs,
    config: &ClientConfig,
    secret: Option<&SecretArgs>,
) -> Vec<&'static str> {
    let secret = secret.is_some_and(SecretArgs::is_read_again).then_some("the secret");
    let key = connection.is_key_read_again().then_some("the API key");
    let ca_file = config.ca_file.is_some().then_some("the CA file");
    [secret, key, ca_file].into_iter().flatten().collect()
}

/// Says on stderr what came of it.
pub(crate) fn tell(read: Outcome<Vec<&'static str>>) {
    match read {
        Ok(read) if read.is_empty() => say!(
            "SIGHUP: nothing to read again, as the secret and the API key come from variables: see --secret-file and --api-key-file"
        ),
        Ok(read) => say!("SIGHUP: read again: {}", read.join(", ")),
        Err(failure) => say!("SIGHUP: {failure}; nothing is replaced"),
    }
}

/// Secrets without those that occur before, the newest first.
pub(crate) fn without_doubles(secrets: impl IntoIterator<Item = Secret>) -> Vec<Secret> {
    let mut known: Vec<Secret> = Vec::new();
    for secret in secrets {
        if !known.iter().any(|known| known.expose() == secret.expose()) {
            known.push(secret);
        }
    }
    known
}

/// Whether a variable is set, and not empty.
pub(crate) fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}
