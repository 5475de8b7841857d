//! Signals are the host's.

/// Blocks every signal for the calling thread, and for those that it starts.
///
/// A thread of ours must not run a handler of the program that we are part of, which may expect its
/// own thread; and it must not end that program by writing to a pipe that nobody reads any more
/// (`SIGPIPE`), as stderr can be.
#[cfg(unix)]
pub fn block_signals() {
    // SAFETY: the set is filled before it is used, and the call changes this thread's mask alone.
    // Neither can fail with these arguments.
    #[allow(unsafe_code)]
    unsafe {
        let mut all = std::mem::MaybeUninit::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
    }
}

/// There are none.
#[cfg(not(unix))]
pub fn block_signals() {}

/// Does something while no signal is delivered to the calling thread.
#[cfg(unix)]
pub(crate) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    let mut before = std::mem::MaybeUninit::uninit();
    // SAFETY: the null set asks for the mask, and changes nothing.
    #[allow(unsafe_code)]
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), before.as_mut_ptr());
    }
    block_signals();
    let done = work();
    // SAFETY: the first call has filled the set.
    #[allow(unsafe_code)]
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
    }
    done
}
