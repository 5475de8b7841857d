//! Reading a request's body: no input panics, in either form, and the bound on entries holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logflux_wire::request::{Body, Form};

fuzz_target!(|json: &[u8]| {
    for form in [Form::Ingest, Form::Batch] {
        if let Ok(Body::Batch(entries)) = Body::parse(json, form, 3) {
            assert!((1..=3).contains(&entries.len()));
        }
    }
});
