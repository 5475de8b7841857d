//! Signals that would end the process before its messages have left.

use std::io;

/// Closes the client of the process when it gets `SIGTERM` (`docker stop`, systemd, Kubernetes),
/// `SIGINT` (ctrl-c) or `SIGHUP`, for [`Config::close_within`](crate::Config::close_within) at most,
/// and then ends the process by that signal, as it would have ended. A second signal ends it at once.
///
/// This is for programs without a shutdown of their own: no destructor runs, as none would have. It
/// holds for those of the signals that have their default action, when this is called and when they
/// come. A handler of the program's own, such as that of `tokio::signal`, is left alone, and so is a
/// signal that is ignored (`nohup`); drop the [`Guard`](crate::Guard) at the end of that shutdown.
///
/// A child of `fork` calls this again; until then it ends by the signal at once.
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let _guard = logflux::init(logflux::Config::from_env()?)?;
///     logflux::close_on_termination()?;
///     loop {
///         logflux::info!("at work");
///         std::thread::sleep(std::time::Duration::from_secs(1));
///     }
/// }
/// ```
///
/// # Errors
/// Where the system has no pipe or no thread to watch with; nothing is changed then.
pub fn close_on_termination() -> io::Result<()> {
    logflux_process::on_termination(crate::global::close)
}
