//! What LogFlux sends, exactly, and nothing of how it is sealed.
//!
//! An [`Entry`] is what travels for one log message: seven fields in canonical JSON, of which the
//! payload is ciphertext. Every field is a type that cannot exist wrongly ([`Node`], [`Level`],
//! [`Timestamp`], [`Mode`], [`Iv`], [`Salt`], [`Payload`]), so that code which holds an entry need
//! not check it again. [`Entry::parse`] reads strictly, [`Entry::to_json`] writes the one form that
//! every LogFlux implementation writes, byte for byte.
//!
//! The ingest API's side is here too: the [`ApiKey`] format, [request bodies](request),
//! [response bodies and error codes](response), and the [limits].
//!
//! This crate contains no cryptography. The ingest server stands on it alone, which is how anyone
//! can see that the server is unable to decrypt.

pub mod alert;
mod api_key;
pub mod base64;
mod bytes;
pub mod counts;
mod duration;
mod entry;
mod error;
mod level;
pub mod limits;
mod mode;
mod node;
pub mod nodes;
pub mod pairs;
mod parse;
mod payload;
pub mod query;
pub mod request;
pub mod response;
mod size;
mod timestamp;
mod write;

pub use api_key::{ApiKey, ApiKeyError};
pub use bytes::{Iv, Salt};
pub use duration::{DurationError, parse_duration};
pub use entry::Entry;
pub use error::{EntryError, Field, Stage};
pub use level::{Level, LevelError};
pub use mode::{Mode, UnsupportedMode};
pub use node::{Node, NodeError};
pub use parse::UnknownFields;
pub use payload::{Payload, PayloadError};
pub use size::{SizeError, parse_size};
pub use timestamp::{Timestamp, TimestampError};
pub use write::EntryParts;
