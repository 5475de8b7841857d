//! Entries that are shown together.

use logflux_envelope::Entry;
use logflux_transport::Unread;

/// Entries to be opened, or lines as they are stored.
pub(crate) enum Batch {
    Entries(Vec<Entry>),
    Lines(Vec<String>),
}

impl Batch {
    /// What a server returned. As they are stored, entries of a mode that only a newer version knows are
    /// among them; what else cannot be read is told, with how many came up to there.
    pub(crate) fn of(
        returned: Vec<Result<Entry, Unread>>,
        sealed: bool,
        mut unreadable: impl FnMut(usize, &Unread),
    ) -> Self {
        let (mut entries, mut lines) = (Vec::new(), Vec::new());
        for (entry, number) in returned.into_iter().zip(1..) {
            match entry {
                Ok(entry) if sealed => lines.push(entry.to_json()),
                Ok(entry) => entries.push(entry),
                Err(unread) if sealed && unread.is_of_unknown_mode() => lines.push(unread.json),
                Err(unread) => unreadable(number, &unread),
            }
        }
        if sealed { Self::Lines(lines) } else { Self::Entries(entries) }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Entries(entries) => entries.len(),
            Self::Lines(lines) => lines.len(),
        }
    }

    pub(crate) fn reverse(&mut self) {
        match self {
            Self::Entries(entries) => entries.reverse(),
            Self::Lines(lines) => lines.reverse(),
        }
    }

    /// What tells each from all others.
    pub(crate) fn identities(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Entries(entries) => entries.iter().map(identity).collect(),
            Self::Lines(lines) => lines.iter().map(|line| line.clone().into_bytes()).collect(),
        }
    }

    /// Leaves those out that are not wanted.
    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(&[u8]) -> bool) {
        match self {
            Self::Entries(entries) => entries.retain(|entry| wanted(&identity(entry))),
            Self::Lines(lines) => lines.retain(|line| wanted(line.as_bytes())),
        }
    }
}

fn identity(entry: &Entry) -> Vec<u8> {
    [entry.salt().as_bytes().as_slice(), entry.iv().as_bytes()].concat()
}
