//! Which proxy the calls to a server go through.

use std::ffi::OsString;
use std::fmt;

use super::no_proxy::excludes;
use super::proxy::{Proxy, ProxyUrlError};
use crate::config::ProxySetting;
use crate::endpoint::Endpoint;

/// The variable of our own.
const OWN: &str = "LOGFLUX_PROXY";
/// Those that name a proxy for https, in the order that curl looks for them. `http_proxy` is for
/// plain http alone.
const USUAL: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// Those that name hosts without a proxy.
const EXCLUDING: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The way to a server: through a proxy, or direct. Its `Display` form says which variable has chosen
/// it, and holds no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route(Way);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Through {
        proxy: Proxy,
        variable: &'static str,
    },
    /// With the reason.
    Direct(Reason),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// No variable names a proxy.
    NotSet,
    /// It was asked for.
    Chosen,
    /// This variable names the server's host.
    Excluded(&'static str),
    /// The server is on this machine, and this variable does not count.
    Loopback(&'static str),
    /// The connection is not encrypted, and so does not leave this machine.
    Plain,
}

impl Route {
    /// The way without a proxy.
    #[must_use]
    pub fn direct() -> Self {
        Self(Way::Direct(Reason::Chosen))
    }

    /// Chooses the way to a server, by the setting or by the usual variables; the usual variables are looked up by `get`. An empty one counts as
    /// not set.
    ///
    /// # Errors
    /// [`ProxyError`] where a variable names no proxy that is supported. There is no way then: a
    /// direct connection is never made in a proxy's place.
    pub fn choose(
        endpoint: &Endpoint,
        setting: Option<&ProxySetting>,
        get: &dyn Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, ProxyError> {
        let direct = |reason| Ok(Self(Way::Direct(reason)));
        // The key must not be shown to a proxy.
        if !endpoint.is_encrypted() {
            return direct(Reason::Plain);
        }
        match setting {
            Some(ProxySetting::Direct) => return direct(Reason::Chosen),
            Some(ProxySetting::Through(proxy)) => {
                return Ok(Self(Way::Through { proxy: proxy.clone(), variable: OWN }));
            }
            None => {}
        }
        let Some((variable, url)) = value(&USUAL, get)? else { return direct(Reason::NotSet) };
        if endpoint.is_loopback() {
            return direct(Reason::Loopback(variable));
        }
        if let Some((variable, list)) = value(&EXCLUDING, get)?
            && excludes(&list, endpoint.host())
        {
            return direct(Reason::Excluded(variable));
        }
        let proxy = url.parse().map_err(|error| ProxyError::Url { variable, error })?;
        Ok(Self(Way::Through { proxy, variable }))
    }

    /// The proxy, where there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        match &self.0 {
            Way::Through { proxy, .. } => Some(proxy),
            Way::Direct(_) => None,
        }
    }

    /// The variable that has chosen the proxy.
    pub(super) fn variable(&self) -> &'static str {
        match &self.0 {
            Way::Through { variable, .. } => variable,
            Way::Direct(_) => OWN,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Through { proxy, variable } => write!(f, "{proxy} ({variable})"),
            Way::Direct(Reason::NotSet) => f.write_str("none: no variable names one"),
            Way::Direct(Reason::Chosen) => write!(f, "none ({OWN})"),
            Way::Direct(Reason::Excluded(variable)) => {
                write!(f, "none: {variable} excludes the server's host")
            }
            Way::Direct(Reason::Loopback(variable)) => {
                write!(
                    f,
                    "none: the server is on this machine, where {OWN} counts but not {variable}"
                )
            }
            Way::Direct(Reason::Plain) => f.write_str("none: the connection is not encrypted"),
        }
    }
}

/// The first of these variables that is set.
fn value(
    names: &[&'static str],
    get: &dyn Fn(&'static str) -> Option<OsString>,
) -> Result<Option<(&'static str, String)>, ProxyError> {
    let set = |name: &&'static str| Some((*name, get(name).filter(|value| !value.is_empty())?));
    match names.iter().find_map(set) {
        Some((variable, value)) => {
            let text = value.into_string().map_err(|_| ProxyError::NotText { variable })?;
            Ok(Some((variable, text)))
        }
        None => Ok(None),
    }
}

/// Which variable names no proxy that can be used. Nothing of a password is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is not UTF-8.
    #[error("{variable} is not UTF-8")]
    NotText {
        /// The variable.
        variable: &'static str,
    },
    /// It is no URL of a proxy, or has a scheme that is not supported.
    #[error("{variable}: {error}")]
    Url {
        /// The variable.
        variable: &'static str,
        /// What is wrong.
        error: ProxyUrlError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(url: &str, choice: &str, variables: &[(&str, &str)]) -> Result<String, ProxyError> {
        let endpoint = match url.parse() {
            Ok(endpoint) => endpoint,
            Err(_) => Endpoint::allowing_plain_loopback(url).unwrap(),
        };
        let choice = match choice {
            "" => None,
            choice => Some(choice.parse::<ProxySetting>().unwrap()),
        };
        let get = |name: &'static str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
        };
        Route::choose(&endpoint, choice.as_ref(), &get).map(|route| route.to_string())
    }

    const SERVER: &str = "https://logs.example.com";

    #[test]
    fn the_usual_variables_have_curls_precedence() {
        let all = [
            ("https_proxy", "http://a"),
            ("HTTPS_PROXY", "http://b"),
            ("all_proxy", "http://c"),
            ("ALL_PROXY", "socks5://user:hunter2@d"),
        ];
        for (first, shown) in [
            "http://a:80 (https_proxy)",
            "http://b:80 (HTTPS_PROXY)",
            "http://c:80 (all_proxy)",
            "socks5://d:1080 (ALL_PROXY)",
            "none: no variable names one",
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(choose(SERVER, "", &all[first..]).unwrap(), shown);
            let mut empty = all;
            for (_, value) in &mut empty[..first] {
                *value = "";
            }
            assert_eq!(choose(SERVER, "", &empty).unwrap(), shown);
        }
        let http = [("http_proxy", "http://a"), ("HTTP_PROXY", "http://b")];
        assert_eq!(choose(SERVER, "", &http).unwrap(), "none: no variable names one");
    }

    #[test]
    fn no_proxy_excludes_a_host_and_in_lower_case_counts_first() {
        let proxy = ("HTTPS_PROXY", "http://a");
        for (variables, shown) in [
            (
                [("NO_PROXY", "a.org, example.com")].as_slice(),
                "none: NO_PROXY excludes the server's host",
            ),
            (&[("no_proxy", ".com")], "none: no_proxy excludes the server's host"),
            (&[("no_proxy", "a.org"), ("NO_PROXY", "*")], "http://a:80 (HTTPS_PROXY)"),
            (&[("no_proxy", ""), ("NO_PROXY", "*")], "none: NO_PROXY excludes the server's host"),
            (&[("NO_PROXY", "")], "http://a:80 (HTTPS_PROXY)"),
        ] {
            assert_eq!(choose(SERVER, "", &[variables, &[proxy]].concat()).unwrap(), shown);
        }
    }

    #[test]
    fn our_own_choice_counts_before_all_others() {
        let usual = [("https_proxy", "http://a"), ("no_proxy", "*")];
        let shown = |url, choice| choose(url, choice, &usual).unwrap();
        assert_eq!(shown(SERVER, "http://own"), "http://own:80 (LOGFLUX_PROXY)");
        assert_eq!(shown("https://localhost:1", "http://own"), "http://own:80 (LOGFLUX_PROXY)");
        assert_eq!(shown(SERVER, "none"), "none (LOGFLUX_PROXY)");
    }

    #[test]
    fn a_server_on_this_machine_is_reached_directly_and_plain_http_always() {
        for url in ["https://localhost:1", "https://127.0.0.1:1", "https://[::1]:1"] {
            let shown = choose(url, "", &[("ALL_PROXY", "http://a")]).unwrap();
            assert!(shown.starts_with("none: the server is on this machine"), "{shown}");
        }
        let shown = choose("http://127.0.0.1:1", "http://own", &[("ALL_PROXY", "http://a")]);
        assert_eq!(shown.unwrap(), "none: the connection is not encrypted");
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_an_error_and_never_a_direct_way() {
        for url in ["socks4://u:hunter2@p", "http://u:hunter2@", "http://u:hunter2%@p", "hunter2 p"]
        {
            for variable in USUAL {
                let error = choose(SERVER, "", &[(variable, url)]).unwrap_err();
                let text = error.to_string();
                assert!(text.starts_with(&format!("{variable}: ")), "{text}");
                assert!(!format!("{text}{error:?}").contains("hunter2"), "{error:?}");
            }
            // The next variable does not make up for it.
            let variables = [("https_proxy", url), ("ALL_PROXY", "http://a")];
            assert!(choose(SERVER, "", &variables).is_err());
        }
    }
}
