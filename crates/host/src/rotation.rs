//! Other secrets and keys for a client that runs.

use logflux_envelope::Secret;
use logflux_transport::{ApiError, Rotation};
use logflux_wire::ApiKeyError;

use crate::{Fault, clients};

/// The client goes on with what is given; the rest stays as it is.
///
/// # Errors
/// [`Fault::Settings`] where a value is wrong, and [`Fault::Other`] where the client is not there. Nothing
/// is changed then.
pub fn rotate(
    number: u32,
    secret: Option<Secret>,
    api_key: Option<&str>,
    ca_file: Option<String>,
) -> Result<(), Fault> {
    let mut rotation = Rotation::new();
    if let Some(secret) = secret {
        rotation = rotation.secret(secret);
    }
    if let Some(key) = api_key {
        let wrong = |error: ApiKeyError| Fault::setting("apiKey", error);
        rotation = rotation.api_key(key.parse().map_err(wrong)?);
    }
    if let Some(file) = ca_file {
        rotation = rotation.ca_file(file);
    }
    clients::of(number, |shared| shared.client.rotate(rotation))?.map_err(|error| match error {
        ApiError::Trust(error) => Fault::setting("caFile", error),
        other => Fault::Settings(other.to_string()),
    })
}
