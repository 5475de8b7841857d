//! A SIGHUP to a command that goes on and on: the secret, the API key and the CA file are read again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::run::Call;
use crate::server::Server;

const ENOUGH: Duration = Duration::from_secs(60);
const READ: &str = "SIGHUP: read again: the secret, the API key, the CA file";

/// A server, and a key and a secret for it in files.
struct Place {
    server: Server,
    key: String,
    key_id: String,
}

fn keys(server: &Server, args: &[&str]) -> String {
    let data = server.data();
    let args = [&["keys"], args, &["--data", data.to_str().unwrap()]].concat();
    crate::run::logflux(&args).run().ok()
}

impl Place {
    fn start() -> Self {
        let server = Server::start();
        let key = server.key("ingest,read");
        let list = keys(&server, &["list"]);
        let id = list.split_whitespace().find(|word| word.starts_with("key_"));
        let key_id = id.unwrap().to_owned();
        let place = Self { server, key, key_id };
        fs::write(place.file("key"), format!("{}\n", place.key)).unwrap();
        fs::write(place.file("secret"), "the old one\n").unwrap();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.server.folder.path().join(name)
    }

    /// Another key and another secret are in the files, and the old key is good for nothing.
    fn replace(&self) {
        fs::write(self.file("key"), self.server.key("ingest,read")).unwrap();
        fs::rename(self.file("secret"), self.file("old")).unwrap();
        fs::write(self.file("secret"), "the new one\n").unwrap();
        keys(&self.server, &["revoke", &self.key_id]);
        // It works on for up to a second. A query that cannot open what is stored fails as well.
        let begun = Instant::now();
        let query = || self.server.call(&self.key, &["query", "--limit", "1"]).run().stderr;
        while !query().contains("key_revoked") {
            assert!(begun.elapsed() < ENOUGH);
        }
    }

    /// A call with what is in the files.
    fn call(&self, args: &[&str]) -> Call {
        let files = ["--api-key-file", "key", "--secret-file", "secret"];
        let call = self.server.call(&self.key, &[args, &files].concat());
        // One that is held waits for the rotation.
        call.without("LOGFLUX_SECRET")
            .env("LOGFLUX_FLUSH_INTERVAL", "20ms")
            .env("LOGFLUX_INITIAL_DELAY", "1h")
            .env("LOGFLUX_MAX_DELAY", "1h")
    }

    /// What is stored, opened with these secrets, the newest first.
    fn stored(&self, secrets: &[&str]) -> String {
        let args: Vec<&str> = secrets.iter().flat_map(|name| ["--secret-file", name]).collect();
        let args = [&["query", "--order", "asc", "--api-key-file", "key"], &args[..]].concat();
        self.server.call(&self.key, &args).run().stdout
    }

    fn wait_for_stored(&self, secrets: &[&str], expected: &str) {
        let begun = Instant::now();
        while self.stored(secrets) != expected {
            assert!(begun.elapsed() < ENOUGH, "{}", self.stored(secrets));
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A program that runs, and the lines that it prints.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Running {
    /// Starts it with SIGHUP as `disposition` says: `default`, or `ignore`, as `nohup` does.
    fn start(call: Call, disposition: &str) -> Self {
        let hangup = format!("--{disposition}-signal=HUP");
        let mut command = call.through_env(&["--default-signal=INT", &hangup]).0;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        Self { stdin: child.stdin.take(), child, out, err }
    }

    fn write(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    /// The next line on stderr that begins so.
    fn says(&self, begin: &str) -> String {
        loop {
            let line = self.err.recv_timeout(ENOUGH).unwrap();
            if line.starts_with(begin) {
                return line;
            }
        }
    }

    /// Waits for its end, and gives what it said that nobody has read.
    fn ends_well(&mut self) -> String {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
        self.err.iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    receiver
}

#[test]
fn a_pipe_goes_on_with_another_key_and_another_secret() {
    for spool in [&[][..], &["--spool-dir", "spool"]] {
        let place = Place::start();
        let mut pipe = Running::start(place.call(&[&["pipe"], spool].concat()), "default");
        pipe.write("before");
        place.wait_for_stored(&["secret"], "before\n");

        // What cannot be read changes nothing.
        fs::write(place.file("key"), "hunter2").unwrap();
        pipe.signal("HUP");
        let line = pipe.says("SIGHUP: ");
        assert!(line.starts_with("SIGHUP: --api-key-file: key: "), "{line}");
        assert!(line.ends_with("; nothing is replaced") && !line.contains("hunter2"), "{line}");
        fs::write(place.file("key"), &place.key).unwrap();
        pipe.write("between");
        place.wait_for_stored(&["secret"], "before\nbetween\n");

        place.replace();
        pipe.write("held");
        pipe.says("logflux: ");
        pipe.signal("HUP");
        assert_eq!(pipe.says("SIGHUP: "), READ);
        pipe.write("after");
        pipe.ends_well();
        assert_eq!(place.stored(&["secret", "old"]), "before\nbetween\nheld\nafter\n");
        assert_eq!(place.stored(&["secret"]), "after\n");
    }
}

#[test]
fn a_file_is_followed_with_another_key_and_another_secret() {
    let place = Place::start();
    fs::write(place.file("app.log"), "before\n").unwrap();
    let call = place.call(&["send", "--follow", "--from-start", "app.log"]);
    let mut send = Running::start(call, "default");
    place.wait_for_stored(&["secret"], "before\n");
    place.replace();
    send.signal("HUP");
    assert_eq!(send.says("SIGHUP: "), READ);
    let mut file = fs::OpenOptions::new().append(true).open(place.file("app.log")).unwrap();
    file.write_all(b"after\n").unwrap();
    place.wait_for_stored(&["secret", "old"], "before\nafter\n");
    send.signal("TERM");
    send.ends_well();
    assert_eq!(place.stored(&["secret"]), "after\n");
}

#[test]
fn a_tail_opens_what_was_sealed_before_and_after() {
    let mut place = Place::start();
    let mut tail = Running::start(place.call(&["tail", "--lines", "0"]), "default");
    let send = |place: &Place, secret: &str, line: &str| {
        let args = ["send", "--api-key-file", "key", "--secret-file", secret];
        place.server.call(&place.key, &args).input(line).ok();
    };
    // Nothing says that it has begun.
    let begun = Instant::now();
    while tail.out.try_recv().is_err() {
        assert!(begun.elapsed() < ENOUGH);
        send(&place, "secret", "begun\n");
    }
    place.replace();
    tail.signal("HUP");
    assert_eq!(tail.says("SIGHUP: "), READ);
    send(&place, "old", "by the old one\n");
    send(&place, "secret", "by the new one\n");
    let next = |tail: &Running| tail.out.iter().find(|line| line != "begun").unwrap();
    assert_eq!(next(&tail), "by the old one");
    assert_eq!(next(&tail), "by the new one");
    // The next connection is made with the new key.
    place.server.restart();
    send(&place, "secret", "after a restart\n");
    assert_eq!(next(&tail), "after a restart");
    tail.signal("INT");
    assert!(!tail.child.wait().unwrap().success());
}

#[test]
fn where_hangups_are_ignored_they_still_are() {
    let place = Place::start();
    let mut pipe = Running::start(place.call(&["pipe"]), "ignore");
    pipe.write("before");
    place.wait_for_stored(&["secret"], "before\n");
    fs::write(place.file("secret"), "the new one\n").unwrap();
    pipe.signal("HUP");
    pipe.write("after");
    assert_eq!(pipe.ends_well(), "");
    fs::write(place.file("secret"), "the old one\n").unwrap();
    assert_eq!(place.stored(&["secret"]), "before\nafter\n");
}

#[test]
fn what_comes_from_variables_is_not_read_again() {
    let place = Place::start();
    let call = place.server.call(&place.key, &["pipe"]).without("LOGFLUX_CA_FILE");
    let call = call.env("LOGFLUX_SECRET", "s").env("LOGFLUX_SERVER_URL", "https://127.0.0.1:1");
    let mut pipe = Running::start(call, "default");
    pipe.write("line");
    assert_eq!(pipe.out.recv_timeout(ENOUGH).unwrap(), "line");
    pipe.signal("HUP");
    let line = pipe.says("SIGHUP: ");
    assert!(line.contains("nothing to read again") && line.contains("--api-key-file"), "{line}");
}

#[test]
fn a_key_has_one_place() {
    let place = Place::start();
    let ended = place.server.call(&place.key, &["query"]).env("LOGFLUX_API_KEY_FILE", "key").run();
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("LOGFLUX_API_KEY_FILE: must not be set"), "{}", ended.stderr);
    let by_variable = place.server.call("", &["query"]).env("LOGFLUX_API_KEY_FILE", "key");
    assert_eq!(by_variable.run().ok(), "");
}

#[test]
fn a_secret_s_command_may_run_for_as_long_as_the_variable_says() {
    for args in
        [&["seal", "--node", "n"][..], &["seal", "--node", "n", "--secret-command", "sleep 60"]]
    {
        let begun = Instant::now();
        let call = crate::run::logflux(args)
            .without("LOGFLUX_SECRET")
            .env("LOGFLUX_SECRET_COMMAND_TIMEOUT", "1s");
        let call =
            if args.len() > 3 { call } else { call.env("LOGFLUX_SECRET_COMMAND", "sleep 60") };
        let ended = call.input("line\n");
        assert!(begun.elapsed() < ENOUGH);
        assert_eq!(ended.status, 1);
        assert!(
            ended.stderr.contains("LOGFLUX_SECRET_COMMAND) did not end within 1s"),
            "{}",
            ended.stderr
        );
    }
    let ended = crate::run::logflux(&["seal"]).env("LOGFLUX_SECRET_COMMAND_TIMEOUT", "0s").run();
    assert!(ended.stderr.contains("LOGFLUX_SECRET_COMMAND_TIMEOUT: must be"), "{}", ended.stderr);
}
