//! What a case of this part has to work with.

use std::time::Duration;

use logflux_envelope::{Opener, Secret};
use logflux_wire::Entry;
use serde_json::{Value, json};

use super::leaks::{self, Leaks};
use super::{Judged, Wrong};
use crate::encoding::Hex;
use crate::endpoint::{Authority, Endpoint, Manner, Reply as Answer, Request as Arrived};
use crate::own_sealing;
use crate::subject::{Identity, Reply, Request, Subject};

/// The bearer key that subjects are given.
pub(super) const KEY: &str = "lf_Certify0Certify1Certify2Certify3";
/// The sender's name that subjects are given.
pub(super) const NODE: &str = "certified-node";
/// How long a subject may take to deliver; a good deal more than it needs.
const TO_DELIVER: Duration = Duration::from_secs(20);
/// How long a subject tries where nothing may be delivered.
const TO_TRY: Duration = Duration::from_millis(1_200);

pub(super) struct Stage<'a> {
    subject: &'a mut Subject,
    identity: &'a Identity,
    leaks: &'a Leaks,
}

/// What a subject said when it had been asked to ship and to flush.
pub(super) struct Said {
    pub(super) delivered: bool,
}

impl<'a> Stage<'a> {
    pub(super) fn new(subject: &'a mut Subject, identity: &'a Identity, leaks: &'a Leaks) -> Self {
        Self { subject, identity, leaks }
    }

    /// Ships so many messages to a server that is met with `script`; gives what arrived.
    pub(super) fn ship(
        &mut self,
        count: usize,
        script: impl Fn(&Arrived) -> Answer + Send + Sync + 'static,
    ) -> Result<Vec<Arrived>, Wrong> {
        let authority = Authority::new()?;
        let endpoint = Endpoint::start(Manner::Tls(authority.good()?), script)?;
        self.deliver(&endpoint, &authority, count)?;
        Ok(self.arrived(&endpoint))
    }

    /// Ships so many messages to this endpoint; gives how the subject ended that.
    pub(super) fn deliver(
        &mut self,
        endpoint: &Endpoint,
        authority: &Authority,
        count: usize,
    ) -> Result<Said, Wrong> {
        let url = format!("https://{}", endpoint.address());
        self.ship_to(&url, authority, count, TO_DELIVER)
    }

    /// Ships to a server that must not be given anything; gives how the subject ended that.
    pub(super) fn try_to_ship(&mut self, url: &str, authority: &Authority) -> Result<Said, Wrong> {
        self.ship_to(url, authority, 3, TO_TRY)
    }

    /// What arrived at an endpoint; it is looked through for leaks.
    pub(super) fn arrived(&mut self, endpoint: &Endpoint) -> Vec<Arrived> {
        let requests = endpoint.requests();
        self.leaks.look(&requests, &endpoint.everything());
        requests
    }

    fn ship_to(
        &mut self,
        url: &str,
        authority: &Authority,
        count: usize,
        timeout: Duration,
    ) -> Result<Said, Wrong> {
        let messages: Vec<Value> = messages(count)
            .into_iter()
            .enumerate()
            .map(|(n, message)| {
                json!({"message_hex": Hex(message.into_bytes()).to_string(), "loglevel": level(n)})
            })
            .collect();
        let mode = if self.identity.modes.contains(&128) { 128 } else { 1 };
        let hints = json!({"flush_interval_ms": 20, "initial_delay_ms": 100, "max_delay_ms": 400});
        let request = Request::new("ship")
            .with("endpoint", url)
            .with("ca_file", authority.file().to_string_lossy().into_owned())
            .with("api_key", KEY)
            .with("secret_hex", Hex(leaks::SECRET.as_bytes().to_vec()).to_string())
            .with("mode", mode)
            .with("node", NODE)
            .with("messages", messages)
            .with("hints", hints);
        let accepted = match self.subject.ask(&request, Duration::ZERO)? {
            Reply::Ok(_) => true,
            Reply::Refused(_) => false,
            Reply::Unsupported(what) => return Err(Wrong::Unsupported(what)),
        };
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let request = Request::new("flush").with("timeout_ms", millis);
        let flushed = match self.subject.ask(&request, timeout)? {
            Reply::Ok(_) => true,
            Reply::Refused(_) => false,
            Reply::Unsupported(what) => return Err(Wrong::Unsupported(what)),
        };
        Ok(Said { delivered: accepted && flushed })
    }
}

/// The messages of a shipment, in their order.
pub(super) fn messages(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{} message {n}", leaks::CANARY)).collect()
}

/// The level of a message.
pub(super) fn level(n: usize) -> u64 {
    u64::try_from(n % 8 + 1).unwrap_or(1)
}

/// The case fails, unless that is so.
pub(super) fn must(so: bool, expected: impl Into<String>, got: impl Into<String>) -> Judged {
    if so { Ok(()) } else { Err(Wrong::Failed { expected: expected.into(), got: got.into() }) }
}

/// The entries of requests, each as it is written, in their order.
pub(super) fn written(requests: &[Arrived]) -> Vec<String> {
    requests.iter().flat_map(Arrived::entries).map(|entry| entry.get().to_owned()).collect()
}

/// The entries of requests, which must be canonical.
pub(super) fn canonical(requests: &[Arrived]) -> Result<Vec<Entry>, Wrong> {
    let entries = written(requests);
    let entries = entries.iter().map(|text| own_sealing::canonical(text.as_bytes()));
    entries.collect::<Result<_, _>>().map_err(|got| Wrong::Failed {
        expected: "nothing but canonical entries of seven fields".to_owned(),
        got,
    })
}

/// The distinct entries of requests.
pub(super) fn distinct(requests: &[Arrived]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for entry in written(requests) {
        if !distinct.contains(&entry) {
            distinct.push(entry);
        }
    }
    distinct
}

/// The messages in entries.
pub(super) fn opened(entries: &[Entry]) -> Result<Vec<String>, Wrong> {
    let wrong = |got: String| Wrong::Failed { expected: "entries that open".to_owned(), got };
    let secret = Secret::new(leaks::SECRET).map_err(|error| wrong(error.to_string()))?;
    let opened = Opener::new(secret).open_many(entries).into_iter();
    opened
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("an entry that does not: {error}")))
}
