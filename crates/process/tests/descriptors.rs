//! Files that a child of `fork` does not keep.
#![cfg(unix)]
#![allow(unsafe_code, clippy::unwrap_used, clippy::expect_used, clippy::undocumented_unsafe_blocks)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use logflux_process::{OwnFile, above_standard_streams};

/// One test at a time: a child of another one may have a file for a moment that is closed just now.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the loops of other threads, also where the test fails.
struct Stop(AtomicBool);

impl Stop {
    fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Asks when it is dropped.
struct Ask<'a>(&'a Stop);

impl Drop for Ask<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

/// Runs this in a child, which then ends with what it gives.
fn fork(in_child: impl FnOnce() -> i32) -> libc::pid_t {
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child == 0 {
        let status = in_child();
        unsafe { libc::_exit(status) };
    }
    child
}

fn status_of(child: libc::pid_t) -> i32 {
    let mut status = 0;
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "{status}");
    libc::WEXITSTATUS(status)
}

fn is_open(descriptor: i32) -> bool {
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) >= 0 }
}

fn open_null() -> File {
    File::open("/dev/null").unwrap()
}

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let [read, write] = ends;
    unsafe { (File::from_raw_fd(read), File::from_raw_fd(write)) }
}

#[test]
fn a_child_that_does_nothing_keeps_no_lock() {
    let _alone = alone();
    let file = tempfile::NamedTempFile::new().unwrap();
    let open = || File::options().read(true).write(true).open(file.path());
    let own = OwnFile::open_between_forks(open).unwrap();
    own.get().unwrap().try_lock().unwrap();
    let (mut read, write) = pipe();
    let (mut begun, mut begin) = pipe();
    let mut write_in_child = Some(write);
    let child = fork(|| {
        // It lives until the other end is closed, in the parent alone.
        drop(write_in_child.take());
        let mut byte = [0];
        i32::from(begin.write_all(&byte).is_err() || read.read(&mut byte).is_err())
    });
    begun.read_exact(&mut [0]).unwrap();
    // Closed without being unlocked, as the end of a process closes it.
    drop(own);
    let second = open().unwrap();
    second.try_lock().expect("no process has the file open any more");
    drop(write_in_child);
    assert_eq!(status_of(child), 0);
}

#[test]
fn a_child_neither_uses_nor_closes_what_it_does_not_have() {
    let _alone = alone();
    let mut own = OwnFile::new(open_null()).unwrap();
    let number = own.get().unwrap().as_raw_fd();
    let child = fork(|| {
        if is_open(number) || own.get().is_ok() || own.get_mut().is_ok() {
            return 1;
        }
        // Somebody else's file gets the number.
        let other = open_null();
        let reused = unsafe { libc::dup2(other.as_raw_fd(), number) };
        drop(own);
        if reused != number || !is_open(number) {
            return 2;
        }
        // A child of the child, and the place in the list is used again.
        let again = OwnFile::new(open_null()).unwrap();
        let again_number = again.get().unwrap().as_raw_fd();
        if !is_open(again_number) {
            return 3;
        }
        let grandchild = fork(|| i32::from(is_open(again_number) || !is_open(number)));
        if status_of(grandchild) != 0 { 4 } else { 0 }
    });
    assert_eq!(status_of(child), 0);
}

#[test]
fn a_number_that_was_given_back_is_never_closed_in_a_child() {
    let _alone = alone();
    const NONE: i32 = -1;
    // The number of a file that is open, and stays so while this is locked.
    let published = Mutex::new(NONE);
    let stop = Stop(AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.asked() {
                drop(OwnFile::new(open_null()).unwrap());
            }
        });
        scope.spawn(|| {
            while !stop.asked() {
                let mut number = published.lock().unwrap();
                // Most often it has the number that was given back just now.
                let other = open_null();
                *number = other.as_raw_fd();
                drop(number);
                thread::yield_now();
                *published.lock().unwrap() = NONE;
            }
        });
        let _ask = Ask(&stop);
        for _ in 0..300 {
            let number = published.lock().unwrap();
            let child = fork(|| i32::from(*number != NONE && !is_open(*number)));
            drop(number);
            assert_eq!(status_of(child), 0);
        }
    });
}

#[test]
fn files_are_opened_between_forks_while_others_fork() {
    let _alone = alone();
    let stop = Stop(AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.asked() {
                assert_eq!(status_of(fork(|| 0)), 0);
            }
        });
        let _ask = Ask(&stop);
        for _ in 0..100 {
            drop(OwnFile::open_between_forks(|| File::open("/dev/null")).unwrap());
        }
    });
}

#[test]
fn a_file_never_has_the_number_of_a_standard_stream() {
    let _alone = alone();
    let child = fork(|| {
        for number in 0..3 {
            unsafe { libc::close(number) };
        }
        let file = open_null();
        if file.as_raw_fd() != 0 {
            return 1;
        }
        let file = above_standard_streams(file).unwrap();
        let own = OwnFile::new(open_null()).unwrap();
        let numbers = (file.as_raw_fd(), own.get().unwrap().as_raw_fd());
        let standard = (0..3).any(is_open);
        let flags = unsafe { libc::fcntl(numbers.0, libc::F_GETFD) };
        let inherited = flags & libc::FD_CLOEXEC == 0;
        i32::from(standard || inherited || numbers.0 < 3 || numbers.1 < 3)
    });
    assert_eq!(status_of(child), 0);
}
