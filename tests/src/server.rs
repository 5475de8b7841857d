//! An ingest server as its users run it: `logflux serve`, with certificates of its own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{Failure, logflux};

/// A running server. It ends, and its data with it, when this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    data: TempDir,
    /// Where it listens, such as `127.0.0.1:40123`.
    pub address: String,
}

impl Server {
    /// Starts a server on a free port of `address`, such as `127.0.0.1`.
    ///
    /// # Errors
    /// [`Failure`] where it does not start.
    pub fn start(address: &str) -> Result<Self, Failure> {
        let data = TempDir::new()?;
        let mut process = Command::new(logflux()?)
            .args(["serve", "--dev", "--listen", &format!("{address}:0"), "--data"])
            .arg(data.path())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(process.stderr.take().ok_or("no standard error")?).lines();
        let listens = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("listening on https://").map(|(_, address)| address.to_owned())
        });
        // Read to the end, or the server would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let address = listens.unwrap_or_default();
        let server = Self { process, data, address };
        if server.address.is_empty() {
            return Err("the server ended before it listened".into());
        }
        Ok(server)
    }

    /// The certificate of the server's authority.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.data.path().join("ca.pem")
    }

    /// Runs `logflux keys` on the server's data, and gives what it prints.
    ///
    /// # Errors
    /// [`Failure`] where it fails.
    pub fn keys(&self, args: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(logflux()?);
        command.arg("keys").args(args).arg("--data").arg(self.data.path());
        let output = command.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
