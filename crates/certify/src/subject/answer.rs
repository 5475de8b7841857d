//! What a subject answers.

use logflux_wire::Stage;
use serde_json::{Map, Value};

use crate::encoding::{Base64, Hex};
use crate::model::stage_by_name;

/// An answer to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// It was done, with these parts.
    Ok(Map<String, Value>),
    /// It was refused.
    Refused(Refusal),
    /// The subject has no such thing, which it names.
    Unsupported(String),
}

/// Where a request was refused, and why.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) stage: Option<Stage>,
    /// The subject's own words.
    pub(crate) words: Option<String>,
}

/// Why a line is not the answer that is waited for.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It does not belong to the request.
    Stray(String),
    /// It does, and is not in the form of an answer.
    Malformed(String),
}

/// Reads an answer; an error is what it was instead.
pub(super) fn read(line: &[u8], id: u64) -> Result<Reply, NoAnswer> {
    let parts = of_request(line, id).map_err(NoAnswer::Stray)?;
    reply(parts, line).map_err(NoAnswer::Malformed)
}

/// The parts of the answer to a request.
fn of_request(line: &[u8], id: u64) -> Result<Map<String, Value>, String> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return Err(format!("what is no JSON: {}", shown(line)));
    };
    let Value::Object(parts) = value else {
        return Err(format!("what is no JSON object: {}", shown(line)));
    };
    match parts.get("id") {
        Some(got) if got.as_u64() == Some(id) => Ok(parts),
        Some(got) if got.as_u64().is_some_and(|got| got > 0 && got < id) => {
            Err(format!("the id of another request, {got}: it answers twice, or late"))
        }
        Some(got) => {
            Err(format!("the id of another request, {}", shown(got.to_string().as_bytes())))
        }
        None => Err(format!("no id: {}", shown(line))),
    }
}

fn reply(mut parts: Map<String, Value>, line: &[u8]) -> Result<Reply, String> {
    match (parts.remove("ok"), parts.remove("error"), parts.remove("unsupported")) {
        (Some(Value::Object(parts)), None, None) => Ok(Reply::Ok(parts)),
        (None, Some(Value::Object(mut parts)), None) => {
            let stage = match parts.remove("stage") {
                None | Some(Value::Null) => None,
                Some(stage) => Some(stage.as_str().and_then(stage_by_name).ok_or_else(|| {
                    format!(
                        "an error at a stage that is none, {}",
                        shown(stage.to_string().as_bytes())
                    )
                })?),
            };
            let words = parts.remove("message").and_then(|words| words.as_str().and_then(plain));
            Ok(Reply::Refused(Refusal { stage, words }))
        }
        (None, None, Some(what)) => {
            Ok(Reply::Unsupported(what.as_str().unwrap_or("something").to_owned()))
        }
        _ => Err(format!(
            "neither an object `ok`, nor an object `error`, nor `unsupported`: {}",
            shown(line)
        )),
    }
}

/// Bytes in hexadecimal that an answer must have.
pub(crate) fn hex(parts: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let value = parts.get(name).ok_or_else(|| format!("ok and no {name}"))?;
    serde_json::from_value::<Hex>(value.clone())
        .map(|hex| hex.0)
        .map_err(|_| format!("a {name} that is no lower-case hexadecimal"))
}

/// Bytes in base64 that an answer must have.
pub(crate) fn base64(parts: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let value = parts.get(name).ok_or_else(|| format!("ok and no {name}"))?;
    serde_json::from_value::<Base64>(value.clone())
        .map(|base64| base64.0)
        .map_err(|_| format!("a {name} that is no base64"))
}

/// A subject's words in one line without control characters, cut where they are long; `None` where
/// nothing is left.
fn plain(words: &str) -> Option<String> {
    const SHOWN: usize = 300;
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let start: String = words.chars().take(SHOWN).collect();
    let more = if start.len() < words.len() { "…" } else { "" };
    (!start.is_empty()).then(|| format!("{start}{more}"))
}

fn shown(line: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(line);
    let start: String = text.trim_end().chars().take(SHOWN).collect();
    let more = if start.len() < text.trim_end().len() { "…" } else { "" };
    format!("{start:?}{more}")
}
