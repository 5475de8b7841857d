//! The address of an ingest API.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ureq::http::Uri;
use ureq::http::uri::Authority;

/// The paths of the API's calls, and what they begin with: no address ends in one.
const CALLS: [&str; 9] = [
    "/v1/ingest",
    "/v1/batch",
    "/v1/entries",
    "/v1/tail",
    "/v1/alerts",
    "/v1",
    "/health",
    "/version",
    "/metrics",
];

/// The address of an ingest API, such as `https://c12345.ingest.us.logflux.io`.
///
/// Only `https://` is taken. Plain `http://` goes to a loopback address, and only where it is asked
/// for by [`Endpoint::allowing_plain_loopback`].
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    host: String,
    encrypted: bool,
}

impl Endpoint {
    /// Reads an address that may also be `http://` and a loopback address (127.0.0.0/8, `::1`,
    /// `localhost`), where nothing leaves the machine.
    ///
    /// # Errors
    /// [`EndpointError`] for any other.
    pub fn allowing_plain_loopback(url: &str) -> Result<Self, EndpointError> {
        Self::parse(url, true)
    }

    fn parse(url: &str, plain_loopback: bool) -> Result<Self, EndpointError> {
        let uri: Uri = url.parse().map_err(|_| EndpointError::Form)?;
        let authority = uri.authority().ok_or(EndpointError::Form)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(EndpointError::Query);
        }
        let host = authority.host();
        if host.is_empty() || !has_valid_port(authority) {
            return Err(EndpointError::Form);
        }
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if plain_loopback && is_loopback(host) => false,
            Some("http") => return Err(EndpointError::NotEncrypted),
            _ => return Err(EndpointError::Form),
        };
        let scheme = if encrypted { "https" } else { "http" };
        let path = uri.path().trim_end_matches('/');
        if let Some(call) = CALLS.into_iter().find(|call| path.ends_with(call)) {
            return Err(EndpointError::Call(call));
        }
        Ok(Self { base: format!("{scheme}://{authority}{path}"), host: host.to_owned(), encrypted })
    }

    /// The URL of a call, such as `/v1/ingest`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The host's name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is `https://`.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        Self::parse(url, false)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.base)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.base)
    }
}

/// Whether there is no port, or one from 1 to 65535.
pub(crate) fn has_valid_port(authority: &Authority) -> bool {
    let place = authority.as_str().rsplit('@').next().unwrap_or_default();
    match place.strip_prefix(authority.host()) {
        Some("") => true,
        Some(port) => port.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse().is_ok_and(|port: u16| port > 0)
        }),
        None => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Why an address is no [`Endpoint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL with a host.
    #[error("server URL must look like https://HOST or https://HOST:PORT")]
    Form,
    /// It is `http://`.
    #[error(
        "server URL must begin with https://: plain http is refused, since it would show the API key"
    )]
    NotEncrypted,
    /// It holds a user name or a password.
    #[error(
        "server URL must not hold a user name or a password: the API key is a setting of its own"
    )]
    Credentials,
    /// It holds a query or a fragment.
    #[error("server URL must not hold a query or a fragment")]
    Query,
    /// It is the address of a call, not of the API.
    #[error("server URL must not end in {0}: leave that out, it is added to every call")]
    Call(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_an_endpoint() {
        let endpoint: Endpoint = "https://c12345.ingest.us.logflux.io".parse().unwrap();
        assert_eq!(endpoint.url("/v1/ingest"), "https://c12345.ingest.us.logflux.io/v1/ingest");
        let endpoint: Endpoint = "https://[::1]:8443/logs/".parse().unwrap();
        assert_eq!(endpoint.url("/health"), "https://[::1]:8443/logs/health");
        let endpoint: Endpoint = "https://v1/api-v1".parse().unwrap();
        assert_eq!(endpoint.url("/v1/ingest"), "https://v1/api-v1/v1/ingest");
        for (url, error) in [
            ("http://example.com", EndpointError::NotEncrypted),
            ("http://127.0.0.1:80", EndpointError::NotEncrypted),
            ("ftp://example.com", EndpointError::Form),
            ("example.com", EndpointError::Form),
            ("https://", EndpointError::Form),
            ("https://example.com:", EndpointError::Form),
            ("https://example.com:0", EndpointError::Form),
            ("https://example.com:65536", EndpointError::Form),
            ("https://:8443", EndpointError::Form),
            ("", EndpointError::Form),
            ("https://lf:key@example.com", EndpointError::Credentials),
            ("https://example.com/?key=1", EndpointError::Query),
            ("https://example.com/#x", EndpointError::Query),
            ("https://example.com/v1/ingest", EndpointError::Call("/v1/ingest")),
            ("https://example.com/logs/v1/ingest//", EndpointError::Call("/v1/ingest")),
            ("https://example.com/v1/batch", EndpointError::Call("/v1/batch")),
            ("https://example.com/v1/entries", EndpointError::Call("/v1/entries")),
            ("https://example.com/v1/tail", EndpointError::Call("/v1/tail")),
            ("https://example.com/v1/alerts", EndpointError::Call("/v1/alerts")),
            ("https://example.com/v1/", EndpointError::Call("/v1")),
            ("https://example.com/health", EndpointError::Call("/health")),
            ("https://example.com/version", EndpointError::Call("/version")),
            ("https://example.com/metrics", EndpointError::Call("/metrics")),
        ] {
            assert_eq!(url.parse::<Endpoint>(), Err(error), "{url}");
        }
    }

    #[test]
    fn plain_http_goes_to_loopback_only_and_only_when_asked_for() {
        for url in
            ["http://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1", "http://localhost:1"]
        {
            assert!(!Endpoint::allowing_plain_loopback(url).unwrap().is_encrypted(), "{url}");
        }
        for url in ["http://10.0.0.1:1", "http://localhost.example.com", "http://127.0.0.1.nip.io"]
        {
            assert_eq!(
                Endpoint::allowing_plain_loopback(url),
                Err(EndpointError::NotEncrypted),
                "{url}"
            );
        }
    }
}
