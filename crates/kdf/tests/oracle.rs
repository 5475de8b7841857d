//! Every backend that this machine has, against the `pbkdf2` crate.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::num::NonZeroU32;

use logflux_kdf::{Backend, ITERATIONS, backends, derive, derive_many, derive_many_with};
use pbkdf2::{pbkdf2_hmac_array, sha2::Sha256};
use proptest::collection::vec;
use proptest::prelude::*;

fn oracle(secret: &[u8], salt: &[u8], iterations: NonZeroU32) -> [u8; 32] {
    pbkdf2_hmac_array::<Sha256, 32>(secret, salt, iterations.get())
}

fn count(iterations: u32) -> NonZeroU32 {
    NonZeroU32::new(iterations).expect("not zero")
}

/// Distinct salts of 16 bytes.
fn salts(n: usize) -> Vec<[u8; 16]> {
    (1..).take(n).map(|i: u128| (i * 0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect()
}

#[track_caller]
fn check(backend: Backend, secret: &[u8], salts: &[impl AsRef<[u8]>], iterations: NonZeroU32) {
    let keys = derive_many_with(backend, secret, salts, iterations);
    assert_eq!(keys.len(), salts.len(), "{backend}");
    for (lane, (key, salt)) in keys.iter().zip(salts).enumerate() {
        let expected = oracle(secret, salt.as_ref(), iterations);
        let of = salts.len();
        assert_eq!(key.as_bytes(), &expected, "{backend}: salt {lane} of {of}, {iterations} times");
    }
}

#[cfg(not(miri))]
const CASES: u32 = 48;
#[cfg(miri)]
const CASES: u32 = 1;

/// Fewer where every instruction of a lane is interpreted, or is a call.
const MOST_ITERATIONS: u32 = if cfg!(miri) {
    2
} else if cfg!(logflux_opt_level = "0") {
    60
} else {
    2_000
};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_input_derives_what_pbkdf2_derives(
        secret in vec(any::<u8>(), 0..=300),
        salts in vec(vec(any::<u8>(), 0..=64), 1..=if cfg!(miri) { 2 } else { 40 }),
        iterations in 1..=MOST_ITERATIONS,
    ) {
        for backend in backends() {
            check(backend, &secret, &salts, count(iterations));
        }
    }
}

#[test]
fn every_number_of_salts_fills_the_right_lanes() {
    for backend in backends() {
        let counts = if cfg!(miri) { vec![1, backend.lanes()] } else { (0..=70).collect() };
        for n in counts {
            check(backend, b"correct horse", &salts(n), count(2));
        }
    }
}

#[test]
fn every_length_of_secret_and_salt_around_a_block() {
    let bytes = [0xa5; 140];
    let lengths = [0, 1, 31, 32, 33, 50, 51, 52, 55, 56, 59, 60, 63, 64, 65, 119, 120, 127, 128];
    // These reach the first iteration, which is the same code on every backend.
    let lengths = if cfg!(miri) { &lengths[15..17] } else { &lengths[..] };
    let backends = if cfg!(miri) { backends().split_off(backends().len() - 2) } else { backends() };
    for backend in backends {
        for &secret in lengths {
            let salts: Vec<_> = lengths.iter().map(|&n| &bytes[..n]).collect();
            check(backend, &bytes[..secret], &salts, count(2));
        }
    }
}

#[test]
fn few_iterations_are_counted_exactly() {
    for backend in backends() {
        for iterations in 1..=if cfg!(miri) { 1 } else { 40 } {
            let n = if cfg!(miri) { 2 } else { 17 };
            check(backend, b"secret", &salts(n), count(iterations));
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "far too many iterations")]
fn the_standard_iteration_count_in_every_lane() {
    // Lanes that this build would not choose may take minutes for it.
    let slow = |backend: &Backend| cfg!(logflux_opt_level = "0") && backend.lanes() > 1;
    for backend in backends().into_iter().filter(|backend| !slow(backend)) {
        let salts = salts(backend.lanes());
        let keys = derive_many_with(backend, b"secret", &salts, ITERATIONS);
        // Made by Python: hashlib.pbkdf2_hmac("sha256", b"secret", salt, 600_000).
        for (key, expected) in keys.iter().zip(STANDARD) {
            assert_eq!(hex(key.as_bytes()), expected, "{backend}");
        }
    }
}

#[test]
fn one_key_is_the_first_of_many() {
    let many = derive_many(b"secret", &[b"salt"], count(3));
    assert_eq!(derive(b"secret", b"salt", count(3)).as_bytes(), many[0].as_bytes());
}

#[test]
fn no_salts_are_no_keys() {
    assert!(derive_many::<&[u8]>(b"secret", &[], ITERATIONS).is_empty());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys of `salts(16)` under the secret `secret` after 600,000 iterations.
const STANDARD: [&str; 16] = [
    "4d0386019c09072a5a345ce04cb1eacfb3d93220b0ffccef49bf9add91593282",
    "7c8d17b84fcea5fc208bf76dd800616bb9ccf033832323f62eea960d96d5888e",
    "d63bb876c4a1528ebffacf3dd1756c2c70a0753edc4a52134fd0fa865aedf468",
    "d3de1a5baca22851e9a4520335c231bdf381e2abb504ba4cb0e02d92dabd10ae",
    "a96d4e3289d5d64ebcb11a66d8ef371a7c73aaa84b0a64b0a4d67fc3c470ab8a",
    "274112eae73992ab4f0f41ac882f4e2ac2650bcf4d76a3364f78abd605374e04",
    "c69a3ada461259aff9bde6e6f2b96319f0864c672b2db2dbdf71768371467247",
    "bc0a229a4058f91f074e71e840951dbc456f0a2ad0c3334f05645e7886f740ec",
    "740187efe88d9b8d139e4a4f4a5eb8e98e278c32a380b5d221efa37eb709043f",
    "a04ada9513e08e364211f9377ef4e38fe69e45165e71448e990769fdf066f9fb",
    "20a09eb6f0f1f3c228acf2f1038a3ba304661035cd24d1e929f74fb9ee7a5da3",
    "8daa992d630678a65696e1233c9ff30baf9decbaa36c38ac0add701d7fed6f66",
    "ece7c8c2396d2520e4d0cdff625e505d62b4592dbfd65fb0db5b39d94d1e4cc5",
    "105ef618a120193031102bee5335301947b3daadec23ad35abd4a4516b68606c",
    "273ad11d95cc934036f7c75f8224388ac80e64a8720c2e4b6b32bf665c246012",
    "f2a0863f4c9859c091953576b8c25e93fedf17ccac2c8948d9ec07a0d348fc4e",
];
