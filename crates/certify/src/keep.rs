//! One transport case alone, whose endpoints stay open, so that its author can look at what arrives
//! and try again by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::catalogue::Catalogue;
use crate::certificate::{CaseResult, Outcome};
use crate::certify::measure;
use crate::endpoint::{Authority, Endpoint, Request};
use crate::options::{CertifyError, Options};
use crate::transport;

/// What came of a case, and its endpoints, which run until this is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The case and its outcome.
    pub result: CaseResult,
    /// Its endpoints, in the order in which it opened them.
    pub endpoints: Vec<KeptEndpoint>,
}

/// An endpoint that stays open.
#[derive(Debug)]
pub struct KeptEndpoint {
    endpoint: Arc<Endpoint>,
    authority: Arc<Authority>,
    begun: Instant,
    traced: usize,
    connections: usize,
}

/// Runs one transport case against a subject, and keeps its endpoints.
///
/// # Errors
/// [`CertifyError`] where nothing could be run, such as for a case without an endpoint.
pub fn keep_endpoint(options: &Options, id: &str) -> Result<Kept, CertifyError> {
    let suite = Catalogue::built_in()?;
    let case = suite.cases().find(|case| case.id == id);
    let case = case.ok_or_else(|| CertifyError::NoSuchCase(id.to_owned()))?.clone();
    if !transport::has_endpoint(id) {
        return Err(CertifyError::NoEndpoint(id.to_owned()));
    }
    let mut slot = Some(options.start()?);
    let begun = Instant::now();
    let mut opened = Vec::new();
    let mut played = |slot: &mut Option<_>| -> Result<Outcome, CertifyError> {
        let Some(subject) = slot.as_mut() else { return Ok(Outcome::NotRun) };
        let identity = match crate::subject::Subject::hello(subject) {
            Ok(identity) if !identity.can("ship") => {
                return Ok(Outcome::Unsupported { what: "operation ship".to_owned() });
            }
            Ok(identity) => identity,
            Err(misbehaviour) => return Ok(Outcome::Misbehaved(misbehaviour)),
        };
        let pace = measure(slot, &suite.statics, &identity);
        if slot.is_none() {
            let mut again = options.start()?;
            if let Err(misbehaviour) = again.hello() {
                return Ok(Outcome::Misbehaved(misbehaviour));
            }
            *slot = Some(again);
        }
        let Some(subject) = slot.as_mut() else { return Ok(Outcome::NotRun) };
        let (outcome, endpoints) = transport::run_and_keep(subject, &identity, id, pace)?
            .ok_or_else(|| CertifyError::NoEndpoint(id.to_owned()))?;
        opened = endpoints;
        Ok(outcome)
    };
    let outcome = played(&mut slot)?;
    if let Some(mut subject) = slot {
        // Whether it stops is for a whole run to judge.
        let _ = subject.stop();
    }
    let kept = |(endpoint, authority)| KeptEndpoint {
        endpoint,
        authority,
        begun,
        traced: 0,
        connections: 0,
    };
    Ok(Kept {
        result: CaseResult { case, outcome, failure_expected: false },
        endpoints: opened.into_iter().map(kept).collect(),
    })
}

impl KeptEndpoint {
    /// Its address, such as `127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.endpoint.address()
    }

    /// The file of the authority that a client of the case trusts.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.authority.file()
    }

    /// Forgets what came, so that the next request is met as the first one was.
    pub fn begin_anew(&mut self) {
        self.endpoint.forget();
        self.traced = 0;
    }

    /// What came since the last call: a few lines for each request, and one for connections that
    /// brought none.
    #[must_use]
    pub fn trace(&mut self) -> Vec<String> {
        let (requests, replies) = (self.endpoint.requests(), self.endpoint.replies());
        let connections = self.endpoint.connections();
        let mut lines = Vec::new();
        if connections != self.connections {
            self.connections = connections;
            let (below, above) = self.endpoint.bytes();
            lines.push(format!(
                "{connections} connections so far: {below} bytes came, {above} of them after decryption"
            ));
        }
        for request in requests.get(self.traced..).unwrap_or_default() {
            // What is being answered is traced when it is.
            let Some(reply) = replies.get(request.number).filter(|reply| !reply.is_empty()) else {
                break;
            };
            self.traced += 1;
            describe(request, reply, self.begun, &mut lines);
        }
        lines
    }
}

/// A request in words.
fn describe(request: &Request, reply: &str, begun: Instant, lines: &mut Vec<String>) {
    const SHOWN: usize = 400;
    let after: Duration = request.at.saturating_duration_since(begun);
    let mut head = request.head.lines().filter(|line| !line.trim().is_empty()).map(plain);
    lines.push(format!("{:8.3} s  {}", after.as_secs_f64(), head.next().unwrap_or_default()));
    lines.extend(head.map(|line| format!("            {line}")));
    let body = String::from_utf8_lossy(&request.body);
    let start: String = body.chars().take(SHOWN).collect();
    let more = if start.len() < body.len() { "…" } else { "" };
    lines.push(format!("            {}{more}", plain(&start)));
    lines.push(format!(
        "            {} bytes, {} entries; answered with {reply}",
        request.body.len(),
        request.entries().len()
    ));
}

/// Without control characters: what came reaches a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
