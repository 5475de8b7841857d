//! `Content-Encoding: gzip`.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::common::{Answer, Parts, TestServer, array, entries, entry};

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn send(server: &TestServer, body: &[u8]) -> Answer {
    let authorization = format!("Bearer {}", server.key);
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    server.send("POST", "/v1/ingest", &headers, body)
}

#[test]
fn packed_entries_are_stored_as_if_they_were_not() {
    let server = TestServer::start();
    let sent = entries(100);
    send(&server, &gzip(array(&sent))).stored(100, 0);
    send(&server, &gzip(&sent[0])).stored(1, 1);
    let mut stored = server.stored();
    stored.sort();
    let mut sent = sent;
    sent.sort();
    assert_eq!(stored, sent);
}

#[test]
fn what_is_not_gzip_is_refused_and_named() {
    let server = TestServer::start();
    let packed = gzip(entry());
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    for broken in [entry().as_bytes(), &packed[..packed.len() - 4], &flipped] {
        send(&server, broken).error(400, "invalid_request");
    }
    send(&server, &gzip("{")).error(400, "invalid_json");
    assert_eq!(server.stored().len(), 0);
    let other = [("content-type", "application/json"), ("content-encoding", "br")];
    let authorization = format!("Bearer {}", server.key);
    let headers = [other[0], other[1], ("authorization", authorization.as_str())];
    let answer = server.send("POST", "/v1/ingest", &headers, packed);
    answer.error(415, "unsupported_media_type");
    assert_eq!(answer.header("accept-encoding"), Some("gzip"));
}

#[test]
fn a_bomb_is_refused_and_the_server_goes_on() {
    let server = TestServer::with(|config| config.limits.body = 4 << 20);
    // 200 MiB of spaces, and one entry in the end.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&spaces).unwrap();
    }
    encoder.write_all(entry().as_bytes()).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    for _ in 0..3 {
        send(&server, &bomb).error(413, "payload_too_large");
    }
    // Just below the bound it is taken.
    let sent = Parts::default().json();
    let padded = " ".repeat((4 << 20) - sent.len()) + &sent;
    send(&server, &gzip(padded)).stored(1, 0);
    assert_eq!(server.stored(), [sent]);
}
