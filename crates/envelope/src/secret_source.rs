//! Where the secret comes from. Never from an argument: those show in `ps`.

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::secret::{Secret, SecretError};

/// A place that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The environment variable of this name, its value exactly.
    Environment(&'static str),
    /// A file. One line end (`\n` or `\r\n`) at its end is the file's, not the secret's.
    File(PathBuf),
    /// A command for `sh -c`, such as a secrets manager's. One line end at the end of its output is
    /// not the secret's.
    Command(String),
}

impl SecretSource {
    /// The source that the environment names: `LOGFLUX_SECRET`, `LOGFLUX_SECRET_FILE` or
    /// `LOGFLUX_SECRET_COMMAND`.
    ///
    /// # Errors
    /// [`SecretSourceError`] where none is set, or more than one.
    pub fn from_env() -> Result<Self, SecretSourceError> {
        let set: Vec<Self> = [
            env::var_os(SECRET).map(|_| Self::Environment(SECRET)),
            env::var_os(SECRET_FILE).map(|path| Self::File(path.into())),
            env::var_os(SECRET_COMMAND).map(|c| Self::Command(c.to_string_lossy().into_owned())),
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

    /// Fetches the secret.
    ///
    /// # Errors
    /// [`SecretSourceError`] where it cannot be had, or is none.
    pub fn load(&self) -> Result<Secret, SecretSourceError> {
        match self {
            Self::Environment(name) => {
                let value = env::var_os(name).ok_or(SecretSourceError::None)?;
                let text = value
                    .into_string()
                    .map_err(|_| SecretSourceError::Secret(SecretError::NotUtf8))?;
                Ok(Secret::new(text)?)
            }
            Self::File(path) => {
                let bytes = logflux_process::read_file(path)
                    .map_err(|error| SecretSourceError::File { path: path.clone(), error })?;
                Ok(Secret::from_utf8(without_line_end(bytes))?)
            }
            Self::Command(command) => {
                let output = Command::new("sh")
                    .args(["-c", command])
                    .stdin(Stdio::null())
                    .stderr(Stdio::inherit())
                    .output()
                    .map_err(SecretSourceError::Command)?;
                if !output.status.success() {
                    return Err(SecretSourceError::CommandFailed(output.status.to_string()));
                }
                Ok(Secret::from_utf8(without_line_end(output.stdout))?)
            }
        }
    }
}

const SECRET: &str = "LOGFLUX_SECRET";
const SECRET_FILE: &str = "LOGFLUX_SECRET_FILE";
const SECRET_COMMAND: &str = "LOGFLUX_SECRET_COMMAND";

fn without_line_end(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
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
    /// The command cannot be started.
    #[error("secret command did not start: {0}")]
    Command(io::Error),
    /// The command failed.
    #[error("secret command failed: {0}")]
    CommandFailed(String),
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
        ] {
            assert_eq!(without_line_end(file.into()), secret.as_bytes(), "{file:?}");
        }
    }

    #[test]
    fn a_command_gives_a_secret_or_says_how_it_failed() {
        let load = |command: &str| SecretSource::Command(command.to_owned()).load();
        assert_eq!(load("echo ' sëcrét'").unwrap().expose(), " sëcrét");
        assert!(matches!(load("echo hunter2; exit 3"), Err(SecretSourceError::CommandFailed(_))));
        assert!(!load("echo hunter2; exit 3").unwrap_err().to_string().contains("hunter2"));
        assert!(matches!(load("true"), Err(SecretSourceError::Secret(SecretError::Empty))));
    }
}
