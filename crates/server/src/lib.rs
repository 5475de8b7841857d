//! The LogFlux ingest API: it takes sealed entries over TLS, keeps them, and gives them back.
//!
//! It stands on [`logflux_wire`] alone, which is how anyone can see that it cannot decrypt: no crate
//! below it derives a key or opens a payload.
//!
//! [`Server::bind`] takes a [`ServerConfig`], prepares the data folder and binds the address;
//! [`Server::run_until`] serves on the caller's runtime, [`Server::run`] and [`Server::spawn`] on one
//! of their own. [`dev_tls()`] makes certificates for the local machine.
//!
//! What comes in goes this way: `listen` (TLS, HTTP, time limits) → `api` (routes, the form of every
//! answer, authentication, checks) → [`store`] (the trait, and SQLite behind it). [`Keys`] says who
//! may do what; it works on the data folder, so that another process can make and revoke keys while
//! the server runs.
//!
//! # What the protocol leaves open
//! - **The same entry** is one whose seven fields are all equal. Another entry with its salt and iv,
//!   be only its level another, is `nonce_reused`: a sealed entry never changes.
//! - **A single entry** that is refused is answered with its code's own status; a batch in which
//!   nothing is good with 400, the first one's code, and all failures in `details`.
//! - **Limits** count every request for its address before anything else is looked at, and for its
//!   key once that is known and may do what is asked. What the HTTP layer refuses counts as well.
//! - **Scopes** are a set: `ingest` to post, `read` to query, and `admin` allows both.
//! - **Keys** that are unknown are `unauthorized`; revoked and expired ones are `key_revoked`.
//! - **A page** of entries ends early when it reaches about 8 MiB; its cursor goes on. Entries are in
//!   the order of their timestamps, and equal ones in the order in which they came. A cursor is a
//!   place in that order, good for either direction and any filter.
//! - **A body** that does not arrive in time, or for which there is no room, is `overloaded`. What is
//!   not well-formed HTTP is `invalid_request`, in the API's form and with its headers like all else.
//! - **HTTP** is version 1.1, over TLS 1.2 or 1.3. Answers also say `Cache-Control: no-store`.
//!
//! # Example
//! ```no_run
//! use logflux_server::{Keys, NewKey, Scope, Server, ServerConfig, dev_tls};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let data = std::path::PathBuf::from("data");
//! let tls = dev_tls(&data)?;
//! let server = Server::bind(ServerConfig::new("127.0.0.1:0".parse()?, &data, tls.files))?.spawn()?;
//! let (key, info) = Keys::open(&data)?.create(&NewKey::new("acme".parse()?, Scope::Ingest.into()))?;
//! println!("https://{} with {} ({})", server.addr(), key.expose(), info.id);
//! server.stop()?;
//! # Ok(())
//! # }
//! ```

mod api;
mod config;
mod dev_tls;
mod disk;
mod folder;
mod keys;
mod limits;
mod listen;
mod machine;
pub mod monitor;
mod open_files;
mod openapi;
mod random;
mod reload;
mod room;
mod sampling;
mod server;
pub mod settings;
mod signals;
pub mod store;
mod tenant;
mod tls;
mod versions;

pub use config::{Limits, Rates, ServerConfig, Timeouts, TlsFiles};
pub use dev_tls::{DevTls, DevTlsError, dev_tls};
pub use keys::{
    KeyId, KeyIdError, KeyInfo, KeyList, KeyState, Keys, KeysError, NewKey, Scope, ScopeError,
    Scopes,
};
pub use openapi::openapi;
pub use reload::Reloader;
pub use server::{Running, Server, ServerError};
pub use store::sqlite;
pub use tenant::{Tenant, TenantError};
pub use tls::TlsError;
