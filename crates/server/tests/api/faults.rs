//! Bad days: a kill, a store that fails, senders that stall.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use logflux_server::store::{
    Appended, Nodes, NodesRequest, Page, PageRequest, Since, SinceRequest, Store, StoreError,
    StoreFuture,
};
use logflux_server::{Keys, Scope, Scopes, Server, Tenant, dev_tls, sqlite};
use logflux_wire::Entry;
use logflux_wire::counts::{Counts, CountsQuery};

use crate::common::{Parts, TestServer, agent, array, config, entries, entry, new_key};

/// Not a test by itself: the server that another test kills.
#[test]
fn a_server_to_be_killed() {
    let Ok(data) = std::env::var("LOGFLUX_TEST_SERVE") else { return };
    let data = std::path::PathBuf::from(data);
    let dev = dev_tls(&data).unwrap();
    let running = Server::bind(config(&data, dev.files)).unwrap().spawn().unwrap();
    std::fs::write(data.join("port.tmp"), running.addr().port().to_string()).unwrap();
    std::fs::rename(data.join("port.tmp"), data.join("port")).unwrap();
    std::thread::sleep(Duration::from_secs(120));
}

#[test]
fn what_was_answered_before_a_kill_is_there_after_it() {
    let data = tempfile::tempdir().unwrap();
    let dev = dev_tls(data.path()).unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let key = new_key(&keys, "acme", Scopes::from(Scope::Ingest));
    let agent = agent(&std::fs::read(&dev.ca).unwrap());
    let mut acknowledged: Vec<String> = Vec::new();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::a_server_to_be_killed", "--nocapture"])
            .env("LOGFLUX_TEST_SERVE", data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port_file = data.path().join("port");
        let started = Instant::now();
        let port = loop {
            if let Ok(port) = std::fs::read_to_string(&port_file) {
                break port;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "the server does not start");
            std::thread::sleep(Duration::from_millis(10));
        };
        std::fs::remove_file(&port_file).unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut acknowledged = Vec::new();
                        while !stop.load(Ordering::Relaxed) {
                            let batch = entries(5);
                            let answer = agent
                                .post(format!("https://localhost:{port}/v1/ingest"))
                                .header("authorization", format!("Bearer {key}"))
                                .content_type("application/json")
                                .send(array(&batch));
                            match answer {
                                Ok(answer) if answer.status() == 200 => acknowledged.extend(batch),
                                _ => break,
                            }
                        }
                        acknowledged
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(400));
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
            stop.store(true, Ordering::Relaxed);
            for sender in senders {
                acknowledged.extend(sender.join().unwrap());
            }
        });
    }
    assert!(acknowledged.len() > 30, "only {} were answered", acknowledged.len());

    let running = Server::bind(config(data.path(), dev.files)).unwrap().spawn().unwrap();
    let url = format!("https://localhost:{}/v1/ingest", running.addr().port());
    // Sent again, every one of them must be a duplicate.
    for batch in acknowledged.chunks(100) {
        let mut answer = agent
            .post(&url)
            .header("authorization", format!("Bearer {key}"))
            .content_type("application/json")
            .send(array(batch))
            .unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        assert_eq!(json["data"]["duplicates"], batch.len(), "{json}");
    }
}

#[test]
fn what_was_begun_is_answered_before_a_stop_and_kept_over_it() {
    let mut server = TestServer::start();
    let sent = entry();
    let mut stream = server.raw();
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.key,
        sent.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&sent.as_bytes()[..100]).unwrap();
    stream.flush().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let running = server.running.take().unwrap();
    let stopping = std::thread::spawn(move || running.stop());
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(&sent.as_bytes()[100..]).unwrap();
    stream.flush().unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    stopping.join().unwrap().unwrap();
    let row = sqlite::peek(server.data()).unwrap().unwrap();
    assert!(sent.contains(&format!("\"payload\":\"{}\"", row.payload)));
}

#[test]
fn the_store_is_shown_as_it_is_held() {
    let server = TestServer::start();
    assert_eq!(sqlite::peek(server.data()).unwrap(), None);
    let parts = Parts { node: "café".to_owned(), ..Parts::default() };
    server.post("/v1/ingest", parts.clone().json()).stored(1, 0);
    let row = sqlite::peek(server.data()).unwrap().unwrap();
    assert_eq!((row.seq, row.tenant.as_str(), row.node.as_str()), (1, "acme", "café"));
    assert_eq!((row.level, row.seconds, row.nanoseconds, row.mode), (7, 1_705_487_445, 0, 1));
    let shown = row.to_string();
    for text in ["tenant     acme\n", "(info)", "(2024-01-17T10:30:45Z)", &row.payload, &row.salt] {
        assert!(shown.contains(text), "{shown}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(sqlite::peek(empty.path()).unwrap(), None);
}

/// A store that fails in one way.
struct Failing(StoreError);

impl Store for Failing {
    fn append(&self, _: Tenant, _: Vec<Entry>) -> StoreFuture<'_, Vec<Appended>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn page(&self, _: Tenant, _: PageRequest) -> StoreFuture<'_, Page> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn since(&self, _: Tenant, _: SinceRequest) -> StoreFuture<'_, Since> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn taken(&self, _: Tenant) -> StoreFuture<'_, i64> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn nodes(&self, _: Tenant, _: NodesRequest) -> StoreFuture<'_, Nodes> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn counts(&self, _: Tenant, _: CountsQuery) -> StoreFuture<'_, Counts> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn changes(&self, _: &Tenant) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }
}

#[test]
fn a_store_that_fails_is_never_answered_with_200() {
    for (error, status, code) in [
        (StoreError::Full, 507, "storage_full"),
        (StoreError::Busy, 503, "overloaded"),
        (StoreError::Closed, 503, "overloaded"),
        (StoreError::Engine("disk I/O error in /secret/path".to_owned()), 500, "internal"),
        (StoreError::Damaged { seq: 1, column: "iv" }, 500, "internal"),
    ] {
        let server = TestServer::with_store(Some(Arc::new(Failing(error))), |_| {});
        for answer in [
            server.post("/v1/ingest", entry()),
            server.post("/v1/batch", array(&[entry(), "{}".to_owned()])),
            server.get("/v1/entries"),
            server.get("/v1/tail"),
            server.get("/v1/nodes"),
            server.get("/v1/counts"),
        ] {
            let body = answer.error(status, code);
            let retry_after = (status == 503).then_some("1");
            assert_eq!(answer.header("retry-after"), retry_after);
            assert_eq!(body["retry_after"].as_u64(), retry_after.map(|_| 1));
            // What the engine says is for the log.
            assert!(!answer.text.contains("secret"), "{}", answer.text);
        }
    }
}

#[test]
fn senders_that_stall_are_let_go() {
    let server = TestServer::with(|config| {
        config.timeouts.handshake = Duration::from_secs(1);
        config.timeouts.header = Duration::from_secs(1);
        config.timeouts.body = Duration::from_secs(1);
    });
    let began = Instant::now();
    // One that says nothing at all, not even hello.
    let mut silent = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(silent.read(&mut [0; 16]).unwrap_or(0), 0);
    // One that never ends its head.
    assert_eq!(server.raw_answer(b"GET /health HTTP/1.1\r\nhost: x\r\nslow: "), "");
    // One that is idle after an answer.
    let answer = server.raw_answer(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
    // One that never ends its body.
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
        server.key
    );
    let answer = server.raw_answer(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[test]
fn bodies_that_would_be_too_much_together_are_overload() {
    let server = TestServer::with(|config| config.limits.bodies = 1_000);
    let sent = entry() + &" ".repeat(700);
    let mut stream = server.raw();
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        server.key,
        sent.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&sent.as_bytes()[..900]).unwrap();
    stream.flush().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    server.post("/v1/ingest", entry()).error(503, "overloaded");
    stream.write_all(&sent.as_bytes()[900..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    server.post("/v1/ingest", entry()).stored(1, 0);
}

#[test]
fn a_sender_that_asks_first_is_refused_before_it_sends() {
    let server = TestServer::start();
    let head = "POST /v1/ingest HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
                content-type: application/json\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n";
    let answer = server.raw_answer(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn what_comes_together_is_committed_together_and_each_is_answered() {
    let server = TestServer::start();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    server.post("/v1/ingest", array(&entries(5))).stored(5, 0);
                }
            });
        }
    });
    assert_eq!(server.stored().len(), 400);
}
