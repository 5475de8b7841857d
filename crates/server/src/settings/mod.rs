//! The settings file of a server, in TOML: read strictly, and checked before anything starts.
//!
//! [`Settings`] is what stands in the file, all of it optional; who starts the server may put other
//! values in its place. [`Settings::config`] checks everything together and makes a
//! [`ServerConfig`](crate::ServerConfig) of it, or says all that is wrong, each with its name and the remedy.

mod check;
mod error;
mod file;
mod units;

pub use error::{Problem, SettingsError};
pub use file::{LimitSettings, Settings, TimeoutSettings, TlsSettings};
pub use units::{Size, Span};
