//! What a server is told before it starts.

use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use logflux_wire::{Mode, limits};

use crate::folder;
use crate::keys::Keys;
use crate::monitor::{self, Alerts, MonitorSettings};
use crate::store::{StoreSettings, sqlite};
use crate::tls::{self, TlsError};

/// Where a server listens, where it keeps its data, and its bounds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The address; port 0 takes a free one, which
    /// [`Server::local_addr`](crate::Server::local_addr) then says.
    pub listen: SocketAddr,
    /// The data folder. It is made, for its owner alone, where it does not exist.
    pub data: PathBuf,
    /// The certificate and its key.
    pub tls: TlsFiles,
    /// The encryption modes that are taken; by default 1 and 128 (PROTOCOL 7).
    pub modes: Vec<Mode>,
    /// How much is taken.
    pub limits: Limits,
    /// How often anybody may ask.
    pub rates: Rates,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// What is kept, and for how long.
    pub store: StoreSettings,
    /// What is watched for, and who is told.
    pub monitor: MonitorSettings,
}

impl ServerConfig {
    /// A server with the default bounds.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>, tls: TlsFiles) -> Self {
        Self {
            listen,
            data: data.into(),
            tls,
            modes: vec![Mode::Pbkdf2, Mode::Hkdf],
            limits: Limits::default(),
            rates: Rates::default(),
            timeouts: Timeouts::default(),
            store: StoreSettings::default(),
            monitor: MonitorSettings::default(),
        }
    }
}

impl ServerConfig {
    /// Looks at everything that a server needs at its start, and changes nothing: the certificate, the
    /// webhook, the data folder and what is in it, and the address. A server may run with the same
    /// settings meanwhile.
    ///
    /// # Errors
    /// A sentence for everything that keeps a server from starting.
    pub fn check(&self) -> Result<(), Vec<String>> {
        self.check_without_tls(self.tls.check().err().map(|error| error.to_string()))
    }

    /// As [`check`](Self::check), where the certificate is made at the start.
    ///
    /// # Errors
    /// As there.
    pub fn check_dev(&self) -> Result<(), Vec<String>> {
        self.check_without_tls(None)
    }

    fn check_without_tls(&self, tls: Option<String>) -> Result<(), Vec<String>> {
        let store = self.store.check().map_err(|reason| format!("store: {reason}"));
        let monitor = monitor::check(&self.monitor).map(drop).map_err(|error| error.to_string());
        let data = folder::check(&self.data)
            .map_err(|(path, error)| format!("data folder {}: {error}", path.display()));
        let known = [
            sqlite::check_start(&self.data).map_err(|error| error.to_string()),
            Keys::check(&self.data).map_err(|error| error.to_string()),
            Alerts::check_version(&self.data).map_err(|error| error.to_string()),
        ];
        let listen = self.check_address();
        let parts = [store, monitor, data, listen].into_iter().chain(known);
        let wrong: Vec<String> = tls.into_iter().chain(parts.filter_map(Result::err)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Whether the address can be listened on, be it that a server of this data folder does already.
    fn check_address(&self) -> Result<(), String> {
        let Err(error) = TcpListener::bind(self.listen) else { return Ok(()) };
        if error.kind() != ErrorKind::AddrInUse {
            return Err(format!("listening on {}: {error}", self.listen));
        }
        if sqlite::is_open(&self.data) {
            return Ok(());
        }
        let remedy = "another program has taken the port: end that one, or choose another port";
        Err(format!("listening on {}: {remedy} ({error})", self.listen))
    }
}

/// In one line, what an operator asks first.
impl fmt::Display for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modes: Vec<_> = self.modes.iter().map(|mode| mode.number().to_string()).collect();
        let rate = |rate: u32| if rate == 0 { "unlimited".to_owned() } else { rate.to_string() };
        write!(
            f,
            "listen {}, data {}, certificate {}, modes {}, {} requests a minute of a key and {} of an address",
            self.listen,
            self.data.display(),
            self.tls.cert.display(),
            modes.join(" and "),
            rate(self.rates.per_key),
            rate(self.rates.per_address),
        )
    }
}

/// A certificate and its private key, both in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and after it those of its issuers up to the root.
    pub cert: PathBuf,
    /// The private key of the first certificate: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both, and sees whether a server could start with them and its clients would take them
    /// today. Whether the certificate is for the server's name it cannot see.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn check(&self) -> Result<(), TlsError> {
        tls::load(self)?;
        tls::in_force(&self.cert)
    }
}

/// How much a server takes. Of `bodies`, `queue_…` and `tails` no tenant, and of `answers` no key, gets
/// more than it leaves free for others: one alone has half, two have a third each, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most entries in one request, 100 by default.
    pub batch: usize,
    /// The most base64 characters in one payload, by default the 1,048,576 of PROTOCOL 2.
    pub payload: usize,
    /// The most bytes in one request body, as it is sent and as it is once its `Content-Encoding` is
    /// undone; by default 100 entries of the largest payload, with
    /// 4 KiB each for what is around it.
    pub body: usize,
    /// The most bytes of request bodies, and of what is read of them, that are held at once, 402 MiB
    /// by default. Above it a request is answered `overloaded`, unless it is the only one. It is at
    /// least four times `body`: what is read of one takes as much again, and beside one of the largest
    /// another tenant's finds room.
    pub bodies: usize,
    /// The most requests that wait for the store's writer, 1,024 by default. Above it a request is
    /// answered `overloaded`.
    pub queue_requests: usize,
    /// The most payload bytes that wait for the store's writer, 160 MiB by default. It is at least
    /// twice what a `body` holds, so that one finds room beside another tenant's small ones.
    pub queue_bytes: usize,
    /// About how many bytes one page of `GET /v1/entries` has at most, 8 MiB by default; a page ends
    /// after the entry that reaches it, and its cursor goes on from there.
    pub page: usize,
    /// The most bytes of answers that are not yet taken by those who asked, 64 MiB by default: pages,
    /// and events of `GET /v1/tail`. Above it a page is answered `overloaded`, and a tail waits.
    pub answers: usize,
    /// The most clients that wait for entries as they come (`GET /v1/tail`), 200 by default. Above it
    /// one is answered `overloaded`.
    pub tails: usize,
    /// The most connections at once, 1,024 by default. Above it a new one is closed at once.
    pub connections: usize,
    /// The most connections at once of one address (IPv6: of one network of 64 bits), 256 by
    /// default. A trusted proxy may have all of them.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: limits::BATCH_MAX,
            payload: limits::PAYLOAD_BASE64_MAX,
            body: limits::BATCH_MAX * (limits::PAYLOAD_BASE64_MAX + 4_096),
            bodies: 402 << 20,
            queue_requests: 1_024,
            queue_bytes: 160 << 20,
            page: 8 << 20,
            answers: 64 << 20,
            tails: 200,
            connections: 1_024,
            connections_per_address: 256,
        }
    }
}

/// How many requests a server answers in a minute (PROTOCOL 7). Above it they are `rate_limited`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rates {
    /// Of one key, 600 by default; 0 is no limit.
    pub per_key: u32,
    /// Of one address (IPv6: of one network of 64 bits), 60 by default; 0 is no limit.
    pub per_address: u32,
    /// How many addresses are remembered at most, 200,000 by default, with about 100 bytes each. Of
    /// more in one minute those that came first are forgotten.
    pub addresses: usize,
    /// How many connections a minute of one address (as above) may begin, 1,200 by default; 0 is no
    /// limit. Above it a new one is closed before its TLS handshake.
    pub handshakes_per_address: u32,
    /// The proxies whose `X-Forwarded-For` is believed; by default none.
    pub trusted_proxies: Vec<IpNet>,
}

impl Rates {
    /// No limit at all: for a server that is asked by whoever runs it.
    pub const NONE: Self = Self {
        per_key: 0,
        per_address: 0,
        addresses: 200_000,
        handshakes_per_address: 0,
        trusted_proxies: Vec::new(),
    };
}

impl Default for Rates {
    fn default() -> Self {
        Self { per_key: 600, per_address: 60, handshakes_per_address: 1_200, ..Self::NONE }
    }
}

/// How long a server waits for its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a TLS handshake, 10 s by default.
    pub handshake: Duration,
    /// For the head of a request, and so also for an idle connection, 30 s by default.
    pub header: Duration,
    /// For the body of a request, 30 s by default.
    pub body: Duration,
    /// For a peer that is behind in taking an answer: in this time it takes all of it, or 2 KiB for
    /// every second; 30 s by default.
    pub write: Duration,
    /// For the requests that have begun when the server is told to stop, 10 s by default.
    pub shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(30),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            shutdown: Duration::from_secs(10),
        }
    }
}
