//! What each flag means: what goes wrong for users where such a test fails, and where the rule is.

use super::GenerateError;
use crate::model::Note;

/// Flag, effect, specification.
const NOTES: &[(&str, &str, &str)] = &[
    (
        "Base64Alphabet",
        "Other alphabets make two spellings of one entry, and entries that one implementation reads and another refuses.",
        "PROTOCOL 2, base64; RFC 4648, section 4",
    ),
    (
        "Base64Padding",
        "A reader that is lenient with padding takes many texts for the same bytes: retries are no longer seen as the same entry.",
        "PROTOCOL 2, base64; RFC 4648, section 3.2",
    ),
    (
        "Base64TrailingBits",
        "Bits that belong to no byte let anyone make another text of the same entry.",
        "PROTOCOL 2, base64; RFC 4648, section 3.5",
    ),
    (
        "Base64WhiteSpace",
        "A reader that skips white space takes many texts for the same bytes.",
        "PROTOCOL 2, base64; RFC 4648, section 3.3",
    ),
    (
        "CanonicalJson",
        "Implementations that write one entry in different bytes cannot be compared with each other.",
        "PROTOCOL 2, canonical JSON",
    ),
    (
        "HmacPadding",
        "No implementation error is looked for here: a property of PBKDF2 that users should know. A NUL at the end of a secret shorter than 64 bytes changes nothing in modes 1, 2 and 128.",
        "PROTOCOL 3 and 4; RFC 2104, section 2",
    ),
    (
        "IvSize",
        "An iv of another length is hashed to one by AES-GCM, or cut: repeats become likely.",
        "PROTOCOL 2, iv; NIST SP 800-38D, section 8.2",
    ),
    (
        "JsonDepth",
        "Nesting exhausts the stack of a recursive reader: one entry stops the program.",
        "RFC 8259, section 9",
    ),
    (
        "JsonDuplicateKey",
        "Two readers choose two different values: what one checked is not what the other opens.",
        "PROTOCOL 2, reading; RFC 8259, section 4",
    ),
    (
        "JsonEncoding",
        "What is not UTF-8 is read differently everywhere, or crashes.",
        "PROTOCOL 2, canonical JSON; RFC 8259, section 8.1",
    ),
    (
        "JsonEquivalent",
        "Entries that passed through another JSON library cannot be read any more.",
        "PROTOCOL 2, reading; RFC 8259",
    ),
    (
        "JsonMissingKey",
        "A default takes the place of a field that was never sent.",
        "PROTOCOL 2, reading",
    ),
    (
        "JsonSurrogate",
        "Half a character cannot be UTF-8: it is replaced, dropped or crashes, each reader in its own way.",
        "PROTOCOL 2, reading; RFC 8259, section 8.2",
    ),
    (
        "JsonSyntax",
        "What is not JSON is read by one implementation and refused by the next.",
        "PROTOCOL 2, reading; RFC 8259",
    ),
    (
        "JsonType",
        "Values that are converted in silence hide errors of the sender, and other readers refuse them.",
        "PROTOCOL 2, the entry, and reading",
    ),
    (
        "JsonUnknownKey",
        "An opener that refuses new fields cannot read what later versions write.",
        "PROTOCOL 2, reading",
    ),
    (
        "KeyDerivation",
        "Another key: no other implementation can open these entries.",
        "PROTOCOL 4 and 5",
    ),
    ("KnownAnswer", "The implementation is incompatible with every other.", "PROTOCOL 2 to 5"),
    (
        "Level",
        "Levels that are shifted or cut to fewer bits show an emergency as something harmless.",
        "PROTOCOL 2, loglevel; RFC 5424, section 6.2.1",
    ),
    ("MessageBytes", "A message does not come out as it went in.", "PROTOCOL 2, payload"),
    (
        "MessageNotUtf8",
        "Bytes that are not text are replaced or cut in silence, or crash a reader.",
        "PROTOCOL 1 and 2",
    ),
    (
        "MessageSize",
        "A message that is too long is cut, or sealed to an entry that nobody takes.",
        "PROTOCOL 2, payload",
    ),
    (
        "MetadataAuthenticated",
        "Whoever stores the entries can change a level, a time or a node unseen; or an honest entry is refused.",
        "PROTOCOL 5",
    ),
    (
        "MetadataUnauthenticated",
        "In modes 1 to 4 nothing but the message is authenticated. Whoever stores an entry can change its node, level and timestamp, and it still opens: an implementation that refuses adds associated data, and cannot read what others write.",
        "PROTOCOL 4",
    ),
    (
        "ModifiedCiphertext",
        "The message is not authenticated: anyone can change it bit by bit.",
        "PROTOCOL 4; NIST SP 800-38D, section 7.2",
    ),
    (
        "ModifiedCommitment",
        "An entry can be made that opens to two different messages under two secrets.",
        "PROTOCOL 5",
    ),
    (
        "ModifiedIv",
        "The iv is not authenticated, or not all of it is used.",
        "PROTOCOL 4; NIST SP 800-38D, section 7.2",
    ),
    (
        "ModifiedSalt",
        "Not all of the salt goes into the key: entries share keys.",
        "PROTOCOL 4 and 5",
    ),
    (
        "ModifiedTag",
        "The tag is not checked, or only in part: forged messages are accepted.",
        "PROTOCOL 4; NIST SP 800-38D, section 7.2",
    ),
    (
        "Node",
        "Names are cut, cleaned or counted differently: entries are refused by others, or controls reach a terminal.",
        "PROTOCOL 2, node",
    ),
    (
        "OtherMode",
        "The mode's number is not looked at: any key derivation or cipher will do.",
        "PROTOCOL 4",
    ),
    (
        "PayloadSize",
        "A payload without a tag reaches the cipher, or one beyond the bound exhausts memory.",
        "PROTOCOL 2, payload",
    ),
    (
        "SaltSize",
        "Salts of other lengths are padded or cut: entries share keys.",
        "PROTOCOL 2, salt",
    ),
    (
        "SampleSalt",
        "The sample salt of the published description has 31 bytes. Whoever accepts it accepts salts of any length.",
        "PROTOCOL 2, salt",
    ),
    (
        "SecretBytes",
        "A secret that is trimmed or folded is another secret: entries cannot be opened elsewhere.",
        "PROTOCOL 3",
    ),
    (
        "SecretLength",
        "Secrets beyond a bound are cut: those that begin alike open each other's entries.",
        "PROTOCOL 3",
    ),
    (
        "SecretNormalization",
        "A normalised secret is another secret: entries cannot be opened elsewhere.",
        "PROTOCOL 3",
    ),
    (
        "SecretNul",
        "A secret that ends at its first NUL loses most of its strength unseen.",
        "PROTOCOL 3",
    ),
    (
        "SecretRefused",
        "A variable that was never set seals everything under a secret that everybody knows.",
        "PROTOCOL 3",
    ),
    (
        "SwappedParts",
        "Parts of two valid entries make a third one that nobody sealed.",
        "PROTOCOL 4 and 5",
    ),
    (
        "Timestamp",
        "Times are read or written wrongly: entries are sorted and searched wrongly, and fail to open in mode 128.",
        "PROTOCOL 2, timestamp; RFC 3339",
    ),
    ("Truncated", "What was cut on its way is accepted.", "PROTOCOL 2 and 4"),
    ("UnknownMode", "An implementation falls back to a mode that was not asked for.", "PROTOCOL 4"),
    (
        "WrongSecret",
        "Another secret opens the entry, or only part of the secret is used.",
        "PROTOCOL 3",
    ),
];

/// The note of a flag.
pub(super) fn note(flag: &str) -> Result<Note, GenerateError> {
    NOTES
        .iter()
        .find(|(name, ..)| *name == flag)
        .map(|(_, effect, spec)| Note { effect: (*effect).to_owned(), spec: (*spec).to_owned() })
        .ok_or_else(|| GenerateError::Note(flag.to_owned()))
}
