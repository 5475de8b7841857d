//! Why a proxy could not be passed. Nothing of its credentials is in here.

use std::io;

use ureq::Error;

use super::route::Route;

/// What a proxy did.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is no connection with it, or the connection broke.
    #[error("{0}")]
    Broken(io::Error),
    /// It says that the server cannot be reached.
    #[error("it cannot reach the server: {0}")]
    Beyond(String),
    /// It does not let us through.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// The error of a call: one of the connection where the same call may succeed later.
    pub(super) fn into_error(self, route: &Route) -> Error {
        let sentence = format!("proxy {route}: {self}");
        match self {
            Self::Broken(error) => Error::Io(io::Error::new(error.kind(), sentence)),
            Self::Beyond(_) => Error::Io(io::Error::other(sentence)),
            Self::Refused(_) => Error::ConnectProxyFailed(sentence),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // What `ureq` reports through an `io::Error` is unpacked.
        Error::from(error).into()
    }
}

/// A time limit of the call is one of the connection with the proxy.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Timeout(_) => Self::Broken(io::Error::new(io::ErrorKind::TimedOut, "timed out")),
            Error::Tls(_) | Error::Rustls(_) => Self::Refused(format!("TLS: {error}")),
            Error::Io(error) => match error.get_ref() {
                Some(inner) if inner.is::<rustls::Error>() => {
                    Self::Refused(format!("TLS: {error}"))
                }
                _ => Self::Broken(error),
            },
            other => Self::Broken(other.into_io()),
        }
    }
}
