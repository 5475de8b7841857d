//! What must not be sent or taken: each is refused by the right side with its reason, and the
//! sender still has its lines.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use logflux_tests::{Failure, Server, interpreter, logflux, workspace};
use tempfile::TempDir;

const LINES: &str = "one\ntwo\nthree\n";

/// A sender's folder: its lines, and where its unsent entries go.
struct Sender {
    folder: TempDir,
    key: String,
}

impl Sender {
    fn new(key: &str) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        fs::write(folder.path().join("lines"), LINES)?;
        Ok(Self { folder, key: key.to_owned() })
    }

    fn send(&self, url: &str, ca: Option<&Path>, args: &[&str]) -> Result<Output, Failure> {
        let mut command = Command::new(logflux()?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOGFLUX_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder.path())
            .args(["send", "--node", "n", "--mode", "128", "--unsent", "unsent"])
            .args(args)
            .env("LOGFLUX_SECRET", "correct horse battery staple")
            .env("LOGFLUX_API_KEY", &self.key)
            .env("LOGFLUX_SERVER_URL", url)
            .env("LOGFLUX_MAX_RETRIES", "1")
            .env("LOGFLUX_INITIAL_DELAY", "10ms");
        if let Some(ca) = ca {
            command.env("LOGFLUX_CA_FILE", ca);
        }
        Ok(command.output()?)
    }

    /// How many sealed entries wait to be sent.
    fn unsent(&self) -> usize {
        let unsent = fs::read_to_string(self.folder.path().join("unsent")).unwrap_or_default();
        assert!(unsent.lines().all(|line| line.starts_with("{\"node\":\"n\",\"payload\":\"")));
        unsent.lines().count()
    }
}

fn assert_refused(output: &Output, reason: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(reason), "not {reason:?}: {errors}");
}

#[test]
fn plain_http_is_refused_before_a_line_is_read() -> Result<(), Failure> {
    let sender = Sender::new("lf_0123456789abcdef0123456789abcdef")?;
    let output = sender.send("http://127.0.0.1:1", None, &["lines"])?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("https://"), "{errors}");
    assert_eq!(fs::read_to_string(sender.folder.path().join("lines"))?, LINES);
    assert_eq!(sender.unsent(), 0);
    Ok(())
}

#[test]
fn an_unknown_authority_is_refused_and_what_was_kept_is_sent_later() -> Result<(), Failure> {
    let server = Server::start("127.0.0.1")?;
    let sender = Sender::new(&server.keys(&["create", "--scope", "ingest"])?)?;
    let url = format!("https://{}", server.address);
    let output = sender.send(&url, None, &["lines"])?;
    assert_refused(&output, "certificate");
    assert_eq!(sender.unsent(), 3);

    fs::rename(sender.folder.path().join("unsent"), sender.folder.path().join("later"))?;
    let output =
        sender.send(&url, Some(&server.ca()), &["--sealed", "later", "--format", "json"])?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report = String::from_utf8(output.stdout)?;
    assert!(report.contains("\"stored\":3") && report.contains("\"duplicates\":0"), "{report}");
    Ok(())
}

/// The certificate is for 127.0.0.1, and the server is reached at another address.
#[cfg(target_os = "linux")]
#[test]
fn a_wrong_host_name_is_refused() -> Result<(), Failure> {
    let server = Server::start("127.0.0.2")?;
    let sender = Sender::new(&server.keys(&["create", "--scope", "ingest"])?)?;
    let url = format!("https://{}", server.address);
    let output = sender.send(&url, Some(&server.ca()), &["lines"])?;
    assert_refused(&output, "certificate");
    assert_eq!(sender.unsent(), 3);
    Ok(())
}

#[test]
fn a_revoked_key_is_refused_by_its_code() -> Result<(), Failure> {
    let server = Server::start("127.0.0.1")?;
    let sender = Sender::new(&server.keys(&["create", "--scope", "ingest"])?)?;
    let url = format!("https://{}", server.address);
    let output = sender.send(&url, Some(&server.ca()), &["lines"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let id = server.keys(&["list"])?;
    let id = id.split_whitespace().next().ok_or("no key")?;
    server.keys(&["revoke", id])?;
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let output = sender.send(&url, Some(&server.ca()), &["lines"])?;
    assert_refused(&output, "key_revoked");
    assert_eq!(sender.unsent(), 3);
    Ok(())
}

#[test]
fn plain_text_is_refused_among_good_entries_which_are_stored() -> Result<(), Failure> {
    let server = Server::start("127.0.0.1")?;
    let sender = Sender::new(&server.keys(&["create", "--scope", "ingest"])?)?;
    let good = entry("gYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGB");
    // "User login successful, id=4711, from 10.0.0.1": base64, and not sealed.
    let plain = entry("VXNlciBsb2dpbiBzdWNjZXNzZnVsLCBpZD00NzExLCBmcm9tIDEwLjAuMC4x");
    fs::write(sender.folder.path().join("sealed"), format!("{good}\n{plain}\n"))?;
    let url = format!("https://{}", server.address);
    let args = ["--sealed", "sealed", "--format", "json"];
    let output = sender.send(&url, Some(&server.ca()), &args)?;
    assert_refused(&output, "plaintext_payload");
    assert!(String::from_utf8(output.stdout)?.contains("\"stored\":1"));
    assert_eq!(fs::read_to_string(sender.folder.path().join("unsent"))?, format!("{plain}\n"));
    Ok(())
}

fn entry(payload: &str) -> String {
    let iv = if payload.starts_with('g') { "AAAAAAAAAAAAAAAA" } else { "AAAAAAAAAAAAAAAB" };
    format!(
        concat!(
            r#"{{"node":"n","payload":"{}","loglevel":7,"timestamp":"2024-01-17T10:30:45Z","#,
            r#""encryption_mode":1,"iv":"{}","#,
            r#""salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#
        ),
        payload, iv
    )
}

/// Bodies that the project's own client never sends.
#[test]
fn too_many_entries_and_too_many_bytes_are_refused_by_the_server() -> Result<(), Failure> {
    let server = Server::start("127.0.0.1")?;
    let key = server.keys(&["create", "--scope", "ingest"])?;
    let one = entry("gYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGB");
    let batch = format!("[{}]", vec![one; 101].join(","));
    assert_posted(&server, &key, batch.as_bytes(), 413, "batch_too_large")?;
    let long = entry(&"gYGB".repeat(262_145));
    assert_posted(&server, &key, long.as_bytes(), 413, "payload_too_large")?;
    assert_posted(&server, "lf_0123456789abcdef0123456789abcdef", b"{}", 401, "unauthorized")
}

fn assert_posted(
    server: &Server,
    key: &str,
    body: &[u8],
    status: u16,
    code: &str,
) -> Result<(), Failure> {
    let mut post = Command::new(interpreter()?)
        .arg("-B")
        .arg(workspace().join("tests/python/post.py"))
        .arg(format!("https://{}/v1/ingest", server.address))
        .arg(server.ca())
        .env("LOGFLUX_API_KEY", key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    post.stdin.take().ok_or("no standard input")?.write_all(body)?;
    let answer = String::from_utf8(post.wait_with_output()?.stdout)?;
    assert!(answer.starts_with(&format!("{status} ")), "{answer}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
    Ok(())
}
