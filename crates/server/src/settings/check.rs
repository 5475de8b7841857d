//! The rules of the settings.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use logflux_wire::{Mode, limits};

use super::error::{Problem, SettingsError};
use super::file::{LimitSettings, Settings, TimeoutSettings};
use super::units::{Size, Span};
use crate::config::{Limits, Rates, ServerConfig, Timeouts, TlsFiles};

/// Where a server listens when nothing is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8443);

/// The smallest body that can hold an entry of every payload that is taken.
const AROUND_PAYLOAD: usize = 4_096;

impl Settings {
    /// Checks all settings together.
    ///
    /// # Errors
    /// [`SettingsError::Rules`], with everything that is wrong.
    pub fn config(&self) -> Result<ServerConfig, SettingsError> {
        let mut checks = Checks(Vec::new());
        let data = checks.there("data", &self.data, "name the data folder, here or with --data");
        let cert =
            checks.there("tls.cert", &self.tls.cert, "name the certificate's file, or use --dev");
        let key =
            checks.there("tls.key", &self.tls.key, "name the private key's file, or use --dev");
        let modes = checks.modes(self.modes.as_deref());
        let limits = checks.limits(&self.limits);
        let rates = checks.rates(&self.limits);
        let timeouts = checks.timeouts(&self.timeouts);
        if let Err(reason) = self.store.check() {
            checks.wrong("store", reason);
        }
        if let Err(reason) = self.monitor.check() {
            checks.wrong("monitor", reason);
        }
        if let (Some(data), Some(cert), Some(key)) = (data, cert, key)
            && checks.0.is_empty()
        {
            let files = TlsFiles { cert, key };
            let mut config = ServerConfig::new(self.listen.unwrap_or(LISTEN), data, files);
            config.modes = modes;
            config.limits = limits;
            config.rates = rates;
            config.timeouts = timeouts;
            config.store = self.store;
            config.monitor = self.monitor.clone();
            return Ok(config);
        }
        Err(SettingsError::Rules(checks.0))
    }
}

/// What was found wrong so far.
struct Checks(Vec<Problem>);

impl Checks {
    fn wrong(&mut self, setting: &'static str, reason: impl Into<String>) {
        self.0.push(Problem { setting, reason: reason.into() });
    }

    fn there<T: Clone>(
        &mut self,
        name: &'static str,
        value: &Option<T>,
        remedy: &str,
    ) -> Option<T> {
        if value.is_none() {
            self.wrong(name, format!("it is not set: {remedy}"));
        }
        value.clone()
    }

    /// A value that must lie between two others, or its default.
    fn within<T: PartialOrd + Display + Copy>(
        &mut self,
        name: &'static str,
        value: Option<T>,
        range: RangeInclusive<T>,
        default: T,
    ) -> T {
        let Some(value) = value else { return default };
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            self.wrong(name, format!("{value} is out of bounds: write {least} to {most}"));
        }
        value
    }

    fn size(
        &mut self,
        name: &'static str,
        value: Option<Size>,
        range: RangeInclusive<usize>,
        default: usize,
    ) -> usize {
        let bytes = value.map(|Size(bytes)| usize::try_from(bytes).unwrap_or(usize::MAX));
        self.within(name, bytes, range, default)
    }

    fn modes(&mut self, numbers: Option<&[u64]>) -> Vec<Mode> {
        let Some(numbers) = numbers else { return vec![Mode::Pbkdf2, Mode::Hkdf] };
        if numbers.is_empty() {
            self.wrong("modes", "there is none, and no entry would be taken: write [1, 128]");
        }
        let mut modes = Vec::new();
        for number in numbers {
            match Mode::from_number(*number) {
                Ok(mode) if !modes.contains(&mode) => modes.push(mode),
                Ok(_) => self.wrong("modes", format!("{number} stands twice: write it once")),
                Err(_) => {
                    let reason = format!("there is no mode {number}: there are 1, 2, 3, 4 and 128");
                    self.wrong("modes", reason);
                }
            }
        }
        modes
    }

    fn limits(&mut self, set: &LimitSettings) -> Limits {
        let mut to = Limits::default();
        let payload = 24..=limits::PAYLOAD_BASE64_MAX;
        to.payload = self.size("limits.payload", set.payload, payload, to.payload);
        to.batch = self.within("limits.batch", set.batch, 1..=1_000, to.batch);
        // By default as much as a batch can be.
        let body = to.batch.saturating_mul(to.payload.saturating_add(AROUND_PAYLOAD));
        let least = to.payload.saturating_add(AROUND_PAYLOAD);
        to.body = self.size("limits.body", set.body, least..=4 << 30, body);
        // A body, and as much again for what is read of it, of each of two tenants.
        let least = to.body.saturating_mul(4);
        let default = to.bodies.max(least);
        to.bodies = self.size("limits.bodies", set.bodies, least..=1 << 40, default);
        let most = 1..=1_000_000;
        to.queue_requests =
            self.within("limits.queue_requests", set.queue_requests, most, to.queue_requests);
        // Two bodies' payloads: one tenant alone has half, and the next then finds room for any body.
        let least = (to.body / 4 * 3).saturating_mul(2).max(limits::PAYLOAD_BASE64_MAX);
        let default = to.queue_bytes.max(least);
        to.queue_bytes = self.size("limits.queue_bytes", set.queue_bytes, least..=1 << 40, default);
        to.page = self.size("limits.page", set.page, 64 << 10..=1 << 30, to.page);
        let answers = to.page.saturating_mul(2)..=1 << 40;
        let default = to.answers.max(to.page.saturating_mul(2));
        to.answers = self.size("limits.answers", set.answers, answers, default);
        to.tails = self.within("limits.tails", set.tails, 0..=100_000, to.tails);
        let most = 1..=1_000_000;
        to.connections =
            self.within("limits.connections", set.connections, most.clone(), to.connections);
        let per_address = set.connections_per_address;
        to.connections_per_address = self.within(
            "limits.connections_per_address",
            per_address,
            most,
            to.connections_per_address,
        );
        to
    }

    fn rates(&mut self, set: &LimitSettings) -> Rates {
        let mut to = Rates::default();
        let most = 0..=10_000_000;
        let (name, per_key) = ("limits.requests_per_key", set.requests_per_key);
        to.per_key = self.within(name, per_key, most.clone(), to.per_key);
        let (name, per_address) = ("limits.requests_per_address", set.requests_per_address);
        to.per_address = self.within(name, per_address, most.clone(), to.per_address);
        if to.per_address == 0 {
            // Whoever sets no limit on an address means its connections as well.
            to.handshakes_per_address = 0;
        }
        let (name, handshakes) = ("limits.handshakes_per_address", set.handshakes_per_address);
        to.handshakes_per_address = self.within(name, handshakes, most, to.handshakes_per_address);
        let addresses = 1_000..=10_000_000;
        to.addresses = self.within("limits.addresses", set.addresses, addresses, to.addresses);
        for proxy in set.trusted_proxies.iter().flatten() {
            let net = proxy.parse::<IpNet>().ok();
            let net = net.or_else(|| Some(IpNet::from(proxy.parse::<IpAddr>().ok()?)));
            match net.map(canonical) {
                Some(net) if net.prefix_len() > 0 => to.trusted_proxies.push(net),
                Some(_) => self.wrong(
                    "limits.trusted_proxies",
                    format!("{proxy} is everybody, who could then claim any address: name yours"),
                ),
                None => self.wrong(
                    "limits.trusted_proxies",
                    format!("{proxy:?} is no address and no network: write 10.0.0.1 or 10.0.0.0/8"),
                ),
            }
        }
        to
    }

    fn timeouts(&mut self, set: &TimeoutSettings) -> Timeouts {
        let mut to = Timeouts::default();
        for (name, value, to) in [
            ("timeouts.handshake", set.handshake, &mut to.handshake),
            ("timeouts.header", set.header, &mut to.header),
            ("timeouts.body", set.body, &mut to.body),
            ("timeouts.write", set.write, &mut to.write),
            ("timeouts.shutdown", set.shutdown, &mut to.shutdown),
        ] {
            let Some(Span(value)) = value else { continue };
            if !(Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&value) {
                self.wrong(name, format!("{value:?} is out of bounds: write 100ms to 1h"));
            }
            *to = value;
        }
        to
    }
}

/// A network of IPv4 addresses that is written as one of IPv6, `::ffff:10.0.0.0/104`, as what it is:
/// addresses are compared as IPv4.
fn canonical(net: IpNet) -> IpNet {
    let mapped = |net: Ipv6Net| {
        let prefix = net.prefix_len().checked_sub(96)?;
        Ipv4Net::new(net.network().to_ipv4_mapped()?, prefix).ok()
    };
    match net {
        IpNet::V6(six) => mapped(six).map_or(net, IpNet::V4),
        IpNet::V4(_) => net,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        let needed = "data = \"d\"\ntls.cert = \"c\"\ntls.key = \"k\"\n";
        toml::from_str(&format!("{needed}{text}")).unwrap()
    }

    #[test]
    fn what_is_not_set_is_at_its_default() {
        let config = settings("").config().unwrap();
        let files = TlsFiles { cert: "c".into(), key: "k".into() };
        let default = ServerConfig::new(LISTEN, "d", files);
        assert_eq!(format!("{config:?}"), format!("{default:?}"));
        assert_eq!((config.rates.per_key, config.rates.per_address), (600, 60));
    }

    #[test]
    fn what_breaks_a_rule_is_named_with_its_remedy() {
        for (text, setting, remedy) in [
            ("modes = []", "modes", "[1, 128]"),
            ("modes = [5]", "modes", "1, 2, 3, 4 and 128"),
            ("modes = [1, 1]", "modes", "once"),
            ("limits.batch = 0", "limits.batch", "1 to 1000"),
            ("limits.payload = \"2MiB\"", "limits.payload", "24 to 1048576"),
            ("limits.body = \"1MiB\"", "limits.body", "1052672 to"),
            ("limits.bodies = \"8MiB\"", "limits.bodies", "421068800 to"),
            ("limits.queue_bytes = \"64MiB\"", "limits.queue_bytes", "157900800 to"),
            ("limits.connections = 0", "limits.connections", "1 to"),
            ("limits.addresses = 1", "limits.addresses", "1000 to"),
            ("limits.trusted_proxies = [\"proxy\"]", "limits.trusted_proxies", "10.0.0.0/8"),
            ("limits.trusted_proxies = [\"0.0.0.0/0\"]", "limits.trusted_proxies", "name yours"),
            (
                "limits.trusted_proxies = [\"::ffff:0:0/96\"]",
                "limits.trusted_proxies",
                "name yours",
            ),
            ("timeouts.header = \"0s\"", "timeouts.header", "100ms to 1h"),
            ("timeouts.body = \"2h\"", "timeouts.body", "100ms to 1h"),
        ] {
            let error = settings(text).config().unwrap_err();
            let SettingsError::Rules(problems) = &error else { panic!("{error}") };
            assert_eq!(problems.len(), 1, "{text}: {error}");
            assert_eq!(problems[0].setting, setting);
            assert!(problems[0].reason.contains(remedy), "{error}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let empty = Settings::default().config().unwrap_err().to_string();
        for line in ["data: it is not set", "tls.cert: it is not set", "tls.key: it is not set"] {
            assert!(empty.lines().any(|said| said.starts_with(line)), "{line}: {empty}");
        }
        let wrong = settings("modes = [9]\nlimits.batch = 0\ntimeouts.body = \"9d\"").config();
        assert_eq!(wrong.unwrap_err().to_string().lines().count(), 3);
    }

    #[test]
    fn what_is_set_counts() {
        let text = "listen = \"[::1]:9\"\nmodes = [128]\n[limits]\nrequests_per_key = 0\n\
                    trusted_proxies = [\"10.0.0.0/8\", \"::1\", \"::ffff:192.0.2.1\"]\nbatch = 10\n[timeouts]\nwrite = \"5s\"";
        let config = settings(text).config().unwrap();
        assert_eq!(config.listen, "[::1]:9".parse().unwrap());
        assert_eq!(config.modes, [Mode::Hkdf]);
        assert_eq!((config.rates.per_key, config.rates.per_address), (0, 60));
        let proxies =
            ["10.0.0.0/8", "::1/128", "192.0.2.1/32"].map(|net| net.parse::<IpNet>().unwrap());
        assert_eq!(config.rates.trusted_proxies, proxies);
        assert_eq!((config.limits.batch, config.limits.body), (10, 10 * (1_048_576 + 4_096)));
        assert_eq!(config.timeouts.write, Duration::from_secs(5));
        let config = settings("limits.body = \"400MiB\"").config().unwrap();
        assert_eq!(config.limits.queue_bytes, 600 << 20);
        assert_eq!(config.limits.bodies, 1_600 << 20);
    }
}
