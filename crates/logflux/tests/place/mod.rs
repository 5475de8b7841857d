//! A real server over TLS that the tests log to, and what it holds in the end.

#![allow(dead_code)] // Not every test uses all of it.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logflux::{Client, ClientConfig, Config, Level, Mode, Opener, Secret};
use logflux_server::{Keys, NewKey, Rates, Running, Scope, Scopes, Server, ServerConfig, dev_tls};
use logflux_wire::ApiKey;
use logflux_wire::query::{Order, Query};
use tempfile::TempDir;

pub(crate) const ENOUGH: Duration = Duration::from_secs(60);

/// One process has one client, so tests that set it up go one after the other.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) struct Place {
    folder: TempDir,
    key: ApiKey,
    server: Running,
    _turn: MutexGuard<'static, ()>,
}

pub(crate) fn secret() -> Secret {
    Secret::new("correct horse battery staple").unwrap()
}

impl Place {
    pub(crate) fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let scopes = Scopes::from(Scope::Ingest).and(Scope::Read);
        let keys = Keys::open(folder.path()).unwrap();
        let (key, _) = keys.create(&NewKey::new("t".parse().unwrap(), scopes)).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let tls = dev_tls(folder.path()).unwrap().files;
        let mut config = ServerConfig::new(any, folder.path(), tls);
        // A test sends as much as it likes.
        config.rates = Rates::NONE;
        let server = Server::bind(config).unwrap();
        let server = server.spawn().unwrap();
        Self { folder, key, server, _turn: turn }
    }

    pub(crate) fn settings(&self) -> ClientConfig {
        let endpoint = format!("https://{}", self.server.addr()).parse().unwrap();
        let mut settings = ClientConfig::new(endpoint, self.key.clone());
        settings.ca_file = Some(self.folder.path().join("ca.pem"));
        settings.node = Some("n".parse().unwrap());
        settings
    }

    /// Mode 128 derives nothing, so that a test does not wait for it.
    pub(crate) fn config(&self) -> Config {
        Config::new(self.settings(), secret()).mode(Mode::Hkdf).close_within(ENOUGH)
    }

    pub(crate) fn client(&self) -> Client {
        self.config().build().unwrap()
    }

    /// The environment of a process that logs to here.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LOGFLUX_SERVER_URL", format!("https://{}", self.server.addr())),
            ("LOGFLUX_API_KEY", self.key.expose().to_owned()),
            ("LOGFLUX_CA_FILE", self.folder.path().join("ca.pem").display().to_string()),
            ("LOGFLUX_NODE", "n".to_owned()),
            ("LOGFLUX_SECRET", secret().expose().to_owned()),
        ]
    }

    /// All messages that the server holds, opened, in their order.
    pub(crate) fn stored(&self) -> Vec<(Level, String)> {
        self.query(None)
    }

    /// Those of this level or a more severe one.
    pub(crate) fn stored_from(&self, level: Level) -> Vec<String> {
        self.query(Some(level)).into_iter().map(|(_, text)| text).collect()
    }

    fn query(&self, level: Option<Level>) -> Vec<(Level, String)> {
        let api = self.settings().api().unwrap();
        let query = Query { order: Order::Ascending, limit: 1_000, level, ..Query::default() };
        let page = api.query(&query).unwrap();
        let entries: Vec<_> = page.entries.into_iter().map(Result::unwrap).collect();
        let texts = Opener::new(secret()).open_many(&entries);
        let levels = entries.iter().map(logflux::Entry::level);
        levels.zip(texts.into_iter().map(Result::unwrap)).collect()
    }

    /// Those messages without their levels.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.stored().into_iter().map(|(_, text)| text).collect()
    }
}
