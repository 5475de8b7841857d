//! The reference endpoint of the certification suite, for tests of our own client: what fails here
//! fails the test.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::ops::Deref;
use std::path::PathBuf;

use logflux_certify::endpoint;
use logflux_envelope::Entry;
use logflux_transport::ClientConfig;
use logflux_wire::ApiKey;

pub use logflux_certify::endpoint::{Manner, Presented, Reply, Request};

use crate::client::{ENOUGH, open_all, settings};

/// An endpoint that runs. It ends when it is dropped.
#[derive(Debug)]
pub struct Endpoint(endpoint::Endpoint);

impl Endpoint {
    /// Starts an endpoint at a free port of the local machine.
    #[must_use]
    pub fn start(
        manner: Manner,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self(endpoint::Endpoint::start(manner, script).unwrap())
    }

    /// Settings for a client of this endpoint that trusts an authority.
    #[must_use]
    pub fn settings(&self, authority: &Authority) -> ClientConfig {
        settings(self.address(), &key(), &authority.file())
    }

    /// Waits until so many requests have come.
    pub fn wait_for_requests(&self, count: usize) {
        let came = self.0.wait_for_requests(count, ENOUGH);
        assert!(came, "only {} requests", self.requests().len());
    }

    /// Waits until so many bytes have come, whatever they are.
    pub fn wait_for_bytes(&self, count: usize) {
        assert!(self.0.wait_for_bytes(count, ENOUGH), "only {} bytes", self.bytes().0);
    }
}

impl Deref for Endpoint {
    type Target = endpoint::Endpoint;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The key that clients of an endpoint have.
#[must_use]
pub fn key() -> ApiKey {
    "lf_0123456789abcdefABCDEF0123456789".parse().unwrap()
}

/// The messages of requests.
pub trait Messages {
    /// The messages in it.
    fn messages(&self) -> Vec<String>;
}

impl Messages for Request {
    fn messages(&self) -> Vec<String> {
        let entries = self.entries();
        let parsed = entries.iter().map(|raw| Entry::parse_strict(raw.get().as_bytes()).unwrap());
        open_all(&parsed.collect::<Vec<_>>())
    }
}

/// An authority, with its certificate in a file.
#[derive(Debug)]
pub struct Authority(endpoint::Authority);

impl Authority {
    /// A new one, which nobody knows.
    #[must_use]
    pub fn new() -> Self {
        Self(endpoint::Authority::new().unwrap())
    }

    /// The file of its certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.0.file()
    }

    /// A certificate that a client which trusts this authority takes.
    #[must_use]
    pub fn good(&self) -> Presented {
        self.0.good().unwrap()
    }

    /// One that ran out.
    #[must_use]
    pub fn expired(&self) -> Presented {
        self.0.expired().unwrap()
    }

    /// One whose time has not come.
    #[must_use]
    pub fn not_yet_valid(&self) -> Presented {
        self.0.not_yet_valid().unwrap()
    }

    /// One for another host.
    #[must_use]
    pub fn wrong_host(&self) -> Presented {
        self.0.wrong_host().unwrap()
    }

    /// One that is for clients only.
    #[must_use]
    pub fn for_clients(&self) -> Presented {
        self.0.for_clients().unwrap()
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate that vouches for itself.
#[must_use]
pub fn self_signed() -> Presented {
    endpoint::self_signed().unwrap()
}
