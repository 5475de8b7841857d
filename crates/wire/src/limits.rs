//! The bounds of the protocol (PROTOCOL 2 and 7).

/// The most base64 characters that a payload may have: 1 MiB.
pub const PAYLOAD_BASE64_MAX: usize = 1_048_576;
/// The most bytes that a payload may decode to.
pub const PAYLOAD_MAX: usize = PAYLOAD_BASE64_MAX / 4 * 3;
/// The authentication tag at the end of every payload, in bytes.
pub const TAG_LEN: usize = 16;
/// The key commitment at the start of a mode 128 payload, in bytes.
pub const COMMITMENT_LEN: usize = 32;
/// The most characters (Unicode scalar values) in a node name.
pub const NODE_MAX_CHARS: usize = 255;
/// The most entries in one request.
pub const BATCH_MAX: usize = 100;
/// The default and the largest number of entries that one query answers.
pub const QUERY_DEFAULT: usize = 100;
/// The largest `limit` of a query.
pub const QUERY_MAX: usize = 1_000;
