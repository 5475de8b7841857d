//! A subject: a process that answers requests, a line of JSON each, and that is trusted with
//! nothing. docs/certify.md has its protocol.
//!
//! `pipes` moves lines between threads and the process, `answer` reads what it says, `identity` is
//! what it says of itself, and [`Misbehaviour`] what it does that no subject may.

mod answer;
mod identity;
mod misbehaviour;
mod pipes;

use std::ffi::OsString;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

pub(crate) use answer::{Reply, base64 as answer_base64, hex as answer_hex};
pub use identity::{Identity, KeyPolicy};
pub use misbehaviour::{Misbehaviour, Misdeed};
use pipes::{Event, Pipes};

/// How long a process may take to end when it should.
const TO_END: Duration = Duration::from_secs(5);

/// How subjects are started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    /// How long a request may take.
    pub(crate) limit: Duration,
}

/// A request, without its id.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    op: &'static str,
    parts: Map<String, Value>,
}

impl Request {
    pub(crate) fn new(op: &'static str) -> Self {
        Self { op, parts: Map::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parts.insert(name.to_owned(), value.into());
        self
    }
}

/// A running subject. It is killed, with everything it started, when this is dropped.
#[derive(Debug)]
pub(crate) struct Subject {
    child: Child,
    pipes: Pipes,
    limit: Duration,
    asked: u64,
}

impl Subject {
    /// Starts one.
    ///
    /// # Errors
    /// Where the system does not.
    pub(crate) fn start(launch: &Launch) -> io::Result<Self> {
        let (child, pipes) = pipes::start(launch)?;
        Ok(Self { child, pipes, limit: launch.limit, asked: 0 })
    }

    /// Asks who it is.
    pub(crate) fn hello(&mut self) -> Result<Identity, Misbehaviour> {
        let request = Request::new("hello").with("protocol", 1);
        match self.ask(&request, Duration::ZERO)? {
            Reply::Ok(parts) => Identity::read(parts).map_err(|what| self.bad("hello", &what)),
            Reply::Refused(_) => Err(self.bad("hello", "an error")),
            Reply::Unsupported(_) => Err(self.bad("hello", "unsupported")),
        }
    }

    /// Asks, and waits for the answer: as long as any request may take, and `more`.
    pub(crate) fn ask(&mut self, request: &Request, more: Duration) -> Result<Reply, Misbehaviour> {
        self.asked += 1;
        let mut parts = Map::new();
        parts.insert("id".to_owned(), self.asked.into());
        parts.insert("op".to_owned(), request.op.into());
        parts.extend(request.parts.clone());
        let mut line = Value::Object(parts).to_string().into_bytes();
        line.push(b'\n');
        self.pipes.send(line);
        let limit = self.limit + more;
        let line = match self.pipes.events.recv_timeout(limit) {
            Ok(Event::Line(line)) => line,
            Ok(Event::LongLine) => {
                return Err(self.broken(format!(
                    "the subject answered {} with a line of more than {} MiB",
                    self.doing(request.op),
                    pipes::LINE_MAX >> 20,
                )));
            }
            Ok(Event::StderrFlood) => {
                return Err(self.broken(format!(
                    "the subject flooded its standard error at {}: more than {} MiB came",
                    self.doing(request.op),
                    pipes::STDERR_MAX >> 20,
                )));
            }
            Ok(Event::InputClosed) => return Err(self.gone(request.op, "input")),
            Ok(Event::OutputClosed) => return Err(self.gone(request.op, "output")),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let doing = self.doing(request.op);
                let sentence =
                    format!("the subject did not answer {doing} within {} s", limit.as_secs_f64());
                return Err(self.did(Misdeed::TimedOut, sentence));
            }
        };
        answer::read(&line, self.asked).map_err(|what| {
            self.broken(format!("the subject answered {} with {what}", self.doing(request.op)))
        })
    }

    /// Asks it to stop, and sees to it that it does, by itself and with status 0.
    pub(crate) fn stop(mut self) -> Result<(), Misbehaviour> {
        match self.ask(&Request::new("stop"), Duration::ZERO)? {
            Reply::Ok(_) => {}
            Reply::Refused(_) | Reply::Unsupported(_) => {
                return Err(self.bad("stop", "something else than ok"));
            }
        }
        self.pipes.close_input();
        match self.wait(TO_END) {
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let sentence = format!("the subject answered `stop`, and then {}", ended(status));
                Err(self.did(Misdeed::Crashed, sentence))
            }
            None => {
                let sentence = format!(
                    "the subject answered `stop`, and had not ended {} s later",
                    TO_END.as_secs()
                );
                Err(self.did(Misdeed::TimedOut, sentence))
            }
        }
    }

    /// It answered, and the answer is none.
    pub(crate) fn bad(&self, op: &str, what: &str) -> Misbehaviour {
        self.broken(format!("the subject answered {} with {what}", self.doing(op)))
    }

    fn broken(&self, sentence: String) -> Misbehaviour {
        self.did(Misdeed::BrokeProtocol, sentence)
    }

    fn did(&self, misdeed: Misdeed, sentence: String) -> Misbehaviour {
        Misbehaviour { misdeed, sentence, stderr: self.pipes.stderr_end() }
    }

    fn doing(&self, op: &str) -> String {
        if op == "hello" {
            "`hello`".to_owned()
        } else {
            format!("`{op}` (request {})", self.asked)
        }
    }

    /// A pipe is closed: the process may have ended, or may live on without it.
    fn gone(&mut self, op: &'static str, pipe: &str) -> Misbehaviour {
        let doing = self.doing(op);
        match self.wait(Duration::from_secs(2)) {
            Some(status) => {
                let at_once = if op == "hello" { " at once" } else { "" };
                let sentence =
                    format!("the subject {}{at_once}, before it answered {doing}", ended(status));
                self.did(Misdeed::Crashed, sentence)
            }
            None => self.broken(format!(
                "the subject closed its standard {pipe} before it answered {doing}, and runs on"
            )),
        }
    }

    fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    // What it said last is on its way still.
                    thread::sleep(Duration::from_millis(20));
                    return Some(status);
                }
                Ok(None) if begun.elapsed() < limit => thread::sleep(Duration::from_millis(2)),
                _ => return None,
            }
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        pipes::kill(&mut self.child);
    }
}

fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return format!("was killed by signal {signal}");
        }
    }
    match status.code() {
        Some(code) => format!("exited with status {code}"),
        None => "ended".to_owned(),
    }
}
