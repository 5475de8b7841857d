//! Seals log messages into entries, and opens entries again.
//!
//! ```
//! use logflux_envelope::{Level, Node, Secret, Timestamp, open, seal};
//!
//! let secret = Secret::new("correct horse battery staple")?;
//! let node = Node::new("app-server-01")?;
//! let entry = seal("User login successful", &secret, &node, Level::Info, Timestamp::now())?;
//! assert_eq!(open(&entry, &secret)?, "User login successful");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`seal`] and [`open`] do one entry and spend a whole key derivation on it. A [`Sealer`] spends
//! derivations by a [`KeyPolicy`]; an [`Opener`] remembers keys, derives many at once, and tries
//! every secret of a [`Keyring`]. The modes are those of PROTOCOL 4 and 5.
//!
//! With the feature `aws-lc` (or `aws-lc-fips`) the ciphers and derivations are AWS-LC's.
//!
//! From the bottom up: `backend` (whose cryptography), `random` (the operating system's generator),
//! `derive` (secret and salt to key), `cipher` (key to cipher), `entry_key` (what seals the entries
//! of one derivation), `reserve` and `budget` (keys derived ahead), then [`Sealer`] and [`Opener`].

mod backend;
mod budget;
mod cipher;
mod derive;
mod entry_key;
mod error;
pub mod hazmat;
mod keyring;
mod open_many;
mod opener;
mod policy;
mod random;
mod reserve;
mod sealer;
mod secret;
#[cfg(unix)]
mod secret_command;
mod secret_source;
mod slow_build;
mod stats;

pub use error::{OpenError, RandomError, SealError};
pub use keyring::{Keyring, KeyringError};
pub use logflux_wire::{
    Entry, EntryError, Field, Iv, Level, Mode, Node, Payload, Salt, Stage, Timestamp,
};
pub use open_many::Progress;
pub use opener::{Opener, open, open_bytes};
pub use policy::{KeyPolicy, KeyPolicyError};
pub use sealer::{Message, Sealer, SealerBuilder, seal};
pub use secret::{Secret, SecretError};
pub use secret_source::{SecretSource, SecretSourceError};
pub use stats::SealerStats;
