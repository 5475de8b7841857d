//! What a subject seals by itself: opened by us and by itself, and with salts and ivs that are its
//! own and never come again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use logflux_envelope::{
    KeyPolicy as SealerPolicy, Level, Message, Mode, Node, Sealer, Secret, Timestamp,
};
use logflux_wire::Entry;

use crate::case::{Case, Part, Plan};
use crate::certificate::Outcome;
use crate::encoding::{Base64, Hex};
use crate::floor::Floor;
use crate::model::Requirement;
use crate::own_sealing::{self, Wanted};
use crate::subject::{
    Identity, KeyPolicy, Misbehaviour, Reply, Request, Subject, answer_base64, answer_hex,
};

const SECRET: &str = "round trip: correct horse battery staple";
/// How often the subject is started anew while it seals.
const RESTARTS: usize = 4;
/// How many seals there are in all.
const SEALS: usize = 1_000;
/// How many of them are of mode 1, where there is a mode that spends no derivation on each.
const SLOW_SEALS: usize = 60;
/// How many there are in the provisional modes.
const PROVISIONAL_SEALS: usize = 8;

const FRESH: &str = "Whatever the policy: every entry has a fresh random iv; no key seals more than 2^32 entries; salts and ivs come from the operating system's generator; after `fork` the child begins with new salts.";
const UNIQUE: &str = "`unique`: every entry has its own salt and key.";
const GENERATOR: &str = "Draw 32 bytes of salt and 12 of iv from the operating system's generator for every entry; keep no counter, seed nothing, and cut nothing.";

type Kind = (&'static str, Plan);

const CANONICAL: &str = "canonical";
const OPENED_BY_US: &str = "opened-by-us";
const OPENED_BY_ITSELF: &str = "opened-by-itself";
const OPENS_OURS: &str = "opens-ours";
const NO_REPEATED_SALT_AND_IV: &str = "no-repeated-salt-and-iv";
const NO_SHARED_SALT: &str = "no-shared-salt";
const NEW_SALTS_AFTER_RESTART: &str = "new-salts-after-restart";
const RANDOM_IVS: &str = "random-ivs";
const RANDOM_SALTS: &str = "random-salts";

/// What is looked at in every mode.
const KINDS: [Kind; 9] = [
    (
        CANONICAL,
        Plan {
            flag: "OwnCanonical",
            comment: "its own entries are canonical JSON, and say what they were told to",
            effect: "Implementations that write one entry in different bytes cannot be compared with each other.",
            rule: "With secret, message, salt, iv, node, level and timestamp given, every implementation writes the same bytes.",
            spec: "PROTOCOL 2, canonical JSON",
            remedy: "Write the seven fields in their order, without white space, and only the escapes that JSON requires.",
        },
    ),
    (
        OPENED_BY_US,
        Plan {
            flag: "OpenedByUs",
            comment: "its own entries open to what was sealed",
            effect: "Nobody else can read the logs.",
            rule: "With secret, message, salt, iv, node, level and timestamp given, every implementation writes the same bytes.",
            spec: "PROTOCOL 2 to 5",
            remedy: "Compare its known answers first: what fails there is the reason.",
        },
    ),
    (
        OPENED_BY_ITSELF,
        Plan {
            flag: "OpenedByItself",
            comment: "another process of it opens its own entries",
            effect: "Logs that were written yesterday cannot be read today.",
            rule: "Every mode can be opened.",
            spec: "PROTOCOL 4",
            remedy: "Keep nothing that opening needs in the process: secret and entry are enough.",
        },
    ),
    (
        OPENS_OURS,
        Plan {
            flag: "OpensOurs",
            comment: "it opens entries that were sealed this minute",
            effect: "Logs of other implementations cannot be read.",
            rule: "Every mode can be opened.",
            spec: "PROTOCOL 4",
            remedy: "Compare its known answers first: what fails there is the reason.",
        },
    ),
    (
        NO_REPEATED_SALT_AND_IV,
        Plan {
            flag: "RepeatedSaltAndIv",
            comment: "no two entries have the same salt and iv, within a process and across restarts",
            effect: "Two messages under one key and iv can both be read by anyone, and forged ones can be made.",
            rule: FRESH,
            spec: "PROTOCOL 6; NIST SP 800-38D, section 8",
            remedy: GENERATOR,
        },
    ),
    (
        NO_SHARED_SALT,
        Plan {
            flag: "SharedSalt",
            comment: "no two entries have the same salt, unless the subject says that it shares keys",
            effect: "Entries share keys though it was said that they do not.",
            rule: UNIQUE,
            spec: "PROTOCOL 5 and 6",
            remedy: "Draw a salt for every entry, or declare the key policy `bounded` or `adaptive`.",
        },
    ),
    (
        NEW_SALTS_AFTER_RESTART,
        Plan {
            flag: "SaltAfterRestart",
            comment: "what it drew once (a salt; in mode 128 the epoch's half) it does not use in another process",
            effect: "A key lives longer than any bound on it.",
            rule: FRESH,
            spec: "PROTOCOL 5 and 6",
            remedy: "Draw in every process anew; keep no salt in a file or a constant.",
        },
    ),
    (
        RANDOM_IVS,
        Plan {
            flag: "RandomIv",
            comment: "every byte of the ivs varies as random ones do",
            effect: "Ivs that are short, counted or constant repeat.",
            rule: FRESH,
            spec: "PROTOCOL 6; NIST SP 800-38D, section 8.2.2",
            remedy: GENERATOR,
        },
    ),
    (
        RANDOM_SALTS,
        Plan {
            flag: "RandomSalt",
            comment: "every byte of the salts varies as random ones do (in mode 128, of the entry's half)",
            effect: "Salts that are short or counted repeat, and so do keys.",
            rule: FRESH,
            spec: "PROTOCOL 6",
            remedy: GENERATOR,
        },
    ),
];

const MODES: [u64; 5] = [1, 2, 3, 4, 128];

fn id(mode: u64, kind: &str) -> String {
    format!("roundtrip/mode-{mode}/{kind}")
}

/// Every case of this part.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    MODES.into_iter().flat_map(|mode| {
        let level = if mode == 1 { Requirement::Must } else { Requirement::Should };
        KINDS.iter().map(move |(kind, plan)| plan.case(id(mode, kind), Part::RoundTrip, level))
    })
}

/// Runs what is wanted of this part.
pub(crate) fn run(floor: &Floor<'_>, identity: &Identity, jobs: usize) {
    let mut wanted: Vec<u64> = Vec::new();
    for mode in MODES {
        let ids = || KINDS.iter().map(|(kind, _)| id(mode, kind));
        let lacking = ["seal", "open"].into_iter().find(|operation| !identity.can(operation));
        let what = match lacking {
            Some(operation) => Some(format!("operation {operation}")),
            None => (!identity.modes.contains(&mode)).then(|| format!("mode {mode}")),
        };
        match what {
            Some(what) => {
                ids().for_each(|id| floor.put(&id, Outcome::Unsupported { what: what.clone() }));
            }
            None if ids().any(|id| floor.wants(&id)) => wanted.push(mode),
            None => {}
        }
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(mode) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(Err(misbehaviour)) = mode_trip(floor, identity, *mode) {
                // It is no more than one: what was not reached was not run.
                floor.put(&id(*mode, OPENED_BY_US), Outcome::Misbehaved(misbehaviour));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(wanted.len()) {
            scope.spawn(work);
        }
        work();
    });
}

/// A message and what goes with it.
struct Sample {
    node: &'static str,
    loglevel: u64,
    timestamp: &'static str,
    message: Vec<u8>,
}

impl Sample {
    fn wanted(&self, mode: u64) -> Wanted<'_> {
        Wanted {
            secret: SECRET.as_bytes(),
            mode,
            node: self.node,
            loglevel: self.loglevel,
            timestamp: self.timestamp,
            message: &self.message,
        }
    }

    fn request(&self, mode: u64) -> Request {
        Request::new("seal")
            .with("secret_hex", Hex(SECRET.as_bytes().to_vec()).to_string())
            .with("mode", mode)
            .with("node", self.node)
            .with("loglevel", self.loglevel)
            .with("timestamp", self.timestamp)
            .with("message_hex", Hex(self.message.clone()).to_string())
    }
}

fn samples() -> Vec<Sample> {
    let sample = |node, loglevel, timestamp, message: &[u8]| Sample {
        node,
        loglevel,
        timestamp,
        message: message.to_vec(),
    };
    vec![
        sample("app-server-01", 7, "2024-01-17T10:30:45Z", b"User login successful"),
        sample("n", 1, "0001-01-01T00:00:00Z", b""),
        sample(
            "Größe \"\\/\u{1f600}",
            8,
            "9999-12-31T23:59:59.999999999Z",
            "ünï\u{0}\r\n\u{1f600}\u{7f}".as_bytes(),
        ),
        sample("app-server-01", 4, "2024-01-17T10:30:45.120Z", &b"0123456789abcde\n".repeat(6_400)),
    ]
}

/// An answer that is no entry is judged as such, not as a crash.
type Sealed = Result<Vec<u8>, String>;

fn seal(subject: &mut Subject, request: &Request) -> Result<Sealed, Misbehaviour> {
    match subject.ask(request, Duration::ZERO)? {
        Reply::Ok(parts) => {
            answer_base64(&parts, "entry_b64").map(Ok).map_err(|what| subject.bad("seal", &what))
        }
        Reply::Refused(_) => Ok(Err("a refusal to seal".to_owned())),
        Reply::Unsupported(what) => Ok(Err(format!("unsupported: {what}"))),
    }
}

fn open(subject: &mut Subject, entry: &[u8]) -> Result<Result<Vec<u8>, String>, Misbehaviour> {
    let request = Request::new("open")
        .with("secret_hex", Hex(SECRET.as_bytes().to_vec()).to_string())
        .with("entry_b64", Base64(entry.to_vec()).to_string());
    match subject.ask(&request, Duration::ZERO)? {
        Reply::Ok(parts) => {
            answer_hex(&parts, "message_hex").map(Ok).map_err(|what| subject.bad("open", &what))
        }
        Reply::Refused(refusal) => {
            let stage =
                refusal.stage.map_or_else(String::new, |stage| format!(" at stage {stage}"));
            Ok(Err(format!("a refusal to open{stage}")))
        }
        Reply::Unsupported(what) => Ok(Err(format!("unsupported: {what}"))),
    }
}

fn seals_of(mode: u64, identity: &Identity) -> usize {
    let quick = identity.modes.contains(&128);
    match mode {
        1 if quick => SLOW_SEALS,
        1 => SEALS,
        128 => SEALS - SLOW_SEALS,
        _ => PROVISIONAL_SEALS,
    }
}

/// What one mode gives: `None` where the run was broken off.
fn mode_trip(
    floor: &Floor<'_>,
    identity: &Identity,
    mode: u64,
) -> Option<Result<(), Misbehaviour>> {
    let samples = samples();
    let put = |kind: &str, expected: &str, wrong: Option<String>| {
        let outcome = match wrong {
            None => Outcome::Passed,
            Some(got) => Outcome::Failed { expected: expected.to_owned(), got },
        };
        floor.put(&id(mode, kind), outcome);
    };
    // Sealing, in some processes one after the other.
    let total = seals_of(mode, identity);
    let mut first: Vec<Sealed> = Vec::new();
    let mut drawn = Drawn::new(mode);
    for process in 0..RESTARTS {
        let mut slot = None;
        let count = total / RESTARTS;
        let sealed = floor.work(&mut slot, |subject| {
            let mut sealed = Vec::new();
            for sample in samples.iter().filter(|_| process == 0) {
                sealed.push(seal(subject, &sample.request(mode))?);
            }
            let rest = samples.iter().cycle().filter(|sample| sample.message.len() < 1_000);
            for sample in rest.take(count.saturating_sub(sealed.len())) {
                sealed.push(seal(subject, &sample.request(mode))?);
            }
            Ok(sealed)
        })?;
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(misbehaviour) => return Some(Err(misbehaviour)),
        };
        floor.stop(slot);
        for bytes in &sealed {
            drawn.add(process, bytes);
        }
        if process == 0 {
            first = sealed.into_iter().take(samples.len()).collect();
        }
    }
    let checked = |check: fn(&[u8], &Wanted<'_>) -> Result<Entry, String>| {
        samples.iter().zip(&first).find_map(|(sample, sealed)| match sealed {
            Ok(bytes) => check(bytes, &sample.wanted(mode)).err(),
            Err(what) => Some(what.clone()),
        })
    };
    put(CANONICAL, "canonical entries of what was given", checked(own_sealing::form));
    let opens: fn(&[u8], &Wanted<'_>) -> Result<Entry, String> = |bytes, wanted| {
        let entry = Entry::parse(bytes).map_err(|error| format!("no entry: {error}"))?;
        own_sealing::opens(&entry, wanted).map(|()| entry)
    };
    put(OPENED_BY_US, "entries that open to what was sealed", checked(opens));
    drawn.judge(identity, put);

    // Opening, in another process.
    let mut slot = None;
    let opened = floor.work(&mut slot, |subject| {
        let mut own = None;
        for (sample, sealed) in samples.iter().zip(&first) {
            let Ok(bytes) = sealed else { continue };
            own = own.or(wrong(open(subject, bytes)?, &sample.message));
        }
        let mut ours = None;
        match our_entries(mode, &samples) {
            Ok(entries) => {
                for (sample, entry) in samples.iter().zip(entries) {
                    ours = ours.or(wrong(open(subject, entry.as_bytes())?, &sample.message));
                }
            }
            Err(what) => ours = Some(what),
        }
        Ok((own, ours))
    })?;
    let (own, ours) = match opened {
        Ok(opened) => opened,
        Err(misbehaviour) => return Some(Err(misbehaviour)),
    };
    floor.stop(slot);
    put(OPENED_BY_ITSELF, "its own entries opened", own);
    put(OPENS_OURS, "entries of the Rust core opened", ours);
    Some(Ok(()))
}

fn wrong(opened: Result<Vec<u8>, String>, message: &[u8]) -> Option<String> {
    match opened {
        Ok(opened) if opened == message => None,
        Ok(_) => Some("another message".to_owned()),
        Err(what) => Some(what),
    }
}

/// The samples, sealed by the Rust core under one key.
fn our_entries(mode: u64, samples: &[Sample]) -> Result<Vec<String>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let mode = Mode::from_number(mode).map_err(|error| words(&error))?;
    let secret = Secret::new(SECRET).map_err(|error| words(&error))?;
    let sealer = Sealer::builder(secret)
        .mode(mode)
        .key_policy(SealerPolicy::BOUNDED)
        .build()
        .map_err(|error| words(&error))?;
    let mut entries = Vec::new();
    for sample in samples {
        let node = Node::new(sample.node).map_err(|error| words(&error))?;
        let message = Message {
            bytes: &sample.message,
            node: &node,
            level: Level::from_number(sample.loglevel).map_err(|error| words(&error))?,
            timestamp: sample.timestamp.parse::<Timestamp>().map_err(|error| words(&error))?,
        };
        entries.push(sealer.seal(message).map_err(|error| words(&error))?.to_json());
    }
    Ok(entries)
}

/// The salts and ivs that were drawn, by process.
struct Drawn {
    mode: u64,
    pairs: Vec<(usize, [u8; 32], [u8; 12])>,
    missing: Option<String>,
}

impl Drawn {
    fn new(mode: u64) -> Self {
        Self { mode, pairs: Vec::new(), missing: None }
    }

    fn add(&mut self, process: usize, sealed: &Sealed) {
        let entry = match sealed {
            Ok(bytes) => Entry::parse(bytes).map_err(|error| format!("no entry: {error}")),
            Err(what) => Err(what.clone()),
        };
        match entry {
            Ok(entry) => {
                self.pairs.push((process, *entry.salt().as_bytes(), *entry.iv().as_bytes()));
            }
            Err(what) => self.missing = Some(what),
        }
    }

    fn judge(&self, identity: &Identity, put: impl Fn(&str, &str, Option<String>)) {
        let count = self.pairs.len();
        let shares = identity.key_policy != KeyPolicy::Unique && self.mode != 128;
        let all = |found: Option<String>| self.missing.clone().or(found);

        let repeated = repeats(self.pairs.iter().map(|(_, salt, iv)| (salt, iv)));
        put(
            NO_REPEATED_SALT_AND_IV,
            &format!("{count} different pairs"),
            all(repeated.map(|n| format!("a salt and iv that stand in {n} entries"))),
        );
        let shared =
            if shares { None } else { repeats(self.pairs.iter().map(|(_, salt, _)| salt)) };
        put(
            NO_SHARED_SALT,
            &format!("{count} different salts"),
            all(shared.map(|n| format!("a salt that stands in {n} entries"))),
        );
        let mut seen: HashMap<&[u8], usize> = HashMap::new();
        let mut again = None;
        for (process, salt, _) in &self.pairs {
            let drawn = if self.mode == 128 { salt.get(..16) } else { salt.get(..) };
            let first = *seen.entry(drawn.unwrap_or_default()).or_insert(*process);
            if first != *process {
                let half = if self.mode == 128 { "an epoch salt" } else { "a salt" };
                again = Some(format!("{half} that an earlier process had used"));
            }
        }
        put(NEW_SALTS_AFTER_RESTART, "salts that no earlier process had used", all(again));

        let ivs: Vec<&[u8]> = self.pairs.iter().map(|(.., iv)| iv.as_slice()).collect();
        put(RANDOM_IVS, "ivs whose every byte varies", all(dull(&ivs, "iv", 0)));
        let from = if self.mode == 128 { 16 } else { 0 };
        let salts: Vec<&[u8]> =
            self.pairs.iter().filter_map(|(_, salt, _)| salt.get(from..)).collect();
        let dull = if shares { None } else { dull(&salts, "salt", from) };
        put(RANDOM_SALTS, "salts whose every byte varies", all(dull));
    }
}

/// How often the value that comes most often comes, where one repeats.
fn repeats<T: Eq + std::hash::Hash>(values: impl Iterator<Item = T>) -> Option<usize> {
    let mut counts: HashMap<T, usize> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_values().max().filter(|count| *count > 1)
}

/// A byte that takes far fewer values than a random one. Of n random bytes, at least n/2 differ up
/// to n = 256 or so but for a chance below 2^-40; a quarter is asked for, and 64 at the most.
fn dull(values: &[&[u8]], what: &str, from: usize) -> Option<String> {
    let least = (values.len() / 4).min(64);
    let length = values.iter().map(|value| value.len()).min()?;
    (0..length).find_map(|place| {
        let mut seen = [false; 256];
        for value in values {
            if let Some(slot) = value.get(place).and_then(|byte| seen.get_mut(usize::from(*byte))) {
                *slot = true;
            }
        }
        let different = seen.iter().filter(|seen| **seen).count();
        (different < least).then(|| {
            format!(
                "byte {} of the {what} took {different} values in {} entries",
                place + from,
                values.len()
            )
        })
    })
}
