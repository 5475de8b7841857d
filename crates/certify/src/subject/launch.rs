//! How subjects are started.

use std::ffi::OsString;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    /// How long a request may take.
    pub(crate) limit: Duration,
}
