//! A server of one's own, a client that knows it, and entries for it.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use logflux_server::store::Store;
use logflux_server::{
    Keys, NewKey, Rates, Running, Scope, Scopes, Server, ServerConfig, TlsFiles, dev_tls,
};
use logflux_wire::{Entry, Iv, Level, Mode, Node, Payload, Salt, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The five security headers of every answer.
pub(crate) const SECURITY_HEADERS: [(&str, &str); 5] = [
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-XSS-Protection", "1; mode=block"),
    ("Content-Security-Policy", "default-src 'none'"),
];

pub(crate) struct TestServer {
    pub(crate) running: Option<Running>,
    pub(crate) keys: Keys,
    /// A key of tenant `acme` that may ingest and read.
    pub(crate) key: String,
    pub(crate) ca_pem: Vec<u8>,
    agent: Agent,
    data: TempDir,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::with_store(None, change)
    }

    pub(crate) fn with_store(
        store: Option<Arc<dyn Store>>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let dev = dev_tls(data.path()).unwrap();
        let mut config = config(data.path(), dev.files);
        change(&mut config);
        let server = match store {
            Some(store) => Server::bind_with_store(config, store),
            None => Server::bind(config),
        };
        let running = server.unwrap().spawn().unwrap();
        let ca_pem = std::fs::read(dev.ca).unwrap();
        let keys = Keys::open(data.path()).unwrap();
        let key = new_key(&keys, "acme", Scopes::from(Scope::Ingest).and(Scope::Read));
        let agent = agent(&ca_pem);
        Self { running: Some(running), keys, key, ca_pem, agent, data }
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn port(&self) -> u16 {
        self.running.as_ref().unwrap().addr().port()
    }

    pub(crate) fn new_key(&self, tenant: &str, scopes: impl Into<Scopes>) -> String {
        new_key(&self.keys, tenant, scopes.into())
    }

    /// Sends a body as it must be sent.
    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.post_with(&self.key, path, body)
    }

    pub(crate) fn post_with(&self, key: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        let authorization = format!("Bearer {key}");
        let headers =
            [("authorization", authorization.as_str()), ("content-type", "application/json")];
        self.send("POST", path, &headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(&self.key, path)
    }

    pub(crate) fn get_with(&self, key: &str, path: &str) -> Answer {
        let authorization = format!("Bearer {key}");
        self.send("GET", path, &[("authorization", &authorization)], b"")
    }

    /// Sends anything, and checks what every answer must have.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let uri = format!("https://localhost:{}{path}", self.port());
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = if body.as_ref().is_empty() {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body.as_ref()).unwrap())
        };
        let mut response = response.unwrap();
        let headers = response.headers().clone();
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(header(name).as_deref(), Some(value), "{method} {path}: {name}");
        }
        let id = header("x-request-id").unwrap();
        assert!(id.starts_with("req_") && id.len() > 20, "{id}");
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        if status >= 400 && method != "HEAD" {
            let json: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["status"], "error", "{text}");
            assert_eq!(json["request_id"], id.as_str(), "{text}");
            assert!(!json["error"]["message"].as_str().unwrap().is_empty());
            assert_eq!(header("content-type").as_deref(), Some("application/json"));
        }
        Answer { status, headers, text }
    }

    /// Begins a call whose answer goes on.
    pub(crate) fn begin(
        &self,
        key: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, impl BufRead + Send + use<>) {
        let uri = format!("https://localhost:{}{path}", self.port());
        let mut request = self.agent.get(uri).header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().unwrap();
        (response.status().as_u16(), BufReader::new(response.into_body().into_reader()))
    }

    /// Every entry that is stored for the key's tenant, oldest first, as it comes back.
    pub(crate) fn stored(&self) -> Vec<String> {
        let answer = self.get("/v1/entries?order=asc&limit=1000");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.entries()
    }

    /// A TLS stream to write anything to.
    pub(crate) fn raw(&self) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
        self.raw_with(rustls::ALL_VERSIONS).unwrap()
    }

    pub(crate) fn raw_with(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.ca_pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(("127.0.0.1", self.port()))?;
        socket.set_read_timeout(Some(std::time::Duration::from_secs(30)))?;
        let mut stream = rustls::StreamOwned::new(client, socket);
        stream.flush()?;
        Ok(stream)
    }

    /// What comes back for these bytes, until the server closes the connection.
    pub(crate) fn raw_answer(&self, request: &[u8]) -> String {
        let mut stream = self.raw();
        // The server may answer and close the connection before it has read everything.
        stream.write_all(request).and_then(|()| stream.flush()).ok();
        let mut answer = Vec::new();
        // How the server closes the connection is not the question.
        stream.read_to_end(&mut answer).ok();
        String::from_utf8(answer).unwrap()
    }
}

pub(crate) fn config(data: &Path, tls: TlsFiles) -> ServerConfig {
    let mut config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), data, tls);
    // A test sends as much as it likes; those of the limits set them.
    config.rates = Rates::NONE;
    config
}

pub(crate) fn new_key(keys: &Keys, tenant: &str, scopes: Scopes) -> String {
    let (key, _) = keys.create(&NewKey::new(tenant.parse().unwrap(), scopes)).unwrap();
    key.expose().to_owned()
}

pub(crate) fn agent(ca_pem: &[u8]) -> Agent {
    let ca = Certificate::from_pem(ca_pem).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[ca])).build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(std::time::Duration::from_secs(60)))
        .build()
        .new_agent()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that this is an error with this code, and gives its `error` object.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: &str) -> Value {
        let json = self.json();
        assert_eq!((self.status, json["error"]["code"].as_str()), (status, Some(code)), "{json}");
        json["error"].clone()
    }

    /// Asserts that everything was stored, `duplicates` of it before.
    #[track_caller]
    pub(crate) fn stored(&self, total: usize, duplicates: usize) {
        let json = self.json();
        assert_eq!((self.status, &json["status"]), (200, &"success".into()), "{json}");
        let expected = serde_json::json!({
            "total": total, "succeeded": total, "failed": 0, "duplicates": duplicates,
        });
        assert_eq!(json["data"], expected, "{json}");
        assert_eq!(json["request_id"].as_str(), self.header("x-request-id"));
    }

    /// The entries of a JSON page, each exactly as it stands there.
    pub(crate) fn entries(&self) -> Vec<String> {
        let page: logflux_wire::query::QueryResponse<'_> =
            serde_json::from_str(&self.text).unwrap();
        page.data.entries.iter().map(|raw| raw.get().to_owned()).collect()
    }

    pub(crate) fn cursor(&self) -> Option<String> {
        self.json()["data"]["cursor"].as_str().map(str::to_owned)
    }
}

/// The parts of an entry, random where nothing else is said. The server cannot tell.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) node: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) level: Level,
    pub(crate) timestamp: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) iv: [u8; 12],
    pub(crate) salt: [u8; 32],
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            node: "app-server-01".to_owned(),
            payload: random::<64>().to_vec(),
            level: Level::Info,
            timestamp: "2024-01-17T10:30:45Z".parse().unwrap(),
            mode: Mode::Pbkdf2,
            iv: random(),
            salt: random(),
        }
    }
}

impl Parts {
    pub(crate) fn entry(self) -> Entry {
        Entry::new(
            Node::new(self.node).unwrap(),
            Payload::new(self.payload).unwrap(),
            self.level,
            self.timestamp,
            self.mode,
            Iv::new(self.iv),
            Salt::new(self.salt),
        )
        .unwrap()
    }

    pub(crate) fn json(self) -> String {
        self.entry().to_json()
    }
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// An entry with random payload, salt and iv.
pub(crate) fn entry() -> String {
    Parts::default().json()
}

pub(crate) fn entries(count: usize) -> Vec<String> {
    (0..count).map(|_| entry()).collect()
}

pub(crate) fn array(entries: &[String]) -> String {
    format!("[{}]", entries.join(","))
}
