//! An entry in the making, as text: a valid one to begin with, then broken in one place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The parts of an entry's JSON as they will stand there. Unlike the entry of `logflux-wire`, it
/// can be wrong in every way.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) mode: u64,
    pub(super) salt: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) payload: Vec<u8>,
    /// Keys and values as JSON text.
    fields: Vec<(String, String)>,
}

/// The parts of a valid entry.
pub(super) struct Parts<'a> {
    pub(super) node: &'a str,
    pub(super) payload: Vec<u8>,
    pub(super) loglevel: u64,
    pub(super) timestamp: &'a str,
    pub(super) mode: u64,
    pub(super) iv: Vec<u8>,
    pub(super) salt: Vec<u8>,
}

impl Draft {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts { node, payload, loglevel, timestamp, mode, iv, salt } = parts;
        let fields = [
            ("node", quoted(node)),
            ("payload", base64_json(&payload)),
            ("loglevel", loglevel.to_string()),
            ("timestamp", quoted(timestamp)),
            ("encryption_mode", mode.to_string()),
            ("iv", base64_json(&iv)),
            ("salt", base64_json(&salt)),
        ];
        let fields = fields.into_iter().map(|(name, value)| (quoted(name), value)).collect();
        Self { mode, salt, iv, payload, fields }
    }

    /// The JSON, in canonical form unless it was changed.
    pub(super) fn json(&self) -> Vec<u8> {
        self.text().into_bytes()
    }

    pub(super) fn text(&self) -> String {
        let fields: Vec<String> =
            self.fields.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        format!("{{{}}}", fields.join(","))
    }

    /// The JSON text of a field's value.
    pub(super) fn value(&self, name: &str) -> &str {
        let key = quoted(name);
        self.fields.iter().find(|(k, _)| *k == key).map_or("", |(_, value)| value)
    }

    /// Replaces a field's value by JSON text, or by what is not JSON.
    pub(super) fn with_raw(&self, name: &str, value: impl Into<String>) -> Self {
        let (key, value) = (quoted(name), value.into());
        let mut changed = self.clone();
        for field in changed.fields.iter_mut().filter(|(k, _)| *k == key) {
            field.1.clone_from(&value);
        }
        changed
    }

    /// Replaces a field's value by a string.
    pub(super) fn with_text(&self, name: &str, value: &str) -> Self {
        self.with_raw(name, quoted(value))
    }

    /// Replaces a field's key by JSON text.
    pub(super) fn with_key(&self, name: &str, key: &str) -> Self {
        let old = quoted(name);
        let mut changed = self.clone();
        for field in changed.fields.iter_mut().filter(|(k, _)| *k == old) {
            field.0 = key.to_owned();
        }
        changed
    }

    /// Adds a field at the end, as JSON text.
    pub(super) fn and(&self, key: &str, value: impl Into<String>) -> Self {
        let mut changed = self.clone();
        changed.fields.push((key.to_owned(), value.into()));
        changed
    }

    pub(super) fn without(&self, name: &str) -> Self {
        let key = quoted(name);
        let mut changed = self.clone();
        changed.fields.retain(|(k, _)| *k != key);
        changed
    }

    /// The last field first, and the others after it in their order backwards.
    pub(super) fn reversed(&self) -> Self {
        let mut changed = self.clone();
        changed.fields.reverse();
        changed
    }

    pub(super) fn with_payload(&self, payload: Vec<u8>) -> Self {
        let mut changed = self.with_raw("payload", base64_json(&payload));
        changed.payload = payload;
        changed
    }

    pub(super) fn with_iv(&self, iv: Vec<u8>) -> Self {
        let mut changed = self.with_raw("iv", base64_json(&iv));
        changed.iv = iv;
        changed
    }

    pub(super) fn with_salt(&self, salt: Vec<u8>) -> Self {
        let mut changed = self.with_raw("salt", base64_json(&salt));
        changed.salt = salt;
        changed
    }

    pub(super) fn with_mode(&self, mode: u64) -> Self {
        let mut changed = self.with_raw("encryption_mode", mode.to_string());
        changed.mode = mode;
        changed
    }

    /// Without the quotation marks: what a base64 field says.
    pub(super) fn base64(&self, name: &str) -> String {
        self.value(name).trim_matches('"').to_owned()
    }
}

/// A JSON string, with the escapes that JSON requires and no other.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn base64_json(bytes: &[u8]) -> String {
    format!("\"{}\"", STANDARD.encode(bytes))
}

/// The bytes with one bit flipped.
pub(super) fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    if let Some(byte) = flipped.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    flipped
}
