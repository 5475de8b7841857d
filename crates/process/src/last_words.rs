//! A line on stderr when the process ends.

/// Writes a line to stderr, if that takes it within 100 ms; true if it did.
///
/// It takes no lock and allocates nothing, so it may be called in a signal handler. A closed pipe
/// raises no signal. Of a line over 4,096 bytes the rest is left out, so that a pipe takes it all at
/// once or not at all.
pub fn write_to_stderr(line: &[u8]) -> bool {
    /// What a pipe takes as a whole (`PIPE_BUF` of Linux).
    const WHOLE: usize = 4_096;
    let line = line.get(..WHOLE).unwrap_or(line);
    #[cfg(unix)]
    {
        is_ready() && crate::signals::with_signals_blocked(|| write(line))
    }
    #[cfg(not(unix))]
    {
        std::io::Write::write_all(&mut std::io::stderr(), line).is_ok()
    }
}

/// Whether stderr takes a line without waiting, now or soon.
#[cfg(unix)]
fn is_ready() -> bool {
    const MILLISECONDS: libc::c_int = 100;
    let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: the pointer is to one such struct, as the count says.
    #[allow(unsafe_code)]
    let ready = unsafe { libc::poll(&raw mut stderr, 1, MILLISECONDS) };
    ready == 1 && stderr.revents & libc::POLLOUT != 0
}

/// Writes while signals are blocked, and takes back a `SIGPIPE` that this raised.
#[cfg(unix)]
fn write(line: &[u8]) -> bool {
    let was_pending = pipe_signal_is_pending();
    // SAFETY: the line has that many bytes.
    #[allow(unsafe_code)]
    let written = unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
    if !was_pending && pipe_signal_is_pending() {
        let mut taken = 0;
        // SAFETY: the set is initialised before it is used. The signal is pending, so that this
        // does not wait.
        #[allow(unsafe_code)]
        unsafe {
            let mut pipe = std::mem::MaybeUninit::uninit();
            libc::sigemptyset(pipe.as_mut_ptr());
            libc::sigaddset(pipe.as_mut_ptr(), libc::SIGPIPE);
            libc::sigwait(pipe.as_ptr(), &raw mut taken);
        }
    }
    usize::try_from(written).is_ok_and(|written| written == line.len())
}

#[cfg(unix)]
fn pipe_signal_is_pending() -> bool {
    // SAFETY: the set is empty where the call should fail.
    #[allow(unsafe_code)]
    unsafe {
        let mut pending = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(pending.as_mut_ptr());
        libc::sigpending(pending.as_mut_ptr());
        libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1
    }
}
