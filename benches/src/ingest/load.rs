//! The load: connections that are kept, each with one request under way.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use super::BATCH;
use super::child::Child;
use super::entries::Entries;

/// What was sent.
pub(super) struct Load {
    pub(super) entries: usize,
    pub(super) seconds: f64,
    /// Microseconds of every request.
    pub(super) latencies: Vec<u64>,
}

/// Sends for a while.
pub(super) fn send(
    child: &Child,
    connections: usize,
    time: Duration,
) -> Result<Load, Box<dyn Error>> {
    let began = Instant::now();
    let sent = thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|seed| {
                scope.spawn(move || {
                    send_on_one(child, seed as u64, began, time).map_err(|e| e.to_string())
                })
            })
            .collect();
        senders
            .into_iter()
            .map(|sender| sender.join().unwrap_or_else(|_| Err("a sender failed".to_owned())))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let latencies: Vec<u64> = sent.concat();
    Ok(Load { entries: latencies.len() * BATCH, seconds, latencies })
}

fn send_on_one(
    child: &Child,
    seed: u64,
    began: Instant,
    time: Duration,
) -> Result<Vec<u64>, Box<dyn Error>> {
    let mut connection = Connection::open(child)?;
    let mut entries = Entries::new(seed);
    let mut latencies = Vec::new();
    let mut body = Vec::new();
    while began.elapsed() < time {
        body.clear();
        for entry in entries.many(BATCH) {
            body.push(if body.is_empty() { b'[' } else { b',' });
            entry.append_json(&mut body);
        }
        body.push(b']');
        let (_, took) = connection.post("/v1/ingest", &body)?;
        latencies.push(u64::try_from(took.as_micros())?);
    }
    Ok(latencies)
}

/// A connection that is kept.
pub(super) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    key: String,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn open(child: &Child) -> Result<Self, Box<dyn Error>> {
        Ok(Self { stream: child.connect()?, key: child.key.clone(), buffer: Vec::new() })
    }

    fn post(&mut self, path: &str, body: &[u8]) -> Result<(String, Duration), Box<dyn Error>> {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.key,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.call(&request)
    }

    pub(super) fn get(&mut self, path: &str) -> Result<(String, Duration), Box<dyn Error>> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            self.key
        );
        self.call(request.as_bytes())
    }

    /// Sends a request, and reads its answer, which must be a success.
    fn call(&mut self, request: &[u8]) -> Result<(String, Duration), Box<dyn Error>> {
        let began = Instant::now();
        self.stream.write_all(request)?;
        self.stream.flush()?;
        self.buffer.clear();
        let mut chunk = [0; 16 << 10];
        let (head, length) = loop {
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
            let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?;
            let length = text
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .ok_or("no content-length")?;
            break (head + 4, length.1.parse::<usize>()?);
        };
        while self.buffer.len() < head + length {
            let read = self.stream.read(&mut chunk)?;
            self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
        let took = began.elapsed();
        let answer = String::from_utf8_lossy(&self.buffer).into_owned();
        match answer.starts_with("HTTP/1.1 200 ") {
            true => Ok((answer, took)),
            false => Err(answer.into()),
        }
    }
}
