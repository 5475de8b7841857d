//! Reading base64: what is accepted is the one canonical text of its bytes, and the crate `base64`,
//! set to be as strict, agrees about every text.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use logflux_wire::base64::{decode, decode_array, encode};

fuzz_target!(|text: &str| {
    let decoded = decode(text);
    assert_eq!(decoded.as_ref().ok(), STANDARD.decode(text).as_ref().ok());
    if let Ok(bytes) = decoded {
        assert_eq!(encode(&bytes), text);
        let twelve = decode_array::<12>(text).expect("it is base64");
        assert_eq!(twelve.is_ok(), bytes.len() == 12);
    }
});
