//! The C interface: `include/logflux.h`, from which it is generated, is written here.
//!
//! What every function keeps to is on the page `docs/c-conventions.md`. From the bottom up:
//! `status` (the codes), `error` (the details of a failure, as a handle), `boundary` (what every
//! exported function runs inside), `arguments` (pointers from C become references, or named errors),
//! `words` (levels, modes, policies, timestamps), and then a file for every handle.
//!
//! Handles are taken as `Option<&T>`, given back to be freed as `Option<Box<T>>`: the compiler knows
//! both as pointers that may be NULL, so that none can be used unchecked.

#![allow(non_camel_case_types)]
// The names are C's.
// Only C can call these functions; what it promises them is on the page of conventions.
#![allow(clippy::not_unsafe_ptr_arg_deref, clippy::too_many_arguments)]

pub mod arguments;
mod boundary;
pub mod buffer;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod config;
#[cfg(feature = "client")]
pub mod drops;
#[cfg(feature = "client")]
mod ending;
pub mod entry;
pub mod error;
#[cfg(feature = "client")]
mod gate;
pub mod hazmat;
#[cfg(feature = "client")]
pub mod kept_notices;
pub mod keyring;
mod node;
#[cfg(feature = "client")]
pub mod notices;
pub mod opened;
pub mod opener;
pub mod restore;
#[cfg(feature = "client")]
pub mod rotation;
pub mod sealer;
pub mod secret;
pub mod status;
#[cfg(feature = "client")]
pub mod ticket;
pub mod version;
pub mod words;
