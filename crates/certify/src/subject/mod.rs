//! A subject: a process that answers requests, a line of JSON each, and that is trusted with
//! nothing. docs/certify.md has its protocol.
//!
//! `launch` is how it is started, `pipes` moves lines between threads and the process, `answer` reads what it says, `identity` is
//! what it says of itself, and [`Misbehaviour`] what it does that no subject may.

mod answer;
mod identity;
mod launch;
mod misbehaviour;
mod pipes;

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use answer::NoAnswer;
pub(crate) use answer::{Reply, base64 as answer_base64, hex as answer_hex};
pub use identity::{Identity, KeyPolicy};
pub(crate) use launch::Launch;
pub use misbehaviour::{Misbehaviour, Misdeed};
use pipes::{Event, Pipes};

/// How long a process may take to end when it should.
const TO_END: Duration = Duration::from_secs(5);
/// How long an answer is waited for when something else came first.
const AFTER_STRAY: Duration = Duration::from_secs(5);
/// So many lines that nobody asked for are too many.
const STRAYS: usize = 100;

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

    /// The line that a subject gets, without its end. What is short stands first.
    pub(crate) fn line(&self, id: u64) -> String {
        let rest = Value::Object(self.parts.clone()).to_string();
        let comma = if self.parts.is_empty() { "" } else { "," };
        let rest = rest.strip_prefix('{').unwrap_or_default();
        format!("{{\"id\":{id},\"op\":\"{}\"{comma}{rest}", self.op)
    }

    /// The first request to every subject.
    pub(crate) fn hello() -> Self {
        Self::new("hello").with("protocol", 1)
    }
}

/// A running subject. It is killed, with everything it started, when this is dropped.
#[derive(Debug)]
pub(crate) struct Subject {
    child: Child,
    pipes: Pipes,
    limit: Duration,
    asked: u64,
    stray: Option<Misbehaviour>,
}

impl Subject {
    /// Starts one.
    ///
    /// # Errors
    /// Where the system does not.
    pub(crate) fn start(launch: &Launch) -> io::Result<Self> {
        let (child, pipes) = pipes::start(launch)?;
        Ok(Self { child, pipes, limit: launch.limit, asked: 0, stray: None })
    }

    /// Asks who it is.
    pub(crate) fn hello(&mut self) -> Result<Identity, Misbehaviour> {
        match self.ask(&Request::hello(), Duration::ZERO)? {
            Reply::Ok(parts) => Identity::read(parts).map_err(|what| self.bad("hello", &what)),
            Reply::Refused(_) => Err(self.bad("hello", "an error")),
            Reply::Unsupported(_) => Err(self.bad("hello", "unsupported")),
        }
    }

    /// Asks, and waits for the answer: as long as any request may take, and `more`. Lines that
    /// nobody asked for are passed over where the answer comes after them, and remembered.
    pub(crate) fn ask(&mut self, request: &Request, more: Duration) -> Result<Reply, Misbehaviour> {
        self.asked += 1;
        let mut line = request.line(self.asked).into_bytes();
        line.push(b'\n');
        self.pipes.send(line);
        let limit = self.limit + more;
        let mut until = Instant::now() + limit;
        let mut strays = 0;
        let mut stray: Option<Misbehaviour> = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = match (self.pipes.events.recv_timeout(left), &stray) {
                (Ok(Event::Line(line)), _) => line,
                (Ok(Event::LongLine), _) => {
                    return Err(self.broken(format!(
                        "the subject answered {} with a line of more than {} MiB",
                        self.doing(request.op),
                        pipes::LINE_MAX >> 20,
                    )));
                }
                (Ok(Event::StderrFlood), _) => {
                    return Err(self.broken(format!(
                        "the subject flooded its standard error at {}: more than {} MiB came",
                        self.doing(request.op),
                        pipes::STDERR_MAX >> 20,
                    )));
                }
                (_, Some(stray)) => return Err(stray.clone()),
                (Ok(Event::InputClosed), None) => return Err(self.gone(request.op, "input")),
                (Ok(Event::OutputClosed), None) => return Err(self.gone(request.op, "output")),
                (Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected), None) => {
                    let doing = self.doing(request.op);
                    let limit = (limit.as_secs_f64() * 10.0).round() / 10.0;
                    let sentence = format!("the subject did not answer {doing} within {limit} s");
                    return Err(self.did(Misdeed::TimedOut, sentence));
                }
            };
            let what = match answer::read(&line, self.asked) {
                Ok(reply) => {
                    self.stray = self.stray.take().or(stray);
                    return Ok(reply);
                }
                Err(NoAnswer::Malformed(what)) => return Err(self.bad(request.op, &what)),
                Err(NoAnswer::Stray(what)) => what,
            };
            strays += 1;
            if strays > STRAYS {
                return Err(self.broken(format!(
                    "the subject flooded its standard output at {}: more than {STRAYS} lines that \
                     are no answer to it came",
                    self.doing(request.op),
                )));
            }
            let sentence = format!("the subject answered {} with {what}", self.doing(request.op));
            stray.get_or_insert_with(|| self.broken(sentence));
            until = until.min(Instant::now() + AFTER_STRAY.max(more));
        }
    }

    /// The first line that nobody had asked for, where the answer came after it.
    pub(crate) fn take_stray(&mut self) -> Option<Misbehaviour> {
        self.stray.take()
    }

    /// Asks it to stop, and sees to it that it does, by itself and with status 0.
    pub(crate) fn stop(&mut self) -> Result<(), Misbehaviour> {
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

    /// It answered in a wrong form, and can be asked on.
    pub(crate) fn bad(&self, op: &str, what: &str) -> Misbehaviour {
        let sentence = format!("the subject answered {} with {what}", self.doing(op));
        Misbehaviour { in_step: true, ..self.broken(sentence) }
    }

    fn broken(&self, sentence: String) -> Misbehaviour {
        self.did(Misdeed::BrokeProtocol, sentence)
    }

    fn did(&self, misdeed: Misdeed, sentence: String) -> Misbehaviour {
        Misbehaviour { misdeed, sentence, stderr: self.pipes.stderr_end(), in_step: false }
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
