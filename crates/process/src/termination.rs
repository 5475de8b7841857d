//! Signals that ask the process to end.
//!
//! A handler may do almost nothing, so ours only writes the signal's number into a pipe. A thread reads
//! it, does what is to be done, and then ends the process as the signal would have. A handler of the
//! host always has precedence: one that was there before is left alone, and one that came later may
//! call ours behind its own, which then does nothing.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use libc::c_int;

use crate::threads::start_thread;

/// What asks for an end: by `kill` and service managers, from a terminal, and when one is closed.
const SIGNALS: [c_int; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// Where the handler writes to.
static PIPE: AtomicI32 = AtomicI32::new(-1);
/// The process whose thread reads from there; 0 before there is one. A child of `fork` has the pipe as
/// well, and must not end its parent.
static OWNER: AtomicI32 = AtomicI32::new(0);
/// Whether the thread has been told.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Calls `then` on a thread of our own when the process gets `SIGTERM`, `SIGINT` or `SIGHUP`, and then
/// ends it by that signal. A second such signal ends it at once.
///
/// This is so for those of the signals that have their default action, now and when they come: a
/// handler of the host's, and a signal that is ignored, are left alone. It can be called again, after a
/// `fork` as well, where it must be: until then a child ends by the signal at once.
///
/// # Errors
/// Where the system has no pipe or no thread; nothing is changed then.
pub fn on_termination(then: fn()) -> io::Result<()> {
    let process = id();
    if OWNER.load(Ordering::Acquire) != process {
        let (reader, writer) = io::pipe()?;
        // Copies never get the numbers of the standard streams, which may be closed.
        let (mut reader, writer) = (reader.try_clone()?, writer.try_clone()?);
        start_thread("logflux-signals", move || {
            let mut signal = [0];
            if reader.read_exact(&mut signal).is_ok() {
                then();
                end_by(signal[0].into());
            }
        })?;
        debug_assert!(writer.as_raw_fd() > 2);
        PIPE.store(writer.into_raw_fd(), Ordering::Release);
        ASKED.store(false, Ordering::Release);
        OWNER.store(process, Ordering::Release);
    }
    for signal in SIGNALS {
        if action(signal) == libc::SIG_DFL {
            install(signal);
        }
    }
    Ok(())
}

/// The handler. Everything that it calls may be called in one (POSIX, `signal-safety(7)`).
extern "C" fn asked(signal: c_int) {
    // One of the host's, which came later, calls this one behind its own.
    if action(signal) != handler() {
        return;
    }
    if OWNER.load(Ordering::Acquire) == id() && !ASKED.swap(true, Ordering::AcqRel) {
        let number = [signal.to_le_bytes()[0]];
        // SAFETY: one byte is read from `number`; the descriptor is ours and never closed. Errno is
        // left as it was, for what was interrupted.
        #[allow(unsafe_code)]
        let written = unsafe {
            let errno = errno();
            let before = *errno;
            let written = libc::write(PIPE.load(Ordering::Acquire), number.as_ptr().cast(), 1);
            *errno = before;
            written
        };
        if written == 1 {
            return;
        }
    }
    // The signal is blocked while its handler runs, and ends the process when that returns.
    // SAFETY: both take any signal of `SIGNALS`.
    #[allow(unsafe_code)]
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Where this thread's `errno` is.
fn errno() -> *mut c_int {
    // SAFETY: these have no arguments and cannot fail.
    #[allow(unsafe_code)]
    unsafe {
        #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
        return libc::__error();
        #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
        return libc::__errno();
        #[cfg(not(any(
            target_vendor = "apple",
            target_os = "freebsd",
            target_os = "android",
            target_os = "netbsd",
            target_os = "openbsd"
        )))]
        return libc::__errno_location();
    }
}

fn handler() -> libc::sighandler_t {
    asked as extern "C" fn(c_int) as libc::sighandler_t
}

/// What happens when `signal` comes: a handler, or the default.
fn action(signal: c_int) -> libc::sighandler_t {
    // SAFETY: a `sigaction` of zeros is valid, and the call fills it; with a null for the new action
    // it changes nothing.
    #[allow(unsafe_code)]
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut action);
        action.sa_sigaction
    }
}

/// Whether a signal is ignored, as `nohup` asks for with `SIGHUP`, and a shell for its background jobs
/// with `SIGINT`.
#[must_use]
pub fn is_signal_ignored(signal: i32) -> bool {
    action(signal) == libc::SIG_IGN
}

fn install(signal: c_int) {
    // SAFETY: a `sigaction` of zeros is valid, with an empty mask; `asked` is a handler of the kind
    // that the flags say. The host's calls go on where they were interrupted.
    #[allow(unsafe_code)]
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler();
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

/// Ends the process by `signal`, so that its status says so.
fn end_by(signal: c_int) -> ! {
    // SAFETY: `set` is filled before it is used; the calls take any signal of `SIGNALS`, and change
    // its action and this thread's mask alone.
    #[allow(unsafe_code)]
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut set = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
        libc::raise(signal);
        // The first process of a container has no default actions.
        libc::_exit(128 + signal)
    }
}

fn id() -> c_int {
    // SAFETY: it has no arguments and cannot fail.
    #[allow(unsafe_code)]
    unsafe {
        libc::getpid()
    }
}
