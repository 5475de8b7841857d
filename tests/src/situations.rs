//! Good and bad days of a client, the same for every language: each is an environment, the messages
//! that a program logs in it, and how many of them are safe.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::process::Command;
use std::time::Duration;

use logflux_server::Running;
use tempfile::TempDir;

use crate::endpoint::key;
use crate::{ENOUGH, Place, SmallDisk};

/// What a client finds, and what becomes of its messages.
#[derive(Clone, Debug)]
pub struct Situation {
    /// A few words.
    pub name: &'static str,
    /// The variables that a program finds, all that begin with `LOGFLUX_`.
    pub variables: Vec<(&'static str, String)>,
    /// What it logs.
    pub messages: Vec<String>,
    /// How many of the messages, from the first on, are delivered, or durable in a spool.
    pub safe: usize,
    /// How long a flush may take. Long, unless nothing ever ends it.
    pub timeout: Duration,
}

/// All of them, and the server and the folders that they need.
#[derive(Debug)]
pub struct Situations {
    /// Each situation.
    pub all: Vec<Situation>,
    _server: (Place, Running),
    _disk: Option<SmallDisk>,
    _folder: TempDir,
}

impl Situation {
    /// What a variable says.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Gives a program this environment.
    pub fn set(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOGFLUX_")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    /// Whether everything that is logged is safe.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.safe == self.messages.len()
    }
}

impl Situations {
    /// Makes them. Without the right to mount a disk, that of the full disk is left out.
    #[must_use]
    pub fn new() -> Self {
        let (place, running) = Place::new();
        let folder = tempfile::tempdir().unwrap();
        let disk = SmallDisk::mount();
        let away = ("LOGFLUX_SERVER_URL", "https://127.0.0.1:1".to_owned());
        let unknown = ("LOGFLUX_API_KEY", key().expose().to_owned());
        let give_up = ("LOGFLUX_MAX_RETRIES", "0".to_owned());
        let soon = ("LOGFLUX_RETRY_DEADLINE", "200ms".to_owned());
        let spool = |name: &str| {
            ("LOGFLUX_SPOOL_DIR", folder.path().join(name).to_str().unwrap().to_owned())
        };
        let small = ("LOGFLUX_QUEUE_SIZE", "1".to_owned());
        let mut cases = vec![
            ("all is well", vec![], 3),
            ("a spool, and all is well", vec![spool("well")], 3),
            ("no server", vec![away.clone(), give_up.clone()], 0),
            ("no server, but a spool", vec![away.clone(), spool("away")], 3),
            ("a key that the server does not know", vec![unknown.clone(), soon.clone()], 0),
            ("such a key, but a spool", vec![unknown, spool("unknown")], 3),
            ("a queue for one message", vec![away.clone(), give_up, small], 0),
            ("a message too long in the middle", vec![], 2),
            ("such a message, and a spool", vec![away.clone(), spool("long")], 2),
        ];
        if let Some(disk) = &disk {
            let folder = disk.path().join("spool").to_str().unwrap().to_owned();
            disk.fill();
            cases.push(("a spool on a full disk", vec![away, ("LOGFLUX_SPOOL_DIR", folder)], 0));
        }
        let common = [
            ("LOGFLUX_SERVER_URL", format!("https://{}", place.address())),
            ("LOGFLUX_API_KEY", place.key().expose().to_owned()),
            ("LOGFLUX_SECRET", crate::secret().expose().to_owned()),
            ("LOGFLUX_CA_FILE", place.ca_file().to_str().unwrap().to_owned()),
            ("LOGFLUX_NODE", "n".to_owned()),
            ("LOGFLUX_FLUSH_INTERVAL", "20ms".to_owned()),
            ("LOGFLUX_INITIAL_DELAY", "20ms".to_owned()),
            ("LOGFLUX_MAX_DELAY", "50ms".to_owned()),
        ];
        let all = cases.into_iter().map(|(name, special, safe)| {
            let mut variables = special;
            for (name, value) in &common {
                if !variables.iter().any(|(special, _)| special == name) {
                    variables.push((name, value.clone()));
                }
            }
            let mut messages = ["one", "two", "three"].map(str::to_owned).to_vec();
            if name.contains("such a message") || name.contains("too long") {
                messages.insert(2, "x".repeat(800_000));
            }
            // What a full disk has no room for waits for as long as there is none.
            let timeout = if name.contains("full disk") { Duration::from_secs(1) } else { ENOUGH };
            Situation { name, variables, messages, safe, timeout }
        });
        Self { all: all.collect(), _server: (place, running), _disk: disk, _folder: folder }
    }
}

impl Default for Situations {
    fn default() -> Self {
        Self::new()
    }
}
