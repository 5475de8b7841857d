//! Bytes become lines. A line that is too long for one message becomes several, and each says which
//! part of which line it is, so that a line without an end takes no more memory than one message.

use std::borrow::Cow;
use std::io::BufRead as _;

/// The part of a line that was too long for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The line's own name, 16 hexadecimal digits, the same in all its parts.
    pub(crate) line: String,
    /// From 1.
    pub(crate) number: u64,
    /// Whether the line ends with it.
    pub(crate) last: bool,
}

/// How many bytes a header takes at most.
const HEADER_MAX: usize = 80;

impl Part {
    /// What stands before the part's bytes.
    fn header(&self) -> String {
        let Self { line, number, last } = self;
        format!("{{\"line\":\"{line}\",\"part\":{number},\"last\":{last}}} ")
    }

    /// Reads what [`header`](Self::header) writes; gives the bytes behind it as well.
    pub(crate) fn read(message: &[u8]) -> Option<(Self, &[u8])> {
        let rest = message.strip_prefix(b"{\"line\":\"")?;
        let (line, rest) = rest.split_at_checked(16)?;
        let rest = rest.strip_prefix(b"\",\"part\":")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = rest.split_at_checked(digits)?;
        let rest = rest.strip_prefix(b",\"last\":")?;
        let (last, rest) = match rest.strip_prefix(b"true} ") {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix(b"false} ")?),
        };
        let line = std::str::from_utf8(line).ok()?;
        let number = std::str::from_utf8(number).ok()?.parse().ok()?;
        let part = Self { line: line.to_owned(), number, last };
        (line.bytes().all(|b| b.is_ascii_hexdigit())
            && message.starts_with(part.header().as_bytes()))
        .then_some((part, rest))
    }
}

/// A line, or a part of one that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Without its line feed; everything else of the line is kept.
    pub(crate) bytes: Vec<u8>,
    /// `None` for a whole line.
    pub(crate) part: Option<Part>,
    /// The line's number, from 1.
    pub(crate) line: u64,
    /// How many bytes of the input it stands for: with its line feed, where it has one.
    pub(crate) read: usize,
}

impl Piece {
    /// What is sealed: the line as it is, or the part behind its header.
    pub(crate) fn message(&self) -> Cow<'_, [u8]> {
        match &self.part {
            None => Cow::Borrowed(&self.bytes),
            Some(part) => Cow::Owned([part.header().as_bytes(), &self.bytes].concat()),
        }
    }
}

/// Cuts bytes into pieces as they come.
#[derive(Debug)]
pub(crate) struct Splitter {
    max: usize,
    /// What has come of the line that has no end yet.
    open: Vec<u8>,
    /// The line's name and how many of its parts were given, where it was too long.
    parts: Option<(String, u64)>,
    /// How many lines have ended.
    ended: u64,
}

impl Splitter {
    /// A line of up to `max` bytes is one piece. A part's message is no longer than that either.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, open: Vec::new(), parts: None, ended: 0 }
    }

    /// Takes bytes, and gives the pieces that are complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Piece)) {
        while !bytes.is_empty() {
            let mut rest = bytes;
            // Reading from memory does not fail.
            let count = rest.skip_until(b'\n').unwrap_or(bytes.len());
            let (taken, left) = bytes.split_at(count);
            bytes = left;
            let line = taken.strip_suffix(b"\n");
            self.open.extend_from_slice(line.unwrap_or(taken));
            while self.open.len() > self.room() {
                each(self.cut());
            }
            if line.is_some() {
                each(self.end(1));
            }
        }
    }

    /// The last line, where it has no line feed.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        (!self.open.is_empty() || self.parts.is_some()).then(|| self.end(0))
    }

    /// How many bytes the next piece may have.
    fn room(&self) -> usize {
        if self.parts.is_none() { self.max } else { self.part_max() }
    }

    fn part_max(&self) -> usize {
        self.max.saturating_sub(HEADER_MAX).max(4)
    }

    /// A part from the start of what is open, which is longer; no character is cut in two.
    fn cut(&mut self) -> Piece {
        let most = self.part_max();
        let continues = |at: &usize| self.open.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let at = (most.saturating_sub(3)..=most).rev().find(|at| !continues(at)).unwrap_or(most);
        let rest = self.open.split_off(at);
        let bytes = std::mem::replace(&mut self.open, rest);
        let part = Some(self.part(false));
        Piece { read: bytes.len(), bytes, part, line: self.ended + 1 }
    }

    fn part(&mut self, last: bool) -> Part {
        let (line, given) = self.parts.get_or_insert_with(|| (name(), 0));
        *given += 1;
        Part { line: line.clone(), number: *given, last }
    }

    fn end(&mut self, line_feed: usize) -> Piece {
        let part = self.parts.is_some().then(|| self.part(true));
        self.parts = None;
        self.ended += 1;
        let bytes = std::mem::take(&mut self.open);
        Piece { read: bytes.len() + line_feed, bytes, part, line: self.ended }
    }
}

/// A name that no other line has.
fn name() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(std::process::id());
    format!("{random:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(max: usize, chunks: &[&[u8]]) -> Vec<Piece> {
        let mut splitter = Splitter::new(max);
        let mut pieces = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |piece| pieces.push(piece));
        }
        pieces.extend(splitter.finish());
        pieces
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let bytes = b"one\r\n\n\x00\xff\nlast";
        let whole = split(100, &[bytes]);
        assert_eq!(whole, split(100, &bytes.chunks(1).collect::<Vec<_>>()));
        let lines: Vec<&[u8]> = whole.iter().map(|piece| piece.bytes.as_slice()).collect();
        assert_eq!(lines, [b"one\r".as_slice(), b"", b"\x00\xff", b"last"]);
        assert_eq!(whole.iter().map(|piece| piece.read).collect::<Vec<_>>(), [5, 1, 3, 4]);
        assert!(split(100, &[]).is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_becomes_parts_that_say_so() {
        let long = "ü".repeat(151);
        let input = format!("one\n{long}\nthree\n");
        let pieces = split(200, &[input.as_bytes()]);
        assert_eq!(pieces.iter().map(|piece| piece.read).sum::<usize>(), input.len());
        let parts: Vec<&Piece> = pieces.iter().filter(|piece| piece.part.is_some()).collect();
        assert!(parts.len() > 2 && parts.iter().all(|piece| piece.line == 2));
        let mut together = String::new();
        for (i, piece) in parts.iter().enumerate() {
            let message = piece.message();
            assert!(message.len() <= 200, "{}", message.len());
            let (part, bytes) = Part::read(&message).unwrap();
            assert_eq!((part.number, part.last), (i as u64 + 1, i + 1 == parts.len()));
            together.push_str(std::str::from_utf8(bytes).unwrap());
        }
        assert_eq!(together, long);
        let exact = "x".repeat(200);
        assert_eq!(split(200, &[exact.as_bytes()])[0].part, None);
        assert_eq!(pieces.last().unwrap().bytes, b"three");
    }

    #[test]
    fn what_no_part_begins_with_is_no_part() {
        for message in [
            "",
            "{\"line\":\"0123456789abcdef\",\"part\":1}",
            "{\"line\":\"0123456789abcdeg\",\"part\":1,\"last\":true} x",
            "{\"line\":\"0123456789abcdef\",\"part\":01,\"last\":true} x",
            "{\"line\":\"0123456789abcdef\",\"part\":,\"last\":true} x",
        ] {
            assert_eq!(Part::read(message.as_bytes()), None, "{message}");
        }
        let good = b"{\"line\":\"0123456789abcdef\",\"part\":7,\"last\":true} x";
        assert_eq!(Part::read(good).unwrap().1, b"x");
    }
}
