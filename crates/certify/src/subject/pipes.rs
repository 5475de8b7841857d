//! Threads between us and a subject's pipes, so that nothing it does or leaves undone blocks us.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::launch::Launch;

/// The longest answer.
pub(super) const LINE_MAX: usize = 8 << 20;
/// How much a process may write to its standard error.
pub(super) const STDERR_MAX: u64 = 1 << 20;
/// How much of that is shown.
const STDERR_SHOWN: usize = 400;
/// How many lines wait to be read; a subject that writes more waits.
const LINES: usize = 8;

/// What comes from a subject.
#[derive(Debug)]
pub(super) enum Event {
    Line(Vec<u8>),
    LongLine,
    OutputClosed,
    InputClosed,
    StderrFlood,
}

#[derive(Debug)]
pub(super) struct Pipes {
    input: Option<Sender<Vec<u8>>>,
    pub(super) events: Receiver<Event>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
}

impl Pipes {
    pub(super) fn send(&self, line: Vec<u8>) {
        if let Some(input) = &self.input {
            // Where the writer is gone, an event says so.
            let _ = input.send(line);
        }
    }

    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    pub(super) fn stderr_end(&self) -> String {
        let end: Vec<u8> =
            self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = String::from_utf8_lossy(&end);
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub(super) fn start(launch: &Launch) -> io::Result<(Child, Pipes)> {
    let mut command = Command::new(&launch.program);
    command.args(&launch.args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Of its own group, so that what it starts ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let missing = || io::Error::other("no pipe");
    let mut stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let (input, lines) = channel::<Vec<u8>>();
    let (events, received) = sync_channel(LINES);
    let tail = Arc::new(Mutex::new(VecDeque::new()));

    let to = events.clone();
    thread::spawn(move || {
        for line in lines {
            if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
                let _ = to.send(Event::InputClosed);
                return;
            }
        }
    });
    let (to, kept) = (events.clone(), Arc::clone(&tail));
    thread::spawn(move || keep_end(stderr, &kept, &to));
    thread::spawn(move || read_lines(stdout, &events));
    Ok((child, Pipes { input: Some(input), events: received, stderr: tail }))
}

fn read_lines(stdout: impl Read, to: &SyncSender<Event>) {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        let event = match stdout.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => Event::OutputClosed,
            Ok(_) if line.len() >= LINE_MAX => Event::LongLine,
            Ok(_) => Event::Line(line),
        };
        let last = !matches!(event, Event::Line(_));
        if to.send(event).is_err() || last {
            // It may write on, and must not wait for us.
            let _ = io::copy(&mut stdout, &mut io::sink());
            return;
        }
    }
}

fn keep_end(mut stderr: impl Read, kept: &Mutex<VecDeque<u8>>, to: &SyncSender<Event>) {
    let mut buffer = [0; 8 << 10];
    let mut total = 0_u64;
    while let Ok(length) = stderr.read(&mut buffer) {
        if length == 0 {
            return;
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(buffer.get(..length).unwrap_or_default());
        let excess = kept.len().saturating_sub(STDERR_SHOWN);
        kept.drain(..excess);
        drop(kept);
        let before = total;
        total = total.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if before <= STDERR_MAX && total > STDERR_MAX {
            let _ = to.send(Event::StderrFlood);
        }
    }
}

/// Ends a process and all of its group.
pub(super) fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
        && matches!(child.try_wait(), Ok(None))
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
