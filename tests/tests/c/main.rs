//! C and C++: the library is installed into a prefix of its own, and everything here is built
//! against that, as its users do it.
//!
//! `toolchain` installs, compiles and runs; `install` looks at what was installed; `programs` runs
//! the examples and the test programs of `bindings/`, `ending` those that end without closing their
//! client, `flushing` what a flush says on good and on bad days, `vectors` the vectors through one of
//! them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failed test may say so.

mod ending;
mod flushing;
mod install;
mod programs;
mod toolchain;
mod vectors;
