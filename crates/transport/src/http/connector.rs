//! Opens connections for `ureq`: direct, or through a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use logflux_wire::ApiKey;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant as CallInstant};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, RustlsConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Error};

use super::credential::Credential;
use super::dial::{DialError, dial};
use super::failure::Failure;
use super::lookup::{Lookup, LookupError};
use super::proxy::{Protocol, Proxy, without_brackets};
use super::route::Route;
use super::socket::TcpTransport;
use super::socks::{self, Target};
use super::tunnel::{self, Tunnel};

/// The most addresses of a name that are tried: as many as `ureq` passes on.
const ADDRESSES_MAX: usize = 16;

/// Makes an agent whose connections take this route, and put the key into requests with
/// [`AUTHORIZATION`](super::AUTHORIZATION). The `config` must have no proxy of its own.
pub(crate) fn agent(config: Config, route: &Arc<Route>, key: &Arc<ApiKey>) -> Agent {
    let lookup = Arc::new(Lookup::default());
    let names = Names { route: Arc::clone(route), lookup: Arc::clone(&lookup) };
    let dialer = Dialer { route: Arc::clone(route), lookup, proxy_tls: RustlsConnector::default() };
    let credential = Credential(Arc::clone(key));
    Agent::with_parts(config, dialer.chain(RustlsConnector::default()).chain(credential), names)
}

/// Looks the server's name up. Behind a proxy that is the proxy's matter, or the [`Dialer`]'s.
#[derive(Debug)]
struct Names {
    route: Arc<Route>,
    lookup: Arc<Lookup>,
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut found = self.empty();
        if self.route.proxy().is_some() {
            return Ok(found);
        }
        let (host, port) = host_and_port(uri)?;
        let deadline = match timeout.after {
            Duration::Exact(after) => Instant::now().checked_add(after),
            Duration::NotHappening => None,
        };
        let addresses =
            self.lookup.addresses(host, port, deadline).map_err(|error| match error {
                LookupError::TimedOut => Error::Timeout(timeout.reason),
                LookupError::Failed(error) => Error::Io(error),
            })?;
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            found.push(address);
        }
        if found.is_empty() { Err(Error::HostNotFound) } else { Ok(found) }
    }
}

/// Opens a connection with the server, on which TLS is not yet spoken.
#[derive(Debug)]
struct Dialer {
    route: Arc<Route>,
    lookup: Arc<Lookup>,
    /// TLS with an `https://` proxy, by the same trusted roots.
    proxy_tls: RustlsConnector,
}

impl Connector for Dialer {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        match self.route.proxy() {
            None => Ok(Some(open(&details.addrs, details)?)),
            Some(proxy) => match self.pass(proxy, details) {
                Ok(transport) => Ok(Some(Box::new(transport))),
                Err(failure) => Err(failure.into_error(&self.route)),
            },
        }
    }
}

impl Dialer {
    /// Goes through the proxy.
    fn pass(&self, proxy: &Proxy, details: &ConnectionDetails<'_>) -> Result<Tunnel, Failure> {
        let (host, port) = host_and_port(details.uri)?;
        let credentials = proxy.credentials();
        match proxy.protocol() {
            Protocol::Http | Protocol::Https => {
                let server = if host.contains(':') {
                    format!("[{host}]:{port}")
                } else {
                    format!("{host}:{port}")
                };
                self.ask(proxy, details, |stream| {
                    tunnel::connect(stream, &server, credentials, self.route.variable())
                })
            }
            Protocol::Socks5h => {
                let target = match host.parse() {
                    Ok(address) => Target::Address(SocketAddr::new(address, port)),
                    Err(_) => Target::Name(host, port),
                };
                self.ask(proxy, details, |stream| socks::connect(stream, target, credentials))
            }
            Protocol::Socks5 => {
                let addresses = self.lookup(host, port, details)?;
                let mut failed = Failure::Beyond("its name has no address".to_owned());
                for address in addresses {
                    let target = Target::Address(address);
                    match self
                        .ask(proxy, details, |stream| socks::connect(stream, target, credentials))
                    {
                        Ok(tunnel) => return Ok(tunnel),
                        // Another address may be reachable for the proxy.
                        Err(failure @ Failure::Beyond(_)) => failed = failure,
                        Err(failure) => return Err(failure),
                    }
                }
                Err(failed)
            }
        }
    }

    /// Connects with the proxy, and asks it.
    fn ask(
        &self,
        proxy: &Proxy,
        details: &ConnectionDetails<'_>,
        ask: impl FnOnce(&mut TransportAdapter) -> Result<(), Failure>,
    ) -> Result<Tunnel, Failure> {
        let addresses = self.lookup(proxy.host(), proxy.port(), details)?;
        let mut transport = open(&addresses, details)?;
        if proxy.protocol() == Protocol::Https {
            transport = self.encrypt(proxy, details, transport)?;
        }
        let mut stream = TransportAdapter::new(transport, Arc::clone(&details.current_time));
        stream.set_timeout(left(details)?);
        ask(&mut stream)?;
        Ok(Tunnel(stream.into_inner()))
    }

    fn encrypt(
        &self,
        proxy: &Proxy,
        details: &ConnectionDetails<'_>,
        transport: Box<dyn Transport>,
    ) -> Result<Box<dyn Transport>, Failure> {
        let uri: Uri = format!("{proxy}/").parse().map_err(|_| Error::InvalidProxyUrl)?;
        let details = ConnectionDetails {
            uri: &uri,
            addrs: details.resolver.empty(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let encrypted = self.proxy_tls.connect(&details, Some(transport))?;
        Ok(Box::new(encrypted.ok_or(Error::ConnectionFailed)?))
    }

    fn lookup(
        &self,
        host: &str,
        port: u16,
        details: &ConnectionDetails<'_>,
    ) -> Result<Vec<SocketAddr>, Error> {
        self.lookup.addresses(host, port, deadline(details)).map_err(|error| match error {
            LookupError::TimedOut => Error::Timeout(details.timeout.reason),
            LookupError::Failed(error) => Error::Io(error),
        })
    }
}

/// Opens a TCP connection.
fn open(
    addresses: &[SocketAddr],
    details: &ConnectionDetails<'_>,
) -> Result<Box<dyn Transport>, Error> {
    let stream = dial(addresses, deadline(details)).map_err(|error| match error {
        DialError::TimedOut => Error::Timeout(details.timeout.reason),
        DialError::Failed(error) => Error::Io(error),
    })?;
    let transport = TcpTransport::new(stream, details.config);
    (details.register_shutdown)(transport.shutdown_handle())?;
    Ok(Box::new(transport))
}

/// When the time for a connection is over.
fn deadline(details: &ConnectionDetails<'_>) -> Option<Instant> {
    match (details.now, details.timeout.after) {
        (CallInstant::Exact(begun), Duration::Exact(after)) => begun.checked_add(after),
        _ => None,
    }
}

/// How much of that time is left.
fn left(details: &ConnectionDetails<'_>) -> Result<NextTimeout, Error> {
    let mut timeout = details.timeout;
    if let Some(deadline) = deadline(details) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        timeout.after = left.into();
    }
    Ok(timeout)
}

fn host_and_port(uri: &Uri) -> Result<(&str, u16), Error> {
    let fault = || Error::BadUri("no host in the server's URL".to_owned());
    let host = uri.host().map(without_brackets).ok_or_else(fault)?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("https")) => 443,
        (None, Some("http")) => 80,
        (None, _) => return Err(fault()),
    };
    Ok((host, port))
}
