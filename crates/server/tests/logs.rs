//! What the server logs: nothing of a key, a payload, or what was sent in place of one.
#![allow(clippy::unwrap_used)]

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use logflux_server::{Keys, NewKey, Scope, Server, ServerConfig, dev_tls};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LOG: Mutex<String> = Mutex::new(String::new());

/// Writes every event with all its fields.
struct Everything;

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        write!(log, "{}", event.metadata().level()).unwrap();
        event.record(&mut Line(&mut log));
        log.push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn no_key_no_payload_and_no_query_is_logged() {
    tracing::subscriber::set_global_default(Everything).unwrap();
    let data = tempfile::tempdir().unwrap();
    let dev = dev_tls(data.path()).unwrap();
    let config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), data.path(), dev.files);
    let running = Server::bind(config).unwrap().spawn().unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let (key, info) =
        keys.create(&NewKey::new("acme".parse().unwrap(), Scope::Ingest.into())).unwrap();

    let ca = ureq::tls::Certificate::from_pem(&std::fs::read(dev.ca).unwrap()).unwrap();
    let roots = ureq::tls::RootCerts::new_with_certs(&[ca]);
    let agent = ureq::Agent::config_builder()
        .tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build())
        .http_status_as_error(false)
        .build()
        .new_agent();
    let base = format!("https://localhost:{}", running.addr().port());
    let unknown_key = format!("lf_{}", "Unknown1".repeat(4));
    let send = |key: &str, body: &str| {
        let request = agent.post(format!("{base}/v1/ingest")).content_type("application/json");
        request.header("authorization", format!("Bearer {key}")).send(body).unwrap().status()
    };
    let entry = |payload: &str, iv: &str| {
        format!(
            r#"{{"node":"n","payload":"{payload}","loglevel":7,"timestamp":"2024-01-17T10:30:45Z","encryption_mode":1,"iv":"{iv}","salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#
        )
    };
    let iv = "ZGVmZ2hpamtsbW5v";
    let payload = "qrvM3e7/qrvM3e7/qrvM3e7/qrvM3e7/";
    let other = "3e7/qrvM3e7/qrvM3e7/qrvM3e7/qrvM";
    assert_eq!(send(key.expose(), &entry(payload, iv)), 200);
    assert_eq!(send(key.expose(), &entry(other, iv)), 400);
    assert_eq!(send(key.expose(), r#"{"message":"hunter2"}"#), 400);
    assert_eq!(send(&unknown_key, &entry(payload, iv)), 401);
    // A flood of refusals is a few lines.
    for _ in 0..45 {
        send(&unknown_key, "[]");
    }
    let query = format!("{base}/v1/entries?node=hunter3");
    let forbidden =
        agent.get(query).header("authorization", format!("Bearer {}", key.expose())).call();
    assert_eq!(forbidden.unwrap().status(), 403);
    agent.get(format!("{base}/hunter4")).call().unwrap();
    running.stop().unwrap();

    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    for there in [
        "listening",
        "nonce",
        info.id.as_str(),
        "acme",
        "/v1/ingest",
        "unknown API key",
        "127.0.0.1",
    ] {
        assert!(log.contains(there), "{there:?} is not in\n{log}");
    }
    let lines = log.lines().filter(|line| line.contains("unknown API key")).count();
    assert_eq!(lines, 10, "{log}");
    let key = &key.expose()["lf_".len()..];
    for absent in [key, &unknown_key[3..], payload, other, "hunter", iv] {
        assert!(!log.contains(absent), "{absent:?} is in\n{log}");
    }
}
