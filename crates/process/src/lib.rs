//! What is asked of the system and the processor beyond what safe Rust can say: what a `fork` must
//! not share, what the end of a process must not forget, and memory fetched ahead.
//!
//! A child of `fork` begins as a copy of its parent: with the same random bytes drawn ahead, the
//! same keys, locks held by threads that it does not have, and no thread but one. So everything of
//! that kind lives in a [`PerProcess`], which gives every process a value of its own and never
//! touches the value of another.
//!
//! A fork is noticed by a handler that the C library runs in the child (`pthread_atfork`, POSIX),
//! since asking for the process id costs a system call, more than all else of a logging call. A
//! child that is made by the bare system call `clone`, past the C library, is not noticed; neither
//! is it allowed to use the C library's locks.
//!
//! Neither are files shared whose locks or descriptors would outlive their owner: [`OwnFile`].
//!
//! Signals are not shared either: our threads begin with [`block_signals`]. Those that ask for the end
//! of the process can be waited for with `on_termination`, where the host has no handler of its own.
//!
//! A logging call asks for the memory of later calls with [`will_write`].

mod at_exit;
mod descriptors;
mod generation;
mod memory;
mod per_process;
mod signals;
#[cfg(unix)]
mod termination;

pub use at_exit::{AtExit, at_exit};
#[cfg(unix)]
pub use descriptors::effective_user;
pub use descriptors::{OwnFile, above_standard_streams, no_follow, read_file};
pub use generation::generation;
pub use memory::will_write;
pub use per_process::PerProcess;
pub use signals::block_signals;
#[cfg(unix)]
pub use termination::on_termination;
