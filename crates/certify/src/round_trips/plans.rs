//! What is looked at in every mode.

use crate::case::Plan;

const FRESH: &str = "Whatever the policy: every entry has a fresh random iv; no key seals more than 2^32 entries; salts and ivs come from the operating system's generator; after `fork` the child begins with new salts.";
const UNIQUE: &str = "`unique`: every entry has its own salt and key.";
const GENERATOR: &str = "Draw 32 bytes of salt and 12 of iv from the operating system's generator for every entry; keep no counter, seed nothing, and cut nothing.";

/// What is looked at.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The operations that it needs.
    pub(super) operations: &'static [&'static str],
    pub(super) plan: Plan,
}

pub(super) const CANONICAL: &str = "canonical";
pub(super) const OPENED_BY_US: &str = "opened-by-us";
pub(super) const OPENED_BY_ITSELF: &str = "opened-by-itself";
pub(super) const OPENS_OURS: &str = "opens-ours";
pub(super) const NO_REPEATED_SALT_AND_IV: &str = "no-repeated-salt-and-iv";
pub(super) const NO_SHARED_SALT: &str = "no-shared-salt";
pub(super) const NEW_SALTS_AFTER_RESTART: &str = "new-salts-after-restart";
pub(super) const RANDOM_IVS: &str = "random-ivs";
pub(super) const RANDOM_SALTS: &str = "random-salts";

pub(super) const KINDS: [Kind; 9] = [
    Kind {
        name: CANONICAL,
        operations: &["seal"],
        plan: Plan {
            flag: "OwnCanonical",
            comment: "its own entries are canonical JSON, and say what they were told to",
            effect: "Implementations that write one entry in different bytes cannot be compared with each other.",
            rule: "With secret, message, salt, iv, node, level and timestamp given, every implementation writes the same bytes.",
            spec: "PROTOCOL 2, canonical JSON",
            remedy: "Write the seven fields in their order, without white space, and only the escapes that JSON requires.",
        },
    },
    Kind {
        name: OPENED_BY_US,
        operations: &["seal"],
        plan: Plan {
            flag: "OpenedByUs",
            comment: "its own entries open to what was sealed",
            effect: "Nobody else can read the logs.",
            rule: "With secret, message, salt, iv, node, level and timestamp given, every implementation writes the same bytes.",
            spec: "PROTOCOL 2 to 5",
            remedy: "Compare its known answers first: what fails there is the reason.",
        },
    },
    Kind {
        name: OPENED_BY_ITSELF,
        operations: &["seal", "open"],
        plan: Plan {
            flag: "OpenedByItself",
            comment: "another process of it opens its own entries",
            effect: "Logs that were written yesterday cannot be read today.",
            rule: "Every mode can be opened.",
            spec: "PROTOCOL 4",
            remedy: "Keep nothing that opening needs in the process: secret and entry are enough.",
        },
    },
    Kind {
        name: OPENS_OURS,
        operations: &["open"],
        plan: Plan {
            flag: "OpensOurs",
            comment: "it opens entries that were sealed this minute",
            effect: "Logs of other implementations cannot be read.",
            rule: "Every mode can be opened.",
            spec: "PROTOCOL 4",
            remedy: "Compare its known answers first: what fails there is the reason.",
        },
    },
    Kind {
        name: NO_REPEATED_SALT_AND_IV,
        operations: &["seal"],
        plan: Plan {
            flag: "RepeatedSaltAndIv",
            comment: "no two entries have the same salt and iv, within a process and across restarts",
            effect: "Two messages under one key and iv can both be read by anyone, and forged ones can be made.",
            rule: FRESH,
            spec: "PROTOCOL 6; NIST SP 800-38D, section 8",
            remedy: GENERATOR,
        },
    },
    Kind {
        name: NO_SHARED_SALT,
        operations: &["seal"],
        plan: Plan {
            flag: "SharedSalt",
            comment: "no two entries have the same salt, unless the subject says that it shares keys",
            effect: "Entries share keys though it was said that they do not.",
            rule: UNIQUE,
            spec: "PROTOCOL 5 and 6",
            remedy: "Draw a salt for every entry, or declare the key policy `bounded` or `adaptive`.",
        },
    },
    Kind {
        name: NEW_SALTS_AFTER_RESTART,
        operations: &["seal"],
        plan: Plan {
            flag: "SaltAfterRestart",
            comment: "what it drew once (a salt; in mode 128 the epoch's half) it does not use in another process",
            effect: "A key lives longer than any bound on it.",
            rule: FRESH,
            spec: "PROTOCOL 5 and 6",
            remedy: "Draw in every process anew; keep no salt in a file or a constant.",
        },
    },
    Kind {
        name: RANDOM_IVS,
        operations: &["seal"],
        plan: Plan {
            flag: "RandomIv",
            comment: "every byte of the ivs varies as random ones do",
            effect: "Ivs that are short, counted or constant repeat.",
            rule: FRESH,
            spec: "PROTOCOL 6; NIST SP 800-38D, section 8.2.2",
            remedy: GENERATOR,
        },
    },
    Kind {
        name: RANDOM_SALTS,
        operations: &["seal"],
        plan: Plan {
            flag: "RandomSalt",
            comment: "every byte of the salts varies as random ones do (in mode 128, of the entry's half)",
            effect: "Salts that are short or counted repeat, and so do keys.",
            rule: FRESH,
            spec: "PROTOCOL 6",
            remedy: GENERATOR,
        },
    },
];
