//! Many at once, and those who never finish. The server is a process of its own, whose memory is
//! looked at (on Linux).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use logflux_server::{Keys, Scope, Scopes, Server, dev_tls};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::common::{agent, array, config, entries, entry, new_key};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Not a test by itself: the server that others flood.
#[test]
fn a_server_to_be_flooded() {
    let Ok(data) = std::env::var("LOGFLUX_TEST_FLOODED") else { return };
    let data = std::path::PathBuf::from(data);
    let dev = dev_tls(&data).unwrap();
    let mut config = config(&data, dev.files);
    config.limits.connections_per_address = 2_000;
    config.limits.connections = 1_100;
    config.timeouts.header = Duration::from_secs(20);
    config.timeouts.body = Duration::from_secs(5);
    config.timeouts.write = Duration::from_secs(2);
    let running = Server::bind(config).unwrap().spawn().unwrap();
    std::fs::write(data.join("port.tmp"), running.addr().port().to_string()).unwrap();
    std::fs::rename(data.join("port.tmp"), data.join("port")).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

struct Flooded {
    child: Child,
    port: u16,
    key: String,
    client: Arc<ClientConfig>,
    agent: ureq::Agent,
    _data: tempfile::TempDir,
}

impl Flooded {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let dev = dev_tls(data.path()).unwrap();
        let keys = Keys::open(data.path()).unwrap();
        let key = new_key(&keys, "acme", Scopes::from(Scope::Ingest).and(Scope::Read));
        // As many open files as may be, for this process and its child: the soft bound is often 1,024.
        let most = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "floods::a_server_to_be_flooded", "--nocapture"])
            .env("LOGFLUX_TEST_FLOODED", data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let port = loop {
            if let Ok(port) = std::fs::read_to_string(data.path().join("port")) {
                break port.parse().unwrap();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(10));
        };
        let ca = std::fs::read(dev.ca).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { child, port, key, client: Arc::new(client), agent: agent(&ca), _data: data }
    }

    fn connect(&self) -> Stream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let client =
            ClientConnection::new(Arc::clone(&self.client), "localhost".try_into().unwrap());
        StreamOwned::new(client.unwrap(), socket)
    }

    /// Sends entries as any client would, and asserts that they are stored.
    fn ingest(&self, count: usize) {
        let answer = self
            .agent
            .post(format!("https://localhost:{}/v1/ingest", self.port))
            .header("authorization", format!("Bearer {}", self.key))
            .content_type("application/json")
            .send(array(&entries(count)))
            .unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// How many sockets the server has open.
    fn sockets(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    }

    /// Waits until the server has no more sockets open than these, by itself.
    fn lets_go(&self, before: usize) {
        let began = Instant::now();
        while self.sockets() > before {
            assert!(began.elapsed() < Duration::from_secs(90), "{} are open", self.sockets());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// How much memory the server has in use, in MiB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Flooded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(server: &Flooded, body: &str) -> String {
    format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.key,
        body.len()
    )
}

/// The head of an answer, and the first bytes after it.
fn head(stream: &mut Stream) -> String {
    let mut answer = [0; 2_048];
    let len = stream.read(&mut answer).unwrap_or_default();
    String::from_utf8_lossy(&answer[..len]).into_owned()
}

#[test]
fn a_thousand_connections_are_all_answered_and_one_too_many_is_closed() {
    let server = Flooded::start();
    server.ingest(1);
    let mut open: Vec<Stream> = Vec::new();
    for _ in 0..1_000 {
        let mut stream = server.connect();
        stream.write_all(request(&server, &entry()).as_bytes()).unwrap();
        stream.flush().unwrap();
        open.push(stream);
    }
    for stream in &mut open {
        let answer = head(stream);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    // They are kept, and serve again.
    server.ingest(10);
    for stream in open.iter_mut().step_by(50) {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert!(head(stream).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    // Above the bound nobody is served, and below it everybody again.
    let more: Vec<_> = (0..150)
        .filter_map(|_| {
            let mut stream = server.connect();
            let sent = stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
            (sent.and_then(|()| stream.flush()).is_ok() && head(&mut stream).contains("200 OK"))
                .then_some(stream)
        })
        .collect();
    assert!((80..=100).contains(&more.len()), "{} more were served", more.len());
    let resident = server.resident();
    println!("resident with 1,100 connections: {resident} MiB");
    assert!(resident < 300, "{resident} MiB");
    drop((open, more));
    let began = Instant::now();
    while !head_of_new(&server).contains("200 OK") {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn head_of_new(server: &Flooded) -> String {
    let mut stream = server.connect();
    let sent = stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    sent.and_then(|()| stream.flush()).map(|()| head(&mut stream)).unwrap_or_default()
}

#[test]
fn those_who_never_finish_are_let_go_and_hold_up_nobody() {
    let server = Flooded::start();
    server.ingest(1);
    let before = server.sockets();
    let whole = request(&server, &entry());
    let half = whole.find("\r\n\r\n").unwrap();
    // Half of them never end their head, the others never their body.
    let mut slow: Vec<(Stream, usize)> = (0..200)
        .map(|number| {
            let mut stream = server.connect();
            let begun = if number % 2 == 0 { half - 20 } else { half + 8 };
            stream.write_all(&whole.as_bytes()[..begun]).unwrap();
            stream.flush().unwrap();
            (stream, begun)
        })
        .collect();
    let began = Instant::now();
    // A byte a second each, and meanwhile others are served.
    for _ in 0..8 {
        for (stream, sent) in &mut slow {
            let next = &whole.as_bytes()[*sent..=*sent];
            if stream.write_all(next).and_then(|()| stream.flush()).is_ok() {
                *sent += 1;
            }
        }
        server.ingest(20);
        std::thread::sleep(Duration::from_secs(1));
    }
    server.lets_go(before);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    server.ingest(1);
}

#[test]
fn those_who_never_read_are_let_go() {
    let server = Flooded::start();
    for _ in 0..30 {
        server.ingest(100);
    }
    let before = server.sockets();
    // They ask for pages and pages, and read nothing.
    let ask = format!(
        "GET /v1/entries?limit=1000 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        server.key
    );
    let deaf: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = server.connect();
            for _ in 0..200 {
                if stream.write_all(ask.as_bytes()).and_then(|()| stream.flush()).is_err() {
                    break;
                }
            }
            stream
        })
        .collect();
    assert!(server.sockets() > before);
    server.lets_go(before);
    drop(deaf);
    server.ingest(1);
    let resident = server.resident();
    println!("resident after those who do not read: {resident} MiB");
    assert!(resident < 300, "{resident} MiB");
}

#[test]
fn large_heads_take_no_memory() {
    let server = Flooded::start();
    let long = format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}", "y".repeat(1 << 20));
    let many = format!("GET /health HTTP/1.1\r\n{}", "x: y\r\n".repeat(100_000));
    for _ in 0..50 {
        for head_bomb in [&long, &many] {
            let mut stream = server.connect();
            // It is closed somewhere in between.
            stream.write_all(head_bomb.as_bytes()).and_then(|()| stream.flush()).ok();
            let answer = head(&mut stream);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    }
    server.ingest(1);
    let resident = server.resident();
    println!("resident after large heads: {resident} MiB");
    assert!(resident < 200, "{resident} MiB");
}
