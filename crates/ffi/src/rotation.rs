//! A new secret, API key or CA file for a client that runs.

use std::ffi::c_char;

use logflux_transport::{BuildError, Rotation};

use crate::arguments::{bytes, string, text, there, utf8};
use crate::boundary::boundary;
use crate::client::logflux_client;
use crate::config::api_key;
use crate::error::{Failure, logflux_error};
use crate::secret::{logflux_secret, path};
use crate::status::logflux_status;

/// Seals with another secret from the next message that is taken from the queue on. What is sealed
/// already keeps its bytes, in memory and in the spool: to open all, use a keyring of both secrets.
/// The secret can be freed after the call.
///
/// This and the other functions of rotation may be called from any thread, also in a callback of the
/// client. They wait for no request, and derive no key. Where they fail, nothing is replaced. A child
/// of a later fork goes on with what was rotated; a process that exists already rotates for itself.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_rotate_secret(
    client: Option<&logflux_client>,
    secret: Option<&logflux_secret>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let client = there(client, "client")?;
        let secret = there(secret, "secret")?.0.clone();
        rotate(client, Rotation::new().secret(secret))
    })
}

/// Makes requests with another API key from now on. What waited because the old one was refused is
/// tried at once.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_rotate_api_key(
    client: Option<&logflux_client>,
    api_key: *const c_char,
    api_key_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || rotate_api_key(client, text!(api_key, api_key_length)))
}

/// logflux_client_rotate_api_key for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_rotate_api_key_cstr(
    client: Option<&logflux_client>,
    api_key: *const c_char,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || rotate_api_key(client, utf8(string!(api_key), "api_key")?))
}

/// Trusts the authorities in this file, in PEM, and no others, from the next request on. The file is
/// read now, also where its path is the same as before. What waited because the server was not
/// trusted is tried at once. The path is bytes as the system has them.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_rotate_ca_file(
    client: Option<&logflux_client>,
    ca_file: *const c_char,
    ca_file_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || rotate_ca_file(client, bytes!(ca_file, ca_file_length)))
}

/// logflux_client_rotate_ca_file for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_rotate_ca_file_cstr(
    client: Option<&logflux_client>,
    ca_file: *const c_char,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || rotate_ca_file(client, string!(ca_file)))
}

fn rotate_api_key(client: Option<&logflux_client>, key: &str) -> Result<(), Failure> {
    rotate(there(client, "client")?, Rotation::new().api_key(api_key(key)?))
}

fn rotate_ca_file(client: Option<&logflux_client>, file: &[u8]) -> Result<(), Failure> {
    let client = there(client, "client")?;
    rotate(client, Rotation::new().ca_file(path(file, "ca_file")?))
}

fn rotate(client: &logflux_client, rotation: Rotation) -> Result<(), Failure> {
    client.client.rotate(rotation).map_err(|error| BuildError::from(error).into())
}
