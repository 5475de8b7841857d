//! What a text is inside of JSON's quotes.

/// The characters of hexadecimal numbers.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Adds text as JSON has it, up to `max` bytes; false where that was not all.
pub(crate) fn escape(out: &mut Vec<u8>, text: &[u8], max: usize) -> bool {
    write(out, text, max, false)
}

/// As `escape`, of text that holds halves of surrogate pairs.
pub(crate) fn escape_halves(out: &mut Vec<u8>, text: &[u8], max: usize) -> bool {
    write(out, text, max, true)
}

fn write(out: &mut Vec<u8>, text: &[u8], max: usize, halves: bool) -> bool {
    let end = out.len() + max;
    let mut rest = text;
    loop {
        let clean = clean(rest, halves);
        let (run, left) = rest.split_at(clean);
        let room = end.saturating_sub(out.len());
        if run.len() > room {
            out.extend_from_slice(whole_characters(run, room));
            return false;
        }
        out.extend_from_slice(run);
        let Some((&byte, after)) = left.split_first() else { return true };
        if out.len() + 6 > end {
            return false;
        }
        rest = match (byte, after) {
            (0xED, &[second, third, ref further @ ..]) if halves && second >= 0xA0 => {
                let unit = 0xD000 | (u16::from(second & 0x3F) << 6) | u16::from(third & 0x3F);
                unicode(out, unit);
                further
            }
            _ => {
                byte_of(out, byte);
                after
            }
        };
    }
}

/// The longest beginning of at most `max` bytes that ends with a character.
pub(crate) fn whole_characters(text: &[u8], max: usize) -> &[u8] {
    let mut end = max.min(text.len());
    while end > 0 && text.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// How many bytes at the beginning need no escape.
fn clean(text: &[u8], halves: bool) -> usize {
    let mut length = 0;
    if !halves {
        for chunk in text.chunks_exact(8) {
            let Ok(bytes) = <[u8; 8]>::try_from(chunk) else { break };
            if needs_one(u64::from_ne_bytes(bytes)) {
                break;
            }
            length += 8;
        }
    }
    let rest = text.get(length..).unwrap_or_default();
    let needs =
        |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\' || (halves && byte == 0xED);
    length + rest.iter().position(needs).unwrap_or(rest.len())
}

/// Whether one of eight bytes may need an escape: a control character, a quote or a backslash.
fn needs_one(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | zero_in(word ^ (ONES * 0x22)) | zero_in(word ^ (ONES * 0x5C))) & HIGH != 0
}

fn byte_of(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        0..0x20 => return unicode(out, byte.into()),
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn unicode(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(HEX.get(usize::from((unit >> shift) & 15)).copied().unwrap_or(b'0'));
    }
}
