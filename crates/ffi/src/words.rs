//! Levels, modes, key policies and timestamps, as C has them.

use std::ffi::c_char;
use std::time::Duration;

use logflux_envelope::{Field, KeyPolicy, Level, Mode, Timestamp};

use crate::arguments::{text, there};
use crate::boundary::boundary;
use crate::buffer::logflux_buffer;
use crate::error::{Failure, at_field, logflux_error};
use crate::status::logflux_status;

/// The severities of syslog plus one (PROTOCOL 2).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum logflux_level {
    /// The system is unusable.
    Emergency = 1,
    /// Action must be taken at once.
    Alert = 2,
    /// A critical condition.
    Critical = 3,
    /// An error.
    Error = 4,
    /// A warning.
    Warning = 5,
    /// Normal, but significant.
    Notice = 6,
    /// Informational.
    Info = 7,
    /// For debugging.
    Debug = 8,
}

/// How an entry is sealed (PROTOCOL 4).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum logflux_mode {
    /// The standard: AES-256-GCM under a PBKDF2-HMAC-SHA256 key of 600,000 iterations.
    Pbkdf2 = 1,
    /// Provisional: AES-256-GCM under a scrypt key.
    Scrypt = 2,
    /// Provisional: AES-256-GCM under an Argon2id key.
    Argon2 = 3,
    /// Provisional: ChaCha20-Poly1305 under an Argon2id key.
    Chacha20Argon2 = 4,
    /// An extension: a key of its own for every entry at full speed, and authentic metadata.
    Hkdf = 128,
}

/// What a key policy does in modes 1 to 4 (PROTOCOL 6).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum logflux_policy_kind {
    /// Every entry has its own salt and key; sealing waits where none is derived ahead.
    Unique = 1,
    /// Own keys while the budget lasts, and then shared ones; the default.
    Adaptive = 2,
    /// One key for all entries until a bound is met.
    Bounded = 3,
}

/// How a sealer spends key derivations in modes 1 to 4, of which each costs tens of milliseconds.
/// Mode 128 does not look at it. Where a policy is asked for, NULL is the default: adaptive, 0.1 of a
/// core, 65,536 entries, 60 s.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct logflux_key_policy {
    /// A logflux_policy_kind.
    pub kind: u32,
    /// Adaptive: the part of one core that derivation may use, above 0 and at most 1. Else ignored.
    pub budget: f64,
    /// Adaptive, bounded: how many entries may share a key, from 1 to 2^32 (bounded: 2^20).
    pub max_entries: u64,
    /// Adaptive, bounded: for how many milliseconds, from 1 (bounded: to 3,600,000).
    pub max_age_ms: u64,
}

/// A point in time in UTC, from year 0001 to 9999.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct logflux_timestamp {
    /// Whole seconds since 1970-01-01T00:00:00Z, negative before it.
    pub seconds: i64,
    /// Nanoseconds on top of them, below 10^9.
    pub nanoseconds: u32,
}

pub(crate) fn level(number: u32) -> Result<Level, Failure> {
    Level::from_number(number.into())
        .map_err(|error| at_field(logflux_status::InvalidLevel, Field::Loglevel, error))
}

pub(crate) fn mode(number: u32) -> Result<Mode, Failure> {
    Mode::from_number(number.into())
        .map_err(|error| at_field(logflux_status::UnsupportedMode, Field::EncryptionMode, error))
}

pub(crate) fn policy(policy: Option<&logflux_key_policy>) -> Result<KeyPolicy, Failure> {
    let Some(policy) = policy else { return Ok(KeyPolicy::DEFAULT) };
    let (budget, max_entries) = (policy.budget, policy.max_entries);
    let max_age = Duration::from_millis(policy.max_age_ms);
    match policy.kind {
        1 => Ok(KeyPolicy::Unique),
        2 => Ok(KeyPolicy::Adaptive { budget, max_entries, max_age }),
        3 => Ok(KeyPolicy::Bounded { max_entries, max_age }),
        _ => Err(logflux_error::at(
            logflux_status::InvalidKeyPolicy,
            "kind",
            "kind must be 1 (unique), 2 (adaptive) or 3 (bounded)",
        )),
    }
}

/// The time that is given, or else now.
pub(crate) fn time(timestamp: Option<&logflux_timestamp>) -> Result<Timestamp, Failure> {
    match timestamp {
        None => Ok(Timestamp::now()),
        Some(given) => Timestamp::from_unix(given.seconds, given.nanoseconds)
            .map_err(|error| at_field(logflux_status::InvalidTimestamp, Field::Timestamp, error)),
    }
}

impl From<Timestamp> for logflux_timestamp {
    fn from(timestamp: Timestamp) -> Self {
        Self { seconds: timestamp.unix_seconds(), nanoseconds: timestamp.nanoseconds() }
    }
}

/// What the wall clock says now.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_timestamp_now(
    out: Option<&mut logflux_timestamp>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        *there(out, "out")? = Timestamp::now().into();
        Ok(())
    })
}

/// Reads RFC 3339 with any offset, such as "2024-01-17T10:30:45Z".
#[unsafe(no_mangle)]
pub extern "C" fn logflux_timestamp_parse(
    text: *const c_char,
    text_length: usize,
    out: Option<&mut logflux_timestamp>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = there(out, "out")?;
        let timestamp = text!(text, text_length).parse::<Timestamp>();
        let invalid = |error| at_field(logflux_status::InvalidTimestamp, Field::Timestamp, error);
        *out = timestamp.map_err(invalid)?.into();
        Ok(())
    })
}

/// Appends the canonical text: RFC 3339 with Z and the shortest exact fraction of 0, 3, 6 or 9
/// digits.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_timestamp_format(
    timestamp: Option<&logflux_timestamp>,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = there(out, "out")?;
        let timestamp = time(Some(there(timestamp, "timestamp")?))?;
        out.append(timestamp.to_string().as_bytes());
        Ok(())
    })
}
