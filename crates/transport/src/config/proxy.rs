//! The setting that names a proxy.

use std::str::FromStr;

use super::error::ConfigError;
use crate::http::Proxy;

/// The proxy that requests go through (`proxy`, `LOGFLUX_PROXY`).
///
/// Where this setting is absent or empty, the usual variables decide, with curl's precedence:
/// `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, but none where `no_proxy` or `NO_PROXY`
/// names the host, and none for a server on this machine (`localhost`, 127.0.0.0/8, `::1`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxySetting {
    /// `none`: no proxy, whatever the usual variables say.
    Direct,
    /// This one, whatever the usual variables say, and for a server on this machine as well.
    Through(Proxy),
}

impl ProxySetting {
    /// The setting's name.
    pub const NAME: &'static str = "proxy";
    /// What it may be, in words.
    pub(crate) const VALUES: &'static str =
        "a URL that begins with http://, https://, socks5:// or socks5h://, or none";
}

/// Reads a proxy's URL, or the word `none`.
impl FromStr for ProxySetting {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::Direct);
        }
        let proxy = text.parse().map_err(|error| ConfigError::invalid(Self::NAME, &error))?;
        Ok(Self::Through(proxy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_schemes_and_the_word_none_are_a_proxy() {
        assert_eq!("none".parse(), Ok(ProxySetting::Direct));
        assert_eq!("NONE".parse(), Ok(ProxySetting::Direct));
        for scheme in ["http", "https", "socks5", "socks5h"] {
            let url = format!("{scheme}://proxy.example:3128");
            let Ok(ProxySetting::Through(proxy)) = url.parse() else { panic!("{url}") };
            assert_eq!(proxy.to_string(), url);
            assert!(ProxySetting::VALUES.contains(&format!("{scheme}://")), "{scheme}");
        }
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_setting_and_no_password() {
        for text in [
            "",
            "ftp://user:hunter2@host",
            "socks4://user:hunter2@host",
            "http://",
            "http://user:hunter2@host:0",
            "http://user:hunter2@host:65536",
            "http://user:hunter2@host/path",
            "http://user:hunter2@ho st",
        ] {
            let error = text.parse::<ProxySetting>().unwrap_err().to_string();
            assert!(error.starts_with("proxy: "), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
