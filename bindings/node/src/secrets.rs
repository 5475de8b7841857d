//! The secret, and several of them.

use logflux_envelope as core;
use logflux_host::secret;
use logflux_host::settings::Environment;
use napi::Result;
use napi::bindgen_prelude::External;
use napi_derive::napi;

use crate::boundary::{Failure, guarded};
use crate::values::{self, Bytes};

/// Takes a secret: its text, or its UTF-8.
#[napi]
pub fn secret_new(text: Bytes<'_>) -> Result<External<core::Secret>> {
    guarded(|| {
        let bytes = values::bytes(text)?;
        core::Secret::from_utf8(bytes).map(External::new).map_err(Failure::secret)
    })
}

/// Makes a new secret of 256 bits.
#[napi]
pub fn secret_generate() -> Result<External<core::Secret>> {
    guarded(|| core::Secret::generate().map(External::new).map_err(Failure::secret))
}

/// The secret that the environment names.
#[napi]
pub fn secret_from_env(environment: Environment) -> Result<External<core::Secret>> {
    guarded(|| Ok(External::new(secret::of(&environment)?)))
}

/// The secret itself, as text.
#[napi]
pub fn secret_expose(secret: &External<core::Secret>) -> String {
    secret.expose().to_owned()
}

/// Several secrets, the newest first, each with the time from when on it sealed.
#[napi]
pub fn keyring_new(
    secrets: Vec<&External<core::Secret>>,
    since: Vec<Option<String>>,
) -> Result<External<core::Keyring>> {
    guarded(|| {
        let mut keyring: Option<core::Keyring> = None;
        for (secret, since) in secrets.into_iter().zip(since) {
            let secret = (**secret).clone();
            let next = match keyring.take() {
                Some(keyring) => keyring.with_older(secret),
                None => core::Keyring::new(secret),
            };
            keyring = Some(match since {
                Some(since) => next.since(values::timestamp(Some(&since))?),
                None => next,
            });
        }
        keyring.map(External::new).ok_or_else(|| Failure::secret("a keyring needs a secret"))
    })
}
