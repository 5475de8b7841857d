//! Reading an entry: no input panics; what is read is written canonically, and that is read again
//! as the same entry. What the ingest API accepts an opener accepts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logflux_wire::Entry;

fuzz_target!(|json: &[u8]| {
    let entry = match (Entry::parse(json), Entry::parse_strict(json)) {
        (Ok(entry), Ok(strict)) => {
            assert_eq!(entry, strict);
            entry
        }
        (Ok(entry), Err(_)) => entry,
        (Err(_), strict) => return assert!(strict.is_err()),
    };
    let canonical = entry.to_json();
    let again = Entry::parse_strict(canonical.as_bytes()).expect("canonical JSON is read");
    assert_eq!(again, entry);
    assert_eq!(again.to_json(), canonical);
});
