//! The hosts that no proxy is used for, as curl reads `NO_PROXY`.

use std::net::IpAddr;
use std::str::FromStr as _;

use ipnet::IpNet;

use super::proxy::without_brackets;

/// Whether `list` names `host`.
///
/// Its items stand between commas or white space. An item is a domain, which matches itself and every
/// host under it, with or without a leading `.` or `*.`; an IP address; a block of addresses such as
/// `10.0.0.0/8`; or `*`, which matches every host. Case, brackets and a dot at the end do not count.
pub(super) fn excludes(list: &str, host: &str) -> bool {
    let host = without_brackets(host);
    let address = host.parse::<IpAddr>().ok();
    list.split(|c: char| c == ',' || c.is_whitespace()).any(|item| {
        item == "*"
            || match address {
                Some(address) => has_address(item, address),
                None => has_host(item, host),
            }
    })
}

fn has_address(item: &str, address: IpAddr) -> bool {
    let item = without_brackets(item);
    match item.parse::<IpAddr>() {
        Ok(item) => item == address,
        Err(_) => IpNet::from_str(item).is_ok_and(|block| block.contains(&address)),
    }
}

fn has_host(item: &str, host: &str) -> bool {
    let item = item.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(item);
    let item = item.strip_prefix('.').unwrap_or(item);
    let item = item.strip_suffix('.').unwrap_or(item).to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    match host.strip_suffix(&item) {
        Some(_) if item.is_empty() => false,
        Some(under) => under.is_empty() || under.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_curl_does() {
        for (list, host, excluded) in [
            ("example.com", "example.com", true),
            ("example.com", "logs.example.com", true),
            ("example.com", "notexample.com", false),
            ("example.com", "example.com.evil.org", false),
            ("EXAMPLE.com", "logs.Example.COM", true),
            (".example.com", "logs.example.com", true),
            (".example.com", "example.com", true),
            ("*.example.com", "logs.example.com", true),
            ("example.com.", "logs.example.com", true),
            ("example.com", "logs.example.com.", true),
            ("a.org, example.com", "example.com", true),
            ("a.org example.com", "example.com", true),
            (" a.org ,\texample.com , b.org", "example.com", true),
            ("a.org,,example.com,", "example.com", true),
            ("logs", "logs", true),
            ("com", "example.com", true),
            ("*", "example.com", true),
            ("*", "10.1.2.3", true),
            ("a.org, *", "example.com", true),
            ("*ample.com", "example.com", false),
            (".", "example.com", false),
            ("", "example.com", false),
            (" , ,", "example.com", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.30", false),
            ("2.3", "10.1.2.3", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.1.2.3/8", "10.200.0.1", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("192.168.0.0/16,10.0.0.0/8", "10.1.2.3", true),
            ("0.0.0.0/0", "10.1.2.3", true),
            ("10.0.0.0/33", "10.1.2.3", false),
            ("10.0.0.0/8", "10.example.com", false),
            ("::1", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("0:0:0:0:0:0:0:1", "::1", true),
            ("2001:db8::/32", "[2001:db8:1::5]", true),
            ("2001:db8::/32", "[2001:db9::5]", false),
            ("10.0.0.0/8", "[::1]", false),
        ] {
            assert_eq!(excludes(list, host), excluded, "{list:?} and {host}");
        }
    }
}
