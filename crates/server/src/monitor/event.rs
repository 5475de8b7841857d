//! What the monitors are told.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use logflux_wire::response::ErrorCode;

use crate::keys::KeyInfo;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// A request was answered.
    Answered {
        /// The route's pattern; none where there is no such path.
        route: Option<&'a str>,
        status: u16,
        code: Option<ErrorCode>,
        elapsed: Duration,
        key: Option<&'a Arc<KeyInfo>>,
        address: Option<IpAddr>,
    },
    /// A key has sent entries, of which all are read and some may be refused.
    Received { key: &'a KeyInfo, entries: u64, bytes: u64, largest: usize },
    /// Entries of a request were refused.
    Refused { key: &'a KeyInfo, code: ErrorCode, entries: u64 },
    /// A request was counted in its minute. Above the limit, it was refused.
    Counted { whose: Whose<'a>, used: u64, limit: u64 },
}

/// Whose requests are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    Key(&'a KeyInfo),
    Address(IpAddr),
}
