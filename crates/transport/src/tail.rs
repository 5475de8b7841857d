//! Entries as they arrive (`GET /v1/tail`).

use std::io::{BufRead, BufReader, Read};

use logflux_wire::Entry;
use ureq::BodyReader;

use crate::call_error::CallError;
use crate::unread::Unread;

/// The longest line that is read: an entry of the largest payload, and what is around it.
const LINE_MAX: u64 = 2 << 20;

/// Gives entries as they arrive. It ends with the connection, which a server also ends from time to
/// time; whoever wants more calls again with [`last_id`](Self::last_id).
pub struct Tail {
    lines: BufReader<BodyReader<'static>>,
    last_id: Option<String>,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tail").finish_non_exhaustive()
    }
}

impl Tail {
    pub(crate) fn new(body: BodyReader<'static>) -> Self {
        Self { lines: BufReader::new(body), last_id: None }
    }

    /// What to go on after when the connection has broken. A server says it before the first entry.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Reads up to the next entry; none at the end.
    fn read(&mut self) -> Result<Option<Result<Entry, Unread>>, CallError> {
        let (mut id, mut data) = (None, None);
        loop {
            let mut line = Vec::new();
            let read = self.lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
            read.map_err(|error| CallError::Unreachable(error.to_string()))?;
            if line.pop() != Some(b'\n') {
                // What was begun and not ended comes again; what is too long is no entry.
                let ended = u64::try_from(line.len()).is_ok_and(|len| len < LINE_MAX - 1);
                return if ended { Ok(None) } else { Err(CallError::NotOurs) };
            }
            if line.is_empty() {
                self.last_id = id.take().or(self.last_id.take());
                match data.take() {
                    Some(entry) => return Ok(Some(entry)),
                    None => continue,
                }
            }
            let (name, value) = match line.iter().position(|byte| *byte == b':') {
                Some(colon) => line.split_at(colon),
                None => (line.as_slice(), [].as_slice()),
            };
            let value = value.strip_prefix(b":").unwrap_or(value);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match name {
                b"id" => {
                    let text = String::from_utf8(value.to_vec());
                    id = Some(text.map_err(|_| CallError::NotOurs)?);
                }
                b"data" => data = Some(Unread::parse(value)),
                // The name of an event, a comment, or what is yet to come.
                _ => {}
            }
        }
    }
}

impl Iterator for Tail {
    /// What this version cannot read stands among the entries.
    type Item = Result<Result<Entry, Unread>, CallError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
