//! The native half of the npm package `@logflux/logflux-js-sdk`.
//!
//! A thin layer: it turns JavaScript's values into those of the Rust core and back. Nothing here is
//! `async`, no thread of ours calls into JavaScript, and no finalizer waits. What takes time is begun
//! here and asked after by JavaScript; only what ends a process waits.
//!
//! The clients of the process, and all that an SDK of another runtime needs as well, are in
//! `logflux_host`. `boundary` is what every function runs inside, `values` reads arguments, `logging` is
//! what JavaScript does with clients, `settings` what it may set, and `ending` the end of the process.
//! `secrets`, `sealing`, `opening` and `hazmat` are the rest.

// napi-derive registers nothing where a test is built, though there is none.
#![cfg_attr(test, allow(dead_code, unused_imports))]

mod boundary;
mod ending;
mod hazmat;
mod logging;
mod opening;
mod sealing;
mod secrets;
mod settings;
mod values;
