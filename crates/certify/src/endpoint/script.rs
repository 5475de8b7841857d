//! How an endpoint meets connections and requests, and what a request is.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::certificates::Presented;

/// How a connection is met.
#[derive(Clone)]
pub enum Manner {
    /// With TLS, and this certificate.
    Tls(Presented),
    /// With TLS, and not a byte read after the handshake.
    Deaf(Presented),
    /// With HTTP in plain text.
    Plain,
    /// With nothing: it is accepted, and nobody reads or writes.
    Silent,
    /// With its end, when the first bytes have come.
    Closed,
    /// With these bytes for the first that come.
    Bytes(Vec<u8>),
}

/// What a request gets.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers besides `Content-Length`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// These bytes as they are, and the end of the connection.
    Raw(Vec<u8>),
    /// The end of the connection.
    Lost,
    /// Nothing, as long as the client waits.
    Hang,
    /// A good answer's head, and then spaces without an end.
    Endless,
    /// A good answer, a byte each time.
    Trickle(Duration),
}

impl Reply {
    /// An answer with a status and one header.
    #[must_use]
    pub fn status(status: u16, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::Answer { status, headers, body: String::new() }
    }

    /// A refusal in the API's form.
    #[must_use]
    pub fn refusal(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            r#"{{"status":"error","error":{{"code":"{code}","message":"{message}"}},"request_id":"req_1"}}"#
        );
        Self::Answer { status, headers: Vec::new(), body }
    }

    /// What is no answer of an ingest API, such as a proxy's.
    #[must_use]
    pub fn foreign(status: u16) -> Self {
        let headers = vec![("Content-Type", "text/html".to_owned())];
        Self::Answer { status, headers, body: "<html>please log in</html>".to_owned() }
    }

    /// An answer with this JSON.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.to_owned() }
    }

    /// The same answer with another status.
    #[must_use]
    pub fn but(mut self, other: u16) -> Self {
        if let Self::Answer { status, .. } = &mut self {
            *status = other;
        }
        self
    }

    /// All entries of a request are taken.
    #[must_use]
    pub fn taken(request: &Request) -> Self {
        Self::partly(request, &[])
    }

    /// The entries of a request are taken, but for those at these places, with their codes.
    #[must_use]
    pub fn partly(request: &Request, failures: &[(usize, &str)]) -> Self {
        let total = request.entries().len();
        let failed = failures.len();
        let succeeded = total.saturating_sub(failed);
        let status = if failed == 0 { "success" } else { "partial" };
        let failures: Vec<String> = failures
            .iter()
            .map(|(i, code)| format!(r#"{{"index":{i},"code":"{code}","message":"bad {i}"}}"#))
            .collect();
        let body = format!(
            r#"{{"status":"{status}","message":"m","request_id":"req_1","data":{{"total":{total},"succeeded":{succeeded},"failed":{failed},"duplicates":0}},"failures":[{}]}}"#,
            failures.join(",")
        );
        Self::Answer { status: 200, headers: Vec::new(), body }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_string()));
        }
        self
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// How many came before.
    pub number: usize,
    /// When it was complete.
    pub at: Instant,
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The entries in it, as they are written: of an array, of `{"entries":[…]}`, or the one that
    /// the body is. None where it is no JSON.
    #[must_use]
    pub fn entries(&self) -> Vec<Box<RawValue>> {
        #[derive(Deserialize)]
        struct Batch {
            entries: Vec<Box<RawValue>>,
        }
        if let Ok(entries) = serde_json::from_slice(&self.body) {
            return entries;
        }
        if let Ok(Batch { entries }) = serde_json::from_slice(&self.body) {
            return entries;
        }
        serde_json::from_slice(&self.body).map(|one| vec![one]).unwrap_or_default()
    }

    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }
}
