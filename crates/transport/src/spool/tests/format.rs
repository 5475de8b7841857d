//! Any bytes can be read, and what is whole is found among them.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::spool::format::{
    HEADER_LEN, Header, HeaderRead, OVERHEAD, append_done, append_record, is_done, read_done, scan,
};

const SALT: u64 = 0x1234_5678_9abc_def0;

/// What is done to a segment.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize),
    Zeros(usize, usize),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<usize>().prop_map(Damage::Flip),
        (any::<usize>(), 1_usize..300).prop_map(|(at, length)| Damage::Zeros(at, length)),
        (any::<usize>(), 1_usize..300).prop_map(|(at, length)| Damage::Remove(at, length)),
        (any::<usize>(), vec(any::<u8>(), 1..50)).prop_map(|(at, b)| Damage::Insert(at, b)),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

/// Bytes in which markers and zeros are frequent.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![prop::sample::select(vec![0xfe, b'L', b'F', 0xff, 0]), any::<u8>()];
    vec(byte, 1..200)
}

/// Where a piece of damage begins and ends in the bytes as they were.
fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match damage {
        Damage::Flip(bit) => bytes[bit / 8 % length] ^= 1 << (bit % 8),
        Damage::Zeros(at, count) => {
            let from = at % length;
            bytes[from..length.min(from + count)].fill(0);
        }
        Damage::Remove(at, count) => {
            let from = at % length;
            bytes.drain(from..length.min(from + count));
        }
        Damage::Insert(at, more) => {
            let from = at % length;
            bytes.splice(from..from, more.iter().copied());
        }
        Damage::Cut(at) => bytes.truncate(at % length),
    }
}

fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { number: 3, first: 9, salt: SALT }.append(&mut bytes);
    for (at, payload) in payloads.iter().enumerate() {
        append_record(&mut bytes, SALT, 9 + at as u64, u32::try_from(at).unwrap(), payload);
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_a_segment_of_nothing(bytes in vec(any::<u8>(), 0..4_000), salt: u64) {
        let found = scan(&bytes, salt);
        prop_assert!(found.records.is_empty());
        prop_assert_eq!(found.gaps.len(), usize::from(bytes.len() > HEADER_LEN));
        prop_assert!(!matches!(Header::read(&bytes), HeaderRead::Good(_)));
    }

    #[test]
    fn whatever_is_damaged_the_records_that_are_whole_are_found_and_no_others(
        payloads in vec(payload(), 1..20),
        damages in vec(damage(), 0..5),
    ) {
        let whole = segment(&payloads);
        let mut bytes = whole.clone();
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        let found = scan(&bytes, SALT);
        let mut place = HEADER_LEN;
        let mut gaps = found.gaps.iter().peekable();
        let mut last = None;
        for record in &found.records {
            if let Some(gap) = gaps.next_if(|gap| gap.start == place) {
                place = gap.end;
            }
            prop_assert_eq!(record.offset, place, "records and gaps fill the segment");
            place += record.length + OVERHEAD;
            let number = usize::try_from(record.sequence - 9).unwrap();
            let from = record.offset + OVERHEAD - 8;
            prop_assert_eq!(&bytes[from..from + record.length], &payloads[number][..]);
            prop_assert!(last < Some(number), "in order, and each once");
            last = Some(number);
        }
        let lost: u64 = found.gaps.iter().map(|gap| gap.lost).sum();
        prop_assert!(found.records.len() + usize::try_from(lost).unwrap() <= payloads.len() + 1);
        // A record whose bytes are there still, in order, is found.
        let mut from = HEADER_LEN.min(bytes.len());
        let mut frame = HEADER_LEN;
        for (number, payload) in payloads.iter().enumerate() {
            let end = frame + payload.len() + OVERHEAD;
            let there = bytes[from..].windows(end - frame).position(|w| *w == whole[frame..end]);
            if let Some(at) = there {
                prop_assert!(found.records.iter().any(|r| r.sequence == 9 + number as u64));
                from += at + end - frame;
            }
            frame = end;
        }
    }

    #[test]
    fn notes_of_what_is_done_never_say_too_much(
        ranges in vec((0_u64..50, 1_u64..20), 0..20),
        damages in vec(damage(), 0..3),
    ) {
        let mut bytes = Vec::new();
        for (start, length) in &ranges {
            append_done(&mut bytes, SALT, *start, start + length);
        }
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        let read = read_done(&bytes, SALT);
        for at in 0..80_usize {
            let said = is_done(&read, at, at + 1);
            let noted = ranges.iter().any(|(s, l)| (*s..s + l).contains(&(at as u64)));
            prop_assert!(noted || !said);
            prop_assert!(said || !noted || !damages.is_empty());
        }
    }
}

#[test]
fn a_file_name_says_what_the_header_says() {
    let header = Header { number: 7, first: 0x0123, salt: SALT };
    let name = header.file_name();
    assert_eq!(name, "00000007-0000000000000123-123456789abcdef0.seg");
    assert_eq!(Header::of_file_name(&name), Some(header));
    for other in ["lock", "7-123-1.seg", "00000007-0000000000000123-123456789ABCDEF0.seg", ".seg"] {
        assert_eq!(Header::of_file_name(other), None);
    }
    let mut bytes = Vec::new();
    header.append(&mut bytes);
    assert_eq!(bytes.len(), HEADER_LEN);
    assert_eq!(Header::read(&bytes), HeaderRead::Good(header));
}
