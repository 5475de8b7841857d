//! Numbers, sizes and durations as the settings' texts write them.

use std::time::Duration;

/// A number with a comma before every three digits: `10,000`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes in the largest unit that it is a multiple of: `8MiB`.
pub(super) fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    match unit {
        Some((unit, shift)) => format!("{}{unit}", bytes >> shift),
        None if bytes == 1 => "1 byte".to_owned(),
        None => format!("{} bytes", number(bytes)),
    }
}

/// A duration as the environment takes it, in the largest unit that it is a multiple of: `250ms`.
pub(super) fn duration(duration: Duration) -> String {
    const DAY: u128 = 86_400_000;
    let units = [("d", DAY), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    match duration.as_millis() {
        0 => "0s".to_owned(),
        DAY => "24h".to_owned(),
        milliseconds => units
            .into_iter()
            .find(|(_, length)| milliseconds % length == 0)
            .map(|(unit, length)| format!("{}{unit}", milliseconds / length))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_people_write_them() {
        let numbers = [0, 7, 999, 1_000, 16_000_000].map(number);
        assert_eq!(numbers, ["0", "7", "999", "1,000", "16,000,000"]);
        let sizes = [1, 1_000, 1 << 20, 64 << 30, 3 << 10, 1 << 40].map(size);
        assert_eq!(sizes, ["1 byte", "1,000 bytes", "1MiB", "64GiB", "3KiB", "1TiB"]);
        for text in ["0s", "1ms", "1500ms", "10s", "5m", "24h", "7d"] {
            let read = logflux_wire::parse_duration(text).unwrap();
            assert_eq!(duration(read), text);
        }
    }
}
