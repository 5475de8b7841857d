//! What a command prints as its result.

use std::io::Write as _;

use clap::ValueEnum;
use logflux_envelope::Entry;

use crate::failure::Outcome;
use crate::splitter::Part;

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people and simple pipes.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Appends an entry's own fields and its message as one JSON object. A message that is not UTF-8
/// stands as `message_base64`; a part of a line that was too long has a member `part` that says which.
pub(crate) fn append_opened_json(entry: &Entry, message: &[u8], out: &mut Vec<u8>) -> Outcome {
    entry.append_json(out);
    out.pop();
    let (part, message) =
        Part::read(message).map_or((None, message), |(part, rest)| (Some(part), rest));
    if let Some(Part { line, number, last }) = part {
        write!(out, ",\"part\":{{\"line\":\"{line}\",\"number\":{number},\"last\":{last}}}")?;
    }
    match std::str::from_utf8(message) {
        Ok(text) => {
            out.extend_from_slice(b",\"message\":");
            serde_json::to_writer(&mut *out, text)?;
        }
        Err(_) => {
            out.extend_from_slice(b",\"message_base64\":\"");
            logflux_wire::base64::encode_append(message, out);
            out.push(b'"');
        }
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// One thing or several, such as `1 entry` and `2 entries`.
pub(crate) fn count(number: usize, one: &str, several: &str) -> String {
    let what = if number == 1 { one } else { several };
    format!("{number} {what}")
}
