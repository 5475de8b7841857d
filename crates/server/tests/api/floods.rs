//! Many at once, and those who never finish. The server is a process of its own, whose memory is
//! looked at (on Linux).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use logflux_server::{Keys, Scope, Scopes, Server, dev_tls};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::common::{agent, array, config, entries, entry, new_key};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What a server may have in memory beside `limits.bodies`, in MiB.
const BESIDE: u64 = 150;
/// The bodies that it may hold, in MiB: the default.
const BODIES: u64 = 402;

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

/// One flood at a time: each takes what the machine has.
static ALONE: Mutex<()> = Mutex::new(());

struct Flooded {
    child: Child,
    port: u16,
    key: String,
    client: Arc<ClientConfig>,
    agent: ureq::Agent,
    data: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Flooded {
    fn start() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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
        Self { child, port, key, client: Arc::new(client), agent: agent(&ca), data, _alone: alone }
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
        self.memory("VmRSS:")
    }

    /// How much it had in use at most.
    fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// The processor time that the server has used, in seconds.
    fn processor(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after = stat.rsplit_once(") ").unwrap().1;
        let ticks: f64 = after.split(' ').skip(11).take(2).map(|n| n.parse::<f64>().unwrap()).sum();
        ticks / 100.0
    }

    /// Sends a body packed with gzip, and gives the status of the answer.
    fn post_packed(&self, path: &str, packed: &[u8]) -> u16 {
        let answer = self
            .agent
            .post(format!("https://localhost:{}{path}", self.port))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-encoding", "gzip")
            .content_type("application/json")
            .send(packed)
            .unwrap();
        answer.status().as_u16()
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

fn gzip(parts: &[(&[u8], usize)]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (part, times) in parts {
        let piece = part.repeat(1_000);
        for _ in 0..times / 1_000 {
            encoder.write_all(&piece).unwrap();
        }
        encoder.write_all(&part.repeat(times % 1_000)).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn bodies_that_unpack_to_much_take_twice_their_bound_at_most() {
    let server = Flooded::start();
    server.ingest(1);
    let million = 500_000;
    let bodies = [
        gzip(&[(b"[", 1), (b"0,", 8 * million), (b"0]", 1)]),
        gzip(&[(b"{\"entries\":[", 1), (b"{},", 5 * million)]),
        gzip(&[(b"[", 16 * million)]),
        gzip(&[(b"{\"entries\":", million)]),
        gzip(&[(b"{\"node\":\"", 1), (b"\\u0041", 3 * million), (b"\"}", 1)]),
        gzip(&[(b"[{\"payload\":\"", 1), (b"\\n", 8 * million), (b"\"}]", 1)]),
        gzip(&[(b"{\"", 1), (b"\\t", 8 * million), (b"\":1}", 1)]),
        gzip(&[(b"{\"loglevel\":", 1), (b"9", 16 * million), (b"}", 1)]),
        gzip(&[(b"[1e", 1), (b"9", 16 * million), (b"]", 1)]),
        gzip(&[(b" ", 16 * million)]),
        gzip(&[(b"\"", 1), (b"a", 16 * million), (b"\"", 1)]),
        gzip(&[(b"{\"a\":[", 2 * million)]),
    ];
    for body in &bodies {
        for path in ["/v1/ingest", "/v1/batch"] {
            let status = server.post_packed(path, body);
            assert!((400..500).contains(&status), "{status}");
        }
    }
    // Twice 8 MB, and what a server has anyway.
    let one = server.peak();
    println!("peak with one such body at a time: {one} MiB");
    assert!(one < 16 + BESIDE, "{one} MiB");
    // Many of them together.
    std::thread::scope(|scope| {
        for number in 0..12 {
            let (server, body) = (&server, &bodies[number % bodies.len()]);
            scope.spawn(move || {
                for _ in 0..2 {
                    let status = server.post_packed("/v1/ingest", body);
                    assert!(status == 503 || (400..500).contains(&status), "{status}");
                }
            });
        }
    });
    let all = server.peak();
    println!("peak with twelve together: {all} MiB");
    assert!(all < BODIES + BESIDE, "{all} MiB");
    server.ingest(10);
}

#[test]
fn large_pages_and_tails_for_those_who_read_slowly_are_bounded() {
    let server = Flooded::start();
    let large: Vec<String> = (0..40)
        .map(|_| {
            let mut payload = vec![0; 700_000];
            getrandom::fill(&mut payload).unwrap();
            crate::common::Parts { payload, ..Default::default() }.json()
        })
        .collect();
    for part in large.chunks(8) {
        let answer = server
            .agent
            .post(format!("https://localhost:{}/v1/batch", server.port))
            .header("authorization", format!("Bearer {}", server.key))
            .content_type("application/json")
            .send(array(part))
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    let other = new_key(
        &Keys::open(server.data.path()).unwrap(),
        "other",
        Scopes::from(Scope::Ingest).and(Scope::Read),
    );
    let before = server.sockets();
    // They take a byte now and then: too little to be kept, and enough for any time-out of a byte.
    let ask = |path: &str, more: &str| {
        let mut stream = server.connect();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{more}\r\n",
            server.key
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.flush()).unwrap();
        stream
    };
    let mut slow: Vec<Stream> = (0..60).map(|_| ask("/v1/entries?limit=1000", "")).collect();
    slow.extend((0..60).map(|_| ask("/v1/tail", "last-event-id: 0\r\n")));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(8) {
        for stream in &mut slow {
            stream.sock.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            let _ = stream.sock.read_exact(&mut [0]);
        }
        // Whoever else asks is answered.
        let mut page = server
            .agent
            .get(format!("https://localhost:{}/v1/entries", server.port))
            .header("authorization", format!("Bearer {other}"))
            .call()
            .unwrap();
        assert_eq!(page.status(), 200, "{:?}", page.body_mut().read_to_string());
    }
    server.lets_go(before + 1);
    let peak = server.peak();
    println!("peak with those who read slowly: {peak} MiB");
    assert!(peak < BODIES + BESIDE, "{peak} MiB");
    drop(slow);
    server.ingest(1);
}

#[test]
fn tails_that_wait_cost_no_processor_time() {
    let server = Flooded::start();
    server.ingest(5);
    let connection = rusqlite::Connection::open(server.data.path().join("entries.db")).unwrap();
    // As a retention leaves it: nothing is there, and numbers were given out.
    connection.execute_batch("DELETE FROM entries; DELETE FROM spans;").unwrap();
    drop(connection);
    let mut tails: Vec<Stream> = (0..20)
        .map(|_| {
            let mut stream = server.connect();
            let head = format!(
                "GET /v1/tail HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
                 last-event-id: 0\r\n\r\n",
                server.key
            );
            stream.write_all(head.as_bytes()).and_then(|()| stream.flush()).unwrap();
            assert!(head_and_first(&mut stream).contains("id: "));
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_secs(1));
    let before = server.processor();
    std::thread::sleep(Duration::from_secs(4));
    let used = server.processor() - before;
    assert!(used < 2.0, "{used} s of processor time in 4 s of waiting");
    server.ingest(1);
    for stream in &mut tails {
        assert!(until(stream, "event: entry"));
    }
}

/// An answer's head and its first event.
fn head_and_first(stream: &mut Stream) -> String {
    let mut all = head(stream);
    while !all.contains("id: ") {
        let more = head(stream);
        assert!(!more.is_empty(), "{all}");
        all.push_str(&more);
    }
    all
}

/// Reads until this has come.
fn until(stream: &mut Stream, what: &str) -> bool {
    let mut all = String::new();
    while !all.contains(what) {
        let more = head(stream);
        if more.is_empty() {
            return false;
        }
        all.push_str(&more);
    }
    true
}
