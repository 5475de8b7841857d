//! Reading a timestamp: no text panics, and what is read is written so that it is read again as the
//! same moment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logflux_wire::Timestamp;

fuzz_target!(|text: &str| {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        let written = timestamp.to_string();
        assert_eq!(written.parse(), Ok(timestamp));
        assert!(written.len() <= "2024-01-17T10:30:45.123456789Z".len());
    }
});
