//! Where the secret comes from. Never from an argument: those show in `ps`.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretError};

/// The most bytes that a file or a command may give.
pub(crate) const OUTPUT_MAX: usize = 64 << 10;

/// A place that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The environment variable of this name, its value exactly.
    Environment(&'static str),
    /// A file. One line end (`\n` or `\r\n`) at its end is the file's, not the secret's.
    File(PathBuf),
    /// A command for `sh -c`, such as a secrets manager's. One line end at the end of its output is
    /// not the secret's.
    ///
    /// It reads nothing from stdin, cannot ask at the terminal, and shares our stderr. It has ended
    /// when the command itself has ended: background processes that it leaves behind may run on.
    Command(String),
}

impl SecretSource {
    /// How long a command may take where nothing else is said.
    pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
    /// The least that the setting `secret_command_timeout` can be.
    pub const COMMAND_TIMEOUT_MIN: Duration = Duration::from_secs(1);
    /// The most that the setting `secret_command_timeout` can be.
    pub const COMMAND_TIMEOUT_MAX: Duration = Duration::from_secs(600);

    /// The source that the environment names: `LOGFLUX_SECRET`, `LOGFLUX_SECRET_FILE` or
    /// `LOGFLUX_SECRET_COMMAND`.
    ///
    /// # Errors
    /// [`SecretSourceError`] where none is set, or more than one.
    pub fn from_env() -> Result<Self, SecretSourceError> {
        Self::named(&|variable| env::var_os(variable))
    }

    /// The source that these variables name.
    fn named(get: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, SecretSourceError> {
        let command = get(SECRET_COMMAND)
            .map(|command| command.into_string().map_err(|_| SecretSourceError::CommandNotUtf8))
            .transpose()?;
        let set: Vec<Self> = [
            get(SECRET).map(|_| Self::Environment(SECRET)),
            get(SECRET_FILE).map(|path| Self::File(path.into())),
            command.map(Self::Command),
        ]
        .into_iter()
        .flatten()
        .collect();
        match <[Self; 1]>::try_from(set) {
            Ok([source]) => Ok(source),
            Err(sources) if sources.is_empty() => Err(SecretSourceError::None),
            Err(_) => Err(SecretSourceError::Several),
        }
    }

    /// Fetches the secret. A command may take 30 seconds.
    ///
    /// # Errors
    /// [`SecretSourceError`] where it cannot be had, or is none.
    pub fn load(&self) -> Result<Secret, SecretSourceError> {
        self.load_within(Self::COMMAND_TIMEOUT)
    }

    /// As [`load`](Self::load), with a time limit for a command. A command that takes longer is killed
    /// with its whole process group.
    ///
    /// # Errors
    /// [`SecretSourceError`] where the secret cannot be had, or is none.
    pub fn load_within(&self, limit: Duration) -> Result<Secret, SecretSourceError> {
        match self {
            Self::Environment(name) => in_variable(env::var_os(name)),
            Self::File(path) => Ok(Secret::from_utf8(without_line_end(&read(path)?).to_vec())?),
            Self::Command(command) => {
                let output = run(command, limit)?;
                Ok(Secret::from_utf8(without_line_end(&output).to_vec())?)
            }
        }
    }
}

impl Secret {
    /// The secret that variables name, as those of the environment do for [`SecretSource::from_env`]. A
    /// command may take `limit`.
    ///
    /// # Errors
    /// [`SecretSourceError`] where none is named, or more than one; where the secret cannot be had, or is
    /// none.
    pub fn from_variables(
        get: &dyn Fn(&str) -> Option<OsString>,
        limit: Duration,
    ) -> Result<Self, SecretSourceError> {
        match SecretSource::named(get)? {
            SecretSource::Environment(name) => in_variable(get(name)),
            source => source.load_within(limit),
        }
    }
}

fn in_variable(value: Option<OsString>) -> Result<Secret, SecretSourceError> {
    let text = value.ok_or(SecretSourceError::None)?.into_string();
    Ok(Secret::new(text.map_err(|_| SecretSourceError::Secret(SecretError::NotUtf8))?)?)
}

#[cfg(unix)]
use crate::secret_command::run;

/// Nothing here can end a command with all that it has started.
#[cfg(not(unix))]
fn run(_: &str, _: Duration) -> Result<Zeroizing<Vec<u8>>, SecretSourceError> {
    Err(SecretSourceError::Command(io::ErrorKind::Unsupported.into()))
}

/// Reads a secret's file, which may be a pipe.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretSourceError> {
    let fault = |error| SecretSourceError::File { path: path.to_owned(), error };
    let mut bytes = Zeroizing::new(Vec::new());
    // With this capacity it never moves, and leaves no copy behind.
    bytes.reserve_exact(OUTPUT_MAX + 1);
    let mut chunk = Zeroizing::new([0; 4096]);
    let file = File::open(path).and_then(logflux_process::above_standard_streams);
    let mut file = file.map_err(fault)?;
    loop {
        let room = (OUTPUT_MAX + 1 - bytes.len()).min(chunk.len());
        match file.read(chunk.get_mut(..room).unwrap_or_default()) {
            Ok(0) if bytes.len() > OUTPUT_MAX => {
                return Err(SecretSourceError::FileSize { path: path.to_owned() });
            }
            Ok(0) => return Ok(bytes),
            Ok(length) => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fault(error)),
        }
    }
}

const SECRET: &str = "LOGFLUX_SECRET";
const SECRET_FILE: &str = "LOGFLUX_SECRET_FILE";
const SECRET_COMMAND: &str = "LOGFLUX_SECRET_COMMAND";

fn without_line_end(bytes: &[u8]) -> &[u8] {
    match bytes.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => bytes,
    }
}

/// Why a secret was not had. Nothing of it is in here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretSourceError {
    /// No variable names a source.
    #[error(
        "no secret: set LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or LOGFLUX_SECRET_COMMAND (`logflux keygen` makes one)"
    )]
    None,
    /// More than one variable names a source.
    #[error(
        "more than one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE and LOGFLUX_SECRET_COMMAND is set: unset all but one"
    )]
    Several,
    /// The file cannot be read.
    #[error("secret file {}: {error}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is too long to be a secret's.
    #[error("secret file {}: it is longer than 64 KiB", path.display())]
    FileSize {
        /// Its path.
        path: PathBuf,
    },
    /// The command is not UTF-8.
    #[error("LOGFLUX_SECRET_COMMAND is not UTF-8")]
    CommandNotUtf8,
    /// The command cannot be started, or its output cannot be read.
    #[error("secret command (LOGFLUX_SECRET_COMMAND) did not run: {0}")]
    Command(io::Error),
    /// The command failed: its exit status is not 0, or a signal has killed it.
    #[error("secret command (LOGFLUX_SECRET_COMMAND) failed: {0}")]
    CommandFailed(String),
    /// The command did not end in time. It was killed with its whole process group.
    #[error(
        "secret command (LOGFLUX_SECRET_COMMAND) did not end within {limit:?} and was killed: it must print the secret and end by itself, and cannot ask at the terminal"
    )]
    CommandTimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The command printed too much to be a secret. It was killed.
    #[error("secret command (LOGFLUX_SECRET_COMMAND) printed more than 64 KiB")]
    CommandOutput,
    /// What was had is no secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_belongs_to_the_file_and_nothing_else_does() {
        for (file, secret) in [
            ("s", "s"),
            ("s\n", "s"),
            ("s\r\n", "s"),
            ("s\n\n", "s\n"),
            (" s \n", " s "),
            ("s\r", "s\r"),
            ("", ""),
        ] {
            assert_eq!(without_line_end(file.as_bytes()), secret.as_bytes(), "{file:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_an_end_is_refused() {
        let error = SecretSource::File("/dev/zero".into()).load().unwrap_err();
        assert!(matches!(error, SecretSourceError::FileSize { .. }), "{error}");
        assert!(error.to_string().contains("/dev/zero"), "{error}");
    }
}
