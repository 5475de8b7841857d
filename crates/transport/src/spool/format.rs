//! The bytes of a segment: how records are framed, and how they are found again after damage.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What every segment begins with.
const MAGIC: [u8; 8] = *b"LFSPOOL\n";
/// The version that this code writes and reads.
pub(super) const VERSION: u32 = 1;
/// How long a segment's header is.
pub(super) const HEADER_LEN: usize = 40;
/// What every record begins with. No UTF-8 text holds it, so that a search through entries stops
/// seldom.
const MARKER: [u8; 4] = [0xfe, b'L', b'F', 0xff];
/// From the marker to the payload.
pub(super) const PREFIX_LEN: usize = 28;
/// The checksum after the payload.
const SUFFIX_LEN: usize = 8;
/// What a record takes besides its payload.
pub(super) const OVERHEAD: usize = PREFIX_LEN + SUFFIX_LEN;
/// The most bytes that an entry may have: the longest payload, and room for the other fields.
pub(super) const ENTRY_MAX: usize = 2 << 20;

/// A segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Which segment it is, in the order in which they were begun.
    pub(super) number: u32,
    /// The sequence number of its first record.
    pub(super) first: u64,
    /// What its checksums are seeded with.
    pub(super) salt: u64,
}

/// What became of reading a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderRead {
    Good(Header),
    /// Written by another version of the format.
    Version(u32),
    Damaged,
}

impl Header {
    pub(super) fn append(self, out: &mut Vec<u8>) {
        let mut bytes = [0; HEADER_LEN - 8];
        let parts: [&[u8]; 5] = [
            &MAGIC,
            &VERSION.to_le_bytes(),
            &self.number.to_le_bytes(),
            &self.first.to_le_bytes(),
            &self.salt.to_le_bytes(),
        ];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        out.extend_from_slice(&bytes);
        out.extend_from_slice(&xxh3_64_with_seed(&bytes, 0).to_le_bytes());
    }

    pub(super) fn read(bytes: &[u8]) -> HeaderRead {
        let Some(body) = bytes.get(..HEADER_LEN - 8) else { return HeaderRead::Damaged };
        let sound = u64_at(bytes, HEADER_LEN - 8) == Some(xxh3_64_with_seed(body, 0));
        let header = || {
            Some(Self {
                number: u32_at(body, 12)?,
                first: u64_at(body, 16)?,
                salt: u64_at(body, 24)?,
            })
        };
        match (u32_at(body, 8), header()) {
            (Some(version), Some(header)) if sound && body.starts_with(&MAGIC) => match version {
                VERSION => HeaderRead::Good(header),
                other => HeaderRead::Version(other),
            },
            _ => HeaderRead::Damaged,
        }
    }

    /// The name of the segment's file. It repeats the header, so that a damaged one costs nothing.
    pub(super) fn file_name(self) -> String {
        format!("{:08x}-{:016x}-{:016x}.seg", self.number, self.first, self.salt)
    }

    pub(super) fn of_file_name(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".seg")?.split('-');
        let mut part = || parts.next();
        let header = Self {
            number: u32::from_str_radix(part()?, 16).ok()?,
            first: u64::from_str_radix(part()?, 16).ok()?,
            salt: u64::from_str_radix(part()?, 16).ok()?,
        };
        let given = header.number <= NUMBER_MAX && header.file_name() == name;
        given.then_some(header)
    }
}

/// The largest number that a segment can have: a file with a larger one is not the spool's, and is
/// left alone, so that there is always a next number.
const NUMBER_MAX: u32 = u32::MAX >> 1;

/// Appends a record.
pub(super) fn append_record(
    out: &mut Vec<u8>,
    salt: u64,
    sequence: u64,
    ordinal: u32,
    payload: &[u8],
) {
    let start = out.len();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&ordinal.to_le_bytes());
    let prefix = xxh3_64_with_seed(out.get(start..).unwrap_or_default(), salt);
    out.extend_from_slice(&prefix.to_le_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(&xxh3_64_with_seed(payload, prefix).to_le_bytes());
}

/// What stands at a place of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Good {
        sequence: u64,
        ordinal: u32,
        payload: &'a [u8],
    },
    /// The length can be trusted, and the payload is damaged or cut off.
    BadPayload {
        ordinal: u32,
    },
    /// No record begins here, or its first bytes are damaged.
    Nothing,
}

/// Reads the record that begins at the start of `bytes`.
pub(super) fn read_record(bytes: &[u8], salt: u64) -> Frame<'_> {
    let Some((prefix, rest)) = bytes.split_at_checked(PREFIX_LEN) else { return Frame::Nothing };
    let Some((body, _)) = prefix.split_at_checked(PREFIX_LEN - 8) else { return Frame::Nothing };
    if !body.starts_with(&MARKER) {
        return Frame::Nothing;
    }
    let checksum = xxh3_64_with_seed(body, salt);
    if u64_at(prefix, PREFIX_LEN - 8) != Some(checksum) {
        return Frame::Nothing;
    }
    let (Some(length), Some(sequence), Some(ordinal)) =
        (u32_at(body, 4), u64_at(body, 8), u32_at(body, 16))
    else {
        return Frame::Nothing;
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    match rest.split_at_checked(length) {
        Some((payload, rest)) if u64_at(rest, 0) == Some(xxh3_64_with_seed(payload, checksum)) => {
            Frame::Good { sequence, ordinal, payload }
        }
        _ => Frame::BadPayload { ordinal },
    }
}

/// A sound record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sequence: u64,
    /// Where it begins in the segment.
    pub(super) offset: usize,
    /// How long its payload is.
    pub(super) length: usize,
    /// A checksum of the payload alone, the same in every segment.
    pub(super) content: u64,
}

/// Bytes of a segment that are no sound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many records were there. At the end of a segment, where only the beginnings of records
    /// can tell: at least one.
    pub(super) lost: u64,
}

/// What a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) records: Vec<Found>,
    pub(super) gaps: Vec<Gap>,
}

/// Finds the records of a whole segment.
pub(super) fn scan(bytes: &[u8], salt: u64) -> Scan {
    let mut found = Scan::default();
    let mut at = HEADER_LEN;
    let mut gap = None;
    // The ordinal that the next record has if none is lost, and the one after the last that was
    // seen, sound or not.
    let mut expected = 0;
    let mut seen = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match read_record(rest, salt) {
            // A record that repeats an earlier place was carried there by another's payload.
            Frame::Good { sequence, ordinal, payload } if ordinal >= expected => {
                if let Some(start) = gap.take() {
                    let lost = u64::from(ordinal - expected);
                    found.gaps.push(Gap { start, end: at, lost });
                }
                found.records.push(Found {
                    sequence,
                    offset: at,
                    length: payload.len(),
                    content: xxh3_64_with_seed(payload, 0),
                });
                at += payload.len() + OVERHEAD;
                expected = ordinal.saturating_add(1);
                seen = expected;
            }
            other => {
                if let Frame::BadPayload { ordinal } = other {
                    seen = seen.max(ordinal.saturating_add(1));
                }
                gap.get_or_insert(at);
                at += 1 + rest.get(1..).and_then(find_marker).unwrap_or(rest.len() - 1);
            }
        }
    }
    if let Some(start) = gap {
        let lost = u64::from(seen.saturating_sub(expected)).max(1);
        found.gaps.push(Gap { start, end: bytes.len(), lost });
    }
    found
}

/// Where the next marker is.
fn find_marker(bytes: &[u8]) -> Option<usize> {
    let [first, ..] = MARKER;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        from += rest.iter().position(|byte| *byte == first)?;
        if bytes.get(from..).is_some_and(|rest| rest.starts_with(&MARKER)) {
            return Some(from);
        }
        from += 1;
    }
}

/// One line of a segment's `.done` file: bytes of the segment that are acknowledged.
pub(super) const DONE_LEN: usize = 24;

pub(super) fn append_done(out: &mut Vec<u8>, salt: u64, start: u64, end: u64) {
    let at = out.len();
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&end.to_le_bytes());
    let checksum = xxh3_64_with_seed(out.get(at..).unwrap_or_default(), salt);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// The acknowledged ranges, in ascending order and merged. What is damaged is left out, so that its
/// records are sent again.
pub(super) fn read_done(bytes: &[u8], salt: u64) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = bytes
        .chunks_exact(DONE_LEN)
        .filter_map(|line| {
            let checksum = xxh3_64_with_seed(line.get(..DONE_LEN - 8)?, salt);
            let sound = u64_at(line, DONE_LEN - 8)? == checksum;
            sound.then_some((u64_at(line, 0)?, u64_at(line, 8)?))
        })
        .collect();
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// Whether ranges of [`read_done`] hold all of these bytes.
pub(super) fn is_done(ranges: &[(u64, u64)], start: usize, end: usize) -> bool {
    let (start, end) = (start as u64, end as u64);
    let after = ranges.partition_point(|range| range.0 <= start);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|range| end <= range.1)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
