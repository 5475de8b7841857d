//! Ways to derive keys: ours on every backend that this machine has, and our peers'.

use std::hint::black_box;
use std::num::NonZeroU32;

use logflux_kdf::{ITERATIONS, backend, backends, derive_many_with};
use openssl::hash::MessageDigest;

/// The secret of every measurement.
const SECRET: &[u8] = b"lfx_0123456789abcdefghijklmnopqrstuvwxyz";

/// Derives a key for each salt, and returns the last.
type Derive = dyn Fn(&[[u8; 32]]) -> [u8; 32];

/// One way to derive keys.
pub struct Contender {
    /// The library, or our backend.
    pub name: String,
    /// How many keys one run derives, each from its own salt.
    pub keys: usize,
    /// Whether it is what `derive` or `derive_many` does on this machine.
    pub chosen: bool,
    derive: Box<Derive>,
}

impl Contender {
    /// Derives the keys with the standard iteration count, and returns the last.
    #[must_use]
    pub fn run(&self) -> [u8; 32] {
        black_box((self.derive)(black_box(&salts(self.keys))))
    }

    fn peer(name: &str, derive: fn(NonZeroU32, &[u8], &mut [u8; 32])) -> Self {
        let derive = move |salts: &[[u8; 32]]| {
            let mut key = [0; 32];
            for salt in salts {
                derive(ITERATIONS, salt, &mut key);
            }
            key
        };
        Self { name: name.to_owned(), keys: 1, chosen: false, derive: Box::new(derive) }
    }
}

/// All contenders, `aws-lc-rs` first.
#[must_use]
pub fn contenders() -> Vec<Contender> {
    let mut all = vec![
        Contender::peer("aws-lc-rs", aws_lc),
        Contender::peer("ring", ring),
        Contender::peer("openssl", openssl),
        Contender::peer("pbkdf2", rust_crypto),
    ];
    for ours in backends() {
        let mut widths = vec![1, ours.lanes()];
        widths.dedup();
        for keys in widths {
            let derive = move |salts: &[[u8; 32]]| {
                let keys = derive_many_with(ours, SECRET, salts, ITERATIONS);
                keys.last().map_or([0; 32], |key| *key.as_bytes())
            };
            let name = format!("logflux {ours}");
            all.push(Contender { name, keys, chosen: ours == backend(), derive: Box::new(derive) });
        }
    }
    all
}

/// Distinct salts.
#[must_use]
pub fn salts(n: usize) -> Vec<[u8; 32]> {
    (0..=u8::MAX)
        .flat_map(|high| (0..=u8::MAX).map(move |low| (high, low)))
        .take(n)
        .map(|(high, low)| {
            let mut salt = [0x5a; 32];
            [salt[0], salt[1]] = [high, low];
            salt
        })
        .collect()
}

/// Ours, as a caller with one thread's share of the salts has it.
pub fn derive_share(share: &[[u8; 32]]) {
    black_box(logflux_kdf::derive_many(SECRET, share, ITERATIONS));
}

fn aws_lc(iterations: NonZeroU32, salt: &[u8], key: &mut [u8; 32]) {
    use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
    derive(PBKDF2_HMAC_SHA256, iterations, salt, SECRET, key);
}

fn ring(iterations: NonZeroU32, salt: &[u8], key: &mut [u8; 32]) {
    use ring::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
    derive(PBKDF2_HMAC_SHA256, iterations, salt, SECRET, key);
}

fn openssl(iterations: NonZeroU32, salt: &[u8], key: &mut [u8; 32]) {
    let count = iterations.get() as usize;
    if openssl::pkcs5::pbkdf2_hmac(SECRET, salt, count, MessageDigest::sha256(), key).is_err() {
        // Nothing equals this, so that the check of the contenders against one another fails.
        *key = [0; 32];
    }
}

fn rust_crypto(iterations: NonZeroU32, salt: &[u8], key: &mut [u8; 32]) {
    pbkdf2::pbkdf2_hmac::<pbkdf2::sha2::Sha256>(SECRET, salt, iterations.get(), key);
}
