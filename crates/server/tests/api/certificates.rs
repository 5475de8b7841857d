//! The certificates for the local machine, and TLS with them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use logflux_server::{Keys, Server, ServerError, TlsFiles, dev_tls};
use rcgen::{CertificateParams, Issuer, KeyPair};

use crate::common::{TestServer, agent, config};

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_certificates_are_kept_and_their_files_private() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let first = dev_tls(&folder).unwrap();
    let files = ["ca.pem", "ca-key.pem", "server.pem", "server-key.pem"].map(|f| folder.join(f));
    let before = files.each_ref().map(|file| read(file));
    assert_eq!(dev_tls(&folder).unwrap(), first);
    assert_eq!(files.each_ref().map(|file| read(file)), before);
    #[cfg(unix)]
    for file in &files {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 4);
}

#[test]
fn what_is_damaged_or_about_to_expire_is_made_anew_and_the_authority_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dev = dev_tls(folder.path()).unwrap();
    let ca = read(&dev.ca);
    let renewed = |why: &str| {
        let before = read(&dev.files.cert);
        dev_tls(folder.path()).unwrap();
        assert_eq!(read(&dev.ca), ca, "{why}");
        assert_ne!(read(&dev.files.cert), before, "{why}");
        let settled = read(&dev.files.cert);
        dev_tls(folder.path()).unwrap();
        assert_eq!(read(&dev.files.cert), settled, "{why}");
    };

    // Good for six days only, and vouched for by the authority.
    let ca_key = KeyPair::from_pem(&read(&folder.path().join("ca-key.pem"))).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&ca, ca_key).unwrap();
    let key = KeyPair::from_pem(&read(&dev.files.key)).unwrap();
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut params = CertificateParams::new(names).unwrap();
    params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(6);
    std::fs::write(&dev.files.cert, params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    renewed("six days left");

    std::fs::write(&dev.files.cert, "nothing").unwrap();
    renewed("no certificate");
    std::fs::write(&dev.files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    renewed("another key");

    // Without its key the authority is of no more use.
    std::fs::remove_file(folder.path().join("ca-key.pem")).unwrap();
    dev_tls(folder.path()).unwrap();
    assert_ne!(read(&dev.ca), ca);
}

#[test]
fn a_client_that_trusts_the_authority_is_served_by_every_name_and_no_other_client() {
    let server = TestServer::start();
    let trusting = agent(&server.ca_pem);
    let port = server.port();
    for host in ["localhost", "127.0.0.1"] {
        let health = trusting.get(format!("https://{host}:{port}/health")).call().unwrap();
        assert_eq!(health.status(), 200, "{host}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let other_ca = std::fs::read(dev_tls(elsewhere.path()).unwrap().ca).unwrap();
    let stranger = agent(&other_ca).get(format!("https://localhost:{port}/health")).call();
    assert!(stranger.unwrap_err().to_string().contains("certificate"));

    let data = tempfile::tempdir().unwrap();
    let dev = dev_tls(data.path()).unwrap();
    let mut config = config(data.path(), dev.files);
    config.listen = "[::1]:0".parse().unwrap();
    match Server::bind(config) {
        Ok(server) => {
            let running = server.spawn().unwrap();
            let agent = agent(&std::fs::read(dev.ca).unwrap());
            let uri = format!("https://[::1]:{}/health", running.addr().port());
            assert_eq!(agent.get(uri).call().unwrap().status(), 200);
        }
        Err(error) => println!("not tried over IPv6: {error}"),
    }
}

#[test]
fn both_tls_versions_are_spoken_and_no_older_one() {
    let server = TestServer::start();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = server.raw_with(&[version]).unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok();
        assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
    }

    // A hello of TLS 1.1, by hand: no client that is at hand would say it.
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]); // random
    hello.push(0); // no session
    hello.extend([0, 4, 0xc0, 0x13, 0xc0, 0x09]); // ECDHE with AES-128-CBC
    hello.extend([1, 0]); // no compression
    let extensions = [[0, 10, 0, 4, 0, 2, 0, 23], [0, 13, 0, 4, 0, 2, 4, 3]].concat(); // P-256, ECDSA
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let len = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, len + 4, 1, 0, 0, len];
    record.extend(hello);
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.write_all(&record).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok();
    // A fatal alert and nothing else: protocol_version (RFC 5246, section 7.2).
    assert_eq!((answer[0], answer[5], answer[6]), (21, 2, 70), "{answer:?}");
}

#[test]
fn plain_http_is_not_answered() {
    let server = TestServer::start();
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok();
    assert!(!answer.windows(4).any(|window| window == b"HTTP"), "{answer:?}");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let data = tempfile::tempdir().unwrap();
    let dev = dev_tls(data.path()).unwrap();
    let missing = data.path().join("missing.pem");
    let files = TlsFiles { cert: missing.clone(), key: dev.files.key.clone() };
    let error = Server::bind(config(data.path(), files)).unwrap_err();
    assert!(matches!(error, ServerError::Tls(_)), "{error}");
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");

    let first = Server::bind(config(data.path(), dev.files.clone())).unwrap();
    let other = tempfile::tempdir().unwrap();
    let mut taken = config(other.path(), dev.files.clone());
    taken.listen = first.local_addr();
    let error = Server::bind(taken).unwrap_err();
    assert!(error.to_string().contains(&first.local_addr().to_string()), "{error}");

    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Server::bind(config(&file, dev.files)).unwrap_err();
    assert!(matches!(error, ServerError::Data { .. }), "{error}");
    assert!(Keys::open(&file).unwrap_err().to_string().contains("data folder"));
}
