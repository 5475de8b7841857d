//! What is sealed is opened, by the right secret and unaltered, in every mode.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use logflux_envelope::hazmat::{Given, derive_key, seal_with_salt_and_iv};
use logflux_envelope::{
    Entry, Iv, Keyring, Level, Message, Mode, Node, OpenError, Opener, Payload, Salt, SealError,
    Sealer, Secret, Timestamp, open, open_bytes, seal,
};

const SECRET: &str = "correct horse battery staple";

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn node() -> Node {
    Node::new("app-server-01").unwrap()
}

fn time() -> Timestamp {
    "2024-01-17T10:30:45Z".parse().unwrap()
}

fn given(node: &Node, mode: Mode) -> Given<'_> {
    Given {
        mode,
        salt: Salt::new(std::array::from_fn(|i| u8::try_from(i).unwrap())),
        iv: Iv::new(*b"defghijklmno"),
        node,
        level: Level::Info,
        timestamp: time(),
    }
}

fn sealed(mode: Mode, message: &[u8]) -> Entry {
    seal_with_salt_and_iv(message, &secret(SECRET), &given(&node(), mode)).unwrap()
}

/// The entry with some fields replaced.
#[derive(Clone, Copy, Default)]
struct Altered<'a> {
    payload: Option<&'a [u8]>,
    node: Option<&'a str>,
    level: Option<Level>,
    timestamp: Option<&'a str>,
    mode: Option<Mode>,
    iv: Option<Iv>,
    salt: Option<Salt>,
}

impl Altered<'_> {
    fn of(self, entry: &Entry) -> Entry {
        Entry::new(
            self.node.map_or(entry.node().clone(), |node| Node::new(node).unwrap()),
            Payload::new(self.payload.unwrap_or(entry.payload().as_bytes()).to_vec()).unwrap(),
            self.level.unwrap_or(entry.level()),
            self.timestamp.map_or(entry.timestamp(), |text| text.parse().unwrap()),
            self.mode.unwrap_or(entry.mode()),
            self.iv.unwrap_or(*entry.iv()),
            self.salt.unwrap_or(*entry.salt()),
        )
        .unwrap()
    }
}

#[test]
fn a_sealed_line_is_opened_and_every_entry_has_its_own_salt_and_iv() {
    let (secret, node) = (secret(SECRET), node());
    let one = seal("User login successful", &secret, &node, Level::Info, time()).unwrap();
    let two = seal("User login successful", &secret, &node, Level::Info, time()).unwrap();
    assert_eq!(one.mode(), Mode::Pbkdf2);
    assert_eq!(open(&one, &secret).unwrap(), "User login successful");
    assert_eq!(
        open(&Entry::parse(two.to_json().as_bytes()).unwrap(), &secret).unwrap(),
        "User login successful"
    );
    assert_ne!(one.salt(), two.salt());
    assert_ne!(one.iv(), two.iv());
    assert_ne!(one.payload(), two.payload());
}

#[test]
fn every_mode_seals_and_opens_messages_of_any_bytes_and_length() {
    let opener = Opener::new(secret(SECRET));
    for mode in Mode::ALL {
        for message in [&b""[..], b"x", "世界! 🌍".as_bytes(), &[0xff, 0, 0xfe], &[7; 4096]] {
            let entry = sealed(mode, message);
            assert_eq!(entry.payload().as_bytes().len(), message.len() + mode.overhead());
            assert_eq!(opener.open_bytes(&entry).unwrap(), message, "{mode}");
        }
        assert_eq!(opener.open(&sealed(mode, &[0xff])), Err(OpenError::Utf8), "{mode}");
    }
}

#[test]
fn the_longest_message_fits_and_one_more_byte_does_not() {
    let (node, secret) = (node(), secret(SECRET));
    for mode in [Mode::Pbkdf2, Mode::Hkdf] {
        let sealer = Sealer::builder(secret.clone()).mode(mode).build().unwrap();
        let longest = vec![b'x'; mode.message_max()];
        let message = |bytes| Message { bytes, node: &node, level: Level::Info, timestamp: time() };
        let entry = sealer.seal(message(&longest)).unwrap();
        assert!(Entry::parse(entry.to_json().as_bytes()).is_ok());
        assert_eq!(open_bytes(&entry, &secret).unwrap(), longest);
        let longer = vec![b'x'; mode.message_max() + 1];
        let error = SealError::MessageTooLong { max: longest.len(), got: longer.len() };
        assert_eq!(sealer.seal(message(&longer)), Err(error.clone()));
        let mut out = b"before".to_vec();
        assert_eq!(sealer.seal_json(message(&longer), &mut out), Err(error.clone()));
        assert_eq!(out, b"before");
        let many = sealer.seal_many(&[message(b"a"), message(&longer), message(b"b")], &mut out);
        assert!(many[0].is_ok() && many[2].is_ok());
        assert_eq!(many[1], Err(error));
    }
}

#[test]
fn a_flipped_bit_anywhere_in_the_payload_the_iv_or_the_salt_fails() {
    for mode in [Mode::Pbkdf2, Mode::Hkdf] {
        let entry = sealed(mode, b"twelve bytes");
        let opener = Opener::new(secret(SECRET));
        let refused = |altered: Altered<'_>| {
            assert_eq!(opener.open(&altered.of(&entry)), Err(OpenError::Authentication), "{mode}");
        };
        let payload = entry.payload().as_bytes();
        for bit in 0..payload.len() * 8 {
            let mut payload = payload.to_vec();
            payload[bit / 8] ^= 1 << (bit % 8);
            refused(Altered { payload: Some(&payload), ..Altered::default() });
        }
        for bit in 0..96 {
            let mut iv = *entry.iv().as_bytes();
            iv[bit / 8] ^= 1 << (bit % 8);
            refused(Altered { iv: Some(Iv::new(iv)), ..Altered::default() });
        }
        for byte in [0, 15, 16, 31] {
            let mut salt = *entry.salt().as_bytes();
            salt[byte] ^= 1;
            refused(Altered { salt: Some(Salt::new(salt)), ..Altered::default() });
        }
        for cut in mode.overhead()..payload.len() {
            refused(Altered { payload: Some(&payload[..cut]), ..Altered::default() });
        }
    }
}

#[test]
fn altered_metadata_opens_in_modes_1_to_4_and_fails_in_mode_128() {
    let opener = Opener::new(secret(SECRET));
    for mode in Mode::ALL {
        let entry = sealed(mode, b"message");
        for altered in [
            Altered { node: Some("other"), ..Altered::default() },
            Altered { level: Some(Level::Debug), ..Altered::default() },
            Altered { timestamp: Some("2024-01-17T10:30:46Z"), ..Altered::default() },
            Altered { timestamp: Some("2024-01-17T10:30:45.001Z"), ..Altered::default() },
        ] {
            let opened = opener.open(&altered.of(&entry));
            if mode == Mode::Hkdf {
                assert_eq!(opened, Err(OpenError::Authentication));
            } else {
                assert_eq!(opened.as_deref(), Ok("message"));
            }
        }
    }
}

#[test]
fn one_mode_is_never_taken_for_another() {
    let opener = Opener::new(secret(SECRET));
    for mode in Mode::ALL {
        let entry = sealed(mode, &[b'x'; 64]);
        for other in Mode::ALL.into_iter().filter(|other| *other != mode) {
            let altered = Altered { mode: Some(other), ..Altered::default() }.of(&entry);
            assert_eq!(opener.open(&altered), Err(OpenError::Authentication), "{mode} as {other}");
        }
    }
}

#[test]
fn secrets_that_look_alike_are_different() {
    let entry = sealed(Mode::Pbkdf2, b"message");
    for other in [
        "correct horse battery staple ",
        " correct horse battery staple",
        "correct horse battery staple\n",
        "Correct horse battery staple",
        "correct horse battery stapl",
    ] {
        assert_eq!(open(&entry, &secret(other)), Err(OpenError::Authentication), "{other:?}");
    }
    let (nfc, nfd) = (secret("s\u{eb}cret"), secret("se\u{308}cret"));
    let entry = seal("message", &nfc, &node(), Level::Info, time()).unwrap();
    assert_eq!(open(&entry, &nfd), Err(OpenError::Authentication));
    assert_eq!(open(&entry, &nfc).unwrap(), "message");
}

#[test]
fn a_keyring_opens_what_any_of_its_secrets_sealed() {
    let node = node();
    let (old, new) = (secret("old"), secret("new"));
    let entries: Vec<Entry> = [&old, &new, &old]
        .into_iter()
        .map(|secret| seal("message", secret, &node, Level::Info, time()).unwrap())
        .collect();
    let foreign = seal("message", &secret("foreign"), &node, Level::Info, time()).unwrap();
    for since in ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"] {
        let keyring =
            Keyring::new(new.clone()).since(since.parse().unwrap()).with_older(old.clone());
        let opener = Opener::new(keyring);
        for entry in &entries {
            assert_eq!(opener.open(entry).unwrap(), "message");
            assert_eq!(opener.open(entry).unwrap(), "message");
        }
        assert_eq!(opener.open(&foreign), Err(OpenError::Authentication));
        let mut all = entries.clone();
        all.push(foreign.clone());
        let results = opener.open_many(&all);
        assert_eq!(
            results.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, true, true, false]
        );
    }
}

#[test]
fn a_forged_entry_does_not_keep_good_ones_of_its_salt_from_being_opened() {
    let keyring = Keyring::new(secret("new")).with_older(secret(SECRET));
    let opener = Opener::new(keyring);
    let good = sealed(Mode::Pbkdf2, b"message");
    let forged = Altered { payload: Some(&[0; 40]), ..Altered::default() }.of(&good);
    assert_eq!(opener.open(&forged), Err(OpenError::Authentication));
    assert_eq!(opener.open(&good).unwrap(), "message");
    let results = opener.open_many(&[forged.clone(), good.clone(), forged, good]);
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false, true]);
}

#[test]
fn nothing_shows_a_secret_or_a_key() {
    let secret = secret("hunter2");
    let sealer = Sealer::new(secret.clone());
    let opener = Opener::new(Keyring::new(secret.clone()));
    let key = derive_key(&secret, Mode::Hkdf, &Salt::new([0; 32])).unwrap();
    let shown = format!("{sealer:?} {opener:?} {key:?} {:?}", Sealer::builder(secret));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("Key([redacted])"), "{shown}");
}
