//! The limits of the calls, and what is left of them.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::address::Network;
use super::windows::{Counted, Windows};
use crate::config::Rates;
use crate::keys::KeyId;

/// More keys than a server has in use at a time.
const KEYS_MAX: usize = 100_000;

/// Counts requests by key and by address.
#[derive(Debug)]
pub(crate) struct Limiter {
    began: Instant,
    keys: Windows<KeyId>,
    addresses: Windows<Network>,
    handshakes: Windows<Network>,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            keys: Windows::new(),
            addresses: Windows::new(),
            handshakes: Windows::new(),
        }
    }

    /// Counts a request of a key; nothing where keys have no limit.
    pub(crate) fn key(&self, key: &KeyId, rates: &Rates) -> Option<Quota> {
        let limit = rates.per_key;
        let counted = || self.keys.count(key, limit, KEYS_MAX, self.began.elapsed());
        (limit > 0).then(|| Quota::new(limit, counted()))
    }

    /// Counts a request of an address; nothing where addresses have no limit.
    pub(crate) fn address(&self, address: IpAddr, rates: &Rates) -> Option<Quota> {
        let (limit, most) = (rates.per_address, rates.addresses);
        let network = Network::of(address);
        let counted = || self.addresses.count(&network, limit, most, self.began.elapsed());
        (limit > 0).then(|| Quota::new(limit, counted()))
    }

    /// Counts a connection of an address; whether it may begin its handshake.
    pub(crate) fn handshake(&self, network: Network, rates: &Rates) -> bool {
        let (limit, most) = (rates.handshakes_per_address, rates.addresses);
        limit == 0 || self.handshakes.count(&network, limit, most, self.began.elapsed()).within
    }
}

/// What a limit leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Whether the request that was counted is within the limit.
    pub(crate) within: bool,
    /// The limit, in requests a window.
    pub(crate) limit: u32,
    /// How many more there may be in this window.
    pub(crate) remaining: u32,
    /// When the window ends.
    ends_in: Duration,
}

impl Quota {
    fn new(limit: u32, counted: Counted) -> Self {
        let Counted { within, remaining, ends_in } = counted;
        Self { within, limit, remaining, ends_in }
    }

    /// The one that will stop a sender first: the one with less left, or that which lasts longer.
    pub(crate) fn tighter(self, other: Self) -> Self {
        let rank = |quota: &Self| (quota.within, quota.remaining, std::cmp::Reverse(quota.ends_in));
        std::cmp::min_by_key(self, other, rank)
    }

    /// After how many whole seconds the window has ended, at least 1.
    pub(crate) fn retry_after(&self) -> u64 {
        whole_seconds(self.ends_in).max(1)
    }

    /// When the window ends, in seconds since 1970.
    pub(crate) fn reset(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        whole_seconds(now + self.ends_in)
    }
}

/// Rounded up, so that nobody comes too early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_limit_is_the_one_that_stops_a_sender_first() {
        let quota = |within, remaining, seconds| Quota {
            within,
            limit: 100,
            remaining,
            ends_in: Duration::from_secs(seconds),
        };
        for (tighter, wider) in [
            (quota(true, 3, 9), quota(true, 4, 60)),
            (quota(false, 0, 9), quota(true, 0, 60)),
            (quota(true, 0, 60), quota(true, 0, 9)),
        ] {
            assert_eq!(tighter.tighter(wider), tighter);
            assert_eq!(wider.tighter(tighter), tighter);
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        let quota = |millis| Quota {
            within: false,
            limit: 1,
            remaining: 0,
            ends_in: Duration::from_millis(millis),
        };
        assert_eq!([0, 1, 1_000, 1_001].map(|millis| quota(millis).retry_after()), [1, 1, 1, 2]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((now + 59..=now + 61).contains(&quota(59_500).reset()));
    }

    #[test]
    fn no_limit_counts_nothing() {
        let (limiter, rates) = (Limiter::new(), Rates::NONE);
        let key = "key_AAAAAAAAAAAA".parse().unwrap();
        for _ in 0..1_000 {
            assert_eq!(limiter.key(&key, &rates), None);
            assert_eq!(limiter.address(IpAddr::from([192, 0, 2, 1]), &rates), None);
        }
    }
}
