//! Signals that a command which goes on and on answers to.
//!
//! SIGINT and SIGTERM ask for an end. SIGHUP asks to read the secret, the API key and the CA file
//! again. Two cases are left as they were before there was anything to read: where SIGHUP is ignored
//! when the program starts (`nohup`), it stays ignored; and where it comes because the terminal was
//! closed that the program was started on, it asks for an end.

use crate::failure::{Failure, Outcome};

/// Calls `end` at the first SIGINT or SIGTERM (Ctrl-C, on other systems than Unix).
pub(crate) fn at_end(end: impl Fn() + Send + 'static) -> Outcome {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("no handler for signals: {error}"));
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        unix::watch("signals", &[SIGINT, SIGTERM], end).map_err(|error| failed(&error))
    }
    #[cfg(not(unix))]
    ctrlc::set_handler(end).map_err(|error| failed(&error))
}

/// Calls `read_again` at every SIGHUP, on a thread of its own, so that what it waits for holds up no
/// other signal; and `end` where the terminal is gone.
pub(crate) fn at_hangup(
    read_again: impl Fn() + Send + 'static,
    end: impl Fn() + Send + 'static,
) -> Outcome {
    #[cfg(unix)]
    if !logflux_process::is_hangup_ignored() {
        let had_terminal = unix::has_terminal();
        let hangup = move || {
            if had_terminal && !unix::has_terminal() { end() } else { read_again() }
        };
        unix::watch("hangups", &[signal_hook::consts::SIGHUP], hangup)
            .map_err(|error| Failure::new(format!("no handler for SIGHUP: {error}")))?;
    }
    #[cfg(not(unix))]
    let _ = (read_again, end);
    Ok(())
}

/// Ends the process as SIGHUP does where nobody handles it.
pub(crate) fn end_by_hangup() {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGHUP);
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;
    use std::thread;

    use signal_hook::iterator::Signals;

    /// Calls `then` at every one of these signals, one after the other.
    pub(super) fn watch(
        name: &str,
        signals: &[i32],
        then: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        let mut signals = Signals::new(signals)?;
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || signals.forever().for_each(|_| then()))?;
        Ok(())
    }

    /// Whether the process has a terminal that can end it.
    pub(super) fn has_terminal() -> bool {
        File::open("/dev/tty").is_ok()
    }
}
