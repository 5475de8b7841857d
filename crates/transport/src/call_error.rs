//! Why a call failed, and what that means for the entries in it (PROTOCOL 8).

use std::collections::BTreeSet;
use std::time::Duration;

use logflux_wire::response::{ErrorCode, Failure, IngestResponse};

/// Why a call did not succeed. It never holds the key or an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There was no connection, or it broke.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The call took longer than it may.
    #[error("timed out ({0})")]
    TimedOut(String),
    /// TLS failed. Nothing was sent, not even the key.
    #[error("TLS refused the server: {0}")]
    Tls(String),
    /// The proxy does not let the call through, or cannot be believed. Nothing was sent to the server.
    #[error("{0}")]
    Proxy(String),
    /// The server redirects. The key is not sent to another address.
    #[error(
        "the server answered {status}, a redirect, which is never followed: name the final URL"
    )]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// The server refused.
    #[error("the server answered {status}{}: {message}", code.map(|code| format!(" {code}")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error code, where the answer has one that this version knows.
        code: Option<ErrorCode>,
        /// The server's sentence, without control characters.
        message: String,
        /// How long to wait, as the server asks.
        retry_after: Option<Duration>,
        /// Whether the answer is an error of a LogFlux ingest API (PROTOCOL 7), and not one of a
        /// proxy, a gateway or a login page before it.
        from_api: bool,
        /// Why each entry of a batch was refused, where none of them was good.
        failures: Vec<Failure>,
    },
    /// The answer is 200, but not one of a LogFlux ingest API.
    #[error("the answer is not from a LogFlux ingest API")]
    NotOurs,
    /// The server says of some entries neither that they are stored nor why they are refused.
    #[error("the server's answer accounts for {accounted} of {entries} entries")]
    Incomplete {
        /// How many entries were sent.
        entries: usize,
        /// How many of them the answer accounts for.
        accounted: usize,
    },
}

/// What a failed call means for the entries that it carried (PROTOCOL 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The server or the way to it is out of order for now: the same bytes are sent again, after
    /// the backoff or the server's `Retry-After`.
    Retry,
    /// The batch is too large, or one of its entries spoils it: its halves are sent apart.
    Split,
    /// The API refuses this very entry for good: it becomes a dead letter.
    Refused,
    /// The credential or the route is wrong, not the entries: they wait, and one call at a time asks
    /// whether that has changed.
    Hold,
}

impl CallError {
    /// What the failure of a call with so many entries means for them.
    #[must_use]
    pub fn disposition(&self, entries: usize) -> Disposition {
        let Self::Refused { status, from_api, .. } = self else {
            return match self {
                Self::Unreachable(_) | Self::TimedOut(_) => Disposition::Retry,
                Self::Incomplete { .. } if entries > 1 => Disposition::Split,
                _ => Disposition::Hold,
            };
        };
        match (*status, *from_api) {
            (408 | 429 | 500 | 502 | 503 | 504 | 507, _) => Disposition::Retry,
            // A proxy before the API may have a smaller bound for bodies than the API.
            (413, _) | (400, true) if entries > 1 => Disposition::Split,
            (400 | 413, true) => Disposition::Refused,
            _ => Disposition::Hold,
        }
    }

    /// Whether the server limits how many requests may be made, and this was one too many.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        matches!(self, Self::Refused { status: 429, .. })
    }

    /// Why each of so many entries was refused, where the API says it of every one of them.
    pub(crate) fn refusals(&self, entries: usize) -> Option<&[Failure]> {
        let Self::Refused { status: 400, from_api: true, failures, .. } = self else { return None };
        let named: BTreeSet<usize> = failures.iter().map(|failure| failure.index).collect();
        named.into_iter().eq(0..entries).then_some(failures)
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn from_ureq(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(phase) => Self::TimedOut(phase.to_string()),
            ureq::Error::Tls(reason) => Self::Tls(plain(reason)),
            ureq::Error::Rustls(error) => Self::Tls(plain(&error.to_string())),
            // rustls reports what happens in a handshake through the connection.
            ureq::Error::Io(error)
                if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) =>
            {
                Self::Tls(plain(&error.to_string()))
            }
            ureq::Error::Io(error) => Self::Unreachable(plain(&error.to_string())),
            ureq::Error::ConnectProxyFailed(reason) => Self::Proxy(plain(&reason)),
            ureq::Error::HostNotFound => Self::Unreachable("the host name is not known".to_owned()),
            other => Self::Unreachable(plain(&other.to_string())),
        }
    }
}

/// An answer that accounts for every entry that was sent: each is stored, or refused by name.
pub(crate) fn complete(
    answer: Result<IngestResponse, CallError>,
    entries: usize,
) -> Result<IngestResponse, CallError> {
    let answer = answer?;
    let refused: BTreeSet<usize> =
        answer.failures.iter().map(|failure| failure.index).filter(|at| *at < entries).collect();
    let accounted = answer.data.succeeded.saturating_add(refused.len());
    if accounted < entries { Err(CallError::Incomplete { entries, accounted }) } else { Ok(answer) }
}

/// A server's text as it may go to a terminal or a log: one line, without control characters and
/// without marks that turn the direction of what follows.
pub(crate) fn plain(text: &str) -> String {
    const MAX: usize = 1_000;
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .take(MAX)
        .flat_map(|c| {
            let escaped = c.is_control() || turns(c);
            let code = escaped.then(|| c.escape_unicode());
            code.into_iter().flatten().chain((!escaped).then_some(c))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use logflux_wire::response::{IngestCounts, Status};

    use super::*;

    fn failure(index: usize) -> Failure {
        Failure { index, code: ErrorCode::InvalidEntry, message: String::new() }
    }

    fn refused(status: u16, from_api: bool) -> CallError {
        CallError::Refused {
            status,
            code: None,
            message: String::new(),
            retry_after: None,
            from_api,
            failures: Vec::new(),
        }
    }

    #[test]
    fn every_failure_has_one_disposition() {
        use Disposition::{Hold, Refused, Retry, Split};
        // The status; for a batch and for one entry, in the API's form and in another.
        for (statuses, [batch, one, foreign_batch, foreign_one]) in [
            (&[408, 429, 500, 502, 503, 504, 507][..], [Retry; 4]),
            (&[400][..], [Split, Refused, Hold, Hold]),
            (&[413][..], [Split, Refused, Split, Hold]),
            (&[401, 403, 404, 405, 406, 409, 410, 415, 418, 422, 426, 451][..], [Hold; 4]),
            (&[201, 202, 204, 206, 501, 505, 511, 520, 522, 530, 599][..], [Hold; 4]),
        ] {
            for status in statuses {
                let of = |from_api, entries| refused(*status, from_api).disposition(entries);
                assert_eq!(of(true, 100), batch, "{status}");
                assert_eq!(of(true, 2), batch, "{status}");
                assert_eq!(of(true, 1), one, "{status}");
                assert_eq!(of(false, 100), foreign_batch, "{status}");
                assert_eq!(of(false, 1), foreign_one, "{status}");
            }
        }
        for (error, expected) in [
            (CallError::Unreachable(String::new()), Retry),
            (CallError::TimedOut(String::new()), Retry),
            (CallError::Tls(String::new()), Hold),
            (CallError::Proxy(String::new()), Hold),
            (CallError::Redirected { status: 308 }, Hold),
            (CallError::NotOurs, Hold),
        ] {
            assert_eq!([1, 100].map(|entries| error.disposition(entries)), [expected; 2]);
        }
        let incomplete = CallError::Incomplete { entries: 2, accounted: 1 };
        assert_eq!([1, 100].map(|entries| incomplete.disposition(entries)), [Hold, Split]);
    }

    #[test]
    fn an_answer_accounts_for_every_entry() {
        let answer = |succeeded, refused: &[usize]| IngestResponse {
            status: Status::Partial,
            message: String::new(),
            request_id: String::new(),
            data: IngestCounts { total: 3, succeeded, failed: refused.len(), duplicates: 0 },
            failures: refused.iter().map(|index| failure(*index)).collect(),
        };
        for (succeeded, refused) in
            [(3, &[][..]), (2, &[1][..]), (0, &[2, 0, 1][..]), (usize::MAX, &[0][..])]
        {
            assert_eq!(complete(Ok(answer(succeeded, refused)), 3), Ok(answer(succeeded, refused)));
        }
        for (succeeded, refused) in [(2, &[][..]), (1, &[1, 1][..]), (2, &[3][..]), (0, &[][..])] {
            assert!(
                matches!(
                    complete(Ok(answer(succeeded, refused)), 3),
                    Err(CallError::Incomplete { entries: 3, .. })
                ),
                "{succeeded} {refused:?}"
            );
        }
        assert_eq!(complete(Err(CallError::NotOurs), 3), Err(CallError::NotOurs));
    }

    #[test]
    fn a_batch_of_which_the_api_refuses_every_entry_by_name_needs_no_splitting() {
        let failures = |indexes: &[usize]| CallError::Refused {
            status: 400,
            code: Some(ErrorCode::InvalidEntry),
            message: String::new(),
            retry_after: None,
            from_api: true,
            failures: indexes.iter().map(|index| failure(*index)).collect(),
        };
        assert_eq!(failures(&[1, 0, 2]).refusals(3).map(<[_]>::len), Some(3));
        for incomplete in [&[0, 1][..], &[0, 1, 1], &[0, 1, 3], &[]] {
            assert_eq!(failures(incomplete).refusals(3), None, "{incomplete:?}");
        }
    }

    #[test]
    fn a_servers_text_is_one_line_without_control_characters() {
        assert_eq!(
            plain("no\x1b[31m such\nkey \u{202e}x\u{85}ü"),
            "no\\u{1b}[31m such\\u{a}key \\u{202e}x\\u{85}ü"
        );
        assert_eq!(plain(&"ü".repeat(2_000)).chars().count(), 1_000);
    }
}
