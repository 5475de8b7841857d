//! The last words of a process, where nobody reads them. Alone in its program, whose stderr it takes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, unsafe_code)] // A failed test may say so.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};

use logflux_process::write_to_stderr;

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors, which belong to nobody else.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

/// Does something while this pipe is stderr.
fn with_stderr<T>(pipe: &File, work: impl FnOnce() -> T) -> T {
    // SAFETY: the descriptors are open, and stderr is put back.
    unsafe {
        let before = libc::dup(libc::STDERR_FILENO);
        libc::dup2(pipe.as_raw_fd(), libc::STDERR_FILENO);
        let done = work();
        libc::dup2(before, libc::STDERR_FILENO);
        libc::close(before);
        done
    }
}

#[test]
fn a_line_is_written_or_given_up_and_never_ends_the_process() {
    // As in a program in C; Rust's runtime ignores the signal.
    // SAFETY: no handler is set.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };

    let (mut reader, writer) = pipe();
    assert!(with_stderr(&writer, || write_to_stderr(b"said\n")));
    let mut said = [0; 5];
    reader.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"said\n");

    drop(reader);
    assert!(!with_stderr(&writer, || write_to_stderr(b"to nobody\n")));
    // SAFETY: the set is initialised before it is read.
    let pending = unsafe {
        let mut pending = std::mem::MaybeUninit::uninit();
        libc::sigpending(pending.as_mut_ptr());
        libc::sigismember(pending.as_ptr(), libc::SIGPIPE)
    };
    assert_eq!(pending, 0, "the signal is left for the host");

    let (_reader, mut full) = pipe();
    // SAFETY: the descriptor is open.
    unsafe { libc::fcntl(full.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    while full.write(&[0; 4096]).is_ok() {}
    // SAFETY: as above.
    unsafe { libc::fcntl(full.as_raw_fd(), libc::F_SETFL, 0) };
    assert!(!with_stderr(&full, || write_to_stderr(b"there is no room\n")));
}
