//! Several secrets.

use logflux_envelope::Keyring;

use crate::arguments::{Out, there};
use crate::boundary::{boundary, freeing};
use crate::error::logflux_error;
use crate::secret::logflux_secret;
use crate::status::logflux_status;
use crate::words::{logflux_timestamp, time};

/// One or more secrets, so that old entries stay readable after a rotation. Zeroed when it is freed.
/// One thread at a time may use it.
pub struct logflux_keyring(pub(crate) Keyring);

/// Makes a keyring of the newest secret. `since` is since when that one seals, or NULL where that is
/// not known: an entry of a secret's time is tried with that one first.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_keyring_new(
    newest: Option<&logflux_secret>,
    since: Option<&logflux_timestamp>,
    out: Option<&mut *mut logflux_keyring>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let mut keyring = Keyring::new(there(newest, "newest")?.0.clone());
        if since.is_some() {
            keyring = keyring.since(time(since)?);
        }
        out.give(logflux_keyring(keyring))
    })
}

/// Adds a secret older than all others. `since` is since when it was in use, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_keyring_add_older(
    keyring: Option<&mut logflux_keyring>,
    secret: Option<&logflux_secret>,
    since: Option<&logflux_timestamp>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let keyring = there(keyring, "keyring")?;
        let secret = there(secret, "secret")?;
        let since = since.map(|since| time(Some(since))).transpose()?;
        let added = keyring.0.clone().with_older(secret.0.clone());
        keyring.0 = match since {
            Some(since) => added.since(since),
            None => added,
        };
        Ok(())
    })
}

/// How many secrets there are.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_keyring_count(keyring: Option<&logflux_keyring>) -> usize {
    keyring.map_or(0, |keyring| keyring.0.len())
}

/// Zeroes and frees a keyring. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_keyring_free(keyring: Option<Box<logflux_keyring>>) {
    freeing(keyring);
}
