//! Runs the command that prints a secret.
//!
//! The command runs as `sh -c COMMAND`, in a process group of its own, with `/dev/null` as stdin and
//! our stderr. A second shell around it writes a trailer behind the command's output: a random word
//! and the exit status. The trailer says at once that the command itself has ended, also where
//! background processes hold its stdout open. It also gives the status where `waitpid` cannot, since
//! the process ignores SIGCHLD or another thread has taken the status away.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use logflux_process::above_standard_streams;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use crate::random;
use crate::secret_source::{OUTPUT_MAX, SecretSourceError};

/// Runs the command `$1`, and then writes the word `$2` and the command's status.
const SHELL: &str = r#"sh -c "$1"; printf '%s %s\n' "$2" "$?""#;

/// What the trailer may have behind the output: the word, a space, a status, and a line end.
const TRAILER_MAX: usize = 48;

/// How often the shell is looked at while nothing comes from it.
const TICK: Duration = Duration::from_millis(50);

/// How long a killed command may take to be gone.
const KILLED: Duration = Duration::from_secs(1);

/// How the shell ended.
enum End {
    /// It runs.
    Not,
    /// With this description of its status.
    With(String),
    /// Nobody can say how: SIGCHLD is ignored, or another thread took the status.
    Unknown,
}

/// Runs `command`, and gives what it has printed.
///
/// # Errors
/// [`SecretSourceError`] where it does not start, prints more than [`OUTPUT_MAX`] bytes, does not end
/// within `limit`, or ends with another status than 0.
pub(crate) fn run(command: &str, limit: Duration) -> Result<Zeroizing<Vec<u8>>, SecretSourceError> {
    let deadline = Instant::now().checked_add(limit);
    let word = word()?;
    let (child, stdout) = start(command, &word).map_err(SecretSourceError::Command)?;
    let mut running = Running { child, stdout, output: Zeroizing::new(Vec::new()), limit };
    // With this capacity it never moves, and leaves no copy behind.
    running.output.reserve_exact(OUTPUT_MAX + TRAILER_MAX);
    let result = running.read(&word, deadline);
    if result.is_err() {
        running.kill();
    }
    let status = match result? {
        Some((length, status)) => {
            running.output.truncate(length);
            running.reap(deadline);
            status
        }
        None => return Err(SecretSourceError::CommandFailed(running.ended())),
    };
    match status {
        0 => Ok(running.output),
        // What a shell says of a command that a signal has killed.
        129..=255 => Err(SecretSourceError::CommandFailed(format!(
            "exit status {status}, as of a command that signal {} has killed",
            status - 128
        ))),
        _ => Err(SecretSourceError::CommandFailed(format!("exit status {status}"))),
    }
}

/// A word that no output has in it.
fn word() -> Result<String, SecretSourceError> {
    let bits = random::draw::<16>()
        .map_err(|error| SecretSourceError::Command(io::Error::other(error.to_string())))?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn start(command: &str, word: &str) -> io::Result<(Child, OwnedFd)> {
    // None of them may be a standard stream that this process has closed.
    let apart = |fd: OwnedFd| above_standard_streams(File::from(fd)).map(OwnedFd::from);
    let null = apart(OpenOptions::new().read(true).write(true).open("/dev/null")?.into())?;
    let (reader, writer) = io::pipe()?;
    let (stdout, writer) = (apart(reader.into())?, apart(writer.into())?);
    rustix::io::ioctl_fionbio(&stdout, true)?;
    let mut shell = Command::new("sh");
    shell.args(["-c", SHELL, "sh", command, word]).stdout(writer).process_group(0);
    // Where stderr is closed, the command's first file must not become it.
    match rustix::io::fcntl_getfd(io::stderr().as_fd()) {
        Ok(_) => shell.stderr(Stdio::inherit()),
        Err(_) => shell.stderr(null.try_clone()?),
    };
    let child = shell.stdin(null).spawn()?;
    // With `shell`, our end for writing is closed here.
    Ok((child, stdout))
}

/// A command that has been started.
struct Running {
    child: Child,
    stdout: OwnedFd,
    output: Zeroizing<Vec<u8>>,
    limit: Duration,
}

impl Running {
    /// Reads up to the trailer. Gives how long the output is, and the status; `None` where the shell
    /// has ended without a trailer.
    fn read(
        &mut self,
        word: &str,
        deadline: Option<Instant>,
    ) -> Result<Option<(usize, u8)>, SecretSourceError> {
        let broken = |errno: Errno| SecretSourceError::Command(errno.into());
        let mut ended = false;
        loop {
            let mut buffer = Zeroizing::new([0; 4096]);
            match rustix::io::read(&self.stdout, buffer.as_mut_slice()) {
                Ok(0) => return Ok(None),
                Ok(length) => {
                    let new = buffer.get(..length).unwrap_or_default();
                    // An agent that prints after the trailer adds nothing to the output.
                    let room = self.output.capacity() - self.output.len();
                    self.output.extend_from_slice(new.get(..room).unwrap_or(new));
                    if let Some(trailer) = trailer(&self.output, word) {
                        return if trailer.0 > OUTPUT_MAX {
                            Err(SecretSourceError::CommandOutput)
                        } else {
                            Ok(Some(trailer))
                        };
                    }
                    if self.output.len() == self.output.capacity() {
                        return Err(SecretSourceError::CommandOutput);
                    }
                }
                Err(Errno::INTR) => {}
                // What it has written before it ended has been read.
                Err(Errno::AGAIN) if ended => return Ok(None),
                Err(Errno::AGAIN) => {
                    let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
                    if left.is_some_and(|left| left.is_zero()) {
                        return Err(SecretSourceError::CommandTimedOut { limit: self.limit });
                    }
                    let pause = left.map_or(TICK, |left| left.min(TICK));
                    self.await_output(pause).map_err(broken)?;
                    ended = !matches!(self.end(), End::Not);
                }
                Err(errno) => return Err(broken(errno)),
            }
        }
    }

    fn await_output(&self, pause: Duration) -> Result<(), Errno> {
        let timeout = pause.try_into().map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&self.stdout, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn end(&mut self) -> End {
        match self.child.try_wait() {
            Ok(None) => End::Not,
            Ok(Some(status)) => End::With(match status.signal() {
                Some(signal) => format!("killed by signal {signal}"),
                None => status.to_string(),
            }),
            // ECHILD, which comes only after the end.
            Err(_) => End::Unknown,
        }
    }

    /// Waits until the shell is gone, so that it does not stay as a zombie.
    fn reap(&mut self, deadline: Option<Instant>) {
        while matches!(self.end(), End::Not) && deadline.is_none_or(|at| Instant::now() < at) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills the whole process group.
    fn kill(&mut self) {
        // Until the shell has been waited for, its number is its own.
        if let End::Not = self.end()
            && let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
            self.reap(Instant::now().checked_add(KILLED));
        }
    }

    /// How a shell ended that left no trailer.
    fn ended(&mut self) -> String {
        self.reap(Instant::now().checked_add(KILLED));
        match self.end() {
            End::With(status) => status,
            End::Not | End::Unknown => "its shell ended without an exit status".to_owned(),
        }
    }
}

/// Where the trailer begins, and the status in it.
fn trailer(output: &[u8], word: &str) -> Option<(usize, u8)> {
    let length = output.windows(word.len()).position(|window| window == word.as_bytes())?;
    let status = output.get(length + word.len()..)?.strip_prefix(b" ")?;
    let end = status.iter().position(|byte| *byte == b'\n')?;
    let status = str::from_utf8(status.get(..end)?).ok()?;
    Some((length, status.parse().ok()?))
}
