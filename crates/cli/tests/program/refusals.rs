//! What is refused, by which side, with which code; and the sender still has its lines.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::run::{Ended, logflux};
use crate::server::Server;

/// The refusal's text, and that the line was kept, sealed.
fn refused(server: &Server, ended: &Ended) -> String {
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    let kept = fs::read_to_string(server.folder.path().join("logflux-unsent.ndjson")).unwrap();
    assert_eq!(logflux(&["open"]).input(kept).ok(), "line\n");
    ended.stderr.clone()
}

#[test]
fn an_http_url_is_refused_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ended = logflux(&["send", "--server-url", &url])
        .env("LOGFLUX_API_KEY", "lf_0123456789abcdefABCDEF0123456789")
        .input("line\n");
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("LOGFLUX_SERVER_URL: server URL must begin with https://"));
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn an_unknown_authority_is_refused() {
    let server = Server::start();
    let key = server.key("ingest");
    let other = Server::start();
    let ended = server.call(&key, &["send"]).env("LOGFLUX_CA_FILE", other.ca()).input("line\n");
    assert!(refused(&server, &ended).contains("TLS refused the server"), "{}", ended.stderr);
}

#[test]
fn a_wrong_host_name_is_refused() {
    // The certificate is for 127.0.0.1, and not for 127.0.0.2.
    let server = Server::start_on("127.0.0.2:0");
    let key = server.key("ingest");
    let ended = server.call(&key, &["send"]).input("line\n");
    assert!(refused(&server, &ended).contains("TLS refused the server"), "{}", ended.stderr);
}

#[test]
fn the_public_authorities_are_not_enough_for_a_private_one() {
    let server = Server::start();
    let key = server.key("ingest");
    let ended = server.call(&key, &["send"]).without("LOGFLUX_CA_FILE").input("line\n");
    assert!(refused(&server, &ended).contains("TLS refused the server"), "{}", ended.stderr);
}

#[test]
fn a_key_without_the_scope_is_refused() {
    let server = Server::start();
    let reader = server.key("read");
    let ended = server.call(&reader, &["send"]).input("line\n");
    assert!(refused(&server, &ended).contains("403 forbidden"), "{}", ended.stderr);
    let sender = server.key("ingest");
    let ended = server.call(&sender, &["query"]).run();
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("403 forbidden"), "{}", ended.stderr);
}

#[test]
fn a_server_that_is_not_there_keeps_the_lines() {
    let server = Server::start();
    let key = server.key("ingest");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("https://{free}");
    let ended = server.call(&key, &["send", "--server-url", &url]).input("line\n");
    assert!(refused(&server, &ended).contains("no connection"), "{}", ended.stderr);
}

#[test]
fn a_payload_that_is_plain_text_is_refused_and_named() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let sealed = logflux(&["seal"]).input("line\n").ok();
    let payload = sealed.split('"').nth(7).unwrap();
    let plain =
        sealed.replace(payload, "cGxhaW4gdGV4dCB0aGF0IHNvbWVib2R5IGhhcyBmb3Jnb3R0ZW4gdG8gc2VhbA==");
    let field = sealed.replace("\"}", "\",\"message\":\"line\"}");
    let ended = server.call(&key, &["send", "--sealed"]).input(format!("{plain}{field}{sealed}"));
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("refused: plaintext_payload: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("refused: unknown_field: "), "{}", ended.stderr);
    let kept = fs::read_to_string(server.folder.path().join("logflux-unsent.ndjson")).unwrap();
    assert_eq!(kept, format!("{plain}{field}"));
    assert_eq!(server.call(&key, &["query"]).run().ok(), "line\n");
}

#[test]
fn a_mode_that_the_server_does_not_take_is_refused() {
    let server = Server::start();
    let key = server.key("ingest");
    let ended = server.call(&key, &["send", "--mode", "3"]).input("line\n");
    assert!(refused(&server, &ended).contains("unsupported_mode"), "{}", ended.stderr);
}

/// Answers every request on one port with these bytes, and keeps what was asked.
fn plain_endpoint(answer: String) -> (String, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let seen = thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
        let mut seen = vec![0; 4096];
        let count = stream.read(&mut seen).unwrap();
        seen.truncate(count);
        stream.write_all(answer.as_bytes()).unwrap();
        seen
    });
    (addr, seen)
}

#[test]
fn a_server_that_speaks_no_tls_sees_no_byte_of_the_key() {
    let server = Server::start();
    let key = server.key("ingest");
    let (addr, seen) = plain_endpoint("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned());
    let url = format!("https://{addr}");
    let ended = server.call(&key, &["send", "--server-url", &url]).input("line\n");
    refused(&server, &ended);
    let seen = seen.join().unwrap();
    assert!(!seen.windows(key.len()).any(|window| window == key.as_bytes()));
    assert_eq!(seen[0], 22, "the first byte is a TLS handshake's");
}
