//! What the native halves of the SDKs for Node.js and Java share.
//!
//! Such a runtime has objects that come and go, several copies of a library, and an end that no code of
//! ours may hold up. So a client is known by a number, and is found without a lock; what takes time is
//! begun here and asked after; no thread of ours calls into the runtime.
//!
//! [`clients`] are the clients of the process, [`settings`] what they are set to, [`secret`] where a secret
//! comes from, [`rotation`] another one for a client that runs, [`notices`] what clients tell, [`tickets`]
//! how to wait for them, and [`ending`] the end of the process. Every error is a [`Fault`]; [`failure!`] defines
//! what an SDK makes of it.

pub mod clients;
pub mod ending;
mod failure;
mod fault;
pub mod notices;
pub mod rotation;
pub mod secret;
pub mod settings;
pub mod tickets;

pub use failure::Kind;
pub use fault::Fault;

/// The errors that [`failure!`] converts.
pub mod errors {
    pub use logflux_envelope::{EntryError, Field, KeyPolicyError, OpenError, SealError, Stage};
}
