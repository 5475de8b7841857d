//! What no subject may do.

use std::fmt;

/// The kind of a misbehaviour. A refusal is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misdeed {
    /// It ended.
    Crashed,
    /// It did not answer in time.
    TimedOut,
    /// It wrote what the protocol does not have.
    BrokeProtocol,
}

impl Misdeed {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crashed => "crashed",
            Self::TimedOut => "timed_out",
            Self::BrokeProtocol => "broke_protocol",
        }
    }

    /// The same in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Crashed => "crashed",
            Self::TimedOut => "timed out",
            Self::BrokeProtocol => "broke the protocol",
        }
    }
}

/// What a subject did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misbehaviour {
    /// Its kind.
    pub misdeed: Misdeed,
    /// A plain sentence about it.
    pub sentence: String,
    /// The end of what the subject wrote to its standard error, without control characters.
    pub stderr: String,
    /// Whether the subject can be asked on: it answered this request, though in a wrong form.
    pub in_step: bool,
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if self.stderr.is_empty() {
            Ok(())
        } else {
            write!(f, "; its standard error ends: {}", self.stderr)
        }
    }
}
