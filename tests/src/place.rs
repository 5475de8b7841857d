//! A server in this process whose data outlive it, so that it can come back.

#![allow(clippy::unwrap_used, clippy::panic)] // A failed test may say so.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logflux_envelope::Entry;
use logflux_server::{Keys, NewKey, Rates, Running, Scope, Scopes, Server, ServerConfig, dev_tls};
use logflux_transport::{Api, ClientConfig};
use logflux_wire::ApiKey;
use logflux_wire::query::{Order, Query};
use tempfile::TempDir;

use crate::client::{ENOUGH, open_all, settings};

/// Where a server has its data and its address.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    key: ApiKey,
    addr: SocketAddr,
    rates: Rates,
}

impl Place {
    /// A place, and the server that runs there.
    #[must_use]
    pub fn new() -> (Self, Running) {
        // A test sends as much as it likes.
        Self::limited(Rates::NONE)
    }

    /// A place whose server takes so many requests.
    #[must_use]
    pub fn limited(rates: Rates) -> (Self, Running) {
        let folder = tempfile::tempdir().unwrap();
        let key = create_key(folder.path());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = serve(folder.path(), any, &rates);
        (Self { folder, key, addr: running.addr(), rates }, running)
    }

    /// The server comes back, at the same address and with the same data.
    #[must_use]
    pub fn serve(&self) -> Running {
        serve(self.folder.path(), self.addr, &self.rates)
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> String {
        self.addr.to_string()
    }

    /// A key that may send and read.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Another key that may send and read.
    #[must_use]
    pub fn another_key(&self) -> ApiKey {
        create_key(self.folder.path())
    }

    /// Revokes a key, also while the server runs, which takes it no more when this returns.
    pub fn revoke(&self, key: &ApiKey) {
        let keys = Keys::open(self.folder.path()).unwrap();
        let info = keys.find(key).unwrap().unwrap();
        keys.revoke(&info.id).unwrap();
        // A server may still take it for so long.
        std::thread::sleep(Duration::from_secs(1));
    }

    /// The server that [`serve`](Self::serve) starts next has a certificate of a new authority, whose
    /// own is in the same file as that of the old one.
    pub fn forget_authority(&self) {
        for file in ["ca.pem", "ca-key.pem", "server.pem", "server-key.pem"] {
            std::fs::remove_file(self.folder.path().join(file)).unwrap();
        }
    }

    /// The certificate of the server's authority.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Settings for a client of this server.
    #[must_use]
    pub fn settings(&self) -> ClientConfig {
        settings(&self.address(), &self.key, &self.ca_file())
    }

    /// Calls to this server.
    #[must_use]
    pub fn api(&self) -> Api {
        self.settings().api().unwrap()
    }

    /// All messages that the server holds, in their order.
    #[must_use]
    pub fn stored(&self) -> Vec<String> {
        stored(&self.api())
    }

    /// All entries that the server holds, sealed.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        entries(&self.api())
    }
}

fn create_key(data: &Path) -> ApiKey {
    let scopes = Scopes::from(Scope::Ingest).and(Scope::Read);
    let keys = Keys::open(data).unwrap();
    keys.create(&NewKey::new("t".parse().unwrap(), scopes)).unwrap().0
}

/// All messages that a server holds, in the order of their time.
#[must_use]
pub fn stored(api: &Api) -> Vec<String> {
    open_all(&entries(api))
}

fn entries(api: &Api) -> Vec<Entry> {
    let mut query = Query { order: Order::Ascending, limit: 1_000, ..Query::default() };
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let page = api.query(&query).unwrap();
        entries.extend(page.entries.into_iter().map(Result::unwrap));
        match page.cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return entries,
        }
    }
}

fn serve(data: &Path, addr: SocketAddr, rates: &Rates) -> Running {
    let tls = dev_tls(data).unwrap().files;
    let begun = Instant::now();
    loop {
        let mut config = ServerConfig::new(addr, data, tls.clone());
        config.rates = rates.clone();
        match Server::bind(config) {
            Ok(server) => return server.spawn().unwrap(),
            // Another process may have the port, or the store, for a moment still.
            Err(error) => assert!(begun.elapsed() < ENOUGH, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
