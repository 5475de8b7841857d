//! The native half of the Java artifact `io.logflux:logflux`.
//!
//! A thin layer: it turns Java's values into those of the Rust core and back. No thread of ours calls
//! into the virtual machine. What takes time is begun here and asked after by Java, so that a virtual
//! thread that waits gives its carrier back; only what ends a process waits.
//!
//! The clients of the process, and all that an SDK of another runtime needs as well, are in
//! `logflux_host`. `boundary` is what every function runs inside, and makes its export; `values` reads
//! arguments, and `handles` has what Java knows by a number. `logging` is what Java does with clients,
//! `settings` what it may set, and `ending` the end of the process. `secrets`, `sealing`, `opening` and
//! `hazmat` are the rest.

// The exports' names are attributes that must be marked so. There is no other `unsafe` here.
#![allow(unsafe_code)]

#[macro_use]
mod boundary;
mod ending;
mod handles;
mod hazmat;
mod logging;
mod opening;
mod sealing;
mod secrets;
mod settings;
mod values;
