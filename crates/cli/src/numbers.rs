//! Numbers in messages, in the words of users: what a library calls `u8` is a whole number from 0 to
//! 255.

/// What the names of types are in words.
const WORDS: [(&str, &str); 12] = [
    ("u8", "a whole number from 0 to 255"),
    ("u16", "a whole number from 0 to 65535"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number, 0 or more"),
    ("usize", "a whole number, 0 or more"),
    ("i8", "a whole number from -128 to 127"),
    ("i16", "a whole number from -32768 to 32767"),
    ("i32", "a whole number from -2147483648 to 2147483647"),
    ("i64", "a whole number"),
    ("isize", "a whole number"),
    ("f32", "a number"),
    ("f64", "a number"),
];

/// Whole sentences.
const SENTENCES: [(&str, &str); 6] = [
    ("number too large to fit in target type", "the number is too large"),
    ("number too small to fit in target type", "the number is too small"),
    ("number would be zero for non-zero type", "it must be 1 or more"),
    ("invalid digit found in string", "it must be a whole number"),
    ("cannot parse integer from empty string", "it must be a whole number"),
    ("invalid float literal", "it must be a number"),
];

/// The message with what Rust's libraries say of numbers in the words of users.
pub(crate) fn in_words(message: &str) -> String {
    let mut words = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("expected ") {
        let (before, from) = rest.split_at(at + "expected ".len());
        words.push_str(before);
        let end = from.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        let known = WORDS.iter().find(|(known, _)| *known == name);
        words.push_str(known.map_or(name, |(_, words)| words));
        rest = behind;
    }
    words.push_str(rest);
    SENTENCES.iter().fold(words, |text, (sentence, words)| text.replace(sentence, words))
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn no_type_is_named() {
        for (message, expected) in [
            (
                "invalid value: integer `800`, expected u8",
                "invalid value: integer `800`, expected a whole number from 0 to 255",
            ),
            ("expected u32 at line 1", "expected a whole number from 0 to 4294967295 at line 1"),
            ("expected u32x, expected a string", "expected u32x, expected a string"),
            ("number too large to fit in target type", "the number is too large"),
            ("ü", "ü"),
        ] {
            assert_eq!(in_words(message), expected);
        }
    }
}
