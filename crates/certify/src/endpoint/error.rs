//! Why an endpoint cannot be offered.

use std::io;
use std::path::PathBuf;

/// Why an endpoint, or a certificate for one, could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// No port could be listened on.
    #[error("the endpoint cannot listen: {0}")]
    Listen(#[source] io::Error),
    /// A file could not be written.
    #[error("{}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A certificate could not be made.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A certificate cannot be presented.
    #[error("a certificate cannot be presented: {0}")]
    Tls(#[from] rustls::Error),
}
