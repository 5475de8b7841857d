//! The native half of the npm package `@logflux/logflux-js-sdk`.
//!
//! A thin layer: it turns JavaScript's values into those of the Rust core and back. Nothing here is
//! `async`, no thread of ours calls into JavaScript, and no finalizer waits. What takes time is begun
//! here and asked after by JavaScript; only what ends a process waits.
//!
//! `boundary` is what every function runs inside, `values` reads arguments. `clients` are the clients
//! of the process, which all environments share, `settings` what they are set to, `notices` what they
//! tell, `tickets` how to wait for them, `logging` what JavaScript does with them, and `ending` the end
//! of the process. `secrets`, `sealing`, `opening` and `hazmat` are the rest.

// napi-derive registers nothing where a test is built, though there is none.
#![cfg_attr(test, allow(dead_code, unused_imports))]

mod boundary;
mod clients;
mod ending;
mod hazmat;
mod logging;
mod notices;
mod opening;
mod sealing;
mod secrets;
mod settings;
mod tickets;
mod values;
