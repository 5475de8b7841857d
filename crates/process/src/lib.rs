//! What is asked of the system and the processor beyond what safe Rust can say: what the copies of
//! a process must not share, what the end of a process must not forget, and memory fetched ahead.
//!
//! A child of `fork` begins as a copy of its parent: with the same keys, with locks that are held by
//! threads it does not have, and no thread but one. So everything of that kind lives in a
//! [`PerProcess`], which gives every process a value of its own and never touches the value of
//! another. `generation` says how a child notices that it is one.
//!
//! A process that was restored from a snapshot is a copy with all its threads. It cannot notice; the
//! host calls [`after_restore`]. What must not be used afterwards lives in a [`PerCopy`], or looks at
//! [`restores`].
//!
//! The end of a process may come in a signal handler that calls `exit`, while the thread that it
//! interrupted holds any lock. What [`at_exit`] does there takes none: it finds what it needs in a
//! [`Living`] list, and says what was lost with [`write_to_stderr`].
//!
//! Neither are files shared whose locks or descriptors would outlive their owner: [`OwnFile`].
//!
//! Signals are not shared either: [`start_thread`] starts ours. Those that ask for the end
//! of the process can be waited for with `on_termination`, where the host has no handler of its own.
//!
//! A logging call asks for the memory of later calls with [`will_write`].

mod at_exit;
mod descriptors;
mod generation;
mod last_words;
mod living;
mod memory;
mod per_process;
mod restore;
mod signals;
#[cfg(unix)]
mod termination;
mod threads;

pub use at_exit::{AtExit, at_exit, this_thread};
#[cfg(unix)]
pub use descriptors::effective_user;
pub use descriptors::{OwnFile, above_standard_streams, no_follow, read_file};
pub use generation::generation;
pub use last_words::write_to_stderr;
pub use living::{Alive, Living};
pub use memory::will_write;
pub use per_process::PerProcess;
pub use restore::{PerCopy, after_restore, restores};
#[cfg(unix)]
pub use termination::{is_signal_ignored, on_termination};
pub use threads::{start_scoped_thread, start_thread};
