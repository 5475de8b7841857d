//! Dead letters are kept with their reason.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use logflux_transport::{DeadLetter, DeadLetters, SpoolError};

use crate::entry;

fn letter(number: usize) -> DeadLetter {
    DeadLetter {
        entry: entry(number),
        status: Some(400),
        code: "invalid_entry".to_owned(),
        message: "the \"node\" is\nwrong".to_owned(),
        time: "2024-01-17T10:30:45Z".parse().unwrap(),
    }
}

fn read(letters: &DeadLetters) -> (Vec<DeadLetter>, u64) {
    let mut read = Vec::new();
    let damaged = letters.read(|letter| read.push(letter)).unwrap();
    (read, damaged)
}

#[test]
fn letters_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut letters = DeadLetters::of_spool(folder.path());
    assert_eq!(read(&letters), (Vec::new(), 0));
    letters.append(&[letter(1), letter(2)]).unwrap();
    letters.append(&[DeadLetter { status: None, ..letter(3) }]).unwrap();
    letters.append(&[]).unwrap();
    let path = folder.path().join("dead.ndjson");
    let line = r#"{"entry":{"entry":1},"status":400,"code":"invalid_entry","message":"the \"node\" is\nwrong","time":"2024-01-17T10:30:45Z"}"#;
    assert_eq!(fs::read_to_string(&path).unwrap().lines().next(), Some(line));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let expected = vec![letter(1), letter(2), DeadLetter { status: None, ..letter(3) }];
    assert_eq!(read(&DeadLetters::of_spool(folder.path())), (expected, 0));
    letters.replace(&[letter(2)]).unwrap();
    letters.append(&[letter(4)]).unwrap();
    assert_eq!(read(&letters), (vec![letter(2), letter(4)], 0));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_torn_line_damages_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.ndjson");
    DeadLetters::of_spool(folder.path()).append(&[letter(1), letter(2)]).unwrap();
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in first..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let mut letters = DeadLetters::of_spool(folder.path());
        letters.append(&[letter(3)]).unwrap();
        let (found, damaged) = read(&letters);
        // A line that lacks nothing but its end is whole.
        let kept = length + 1 >= whole.len();
        let expected =
            if kept { vec![letter(1), letter(2), letter(3)] } else { vec![letter(1), letter(3)] };
        assert_eq!(found, expected, "cut at {length}");
        assert_eq!(damaged, u64::from(!kept && length > first), "cut at {length}");
    }
}

#[test]
fn what_is_no_entry_is_refused_and_what_is_no_letter_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut letters = DeadLetters::of_spool(folder.path());
    for bytes in [&b"not json"[..], b"{\n}", b"", b"{}{}"] {
        let bad = DeadLetter { entry: bytes.to_vec(), ..letter(1) };
        assert!(matches!(letters.append(&[letter(1), bad]), Err(SpoolError::NotJson)));
    }
    assert_eq!(read(&letters), (Vec::new(), 0), "all or none");
    letters.append(&[letter(1)]).unwrap();
    let path = folder.path().join("dead.ndjson");
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"{}\n\xff\xfe\n\n").unwrap();
    letters.append(&[letter(2)]).unwrap();
    let (found, damaged) = read(&letters);
    assert_eq!((found, damaged), (vec![letter(1), letter(2)], 2));
}
