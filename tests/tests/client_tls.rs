//! Servers that must not be believed: no byte of the key goes to them, and what was logged waits.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use logflux_envelope::Mode;
use logflux_tests::endpoint::{
    Authority, Endpoint, Manner, Messages as _, Reply, key, self_signed,
};
use logflux_tests::{ENOUGH, lines, logged, secret, wait_for};
use logflux_transport::Client;

/// A handshake record of TLS 1.1: a server hello that chooses it.
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    // No session; ECDHE-RSA-AES128-CBC-SHA; no compression.
    hello.extend([0, 0xc0, 0x13, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 2, 0, length + 4, 2, 0, 0, length];
    record.append(&mut hello);
    record
}

fn refused(name: &str, authority: &Authority, manner: Manner, spooled: bool) {
    let endpoint = Endpoint::start(manner, Reply::taken);
    let folder = tempfile::tempdir().unwrap();
    let mut settings = endpoint.settings(authority);
    settings.spool_dir = spooled.then(|| folder.path().to_owned());
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    for line in lines(0..3) {
        client.info(&line);
    }
    // More than one attempt.
    wait_for(&client, name, |stats| stats.retries > 2 && stats.last_error.is_some());
    let stats = logged(&client);
    let error = stats.last_error.clone().unwrap();
    assert!(error.starts_with("TLS refused the server"), "{name}: {error}");
    assert_eq!(stats.delivered + stats.dropped.total(), 0, "{name}: {stats:?}");
    let (below, above) = endpoint.bytes();
    assert!(below > 0, "{name}: nothing was tried");
    assert_eq!(above, 0, "{name}: {above} bytes were sent to it");
    assert!(endpoint.requests().is_empty());
    let key = key();
    assert!(!endpoint.has_seen(key.expose().as_bytes()), "{name} was sent the key");

    endpoint.meet(Manner::Tls(authority.good()));
    wait_for(&client, name, |stats| stats.delivered == 3);
    assert!(endpoint.has_seen(key.expose().as_bytes()), "keys are not seen by this test");
    let mut taken: Vec<_> = endpoint.requests().iter().flat_map(|r| r.messages()).collect();
    taken.dedup();
    assert_eq!(taken, lines(0..3), "{name}");
    client.close(ENOUGH).unwrap();
}

#[test]
fn a_server_that_cannot_be_believed_gets_no_byte_of_the_key() {
    let authority = Authority::new();
    let bad = [
        ("an expired certificate", Manner::Tls(authority.expired())),
        ("a certificate of the future", Manner::Tls(authority.not_yet_valid())),
        ("a self-signed certificate", Manner::Tls(self_signed())),
        ("a certificate of another host", Manner::Tls(authority.wrong_host())),
        ("a certificate of an unknown root", Manner::Tls(Authority::new().good())),
        ("a certificate for clients", Manner::Tls(authority.for_clients())),
        ("a hello of TLS 1.1", Manner::Bytes(hello_of_tls_1_1())),
        ("an alert about the version", Manner::Bytes(vec![21, 3, 2, 0, 2, 2, 70])),
        ("an answer in plain text", Manner::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())),
    ];
    for (name, manner) in bad {
        refused(name, &authority, manner.clone(), false);
        refused(name, &authority, manner, true);
    }
}

#[test]
fn the_public_roots_do_not_vouch_for_an_authority_of_ones_own() {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let mut settings = endpoint.settings(&authority);
    settings.ca_file = None;
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    client.info("line");
    wait_for(&client, "a refusal", |stats| stats.last_error.is_some());
    assert!(logged(&client).last_error.unwrap().starts_with("TLS refused the server"));
    assert_eq!(endpoint.bytes().1, 0);
}

#[test]
fn a_redirect_is_not_followed_and_the_key_stays_here() {
    let authority = Authority::new();
    let plain = Endpoint::start(Manner::Plain, Reply::taken);
    let other = Endpoint::start(Manner::Tls(authority.good()), Reply::taken);
    let targets = [format!("http://{}", plain.address()), format!("https://{}", other.address())];
    for (status, target) in
        [301, 302, 303, 307, 308].into_iter().flat_map(|s| targets.iter().map(move |t| (s, t)))
    {
        let location = format!("{target}/v1/ingest");
        let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
            if request.number < 3 {
                Reply::status(status, &[("Location", &location)])
            } else {
                Reply::taken(request)
            }
        });
        let client = Client::builder(endpoint.settings(&authority), secret())
            .mode(Mode::Hkdf)
            .build()
            .unwrap();
        for line in lines(0..3) {
            client.info(&line);
        }
        wait_for(&client, "a redirect", |stats| stats.last_error.is_some());
        let error = logged(&client).last_error.unwrap();
        assert!(error.contains(&format!("{status}, a redirect")), "{error}");
        client.flush(ENOUGH).unwrap();
        let stats = logged(&client);
        assert_eq!((stats.delivered, stats.dropped.total()), (3, 0), "{stats:?}");
    }
    for elsewhere in [plain, other] {
        assert_eq!((elsewhere.connections(), elsewhere.bytes()), (0, (0, 0)));
    }
}
