//! A thread of ours gets no signal from its first instruction, and so takes none from the host's
//! thread that waits for one.

#![cfg(unix)]
#![allow(clippy::unwrap_used, unsafe_code)] // A failed test may say so.

use std::mem::MaybeUninit;
use std::ptr;
use std::thread;

use logflux_process::{start_scoped_thread, start_thread};

const SIGNALS: [libc::c_int; 6] =
    [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1, libc::SIGPIPE, libc::SIGALRM];

/// Which of the signals the calling thread blocks.
fn blocked() -> Vec<bool> {
    let mut mask = MaybeUninit::uninit();
    // SAFETY: the null set asks for the mask, which the call fills.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), mask.as_mut_ptr());
        SIGNALS.iter().map(|signal| libc::sigismember(mask.as_ptr(), *signal) == 1).collect()
    }
}

#[test]
fn a_thread_of_ours_begins_with_every_signal_blocked_and_its_starter_keeps_its_own_mask() {
    let before = blocked();
    assert_eq!(before, [false; 6]);
    let [mine, its] = start_thread("logflux-test", || {
        [blocked(), start_thread("logflux-test", blocked).unwrap().join().unwrap()]
    })
    .unwrap()
    .join()
    .unwrap();
    assert_eq!([mine, its], [[true; 6], [true; 6]]);
    let scoped = thread::scope(|scope| {
        start_scoped_thread(scope, "logflux-test", blocked).unwrap().join().unwrap()
    });
    assert_eq!(scoped, [true; 6]);
    assert_eq!(blocked(), before);
}
