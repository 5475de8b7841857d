//! How connections come about: names are looked up, addresses tried, and proxies passed.
//!
//! | file | what it does |
//! |---|---|
//! | `proxy` | a proxy's URL |
//! | `no_proxy` | the hosts that no proxy is used for |
//! | `route` | which proxy the calls to a server go through, and which variable says so |
//! | `lookup` | addresses of a name, within a time limit |
//! | `dial` | the first address that answers (RFC 8305) |
//! | `socket` | a TCP connection as `ureq` uses it |
//! | `tunnel`, `socks` | what a proxy is asked, and what it answers |
//! | `credential` | the API key, which requests get on their way out and no log sees |
//! | `failure` | why a proxy could not be passed |
//! | `connector` | all of these together |
//!
//! None of this panics, also where no thread can be had, and no socket gets the number of a standard
//! stream.

mod connector;
mod credential;
mod dial;
mod failure;
mod lookup;
mod no_proxy;
mod proxy;
mod route;
mod socket;
mod socks;
mod tunnel;

pub(crate) use connector::agent;
pub(crate) use credential::AUTHORIZATION;
pub use proxy::{Proxy, ProxyUrlError};
pub use route::{ProxyError, Route};
