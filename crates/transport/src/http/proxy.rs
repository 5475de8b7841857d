//! A proxy's URL.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;
use zeroize::Zeroizing;

/// How a proxy is asked for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `http://`: CONNECT in plain text. TLS with the server goes through it.
    Http,
    /// `https://`: CONNECT inside a TLS connection with the proxy.
    Https,
    /// `socks5://`: names are looked up here.
    Socks5,
    /// `socks5h://`: names are looked up by the proxy.
    Socks5h,
}

impl Protocol {
    fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// A user name and a password, as the proxy gets them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Zeroizing<String>,
    pub(super) password: Zeroizing<String>,
}

/// A proxy: `http://`, `https://`, `socks5://` or `socks5h://`, then `[USER[:PASSWORD]@]HOST[:PORT]`.
///
/// Without a scheme it is `http://`. Without a port it is 80, 443 or 1080, by the scheme. User name
/// and password are percent-encoded; neither is in the `Debug` or `Display` form.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    protocol: Protocol,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

impl Proxy {
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The host's name or address, without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl FromStr for Proxy {
    type Err = ProxyUrlError;

    fn from_str(url: &str) -> Result<Self, ProxyUrlError> {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), url),
        };
        let protocol = match scheme.as_str() {
            "http" => Protocol::Http,
            "https" => Protocol::Https,
            "socks5" => Protocol::Socks5,
            "socks5h" => Protocol::Socks5h,
            // What is in front of `://` may be part of a password.
            other if is_scheme(other) => return Err(ProxyUrlError::Scheme(scheme)),
            _ => return Err(ProxyUrlError::Form),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (userinfo, authority) = match rest.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo), authority),
            None => (None, rest),
        };
        // Names and addresses have the form that they have in the server's own URL.
        let uri: Uri = format!("http://{authority}").parse().map_err(|_| ProxyUrlError::Form)?;
        let parsed = uri.authority().ok_or(ProxyUrlError::Form)?;
        if parsed.as_str() != authority || parsed.host().is_empty() {
            return Err(ProxyUrlError::Form);
        }
        let port = match authority.strip_prefix(parsed.host()).ok_or(ProxyUrlError::Form)? {
            "" => protocol.default_port(),
            port => port
                .strip_prefix(':')
                .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|port| port.parse().ok())
                .filter(|port| *port > 0)
                .ok_or(ProxyUrlError::Form)?,
        };
        let host = without_brackets(parsed.host()).to_owned();
        let credentials = userinfo.map(credentials).transpose()?;
        Ok(Self { protocol, host, port, credentials })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = (self.protocol.scheme(), &self.host, self.port);
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// A host without the brackets that an IPv6 address has in a URL.
pub(super) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 16
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
}

fn credentials(userinfo: &str) -> Result<Credentials, ProxyUrlError> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    Ok(Credentials { user: decoded(user)?, password: decoded(password)? })
}

/// Decodes percent-encoding; `+` is a plus.
fn decoded(text: &str) -> Result<Zeroizing<String>, ProxyUrlError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'%', &[high, low, ref after @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = digit(high).zip(digit(low)).ok_or(ProxyUrlError::Credentials)?;
                let byte = u8::try_from(high * 16 + low).map_err(|_| ProxyUrlError::Credentials)?;
                (byte, after)
            }
            (b'%', _) => return Err(ProxyUrlError::Credentials),
            _ => (first, after),
        };
        // A line end would add a header to a request, and a NUL end a field.
        if byte.is_ascii_control() {
            return Err(ProxyUrlError::Credentials);
        }
        bytes.push(byte);
        rest = after;
    }
    let text = str::from_utf8(&bytes).map_err(|_| ProxyUrlError::Credentials)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Why a text is no [`Proxy`]. Nothing of a password is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// It is no URL with a host.
    #[error("proxy URL must look like http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
    Form,
    /// Its scheme is not supported.
    #[error("proxy scheme {0:?} is not supported: use http://, https://, socks5:// or socks5h://")]
    Scheme(String),
    /// Its user name or password cannot be used.
    #[error(
        "proxy URL's user name or password must be UTF-8 without control characters, percent-encoded"
    )]
    Credentials,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Proxy, ProxyUrlError> {
        url.parse()
    }

    #[test]
    fn a_proxy_is_read_from_its_url() {
        for (url, shown) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("http://proxy.example:3128/", "http://proxy.example:3128"),
            ("HTTP://proxy.example", "http://proxy.example:80"),
            ("https://proxy.example", "https://proxy.example:443"),
            ("socks5://10.0.0.1", "socks5://10.0.0.1:1080"),
            ("socks5h://[::1]:9", "socks5h://[::1]:9"),
            ("proxy:8080", "http://proxy:8080"),
            ("proxy", "http://proxy:80"),
            ("user:hunter2@proxy:8080", "http://proxy:8080"),
        ] {
            assert_eq!(read(url).unwrap().to_string(), shown, "{url}");
        }
    }

    #[test]
    fn credentials_are_decoded_once_and_never_shown() {
        let proxy = read("http://us%40er:hunter2%2520%3A+@proxy").unwrap();
        let credentials = proxy.credentials().unwrap();
        assert_eq!(&*credentials.user, "us@er");
        assert_eq!(&*credentials.password, "hunter2%20:+");
        assert_eq!(format!("{proxy:?} {proxy}"), "Proxy(http://proxy:80) http://proxy:80");
        let proxy = read("http://user:p@ss:hunter2@proxy").unwrap();
        assert_eq!(&*proxy.credentials().unwrap().password, "p@ss:hunter2");
        assert_eq!(&*read("http://user@proxy").unwrap().credentials().unwrap().password, "");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_its_password() {
        for url in [
            "",
            "http://",
            "http://:3128",
            "http://proxy:",
            "http://proxy:0",
            "http://proxy:65536",
            "http://proxy:+80",
            "http://proxy:port",
            "http://user:hunter2@",
            "http://proxy:3128/hunter2",
            "http://proxy?hunter2",
            "http://proxy#hunter2",
            "http://user:hunter2@pro xy",
            "http://[::1:3128",
            "http://::1:3128",
            "hunter2 ://proxy",
            "://proxy",
        ] {
            let error = read(url).unwrap_err();
            assert_eq!(error, ProxyUrlError::Form, "{url}");
        }
        for scheme in ["socks", "socks4", "socks4a", "ftp", "quic"] {
            let error = read(&format!("{scheme}://user:hunter2@proxy")).unwrap_err();
            assert_eq!(error, ProxyUrlError::Scheme(scheme.to_owned()));
            assert!(error.to_string().contains(scheme) && !error.to_string().contains("hunter2"));
        }
        for password in ["hunter2%", "hunter2%4", "%zz", "%+1", "a%0d%0ab", "%00", "%ff", "a\nb"] {
            let error = read(&format!("http://user:{password}@proxy")).unwrap_err();
            assert_eq!(error, ProxyUrlError::Credentials, "{password:?}");
        }
    }
}
