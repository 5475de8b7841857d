//! How a command ends when it fails.

use std::error::Error;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use logflux_server::settings::SettingsError;

use crate::escape;
use crate::numbers;
use crate::streams::{self, Stderr};

/// A command's result.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// To be told, in one line.
    Message(String),
    /// To be told: several problems, a line each.
    Lines(String),
    /// Told already, line by line.
    Told,
    /// Told already, and with an exit status of its own.
    Status(u8),
    /// To be told: it was called wrongly.
    Usage(String),
    /// The reader of stdout is gone.
    ReaderGone,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }

    /// Several problems, each in one line.
    pub(crate) fn lines(problems: &[String]) -> Self {
        let lines: Vec<_> = problems.iter().map(|problem| escape::line(problem)).collect();
        Self::Lines(lines.join("\n"))
    }

    /// Tells it on stderr, and gives the exit status.
    pub(crate) fn report(self) -> u8 {
        match self {
            Self::Message(message) => {
                tell(&escape::line(&numbers::in_words(&message)));
                1
            }
            Self::Lines(message) => {
                tell(&escape::lines(&numbers::in_words(&message)));
                1
            }
            Self::Usage(message) => {
                tell(&escape::line(&numbers::in_words(&message)));
                2
            }
            Self::Told => 1,
            Self::Status(status) => status,
            Self::ReaderGone => 0,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(message) | Self::Lines(message) | Self::Usage(message) => {
                f.write_str(message)
            }
            Self::Told | Self::Status(_) => f.write_str("it failed (reported above)"),
            Self::ReaderGone => f.write_str("nobody reads the output"),
        }
    }
}

fn tell(message: &str) {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let styled = match anstream::AutoStream::choice(&io::stderr()) {
        anstream::ColorChoice::Never => "error:".to_owned(),
        _ => format!("{red}error:{red:#}"),
    };
    let _ = Stderr.write_all(format!("{styled} {message}\n").as_bytes());
}

/// With its causes, each once.
impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &(dyn Error + 'static) = &error;
        if any.downcast_ref::<io::Error>().is_some_and(streams::is_reader_gone) {
            return Self::ReaderGone;
        }
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                message = format!("{message}: {cause_text}");
            }
            source = cause.source();
        }
        match any.downcast_ref() {
            Some(SettingsError::Rules(_)) => Self::Lines(message),
            _ => Self::Message(message),
        }
    }
}
