//! For test vectors only.

use logflux_envelope::hazmat::{self, Given};
use logflux_envelope::{Field, Iv, Salt, Secret, Stage};
use napi::bindgen_prelude::{BufferSlice, External, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;

use crate::boundary::{Failure, guarded};
use crate::values::{self, Bytes};

/// Seals with the salt and the iv that are given. **For test vectors only.**
#[napi]
#[allow(clippy::too_many_arguments)] // Nothing is drawn.
pub fn hazmat_seal(
    message: Bytes<'_>,
    secret: &External<Secret>,
    salt: Uint8ArraySlice<'_>,
    iv: Uint8ArraySlice<'_>,
    node: String,
    level: String,
    timestamp: String,
    mode: Option<String>,
) -> Result<String> {
    guarded(|| {
        let message = values::bytes(message)?;
        let iv: [u8; Iv::LEN] = (*iv)
            .try_into()
            .map_err(|_| Failure::field(Field::Iv, Stage::Size, "iv must be 12 bytes"))?;
        let node = values::node(Some(node))?;
        let given = Given {
            mode: values::mode(mode.as_deref())?,
            salt: salt_of(&salt)?,
            iv: iv.into(),
            node: &node,
            level: values::level(&level)?,
            timestamp: values::timestamp(Some(&timestamp))?,
        };
        Ok(hazmat::seal_with_salt_and_iv(&message, secret, &given)?.to_json())
    })
}

/// The 32 bytes that key the cipher of an entry with this salt. **For test vectors only.**
#[napi]
pub fn hazmat_derive_key<'env>(
    env: &'env Env,
    secret: &External<Secret>,
    salt: Uint8ArraySlice<'_>,
    mode: Option<String>,
) -> Result<BufferSlice<'env>> {
    guarded(|| {
        let mode = values::mode(mode.as_deref())?;
        let key = hazmat::derive_key(secret, mode, &salt_of(&salt)?)?;
        Ok(BufferSlice::copy_from(env, key.as_bytes())?)
    })
}

fn salt_of(salt: &[u8]) -> std::result::Result<Salt, Failure> {
    let salt: [u8; Salt::LEN] = salt
        .try_into()
        .map_err(|_| Failure::field(Field::Salt, Stage::Size, "salt must be 32 bytes"))?;
    Ok(salt.into())
}
