//! How a command seals: node, level, time, mode and policy.

use std::time::Duration;

use clap::{Args, ValueEnum};
use logflux_envelope::{KeyPolicy, Level, Message, Mode, Node, Sealer, Secret, Timestamp};

use crate::failure::{Failure, Outcome};
use crate::options;

/// What travels beside a message, and how it is sealed.
#[derive(Args, Clone, Debug)]
pub(crate) struct SealingArgs {
    #[arg(long, help = options::help("node"))]
    node: Option<Node>,
    /// The severity: 1 to 8, or emergency, alert, critical, error, warning, notice, info, debug
    #[arg(long, default_value = "info")]
    level: Level,
    /// The time in RFC 3339, for every line [default: when the line is read]
    #[arg(long)]
    timestamp: Option<Timestamp>,
    #[arg(long, value_parser = parse_mode, help = options::help("mode"))]
    mode: Option<Mode>,
    #[arg(long, value_enum, help = options::help("key_policy"))]
    key_policy: Option<Policy>,
    /// The part of a core that derivation may use, above 0 and at most 1 (adaptive)
    #[arg(long, value_name = "PART")]
    key_budget: Option<f64>,
    /// How many entries may share a key (adaptive, bounded)
    #[arg(long, value_name = "N")]
    key_max_entries: Option<u64>,
    /// How long entries may share a key, such as 60s (adaptive, bounded)
    #[arg(long, value_name = "DURATION", value_parser = logflux_transport::parse_duration)]
    key_max_age: Option<Duration>,
}

/// How key derivations are spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// Every entry has its own salt and key; sealing waits for them.
    Unique,
    /// Own keys within a budget of processor time, else the newest is shared.
    #[default]
    Adaptive,
    /// One key for all, until a bound is met.
    Bounded,
}

fn parse_mode(text: &str) -> Result<Mode, logflux_wire::UnsupportedMode> {
    text.parse()
}

impl SealingArgs {
    pub(crate) fn node(&self) -> Outcome<Node> {
        let node = match &self.node {
            Some(node) => Some(node.clone()),
            None => options::variable("node", |text| Node::new(text).ok())?,
        };
        node.map_or_else(host_name, Ok)
    }

    /// A message of these bytes at the time that was chosen, or now.
    pub(crate) fn message<'a>(&self, bytes: &'a [u8], node: &'a Node) -> Message<'a> {
        Message { bytes, node, level: self.level, timestamp: self.timestamp() }
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// The time that was chosen, or now.
    pub(crate) fn timestamp(&self) -> Timestamp {
        self.timestamp.unwrap_or_else(Timestamp::now)
    }

    /// How many bytes a message may have.
    pub(crate) fn message_max(&self) -> Outcome<usize> {
        Ok(self.mode_and_policy()?.0.message_max())
    }

    pub(crate) fn mode_and_policy(&self) -> Outcome<(Mode, KeyPolicy)> {
        let mode = match self.mode {
            Some(mode) => Some(mode),
            None => options::variable("mode", |text| text.parse().ok())?,
        };
        Ok((mode.unwrap_or(Mode::Pbkdf2), self.policy()?))
    }

    pub(crate) fn sealer(&self, secret: Secret) -> Outcome<Sealer> {
        let (mode, policy) = self.mode_and_policy()?;
        Ok(Sealer::builder(secret).mode(mode).key_policy(policy).build()?)
    }

    fn policy(&self) -> Outcome<KeyPolicy> {
        let chosen = match self.key_policy {
            Some(policy) => Some(policy),
            None => options::variable("key_policy", |text| Policy::from_str(text, false).ok())?,
        };
        let chosen = chosen.unwrap_or_default();
        let mut policy = match chosen {
            Policy::Unique => KeyPolicy::Unique,
            Policy::Adaptive => KeyPolicy::DEFAULT,
            Policy::Bounded => KeyPolicy::BOUNDED,
        };
        let refuse = |option: &str| {
            Err(Failure::new(format!("{option} does not go with --key-policy {}", policy.name())))
        };
        match (
            chosen,
            self.key_budget,
            self.key_max_entries.is_some() || self.key_max_age.is_some(),
        ) {
            (Policy::Unique | Policy::Bounded, Some(_), _) => return refuse("--key-budget"),
            (Policy::Unique, None, true) => return refuse("--key-max-entries or --key-max-age"),
            _ => {}
        }
        if let KeyPolicy::Adaptive { budget, .. } = &mut policy {
            *budget = self.key_budget.unwrap_or(*budget);
        }
        if let KeyPolicy::Adaptive { max_entries, max_age, .. }
        | KeyPolicy::Bounded { max_entries, max_age } = &mut policy
        {
            *max_entries = self.key_max_entries.unwrap_or(*max_entries);
            *max_age = self.key_max_age.unwrap_or(*max_age);
        }
        Ok(policy)
    }
}

/// The host's name as a node.
pub(crate) fn host_name() -> Outcome<Node> {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    Node::new(name).map_err(|error| {
        Failure::new(format!("the host name cannot be the node ({error}): give --node"))
    })
}
