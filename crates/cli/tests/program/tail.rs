//! `logflux tail`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::server::Server;

const ENOUGH: Duration = Duration::from_secs(60);

/// A tail that runs, and the lines that it prints on stdout and stderr.
pub(crate) struct Tail {
    child: Child,
    out: Receiver<String>,
    pub(crate) err: Receiver<String>,
}

impl Tail {
    pub(crate) fn start(server: &Server, key: &str, args: &[&str]) -> Self {
        let mut call = server.call(key, &[&["tail"], args].concat());
        let mut child = call
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn line(&self) -> String {
        self.out.recv_timeout(ENOUGH).unwrap()
    }

    pub(crate) fn status(&mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    receiver
}

fn send(server: &Server, key: &str, args: &[&str], lines: &str) {
    server.call(key, &[&["send"], args].concat()).input(lines).ok();
}

#[test]
fn what_arrives_is_opened_and_the_connection_is_made_again() {
    let mut server = Server::start();
    let key = server.key("ingest,read");
    send(&server, &key, &[], "zero\none\n");
    let mut tail = Tail::start(&server, &key, &["-n", "1", "--limit", "3"]);
    assert_eq!(tail.line(), "one", "the newest, first");
    send(&server, &key, &[], "two\n");
    assert_eq!(tail.line(), "two");
    server.restart();
    send(&server, &key, &[], "three\nfour\n");
    assert_eq!((tail.line(), tail.line()), ("three".to_owned(), "four".to_owned()));
    assert_eq!(tail.status(), 0);
    assert!(tail.err.recv_timeout(ENOUGH).unwrap().contains("connecting again"));
}

#[test]
fn a_tail_is_filtered_and_has_every_form() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let filter = ["--lines", "0", "--limit", "1", "--level", "error", "--node", "web-1"];
    let long = Tail::start(&server, &key, &[&filter[..], &["--format", "long"]].concat());
    let json = Tail::start(&server, &key, &[&filter[..], &["--format", "json"]].concat());
    let sealed = Tail::start(&server, &key, &[&filter[..], &["--sealed"]].concat());
    // They show nothing of before, and so must be there.
    std::thread::sleep(Duration::from_secs(2));
    send(&server, &key, &["--node", "web-1", "--level", "info"], "no\n");
    send(&server, &key, &["--node", "web-2", "--level", "alert"], "no\n");
    send(&server, &key, &["--node", "web-1", "--level", "critical"], "yes\n");
    let line = long.line();
    assert!(line.ends_with("Z critical  web-1 yes"), "{line}");
    let json: serde_json::Value = serde_json::from_str(&json.line()).unwrap();
    assert_eq!((&json["message"], &json["loglevel"]), (&"yes".into(), &3.into()));
    assert!(!sealed.line().contains("message"));
}

#[test]
fn a_tail_that_cannot_go_on_says_why() {
    let mut server = Server::start();
    let ingest = server.key("ingest");
    let ended = server.call(&ingest, &["tail"]).run();
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("forbidden"), "{}", ended.stderr);

    let key = server.key("ingest,read");
    let mut tail = Tail::start(&server, &key, &["--no-reconnect"]);
    std::thread::sleep(Duration::from_secs(1));
    server.kill();
    assert_eq!(tail.status(), 1);
    let gone = server.call(&key, &["tail"]).run();
    assert_eq!(gone.status, 1);
    assert!(gone.stderr.contains("no connection"), "{}", gone.stderr);
}
