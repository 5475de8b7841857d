//! Whose address a request counts for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The most hops of `X-Forwarded-For` that are looked at.
const HOPS_MAX: usize = 32;

/// What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, which is what one
/// customer has at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Network {
    V4(u32),
    V6(u64),
}

impl Network {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
        }
    }
}

/// As people write it: `192.0.2.1` or `2001:db8:1:2::/64`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(bits) => Ipv4Addr::from_bits(*bits).fmt(f),
            Self::V6(bits) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(*bits) << 64)),
        }
    }
}

/// Where a request comes from: the peer, or where that is one of our proxies, the nearest address
/// of `X-Forwarded-For` that is none. What stands further left may be anybody's invention.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|net| net.contains(&address))
    };
    let mut nearest = peer.to_canonical();
    if !is_proxy(&nearest) {
        return nearest;
    }
    let lines: Vec<&[u8]> =
        headers.get_all(X_FORWARDED_FOR).iter().map(|line| line.as_bytes()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for hop in hops.take(HOPS_MAX) {
        // What cannot be read ends the way: what stands further left may be anybody's invention.
        let Some(address) = std::str::from_utf8(hop).ok().and_then(|hop| parse(hop.trim())) else {
            break;
        };
        nearest = address.to_canonical();
        if !is_proxy(&nearest) {
            break;
        }
    }
    nearest
}

/// An address, which some proxies write with a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().ok().or_else(bare).or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ipv6_counts_by_64_bits_and_ipv4_by_address_however_it_is_written() {
        let network = |text| Network::of(ip(text));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:192.0.2.1").to_string(), "192.0.2.1");
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().unwrap());
        let from_bytes = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, axum::http::HeaderValue::from_bytes(line).unwrap());
            }
            client(ip("10.0.0.1"), &headers, &proxies).to_string()
        };
        // A line that cannot be read ends the way, wherever it stands.
        assert_eq!(from_bytes(&[b"203.0.113.9", b"\xff"]), "10.0.0.1");
        assert_eq!(from_bytes(&[b"203.0.113.9", b"\xff, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(from_bytes(&[b"203.0.113.9, \xc3\xa4"]), "10.0.0.1");
        assert_eq!(from_bytes(&[b"203.0.113.9", b""]), "10.0.0.1");
        assert_eq!(from_bytes(&[b"\xc3\xa4, 198.51.100.7"]), "198.51.100.7");
        let from = |peer: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, line.parse().unwrap());
            }
            client(ip(peer), &headers, &proxies).to_string()
        };
        // A stranger may say what they like.
        assert_eq!(from("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        // What the client itself claimed stands to the left of what our proxy saw.
        assert_eq!(from("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, 10.0.0.2,10.0.0.3"]), "198.51.100.7");
        // Through proxies all the way, the farthest of them.
        assert_eq!(from("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        // What is no address ends the way.
        assert_eq!(from("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(from("2001:db8::1", &["[2001:db9::7]:4711"]), "2001:db9::7");
        assert_eq!(from("2001:db8::1", &["[2001:db9::7]"]), "2001:db9::7");
        let many = "10.0.0.9, ".repeat(100_000) + "10.0.0.2";
        assert_eq!(from("10.0.0.1", &[&many]), "10.0.0.9");
    }
}
