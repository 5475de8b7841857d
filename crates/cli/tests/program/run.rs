//! Runs the program.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

pub(crate) const SECRET: &str = "correct horse battery staple";

/// A call of the program, with no variable of ours set but the secret.
pub(crate) struct Call(pub(crate) Command);

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn logflux(args: &[&str]) -> Call {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logflux"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOGFLUX_")) {
        command.env_remove(name);
    }
    command.args(args).env("LOGFLUX_SECRET", SECRET);
    Call(command)
}

impl Call {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// The same through `env` with these arguments, which says what signals do at the start. A shell
    /// ignores SIGINT in what it runs in the background.
    pub(crate) fn through_env(self, args: &[&str]) -> Self {
        let mut command = Command::new("env");
        command.args(args).arg(self.0.get_program()).args(self.0.get_args());
        for (name, value) in self.0.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.0.get_current_dir() {
            command.current_dir(folder);
        }
        Self(command)
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    pub(crate) fn run(self) -> Ended {
        self.input("")
    }

    /// Runs it with this on its standard input.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Ended {
        let mut child = self
            .0
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.as_ref().to_vec();
        // It may end before it has read all.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ended {
            status: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            bytes: stdout,
        }
    }
}

impl Ended {
    /// Stdout of a call that must have succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.status, 0, "{}", self.stderr);
        self.stdout
    }
}
