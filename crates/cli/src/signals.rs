//! Signals that a command which goes on and on answers to.
//!
//! SIGINT and SIGTERM ask for an end. SIGHUP asks to read the secret, the API key and the CA file
//! again; but where it comes because the terminal was closed that the program was started on, it asks
//! for an end.
//!
//! A signal that is ignored when the program starts stays ignored: SIGHUP under `nohup`, and SIGINT in
//! the background jobs of a script.

use crate::failure::{Failure, Outcome};

/// Calls `end` with the number of every SIGINT and SIGTERM (Ctrl-C, on other systems than Unix).
pub(crate) fn at_end(end: impl Fn(i32) + Send + 'static) -> Outcome {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("no handler for signals: {error}"));
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let mut signals = vec![SIGINT, SIGTERM];
        signals.retain(|signal| !logflux_process::is_signal_ignored(*signal));
        unix::watch("signals", &signals, end).map_err(|error| failed(&error))
    }
    #[cfg(not(unix))]
    ctrlc::set_handler(move || end(CTRL_C)).map_err(|error| failed(&error))
}

/// Calls `read_again` at every SIGHUP, on a thread of its own, so that what it waits for holds up no
/// other signal; and `end` where the terminal is gone.
pub(crate) fn at_hangup(
    read_again: impl Fn() + Send + 'static,
    end: impl Fn(i32) + Send + 'static,
) -> Outcome {
    #[cfg(unix)]
    if !logflux_process::is_signal_ignored(signal_hook::consts::SIGHUP) {
        let had_terminal = unix::has_terminal();
        let hangup = move |signal| {
            if had_terminal && !unix::has_terminal() { end(signal) } else { read_again() }
        };
        unix::watch("hangups", &[signal_hook::consts::SIGHUP], hangup)
            .map_err(|error| Failure::new(format!("no handler for SIGHUP: {error}")))?;
    }
    #[cfg(not(unix))]
    let _ = (read_again, end);
    Ok(())
}

/// Whether this is the signal that says that the terminal is closed.
pub(crate) fn is_hangup(signal: i32) -> bool {
    #[cfg(unix)]
    return signal == signal_hook::consts::SIGHUP;
    #[cfg(not(unix))]
    return signal != CTRL_C;
}

/// Ends the process as this signal does where nobody handles it.
pub(crate) fn end_by(signal: i32) -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    // The first process of a container has no default actions.
    std::process::exit(128 + signal)
}

#[cfg(not(unix))]
const CTRL_C: i32 = 2;

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
        then: impl Fn(i32) + Send + 'static,
    ) -> io::Result<()> {
        let mut signals = Signals::new(signals)?;
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || signals.forever().for_each(then))?;
        Ok(())
    }

    /// Whether the process has a terminal that can end it.
    pub(super) fn has_terminal() -> bool {
        File::open("/dev/tty").is_ok()
    }
}
