//! What each flag means: what goes wrong for users where such a test fails, which sentence of the
//! protocol is not kept, and how that is mended.

use super::error::GenerateError;
use crate::model::Note;

struct Row {
    flag: &'static str,
    effect: &'static str,
    /// Word for word from `docs/protocol.md`.
    rule: &'static str,
    spec: &'static str,
    remedy: &'static str,
}

const BASE64: &str = "URL-safe letters, missing or extra padding, white space, and trailing bits that are not zero are errors.";
const READING: &str = "Duplicate keys, missing fields, nulls, other types, bytes that are not UTF-8, and trailing bytes are errors.";
const ONE_OBJECT: &str =
    "So are a byte order mark, half a surrogate pair, and anything but one object.";
const SAME_BYTES: &str = "With secret, message, salt, iv, node, level and timestamp given, every implementation writes the same bytes.";
const WHOLE_KEY: &str = "The key is derived from every byte of the secret and of the salt, with exactly these parameters.";
const AUTHENTIC: &str =
    "An opener refuses whatever the cipher does not authenticate, and gives out no byte of it.";
const SECRET: &str = "A secret is its UTF-8 bytes exactly as given: nothing trimmed, nothing normalised, any length from 1.";
const STRICTLY: &str = "Decode strictly: compare what you read with its own encoding, or turn the leniency of your base64 library off.";

/// By name.
const NOTES: &[Row] = &[
    Row {
        flag: "Base64Alphabet",
        effect: "Other alphabets make two spellings of one entry, and entries that one implementation reads and another refuses.",
        rule: BASE64,
        spec: "PROTOCOL 2, base64; RFC 4648, section 4",
        remedy: STRICTLY,
    },
    Row {
        flag: "Base64Padding",
        effect: "A reader that is lenient with padding takes many texts for the same bytes: retries are no longer seen as the same entry.",
        rule: BASE64,
        spec: "PROTOCOL 2, base64; RFC 4648, section 3.2",
        remedy: STRICTLY,
    },
    Row {
        flag: "Base64TrailingBits",
        effect: "Bits that belong to no byte let anyone make another text of the same entry.",
        rule: BASE64,
        spec: "PROTOCOL 2, base64; RFC 4648, section 3.5",
        remedy: STRICTLY,
    },
    Row {
        flag: "Base64WhiteSpace",
        effect: "A reader that skips white space takes many texts for the same bytes.",
        rule: BASE64,
        spec: "PROTOCOL 2, base64; RFC 4648, section 3.3",
        remedy: STRICTLY,
    },
    Row {
        flag: "CanonicalJson",
        effect: "Implementations that write one entry in different bytes cannot be compared with each other.",
        rule: SAME_BYTES,
        spec: "PROTOCOL 2, canonical JSON",
        remedy: "Write the seven fields in their order, without white space, with no escape that JSON does not require (so no \\u for what is not ASCII, and no escaped slash).",
    },
    Row {
        flag: "HmacPadding",
        effect: "No implementation error is looked for here: a property of PBKDF2 that users should know. A NUL at the end of a secret shorter than 64 bytes changes nothing in modes 1, 2 and 128.",
        rule: "HMAC pads a short key with zero bytes, so that in modes 1, 2 and 128 a secret of fewer than 64 bytes and the same with a NUL at its end give the same keys.",
        spec: "PROTOCOL 3 and 4; RFC 2104, section 2",
        remedy: "Give the secret's bytes to the derivation as they are, with a NUL where there is one.",
    },
    Row {
        flag: "IvSize",
        effect: "An iv of another length is hashed to one by AES-GCM, or cut: repeats become likely.",
        rule: "base64 of exactly 12 bytes",
        spec: "PROTOCOL 2, iv; NIST SP 800-38D, section 8.2",
        remedy: "Check the length of the decoded iv before the cipher sees it.",
    },
    Row {
        flag: "JsonDepth",
        effect: "Nesting exhausts the stack of a recursive reader: one entry stops the program.",
        rule: READING,
        spec: "RFC 8259, section 9",
        remedy: "Bound the depth, or skip unknown values without recursion; what is nested too deep is refused, and does not crash.",
    },
    Row {
        flag: "JsonDuplicateKey",
        effect: "Two readers choose two different values: what one checked is not what the other opens.",
        rule: READING,
        spec: "PROTOCOL 2, reading; RFC 8259, section 4",
        remedy: "Look at every key while reading: most JSON libraries keep the last of two values in silence.",
    },
    Row {
        flag: "JsonEncoding",
        effect: "What is not UTF-8 is read differently everywhere, or crashes.",
        rule: ONE_OBJECT,
        spec: "PROTOCOL 2, canonical JSON; RFC 8259, section 8.1",
        remedy: "Decode the bytes as UTF-8 strictly before parsing; replace nothing, and skip no byte order mark.",
    },
    Row {
        flag: "JsonEquivalent",
        effect: "Entries that passed through another JSON library cannot be read any more.",
        rule: "The order of the fields, white space and escapes that JSON allows make no difference.",
        spec: "PROTOCOL 2, reading; RFC 8259",
        remedy: "Read with a JSON library, and not by comparing text.",
    },
    Row {
        flag: "JsonMissingKey",
        effect: "A default takes the place of a field that was never sent.",
        rule: READING,
        spec: "PROTOCOL 2, reading",
        remedy: "Give no field a default.",
    },
    Row {
        flag: "JsonSurrogate",
        effect: "Half a character cannot be UTF-8: it is replaced, dropped or crashes, each reader in its own way.",
        rule: ONE_OBJECT,
        spec: "PROTOCOL 2, reading; RFC 8259, section 8.2",
        remedy: "Refuse strings with half a surrogate pair, in keys and in unknown fields, too.",
    },
    Row {
        flag: "JsonSyntax",
        effect: "What is not JSON is read by one implementation and refused by the next.",
        rule: ONE_OBJECT,
        spec: "PROTOCOL 2, reading; RFC 8259",
        remedy: "Turn the extensions of your JSON library off (comments, trailing commas, NaN, single quotes), and read to the end of the input.",
    },
    Row {
        flag: "JsonType",
        effect: "Values that are converted in silence hide errors of the sender, and other readers refuse them.",
        rule: READING,
        spec: "PROTOCOL 2, the entry, and reading",
        remedy: "Check each value's type before use. Integers have no fraction and no exponent.",
    },
    Row {
        flag: "JsonUnknownKey",
        effect: "An opener that refuses new fields cannot read what later versions write.",
        rule: "An opener ignores fields that it does not know.",
        spec: "PROTOCOL 2, reading",
        remedy: "Skip unknown fields when opening; only the ingest API refuses them.",
    },
    Row {
        flag: "KeyDerivation",
        effect: "Another key: no other implementation can open these entries.",
        rule: WHOLE_KEY,
        spec: "PROTOCOL 4 and 5",
        remedy: "Compare the hash, the number of iterations, the length, and the salt's bytes (decoded, not base64) with the table of modes.",
    },
    Row {
        flag: "KnownAnswer",
        effect: "The implementation is incompatible with every other.",
        rule: SAME_BYTES,
        spec: "PROTOCOL 2 to 5",
        remedy: "Begin here: derive the key of the first `derive` case, then seal, then open.",
    },
    Row {
        flag: "Level",
        effect: "Levels that are shifted or cut to fewer bits show an emergency as something harmless.",
        rule: "1 Emergency, 2 Alert, 3 Critical, 4 Error, 5 Warning, 6 Notice, 7 Info, 8 Debug: the severity of syslog plus one.",
        spec: "PROTOCOL 2, loglevel; RFC 5424, section 6.2.1",
        remedy: "Take 1 to 8 and nothing else, and do not shift them.",
    },
    Row {
        flag: "MessageBytes",
        effect: "A message does not come out as it went in.",
        rule: "base64 of ciphertext and then the tag (16 bytes)",
        spec: "PROTOCOL 2, payload",
        remedy: "Keep a message's bytes as they are: nothing trimmed, no line end added, nothing normalised.",
    },
    Row {
        flag: "MessageNotUtf8",
        effect: "Bytes that are not text are replaced or cut in silence, or crash a reader.",
        rule: "`utf8` (the opened message is not text)",
        spec: "PROTOCOL 1 and 2",
        remedy: "Decode the opened bytes strictly, and refuse them at stage utf8.",
    },
    Row {
        flag: "MessageSize",
        effect: "A message that is too long is cut, or sealed to an entry that nobody takes.",
        rule: "That leaves a message of at most 786,416 bytes in modes 1 to 4, and 786,384 in mode 128.",
        spec: "PROTOCOL 2, payload",
        remedy: "Refuse a longer message at stage size, before anything is sealed.",
    },
    Row {
        flag: "MetadataAuthenticated",
        effect: "Whoever stores the entries can change a level, a time or a node unseen; or an honest entry is refused.",
        rule: "The associated data is `\"logflux/128\" ‖ level as u8 ‖ seconds since 1970 as i64 ‖ nanoseconds as u32 ‖ bytes of the node as u16 ‖ node`, integers big-endian.",
        spec: "PROTOCOL 5",
        remedy: "Build the associated data of mode 128 exactly so, from the parsed fields, and hand it to the cipher both ways.",
    },
    Row {
        flag: "MetadataUnauthenticated",
        effect: "In modes 1 to 4 nothing but the message is authenticated. Whoever stores an entry can change its node, level and timestamp, and it still opens: an implementation that refuses adds associated data, and cannot read what others write.",
        rule: "In modes 1 to 4 the salt is the entry's, the payload is ciphertext and tag, and there is no associated data: nothing but the message is authenticated.",
        spec: "PROTOCOL 4",
        remedy: "Give the cipher no associated data in modes 1 to 4.",
    },
    Row {
        flag: "ModifiedCiphertext",
        effect: "The message is not authenticated: anyone can change it bit by bit.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 4; NIST SP 800-38D, section 7.2",
        remedy: "Use the one-shot decryption of an AEAD, which checks the tag; never CTR with the tag cut off.",
    },
    Row {
        flag: "ModifiedCommitment",
        effect: "An entry can be made that opens to two different messages under two secrets.",
        rule: "An opener compares the commitment, in constant time, before it decrypts.",
        spec: "PROTOCOL 5",
        remedy: "Compare all 32 bytes with the second half of what HKDF gives.",
    },
    Row {
        flag: "ModifiedIv",
        effect: "The iv is not authenticated, or not all of it is used.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 4; NIST SP 800-38D, section 7.2",
        remedy: "Give the decoded iv, all 12 bytes of it, to the cipher.",
    },
    Row {
        flag: "ModifiedSalt",
        effect: "Not all of the salt goes into the key: entries share keys.",
        rule: WHOLE_KEY,
        spec: "PROTOCOL 4 and 5",
        remedy: "Give the decoded salt, all 32 bytes of it, to the derivation.",
    },
    Row {
        flag: "ModifiedTag",
        effect: "The tag is not checked, or only in part: forged messages are accepted.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 4; NIST SP 800-38D, section 7.2",
        remedy: "Check all 16 bytes of the tag, and throw the plaintext away where they differ.",
    },
    Row {
        flag: "Node",
        effect: "Names are cut, cleaned or counted differently: entries are refused by others, or controls reach a terminal.",
        rule: "1 to 255 Unicode characters (scalar values), no control characters (general category Cc)",
        spec: "PROTOCOL 2, node",
        remedy: "Count characters, not bytes or UTF-16 units, and refuse controls instead of removing them.",
    },
    Row {
        flag: "OtherMode",
        effect: "The mode's number is not looked at: any key derivation or cipher will do.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 4",
        remedy: "Choose derivation and cipher by `encryption_mode` alone, and try no other.",
    },
    Row {
        flag: "PayloadSize",
        effect: "A payload without a tag reaches the cipher, or one beyond the bound exhausts memory.",
        rule: "at most 1,048,576 base64 characters",
        spec: "PROTOCOL 2, payload",
        remedy: "Check the payload's length, at both ends, before the cipher sees it: 16 bytes at least, 48 in mode 128.",
    },
    Row {
        flag: "SaltSize",
        effect: "Salts of other lengths are padded or cut: entries share keys.",
        rule: "base64 of exactly 32 bytes",
        spec: "PROTOCOL 2, salt",
        remedy: "Check the length of the decoded salt before the derivation sees it.",
    },
    Row {
        flag: "SampleSalt",
        effect: "The sample salt of the published description has 31 bytes. Whoever accepts it accepts salts of any length.",
        rule: "base64 of exactly 32 bytes",
        spec: "PROTOCOL 2, salt",
        remedy: "Check the length of the decoded salt before the derivation sees it.",
    },
    Row {
        flag: "SecretBytes",
        effect: "A secret that is trimmed or folded is another secret: entries cannot be opened elsewhere.",
        rule: SECRET,
        spec: "PROTOCOL 3",
        remedy: "Do not trim, fold or re-encode the secret.",
    },
    Row {
        flag: "SecretLength",
        effect: "Secrets beyond a bound are cut: those that begin alike open each other's entries.",
        rule: SECRET,
        spec: "PROTOCOL 3",
        remedy: "Do not cut the secret, and do not hash it first.",
    },
    Row {
        flag: "SecretNormalization",
        effect: "A normalised secret is another secret: entries cannot be opened elsewhere.",
        rule: SECRET,
        spec: "PROTOCOL 3",
        remedy: "Take the bytes as they come: no NFC, no NFKC.",
    },
    Row {
        flag: "SecretNul",
        effect: "A secret that ends at its first NUL loses most of its strength unseen.",
        rule: SECRET,
        spec: "PROTOCOL 3",
        remedy: "Pass the secret with its length, not as a C string.",
    },
    Row {
        flag: "SecretRefused",
        effect: "A variable that was never set seals everything under a secret that everybody knows.",
        rule: "Empty secrets and those of white space alone are refused.",
        spec: "PROTOCOL 3",
        remedy: "Check the secret where it is set, and give an error that says so.",
    },
    Row {
        flag: "SwappedParts",
        effect: "Parts of two valid entries make a third one that nobody sealed.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 4 and 5",
        remedy: "Take payload, iv and salt from the same entry, and let the cipher check them.",
    },
    Row {
        flag: "TextAsPayload",
        effect: "A sender that encodes instead of encrypting is not noticed: what was never sealed passes for a message.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 4 and 7",
        remedy: "Decrypt and check the tag, whatever the payload looks like; where a sender made it, encrypt first and then encode.",
    },
    Row {
        flag: "Timestamp",
        effect: "Times are read or written wrongly: entries are sorted and searched wrongly, and fail to open in mode 128.",
        rule: "RFC 3339. Written in UTC with `Z` and no fraction or one of 3, 6 or 9 digits, the shortest that is exact. Read with any offset and 1 to 9 fraction digits; `T` and `Z` in upper case; years 0001 to 9999 (also after conversion to UTC); no leap second",
        spec: "PROTOCOL 2, timestamp; RFC 3339",
        remedy: "Check the form yourself before a date library sees it, and keep all nine digits.",
    },
    Row {
        flag: "Truncated",
        effect: "What was cut on its way is accepted.",
        rule: AUTHENTIC,
        spec: "PROTOCOL 2 and 4",
        remedy: "Check lengths first, then the tag.",
    },
    Row {
        flag: "UnknownMode",
        effect: "An implementation falls back to a mode that was not asked for.",
        rule: "An unknown mode is the error `unsupported_mode`, and never falls back to another.",
        spec: "PROTOCOL 4",
        remedy: "Refuse at stage mode every number that is not in your table.",
    },
    Row {
        flag: "WrongSecret",
        effect: "Another secret opens the entry, or only part of the secret is used.",
        rule: SECRET,
        spec: "PROTOCOL 3",
        remedy: "Use the whole secret, and report a failed tag as a failure.",
    },
];

/// The note of a flag.
pub(super) fn note(flag: &str) -> Result<Note, GenerateError> {
    let row = NOTES.iter().find(|row| row.flag == flag);
    let row = row.ok_or_else(|| GenerateError::Note(flag.to_owned()))?;
    Ok(Note {
        effect: row.effect.to_owned(),
        rule: row.rule.to_owned(),
        spec: row.spec.to_owned(),
        remedy: row.remedy.to_owned(),
    })
}
