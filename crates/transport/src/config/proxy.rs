//! The proxy that requests go through.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;

use super::error::ConfigError;
use crate::endpoint::has_valid_port;

/// The proxy that requests go through (`proxy`, `LOGFLUX_PROXY`).
///
/// Where this setting is absent or empty, the usual variables decide: `HTTPS_PROXY`, then
/// `ALL_PROXY`, and `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxySetting {
    /// `none`: no proxy, whatever the usual variables say.
    Direct,
    /// Every request goes through this proxy, whatever the usual variables say.
    Url(ProxyUrl),
}

/// The URL of a proxy, such as `http://proxy.example:3128`: a scheme that is supported, a host, and
/// where needed a port, a user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(String);

impl ProxySetting {
    /// The setting's name.
    pub const NAME: &'static str = "proxy";
    /// The schemes that are supported.
    pub const SCHEMES: [&'static str; 5] = ["http", "https", "socks4", "socks4a", "socks5"];
    /// What it may be, in words.
    pub(crate) const VALUES: &'static str =
        "a URL that begins with http://, https://, socks4://, socks4a:// or socks5://, or none";
}

impl ProxyUrl {
    /// The whole URL. It may hold a password: do not show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Reads a URL, or the word `none`.
impl FromStr for ProxySetting {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::Direct);
        }
        let invalid = |what: &str| ConfigError::invalid(Self::NAME, &what);
        let values = || ConfigError::invalid(Self::NAME, &format_args!("must be {}", Self::VALUES));
        let uri: Uri = text.parse().map_err(|_| values())?;
        let authority = uri.authority().ok_or_else(values)?;
        let scheme = uri.scheme_str().ok_or_else(values)?;
        if !Self::SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(values());
        }
        if authority.host().is_empty() || !has_valid_port(authority) {
            return Err(invalid("must have a host and, where it has a port, one from 1 to 65535"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
            return Err(invalid("must end after the host and the port"));
        }
        Ok(Self::Url(ProxyUrl(text.to_owned())))
    }
}

/// Without the user name and the password.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let host = rest.rsplit('@').next().unwrap_or_default();
        write!(f, "{scheme}://{}", host.trim_end_matches('/'))
    }
}

/// Without the user name and the password.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_schemes_and_the_word_none_are_a_proxy() {
        assert_eq!("none".parse(), Ok(ProxySetting::Direct));
        assert_eq!("NONE".parse(), Ok(ProxySetting::Direct));
        for scheme in ProxySetting::SCHEMES {
            let url = format!("{scheme}://proxy.example:3128");
            let Ok(ProxySetting::Url(read)) = url.parse() else { panic!("{url}") };
            assert_eq!(read.expose(), url);
        }
        assert!("http://[::1]:8080/".parse::<ProxySetting>().is_ok());
        for scheme in ProxySetting::SCHEMES {
            assert!(ProxySetting::VALUES.contains(&format!("{scheme}://")), "{scheme}");
        }
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_setting_and_not_the_value() {
        for text in [
            "",
            "proxy.example:3128",
            "ftp://hunter2",
            "socks://hunter2",
            "socks6://hunter2",
            "http://",
            "http://hunter2:",
            "http://hunter2:0",
            "http://hunter2:65536",
            "http://hunter2/path",
            "http://hunter2/?query",
            "http://hunter2/#fragment",
            "http://hunter 2",
            "no",
        ] {
            let error = text.parse::<ProxySetting>().unwrap_err().to_string();
            assert!(error.starts_with("proxy: must "), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let proxy: ProxySetting = "http://user:hunter2@proxy.example:3128/".parse().unwrap();
        assert_eq!(format!("{proxy:?}"), "Url(ProxyUrl(http://proxy.example:3128))");
    }
}
