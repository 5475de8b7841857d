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
mod folder;
mod keys;
mod listen;
mod random;
mod server;
pub mod store;
mod tenant;
mod tls;

pub use config::{Limits, ServerConfig, Timeouts, TlsFiles};
pub use dev_tls::{DevTls, DevTlsError, dev_tls};
pub use keys::{
    KeyId, KeyIdError, KeyInfo, KeyState, Keys, KeysError, NewKey, Scope, ScopeError, Scopes,
};
pub use server::{Running, Server, ServerError};
pub use store::sqlite;
pub use tenant::{Tenant, TenantError};
pub use tls::TlsError;
