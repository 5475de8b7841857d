//! Text that others wrote, made harmless: what steers a terminal is shown as an escape.

use std::io::Write as _;
use std::path::Path;

/// Whether a terminal acts on this character, or shows what follows it in another order.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends bytes as text. A character that steers is `\u001b`, as in JSON, unless `keep` has it; a
/// byte that is not UTF-8 is `\xff`. A carriage return before a line feed is a part of the line end.
pub(crate) fn append(bytes: &[u8], keep: &[char], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.find(|c| steers(c) && !keep.contains(&c)) {
            let (before, from) = rest.split_at(at);
            out.extend_from_slice(before.as_bytes());
            let mut characters = from.chars();
            let code = characters.next().map_or(0, u32::from);
            rest = characters.as_str();
            if from.starts_with("\r\n") && keep.contains(&'\n') {
                out.push(b'\r');
            } else {
                // Writing to a vector does not fail.
                let _ = write!(out, "\\u{code:04x}");
            }
        }
        out.extend_from_slice(rest.as_bytes());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

fn escaped(bytes: &[u8], keep: &[char]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    append(bytes, keep, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A text that is to be one line. In JSON the escapes mean what they stand for.
pub(crate) fn line(text: &str) -> String {
    escaped(text.as_bytes(), &[])
}

/// A text of one or more lines.
pub(crate) fn lines(text: &str) -> String {
    escaped(text.as_bytes(), &['\n', '\t'])
}

/// A path, in one line.
pub(crate) fn path(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes(), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown() {
        let text = "a\u{1b}]0;x\u{7}\r\n\tb \u{9b}1m \u{202e}c\u{2066}\u{200f}\u{61c}\u{7f}ü世";
        let shown = "a\\u001b]0;x\\u0007\\u000d\\u000a\\u0009b \\u009b1m \\u202ec\\u2066\\u200f\\u061c\\u007fü世";
        assert_eq!(line(text), shown);
        assert_eq!(lines("one\n\ttwo\r"), "one\n\ttwo\\u000d");
        assert_eq!(lines("one\r\ntwo\rthree\r\r\n"), "one\r\ntwo\\u000dthree\\u000d\r\n");
        assert_eq!(escaped(b"\x9b31m\xff\xc3", &[]), "\\x9b31m\\xff\\xc3");
    }

    #[test]
    fn json_means_the_same_with_escapes() {
        let json = "{\"message\":\"\u{9b} \u{202e}\"}";
        let value: serde_json::Value = serde_json::from_str(&line(json)).unwrap();
        assert_eq!(value, serde_json::from_str::<serde_json::Value>(json).unwrap());
    }
}
