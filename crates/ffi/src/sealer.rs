//! Sealing: one message by itself, or many by a sealer.

use std::ffi::c_char;

use logflux_envelope::{Level, Message, Sealer, Timestamp, seal};

use crate::arguments::{Out, bytes, fill, string, there};
use crate::boundary::{boundary, freeing};
use crate::buffer::logflux_buffer;
use crate::error::{Failure, logflux_error};
use crate::node::with_node;
use crate::secret::logflux_secret;
use crate::status::logflux_status;
use crate::words::{level, logflux_key_policy, logflux_timestamp, mode, policy, time};

/// Seals messages under one secret, in one mode, spending key derivations by a policy. Any number of
/// threads may seal at once. After fork the child seals with salts and keys of its own.
pub struct logflux_sealer(Sealer);

/// What a sealer has done in this process.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct logflux_sealer_stats {
    /// Entries that no other entry shares a key with.
    pub unique: u64,
    /// Entries that share their key with others.
    pub shared: u64,
    /// Keys derived from the secret.
    pub derivations: u64,
    /// How often sealing had to wait for a key.
    pub waits: u64,
    /// Keys that are derived ahead now.
    pub pool_level: u64,
}

/// The struct's size in the first version.
const STATS_LEAST: usize = 40;

/// Seals one message in mode 1 under a salt and a key of its own, and appends the entry's canonical
/// JSON to `out`. It costs a whole key derivation, tens of milliseconds; a logflux_sealer spends
/// fewer. `message` is any bytes; text should be UTF-8. `timestamp` may be NULL, which is now.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_seal(
    secret: Option<&logflux_secret>,
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
        let (node, message) = (bytes!(node, node_length), bytes!(message, message_length));
        seal_one(secret, node, level, timestamp, message, out)
    })
}

/// logflux_seal for C strings.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_seal_cstr(
    secret: Option<&logflux_secret>,
    node: *const c_char,
    level: u32,
    timestamp: Option<&logflux_timestamp>,
    message: *const c_char,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let (node, message) = (string!(node), string!(message));
        seal_one(secret, node, level, timestamp, message, out)
    })
}

fn seal_one(
    secret: Option<&logflux_secret>,
    node: &[u8],
    level_number: u32,
    timestamp: Option<&logflux_timestamp>,
    message: &[u8],
    out: Option<&mut logflux_buffer>,
) -> Result<(), Failure> {
    let secret = there(secret, "secret")?;
    let out = there(out, "out")?;
    let (level, timestamp) = (level(level_number)?, time(timestamp)?);
    with_node(node, |node| {
        let entry = seal(message, &secret.0, node, level, timestamp)?;
        out.append(entry.to_json().as_bytes());
        Ok(())
    })
}

/// Makes a sealer in a logflux_mode with a key policy (NULL is the default). Nothing is derived
/// before the first message.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_sealer_new(
    secret: Option<&logflux_secret>,
    mode: u32,
    policy: Option<&logflux_key_policy>,
    out: Option<&mut *mut logflux_sealer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let builder = Sealer::builder(there(secret, "secret")?.0.clone());
        let builder = builder.mode(self::mode(mode)?).key_policy(self::policy(policy)?);
        out.give(logflux_sealer(builder.build()?))
    })
}

/// Seals one message and appends the entry's canonical JSON to `out`. `message` is any bytes; text
/// should be UTF-8. `timestamp` may be NULL, which is now.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_sealer_seal(
    sealer: Option<&logflux_sealer>,
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
        let (node, message) = (bytes!(node, node_length), bytes!(message, message_length));
        seal_with(sealer, node, level, timestamp, message, out)
    })
}

/// logflux_sealer_seal for C strings.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_sealer_seal_cstr(
    sealer: Option<&logflux_sealer>,
    node: *const c_char,
    level: u32,
    timestamp: Option<&logflux_timestamp>,
    message: *const c_char,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let (node, message) = (string!(node), string!(message));
        seal_with(sealer, node, level, timestamp, message, out)
    })
}

fn seal_with(
    sealer: Option<&logflux_sealer>,
    node: &[u8],
    level_number: u32,
    timestamp: Option<&logflux_timestamp>,
    message: &[u8],
    out: Option<&mut logflux_buffer>,
) -> Result<(), Failure> {
    let sealer = &there(sealer, "sealer")?.0;
    let out = there(out, "out")?;
    let (level, timestamp): (Level, Timestamp) = (level(level_number)?, time(timestamp)?);
    with_node(node, |node| {
        // What JSON adds to a node at most, and base64 to a payload; too long a message is refused
        // before anything is written.
        let payload = message.len().min(sealer.mode().message_max()) + sealer.mode().overhead();
        let most = 256 + 2 * node.as_str().len() + payload.div_ceil(3) * 4;
        let message = Message { bytes: message, node, level, timestamp };
        Ok(out.append_with(most, |out| sealer.seal_json(message, out))?)
    })
}

/// Tells what a sealer has done in this process. `out_size` is sizeof(*out).
#[unsafe(no_mangle)]
pub extern "C" fn logflux_sealer_get_stats(
    sealer: Option<&logflux_sealer>,
    out: *mut logflux_sealer_stats,
    out_size: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let stats = there(sealer, "sealer")?.0.stats();
        let stats = logflux_sealer_stats {
            unique: stats.unique,
            shared: stats.shared,
            derivations: stats.derivations,
            waits: stats.waits,
            pool_level: u64::try_from(stats.pool_level).unwrap_or(u64::MAX),
        };
        // SAFETY: docs/c-conventions.md, "Versions": `out` has `out_size` bytes.
        unsafe { fill(&stats, out, out_size, STATS_LEAST) }
    })
}

/// Zeroes and frees a sealer. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_sealer_free(sealer: Option<Box<logflux_sealer>>) {
    freeing(sealer);
}
