//! What an operator does: settings, their check, a reload, keys.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use logflux_transport::{Api, Route, Trust};
use serde_json::Value;

use crate::run::{Ended, logflux};
use crate::server::Server;

/// The example of `deploy/`, with what only a real machine has put right.
fn example(folder: &Path) -> std::path::PathBuf {
    let text = include_str!("../../../../deploy/logflux.toml");
    let text = text
        .replace("/var/lib/logflux", "data")
        .replace("/etc/logflux/cert.pem", "data/server.pem")
        .replace("/etc/logflux/key.pem", "data/server-key.pem");
    let file = folder.join("logflux.toml");
    fs::write(&file, text).unwrap();
    logflux_server::dev_tls(&folder.join("data")).unwrap();
    file
}

fn check(file: &Path) -> Ended {
    logflux(&["serve", "--check-config", "--config", file.to_str().unwrap()]).run()
}

#[test]
fn the_example_of_a_settings_file_is_good_and_says_every_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = example(folder.path());
    let ended = check(&file);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.starts_with("the settings are good: listen 0.0.0.0:443,"),
        "{}",
        ended.stderr
    );

    // What stands there as a default is one, and every setting is there.
    let settings = |text: &str| {
        let file = folder.path().join("settings.toml");
        fs::write(&file, text).unwrap();
        logflux_server::settings::Settings::read(&file).unwrap().config().unwrap()
    };
    let text = fs::read_to_string(&file).unwrap();
    let defaults: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(set) if set.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{set}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(defaults != text);
    assert_eq!(format!("{:?}", settings(&defaults)), format!("{:?}", settings(&text)));
}

#[test]
fn what_is_wrong_with_the_settings_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = example(folder.path());
    let good = fs::read_to_string(&file).unwrap();
    for (wrong, said) in [
        ("[limits]\nrequests_per_kye = 5", "requests_per_kye"),
        ("[limits]\nbatch = 0", "limits.batch: 0 is out of bounds: write 1 to 1000"),
        (
            "[limits]\ntrusted_proxies = [\"proxy\"]",
            "limits.trusted_proxies: \"proxy\" is no address",
        ),
    ] {
        let text = good.replace("[limits]", wrong);
        fs::write(&file, text).unwrap();
        let ended = check(&file);
        assert_eq!(ended.status, 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        let served = logflux(&["serve", "--config", file.to_str().unwrap()]).run();
        assert_eq!((served.status, served.stderr.contains(said)), (1, true), "{}", served.stderr);
    }
    // A certificate that no client would take.
    fs::write(&file, &good).unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let data = folder.path().join("data");
    fs::write(data.join("server.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(data.join("server-key.pem"), key.serialize_pem()).unwrap();
    let ended = check(&file);
    assert_eq!(ended.status, 1);
    assert!(
        ended.stderr.contains("server.pem") && ended.stderr.contains("2020"),
        "{}",
        ended.stderr
    );
    let missing = check(&folder.path().join("missing.toml"));
    assert_eq!(missing.status, 1);
    assert!(missing.stderr.contains("missing.toml"), "{}", missing.stderr);
}

#[test]
fn a_key_is_rotated_its_use_is_listed_and_it_never_shows() {
    let server = Server::start();
    let data = server.data();
    let data = data.to_str().unwrap();
    let old = server.key("ingest");
    let sent = server.call(&old, &["send"]).input("one\ntwo\n");
    assert_eq!(sent.status, 0, "{}", sent.stderr);
    let listed = || -> Vec<Value> {
        let text = logflux(&["keys", "list", "--data", data, "--format", "json"]).run().ok();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let begun = Instant::now();
    let of_old = loop {
        let key = listed().remove(0);
        if key["entries"] == 2 {
            break key;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{key}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(of_old["requests"].as_u64() >= Some(1) && of_old["last_used"].is_string(), "{of_old}");

    let id = of_old["id"].as_str().unwrap();
    let ended = logflux(&["keys", "rotate", "--data", data, id, "--grace", "1h"]).run();
    let new = ended.stdout.trim().to_owned();
    assert!(ended.stderr.contains("takes the place of") && !ended.stderr.contains(&new));
    for key in [&old, &new] {
        let sent = server.call(key, &["send"]).input("line\n");
        assert_eq!(sent.status, 0, "{}", sent.stderr);
    }
    let keys = listed();
    assert_eq!(keys[0]["successor"], keys[1]["id"]);
    assert!(keys[0]["expires"].is_string() && keys[1]["expires"].is_null());
    let text = logflux(&["keys", "list", "--data", data]).run().ok();
    for part in ["last used 2", "requests ", "entries ", "replaced by key_"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(![&old, &new].iter().any(|key| text.contains(&key[3..])), "{text}");
    let again = logflux(&["keys", "rotate", "--data", data, id]).run();
    assert!(again.status == 1 && again.stderr.contains("was rotated before"), "{}", again.stderr);
}

#[test]
fn a_damaged_key_is_named_beside_the_others_and_can_be_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for tenant in ["good", "bad"] {
        logflux(&["keys", "create", "--data", data, "--tenant", tenant]).run();
    }
    let db = rusqlite::Connection::open(folder.path().join("keys.db")).unwrap();
    db.execute("UPDATE keys SET scopes = 'zz' WHERE tenant = 'bad'", []).unwrap();
    let select = "SELECT id FROM keys WHERE tenant = 'bad'";
    let id: String = db.query_row(select, [], |row| row.get(0)).unwrap();
    let list = logflux(&["keys", "list", "--data", data]).run();
    assert!(list.stdout.contains("tenant good") && !list.stdout.contains(&id), "{}", list.stdout);
    assert!(list.stderr.contains(&format!("{id} is damaged")), "{}", list.stderr);
    assert_eq!(list.status, 1);
    let revoked = logflux(&["keys", "revoke", "--data", data, &id]).run();
    assert_eq!(revoked.status, 0, "{}", revoked.stderr);
    let revoked: bool = db
        .query_row("SELECT revoked IS NOT NULL FROM keys WHERE id = ?1", [&id], |row| row.get(0))
        .unwrap();
    assert!(revoked);
}

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The limit that a server tells those who trust this authority; nothing where that is not its own.
fn limit(port: u16, ca: &Path) -> Option<u64> {
    let endpoint = format!("https://127.0.0.1:{port}").parse().unwrap();
    let unknown = "lf_0123456789abcdefABCDEF0123456789".parse().unwrap();
    let trust = Trust::from_file(ca).unwrap();
    let api = Api::new(endpoint, &unknown, trust, Route::direct(), Duration::from_secs(30));
    api.ingest_paced(b"[]").rate.map(|rate| rate.limit)
}

#[test]
#[cfg(unix)]
fn at_a_hangup_the_settings_and_the_certificate_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = example(folder.path());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = fs::read_to_string(&file).unwrap();
    let with_limit = |limit: u32| {
        let listen = format!("listen = \"127.0.0.1:{port}\"");
        let text = text.replace("listen = \"0.0.0.0:443\"", &listen);
        text.replace("[limits]", &format!("[limits]\nrequests_per_address = {limit}"))
    };
    fs::write(&file, with_limit(1_000)).unwrap();
    let log = folder.path().join("log");
    let mut call = logflux(&["serve", "--config", file.to_str().unwrap()]);
    let server = call.0.stderr(fs::File::create(&log).unwrap()).stdin(Stdio::null()).spawn();
    let server = Ends(server.unwrap());
    let said = |what: &str| {
        let begun = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains(what) {
            let log = fs::read_to_string(&log).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(30), "{what} is not in {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    said("listening on https");
    let hang_up = || {
        let id = server.0.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    };
    let data = folder.path().join("data");
    let limit = |ca: &Path| limit(port, ca);
    let ca = data.join("ca.pem");
    let kept = folder.path().join("old-ca.pem");
    fs::copy(&ca, &kept).unwrap();
    assert_eq!(limit(&ca), Some(1_000));

    // Another authority, another certificate, another limit.
    for name in ["ca.pem", "ca-key.pem", "server.pem", "server-key.pem"] {
        fs::remove_file(data.join(name)).unwrap();
    }
    logflux_server::dev_tls(&data).unwrap();
    fs::write(&file, with_limit(2_000)).unwrap();
    assert_eq!(limit(&kept), Some(1_000), "nothing changes before it is told to");
    hang_up();
    said("were read again");
    assert_eq!(limit(&ca), Some(2_000));
    assert_eq!(limit(&kept), None, "the old certificate is still shown");

    // What is wrong changes nothing, and is said.
    fs::write(&file, with_limit(2_000).replace("[limits]", "[limits]\nbatch = 0")).unwrap();
    hang_up();
    said("limits.batch: 0 is out of bounds");
    assert_eq!(limit(&ca), Some(2_000));
    // What counts only after a restart is said, too.
    fs::write(&file, with_limit(3_000).replace(&port.to_string(), "1")).unwrap();
    hang_up();
    said("count after a restart");
    assert_eq!(limit(&ca), Some(3_000));
}

#[test]
#[cfg(unix)]
fn at_a_hangup_no_flag_is_forgotten_and_none_is_said_to_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let secret = folder.path().join("secret");
    fs::write(&secret, "0123456789abcdef").unwrap();
    let log = folder.path().join("log");
    let mut call = logflux(&["serve", "--dev", "--listen", "127.0.0.1:0", "--retain", "30d"]);
    call.0.args(["--max-size", "1GB", "--webhook-url", "http://127.0.0.1:9/hook"]);
    call.0.args(["--requests-per-key", "7", "--trusted-proxy", "10.0.0.1"]);
    call.0.arg("--webhook-secret-file").arg(&secret).arg("--data").arg(&data);
    let server = call.0.stderr(fs::File::create(&log).unwrap()).stdin(Stdio::null()).spawn();
    let server = Ends(server.unwrap());
    let wait = |what: &str| {
        let begun = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains(what) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let hang_up = || {
        let id = server.0.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    };
    wait("listening on https");
    hang_up();
    wait("were read again");
    // A secret that is too short is noticed, since it is read again.
    fs::write(&secret, "short").unwrap();
    hang_up();
    wait("webhook.secret_file");
    let log = fs::read_to_string(&log).unwrap();
    assert!(!log.contains("after a restart"), "{log}");
}

#[test]
fn a_check_of_the_settings_fails_wherever_a_start_would() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let short = folder.path().join("short");
    fs::write(&short, "short").unwrap();
    let short = short.to_str().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below_file = file.join("data");
    let below_file = below_file.to_str().unwrap();
    let newer = folder.path().join("newer");
    fs::create_dir(&newer).unwrap();
    for name in ["entries.db", "keys.db", "alerts.db"] {
        let newer = rusqlite::Connection::open(newer.join(name)).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
    }
    let newer = newer.to_str().unwrap();
    let serve = |args: &[&str], check: bool| {
        let listen: &[&str] =
            if args.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let check: &[&str] = if check { &["--check-config"] } else { &[] };
        logflux(&[&["serve", "--dev"], args, listen, check].concat()).run()
    };
    let hook =
        |url, secret| ["--data", data, "--webhook-url", url, "--webhook-secret-file", secret];
    for (args, says) in [
        (&hook("http://192.0.2.1/", short)[..], "webhook.url"),
        (&hook("https://example.com", "/nowhere/secret"), "/nowhere/secret"),
        (&hook("https://example.com", short), "fewer than 16 bytes"),
        (&["--data", data, "--retain", "0s"], "retain"),
        (&["--data", below_file], file.to_str().unwrap()),
        (&["--data", newer], "version 99"),
        (&["--data", data, "--listen", "192.0.2.1:443"], "192.0.2.1:443"),
        (&["--data", data, "--log", "=,="], "--log"),
    ] {
        let checked = serve(args, true);
        assert_eq!(checked.status, 1, "{args:?}: {}", checked.stderr);
        assert!(checked.stderr.contains(says), "{args:?}: {}", checked.stderr);
        assert_eq!(serve(args, false).status, 1, "{args:?}");
    }
    let fresh = folder.path().join("fresh/below");
    let checked = serve(&["--data", fresh.to_str().unwrap()], true);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    assert!(!fresh.exists(), "a check makes nothing");
    // Beside a server that runs on them the settings are good.
    let server = Server::start();
    let listen = server.url.trim_start_matches("https://").to_owned();
    let data = server.data();
    let checked = serve(&["--data", data.to_str().unwrap(), "--listen", &listen], true);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
}
