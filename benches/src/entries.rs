//! What an entry of 256 bytes costs: reading, writing, sealing under a key at hand, and opening.

use std::hint::black_box;

use logflux_envelope::{
    Entry, KeyPolicy, Level, Message, Mode, Node, Opener, Sealer, Secret, Timestamp,
};

/// The message's length.
pub const LEN: usize = 256;
/// How many entries one run handles.
pub const COUNT: usize = 1_000;
/// How many messages are sealed together, as a sender's worker does.
const BATCH: usize = 100;

/// One way to handle entries.
pub struct Task {
    /// What it does.
    pub name: String,
    run: Box<dyn Fn()>,
}

impl Task {
    fn new(name: impl Into<String>, run: impl Fn() + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }

    /// Handles [`COUNT`] entries.
    pub fn run(&self) {
        (self.run)();
    }
}

/// All tasks.
#[must_use]
pub fn tasks() -> Vec<Task> {
    let mut tasks = Vec::new();
    for mode in [Mode::Pbkdf2, Mode::Hkdf] {
        let mut json = Vec::new();
        seal_many(&sealer(mode), |sealed| json.push(sealed.to_vec()));
        let entries: Vec<Entry> = json.iter().filter_map(|json| Entry::parse(json).ok()).collect();
        if mode == Mode::Pbkdf2 {
            let (read, write) = (json, entries.clone());
            tasks.push(Task::new("read canonical JSON", move || {
                for json in &read {
                    let _ = black_box(Entry::parse_strict(black_box(json)));
                }
            }));
            tasks.push(Task::new("write canonical JSON", move || {
                let mut out = Vec::new();
                for entry in &write {
                    out.clear();
                    black_box(entry).append_json(&mut out);
                    black_box(&out);
                }
            }));
        }
        let number = mode.number();
        let many = sealer(mode);
        tasks.push(Task::new(format!("seal in batches of {BATCH}, mode {number}"), move || {
            seal_many(&many, |sealed| {
                black_box(sealed);
            });
        }));
        let single = sealer(mode);
        tasks
            .push(Task::new(format!("seal one by one, mode {number}"), move || seal_each(&single)));
        let opener = Opener::new(secret());
        tasks.push(Task::new(format!("open one by one, mode {number}"), move || {
            for entry in &entries {
                let _ = black_box(opener.open(black_box(entry)));
            }
        }));
    }
    // Keys are derived before anything is timed.
    tasks.iter().for_each(Task::run);
    tasks
}

fn secret() -> Secret {
    match Secret::new("lfx_0123456789abcdefghijklmnopqrstuvwxyz") {
        Ok(secret) => secret,
        Err(_) => std::process::abort(),
    }
}

fn sealer(mode: Mode) -> Sealer {
    match Sealer::builder(secret()).mode(mode).key_policy(KeyPolicy::BOUNDED).build() {
        Ok(sealer) => sealer,
        Err(_) => std::process::abort(),
    }
}

fn with_message<R>(work: impl FnOnce(Message<'_>) -> R) -> R {
    match Node::new("app-server-01") {
        Ok(node) => {
            let timestamp = Timestamp::now();
            work(Message { bytes: &[b'x'; LEN], node: &node, level: Level::Info, timestamp })
        }
        Err(_) => std::process::abort(),
    }
}

fn seal_many(sealer: &Sealer, mut each: impl FnMut(&[u8])) {
    with_message(|message| {
        let messages = vec![message; BATCH];
        let mut out = Vec::new();
        for _ in 0..COUNT / BATCH {
            out.clear();
            for range in sealer.seal_many(&messages, &mut out).into_iter().flatten() {
                each(out.get(range).unwrap_or_default());
            }
        }
    });
}

fn seal_each(sealer: &Sealer) {
    with_message(|message| {
        let mut out = Vec::new();
        for _ in 0..COUNT {
            out.clear();
            let _ = black_box(sealer.seal_json(black_box(message), &mut out));
        }
    });
}

/// What is beneath sealing: the bare cipher, in place, under one key.
#[cfg(feature = "peers")]
#[must_use]
pub fn ciphers() -> Vec<Task> {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    let mut tasks = vec![Task::new("`aes-gcm` alone", {
        use aes_gcm::aead::inout::InOutBuf;
        use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
        let cipher = Aes256Gcm::new(&[7; 32].into());
        move || {
            let mut buffer = [b'x'; LEN];
            for _ in 0..COUNT {
                let buffer = InOutBuf::from(&mut buffer[..]);
                let _ = black_box(cipher.encrypt_inout_detached(&[1; 12].into(), &[], buffer));
            }
        }
    })];
    if let Ok(key) = UnboundKey::new(&AES_256_GCM, &[7; 32]) {
        let key = LessSafeKey::new(key);
        tasks.push(Task::new("`aws-lc-rs` alone", move || {
            let mut buffer = [b'x'; LEN];
            for _ in 0..COUNT {
                let nonce = Nonce::assume_unique_for_key([1; 12]);
                let sealed = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut buffer);
                let _ = black_box(sealed);
            }
        }));
    }
    tasks
}
