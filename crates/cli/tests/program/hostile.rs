//! A server over TLS that answers as a test says.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::run::{Call, logflux};

pub(crate) struct Hostile {
    url: String,
    pub(crate) folder: TempDir,
}

/// An answer: the status, the content type and the body.
pub(crate) type Answer = (u16, &'static str, String);

impl Hostile {
    /// `answer` gets the path that is asked for.
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // A client may go away at any time.
                let _ = serve(StreamOwned::new(connection, stream.unwrap()), &answer);
            }
        });
        Self { url, folder }
    }

    /// A server that refuses everything with this sentence, and has it everywhere else, too.
    pub(crate) fn saying(sentence: &str) -> Self {
        let sentence = serde_json::Value::from(sentence);
        Self::start(move |_| {
            let body = serde_json::json!({
                "status": "error", "message": sentence, "request_id": sentence,
                "error": {"code": "forbidden", "message": sentence},
            });
            (403, "application/json", body.to_string())
        })
    }

    /// A server whose one page has these entries, and whose tail gives them once more.
    pub(crate) fn page(entries: &[String]) -> Self {
        let events = entries.iter().map(|entry| format!("id: 1\ndata: {entry}\n\n"));
        let events = format!("id: 0\n\n{}", events.collect::<String>());
        let entries = entries.join(",");
        Self::start(move |path| {
            if path.starts_with("/v1/tail") {
                return (200, "text/event-stream", events.clone());
            }
            let data = format!(r#"{{"entries":[{entries}],"cursor":null}}"#);
            let body = format!(r#"{{"status":"success","request_id":"r","data":{data}}}"#);
            (200, "application/json", body)
        })
    }

    pub(crate) fn call(&self, args: &[&str]) -> Call {
        logflux(args)
            .env("LOGFLUX_SERVER_URL", &self.url)
            .env("LOGFLUX_CA_FILE", self.ca())
            .env("LOGFLUX_API_KEY", "lf_0123456789abcdefABCDEF0123456789")
            .env("LOGFLUX_MAX_RETRIES", "0")
            .folder(self.folder.path())
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

fn serve(
    stream: impl Read + Write,
    answer: &impl Fn(&str) -> Answer,
) -> Result<(), std::io::Error> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = answer(path);
    let length = body.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    reader.get_mut().flush()
}
