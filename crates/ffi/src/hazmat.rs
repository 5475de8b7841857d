//! For test vectors only.

use std::ffi::c_char;

use logflux_envelope::hazmat::{Given, derive_key, seal_with_salt_and_iv};
use logflux_envelope::{Field, Iv, Salt};

use crate::arguments::{bytes, there};
use crate::boundary::boundary;
use crate::buffer::logflux_buffer;
use crate::error::{Failure, at_field, logflux_error};
use crate::node::with_node;
use crate::secret::logflux_secret;
use crate::status::logflux_status;
use crate::words::{level, logflux_timestamp, mode, time};

fn salt(bytes: &[u8]) -> Result<Salt, Failure> {
    let what = format_args!("salt must be 32 bytes and is {}", bytes.len()).to_string();
    let salt = <[u8; Salt::LEN]>::try_from(bytes);
    salt.map(Salt::new).map_err(|_| at_field(logflux_status::InvalidSalt, Field::Salt, what))
}

fn iv(bytes: &[u8]) -> Result<Iv, Failure> {
    let what = format_args!("iv must be 12 bytes and is {}", bytes.len()).to_string();
    let iv = <[u8; Iv::LEN]>::try_from(bytes);
    iv.map(Iv::new).map_err(|_| at_field(logflux_status::InvalidIv, Field::Iv, what))
}

/// FOR TEST VECTORS ONLY: seals a message with a salt and an iv that are given, and appends the
/// entry's canonical JSON to `out`. Two messages under one salt and iv can both be read by anyone who
/// has the two entries, and forged ones can be made.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_hazmat_seal_with_salt_and_iv(
    secret: Option<&logflux_secret>,
    mode: u32,
    salt: *const u8,
    salt_length: usize,
    iv: *const u8,
    iv_length: usize,
    node: *const c_char,
    node_length: usize,
    level: u32,
    timestamp: Option<&logflux_timestamp>,
    message: *const c_char,
    message_length: usize,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let secret = &there(secret, "secret")?.0;
        let out = there(out, "out")?;
        let mode = self::mode(mode)?;
        let salt = self::salt(bytes!(salt, salt_length))?;
        let iv = self::iv(bytes!(iv, iv_length))?;
        let (level, timestamp) = (self::level(level)?, time(timestamp)?);
        let message = bytes!(message, message_length);
        with_node(bytes!(node, node_length), |node| {
            let given = Given { mode, salt, iv, node, level, timestamp };
            let entry = seal_with_salt_and_iv(message, secret, &given)?;
            out.append(entry.to_json().as_bytes());
            Ok(())
        })
    })
}

/// FOR TEST VECTORS ONLY: appends the 32 bytes that key the cipher of an entry with this salt to
/// `out`; in mode 128, the entry's own key.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_hazmat_derive_key(
    secret: Option<&logflux_secret>,
    mode: u32,
    salt: *const u8,
    salt_length: usize,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let secret = &there(secret, "secret")?.0;
        let out = there(out, "out")?;
        let salt = self::salt(bytes!(salt, salt_length))?;
        out.append(derive_key(secret, self::mode(mode)?, &salt)?.as_bytes());
        Ok(())
    })
}
