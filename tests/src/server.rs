//! An ingest server as its users run it: `logflux serve`, with certificates of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
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
        let (process, address) = run(&format!("{address}:0"), data.path())?;
        Ok(Self { process, data, address })
    }

    /// Kills it, as nothing else would: it can do nothing about it.
    ///
    /// # Errors
    /// [`Failure`] where the system refuses.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Starts it again, where it was and with what it had.
    ///
    /// # Errors
    /// [`Failure`] where it does not start.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.kill()?;
        (self.process, self.address) = run(&self.address, self.data.path())?;
        Ok(())
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    ///
    /// # Errors
    /// [`Failure`] where the system refuses.
    pub fn signal(&self, name: &str) -> Result<(), Failure> {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status()?;
        if sent.success() { Ok(()) } else { Err(format!("kill -s {name}: {sent}").into()) }
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

/// Runs a server; gives its process, and where it listens.
fn run(listen: &str, data: &Path) -> Result<(Child, String), Failure> {
    let mut process = Command::new(logflux()?)
        .args(["serve", "--dev", "--requests-per-key", "0", "--requests-per-address", "0"])
        .args(["--listen", listen, "--data"])
        .arg(data)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(process.stderr.take().ok_or("no standard error")?).lines();
    let listens = lines.by_ref().map_while(Result::ok).find_map(|line| {
        line.split_once("listening on https://").map(|(_, address)| address.to_owned())
    });
    // Read to the end, or the server would wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    match listens {
        Some(address) => Ok((process, address)),
        None => {
            let _ = process.kill();
            let _ = process.wait();
            Err("the server ended before it listened".into())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
