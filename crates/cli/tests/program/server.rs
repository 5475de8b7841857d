//! A real `logflux serve --dev` on a free port, ended when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::run::{Call, logflux};

pub(crate) struct Server {
    child: Option<Child>,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1:0")
    }

    pub(crate) fn start_on(listen: &str) -> Self {
        let mut server =
            Self { child: None, url: String::new(), folder: tempfile::tempdir().unwrap() };
        server.serve(listen);
        server
    }

    /// Kills it with SIGKILL, as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills it, if it runs, and starts it again at its address.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let listen = self.url.trim_start_matches("https://").to_owned();
        self.serve(&listen);
    }

    /// Starts it, once it was killed, with more options.
    pub(crate) fn serve_with(&mut self, more: &[&str]) {
        let listen = self.url.trim_start_matches("https://").to_owned();
        self.start_process(&listen, more);
    }

    fn serve(&mut self, listen: &str) {
        self.start_process(listen, &[]);
    }

    fn start_process(&mut self, listen: &str, more: &[&str]) {
        let mut call = logflux(&["serve", "--dev", "--listen", listen, "--log", "warn", "--data"]);
        // A test sends as much as it likes.
        call.0.arg(self.data()).args(["--requests-per-key", "0", "--requests-per-address", "0"]);
        call.0.args(more);
        let mut child = call.0.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        // What it logs before that is of no account.
        let mut all = String::new();
        let url = loop {
            let begin = all.len();
            assert!(stderr.read_line(&mut all).unwrap() > 0, "{all}");
            if let Some(url) = all[begin..].trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        self.url = url;
        // Nobody may wait for a reader of the rest.
        thread::spawn(move || stderr.lines().count());
        self.child = Some(child);
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// Makes a key with these scopes.
    pub(crate) fn key(&self, scope: &str) -> String {
        let data = self.data();
        let args = ["keys", "create", "--scope", scope, "--data", data.to_str().unwrap()];
        logflux(&args).run().ok().trim_end().to_owned()
    }

    /// A call with everything that it needs to reach this server.
    pub(crate) fn call(&self, key: &str, args: &[&str]) -> Call {
        logflux(args)
            .env("LOGFLUX_SERVER_URL", &self.url)
            .env("LOGFLUX_CA_FILE", self.ca())
            .env("LOGFLUX_API_KEY", key)
            .env("LOGFLUX_MAX_RETRIES", "0")
            .folder(self.folder.path())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
