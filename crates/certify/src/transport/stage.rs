//! What a case of this part has to work with.

use std::sync::Arc;
use std::time::Duration;

use super::judged::{Judged, Wrong, must_for};
use super::leaks::Leaks;
use super::shipment;
use crate::case::Plan;
use crate::endpoint::{
    Authority, Endpoint, EndpointError, Manner, Reply as Answer, Request as Arrived,
};
use crate::finding::{Finding, Reason};
use crate::pace::Pace;
use crate::subject::{Identity, Reply, Request, Subject};

/// How long a subject may take to deliver; a good deal more than it needs.
const TO_DELIVER: Duration = Duration::from_secs(20);
/// How long a subject tries where nothing may be delivered.
const TO_TRY: Duration = Duration::from_millis(1_200);

/// A case of this part.
pub(super) struct TransportCase {
    pub(super) id: &'static str,
    pub(super) plan: Plan,
    pub(super) run: fn(&mut Stage<'_>) -> Judged,
}

pub(super) struct Stage<'a> {
    subject: &'a mut Subject,
    identity: &'a Identity,
    leaks: &'a Leaks,
    pace: Pace,
    /// What the case opened, in its order.
    opened: Vec<(Arc<Endpoint>, Arc<Authority>)>,
    /// The words of the first error.
    words: Option<String>,
}

/// What a subject said when it had been asked to ship and to flush.
pub(super) struct Said {
    /// The request that was refused.
    refused: Option<&'static str>,
}

impl Said {
    /// The case fails where the subject does not say that everything was delivered.
    pub(super) fn success(&self) -> Judged {
        let got = format!("an error from `{}`", self.refused.unwrap_or("flush"));
        let expected = "ok from `flush`, since everything was delivered";
        must_for(Reason::FlushFailed, self.refused.is_none(), expected, got)
    }

    /// The case fails where the subject says that everything was delivered.
    pub(super) fn failure(&self, since: &str) -> Judged {
        let expected = format!("an error from `flush`, since {since}");
        let got = "ok, which says that everything was delivered";
        must_for(Reason::FlushUntrue, self.refused.is_some(), expected, got)
    }
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        subject: &'a mut Subject,
        identity: &'a Identity,
        leaks: &'a Leaks,
        pace: Pace,
    ) -> Self {
        Self { subject, identity, leaks, pace, opened: Vec::new(), words: None }
    }

    /// An authority that nobody knows.
    pub(super) fn authority(&self) -> Result<Arc<Authority>, EndpointError> {
        Ok(Arc::new(Authority::new()?))
    }

    /// An endpoint for clients that trust `authority`.
    pub(super) fn open(
        &mut self,
        authority: &Arc<Authority>,
        manner: Manner,
        script: impl Fn(&Arrived) -> Answer + Send + Sync + 'static,
    ) -> Result<Arc<Endpoint>, EndpointError> {
        let endpoint = Arc::new(Endpoint::start(manner, script)?);
        self.opened.push((Arc::clone(&endpoint), Arc::clone(authority)));
        Ok(endpoint)
    }

    /// Everything that was opened.
    pub(super) fn into_opened(self) -> Vec<(Arc<Endpoint>, Arc<Authority>)> {
        self.opened
    }

    /// A finding with the words of the subject's error.
    pub(super) fn with_words(&self, finding: Finding) -> Finding {
        let said = finding.said.clone().or_else(|| self.words.clone());
        finding.said(said)
    }

    /// Ships so many messages to a server that is met with `script`; gives what arrived.
    pub(super) fn ship(
        &mut self,
        count: usize,
        script: impl Fn(&Arrived) -> Answer + Send + Sync + 'static,
    ) -> Result<(Vec<Arrived>, Said), Wrong> {
        let authority = self.authority()?;
        let endpoint = self.open(&authority, Manner::Tls(authority.good()?), script)?;
        let said = self.deliver(&endpoint, &authority, count)?;
        Ok((self.arrived(&endpoint), said))
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

    /// Ships to a server that must not be given anything, or takes nothing; gives how the subject
    /// ended that.
    pub(super) fn try_to_ship(&mut self, url: &str, authority: &Authority) -> Result<Said, Wrong> {
        self.ship_to(url, authority, 3, TO_TRY)
    }

    /// Ships to a server that is met with `script` and does not take everything.
    pub(super) fn ship_in_vain(
        &mut self,
        script: impl Fn(&Arrived) -> Answer + Send + Sync + 'static,
    ) -> Result<(Vec<Arrived>, Said), Wrong> {
        let authority = self.authority()?;
        let endpoint = self.open(&authority, Manner::Tls(authority.good()?), script)?;
        let said = self.try_to_ship(&format!("https://{}", endpoint.address()), &authority)?;
        Ok((self.arrived(&endpoint), said))
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
        let mode = shipment::mode(self.identity);
        let sealing = self.pace.of_seals(count, mode, self.identity);
        let ca_file = authority.file().to_string_lossy().into_owned();
        let request = shipment::request(url, &ca_file, mode, count);
        let shipped = self.ask(&request, sealing)?;
        // Whether it seals now or in `flush` is its own business.
        let timeout = timeout + sealing;
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let request = Request::new("flush").with("timeout_ms", millis);
        let flushed = self.ask(&request, timeout)?;
        let refused = if !shipped { Some("ship") } else { (!flushed).then_some("flush") };
        Ok(Said { refused })
    }

    /// Whether the subject answers ok.
    fn ask(&mut self, request: &Request, more: Duration) -> Result<bool, Wrong> {
        match self.subject.ask(request, more)? {
            Reply::Ok(_) => Ok(true),
            Reply::Refused(refusal) => {
                self.words = self.words.take().or(refusal.words);
                Ok(false)
            }
            Reply::Unsupported(what) => Err(Wrong::Unsupported(what)),
        }
    }
}
