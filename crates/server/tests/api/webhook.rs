//! Alerts are posted to a real listener: signed, and again until it takes them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use logflux_server::monitor::WebhookSettings;
use sha2::Sha256;

use crate::common::{Parts, TestServer};

const SECRET: &str = "a secret of more than 16 bytes";

/// One post: its headers and its body.
struct Post {
    headers: Vec<(String, String)>,
    body: String,
}

impl Post {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).unwrap().1
    }

    /// Checks the signature as a receiver does.
    fn assert_signed(&self) {
        let hex = self.header("x-logflux-signature").strip_prefix("v1=").unwrap();
        let signature: Vec<u8> =
            (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{}.{}", self.header("x-logflux-timestamp"), self.body).as_bytes());
        mac.verify_slice(&signature).unwrap();
    }
}

/// Answers each post with the next of these statuses, and the last one again and again.
fn listener(statuses: &'static [u16]) -> (u16, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, posts) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if line == "\r\n" {
                    break;
                }
                lines.push(line.trim_end().to_owned());
            }
            assert_eq!(lines[0], "POST /hook?to=ops HTTP/1.1");
            let headers: Vec<(String, String)> = lines[1..]
                .iter()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let mut post = Post { headers, body: String::new() };
            let mut body = vec![0; post.header("content-length").parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            post.body = String::from_utf8(body).unwrap();
            let status = statuses[count.min(statuses.len() - 1)];
            let location = if status == 302 { "location: http://127.0.0.1:1/\r\n" } else { "" };
            let answer = format!(
                "HTTP/1.1 {status} X\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send(post).is_err() {
                return;
            }
        }
    });
    (port, posts)
}

fn server(port: u16, folder: &std::path::Path) -> TestServer {
    let secret = folder.join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let webhook = WebhookSettings::new(format!("http://127.0.0.1:{port}/hook?to=ops"), secret);
    TestServer::with(|config| config.monitor.webhook = Some(webhook))
}

fn reuse_a_nonce(server: &TestServer) {
    let one = Parts::default();
    let other = Parts { payload: vec![1; 64], ..one.clone() };
    server.post("/v1/ingest", one.json()).stored(1, 0);
    server.post("/v1/ingest", other.json()).error(400, "nonce_reused");
}

#[test]
fn an_alert_is_posted_signed_until_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (port, posts) = listener(&[500, 302, 204]);
    let server = server(port, folder.path());
    reuse_a_nonce(&server);
    let wait = Duration::from_secs(30);
    let all: Vec<Post> = (0..3).map(|_| posts.recv_timeout(wait).unwrap()).collect();
    for post in &all {
        post.assert_signed();
        let alert: logflux_wire::alert::Alert = serde_json::from_str(&post.body).unwrap();
        assert_eq!((alert.id, alert.kind.name()), (1, "nonce_reused"));
        assert_eq!(post.header("content-type"), "application/json");
        assert!(!post.body.contains(&server.key) && !post.body.contains(SECRET));
    }
    // It was taken, and does not come again.
    assert!(posts.recv_timeout(Duration::from_secs(5)).is_err());
}

#[test]
fn an_alert_that_was_not_posted_is_posted_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there yet.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = server(port, folder.path());
    reuse_a_nonce(&server);
    std::thread::sleep(Duration::from_millis(500));
    server.running.take().unwrap().stop().unwrap();
    let (port, posts) = listener(&[200]);
    let dev = logflux_server::dev_tls(server.data()).unwrap();
    let mut config = crate::common::config(server.data(), dev.files);
    let url = format!("http://127.0.0.1:{port}/hook?to=ops");
    config.monitor.webhook = Some(WebhookSettings::new(url, folder.path().join("secret")));
    let running = logflux_server::Server::bind(config).unwrap().spawn().unwrap();
    posts.recv_timeout(Duration::from_secs(30)).unwrap().assert_signed();
    running.stop().unwrap();
}
