//! One connection to the endpoint: TLS or not, and as much HTTP/1.1 as the client speaks.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use rustls::{ServerConnection, StreamOwned};

use super::script::{Manner, Reply, Request};
use super::shared::Shared;

pub(super) fn serve(shared: &Shared, stream: &TcpStream, manner: Manner) -> io::Result<()> {
    let tcp = Below { stream, shared };
    match manner {
        Manner::Tls(config) => {
            let tls = ServerConnection::new(config).map_err(io::Error::other)?;
            requests(shared, StreamOwned::new(tls, tcp))
        }
        Manner::Plain => requests(shared, tcp),
        Manner::Deaf(config) => {
            let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
            let mut tcp = tcp;
            while tls.is_handshaking() {
                tls.complete_io(&mut tcp)?;
            }
            wait_for_the_end(shared)
        }
        // Without a byte read: what comes stays with the system.
        Manner::Silent => wait_for_the_end(shared),
        Manner::Closed => {
            let mut tcp = tcp;
            tcp.read(&mut [0; 16 << 10]).map(drop)
        }
        Manner::Bytes(bytes) => {
            let mut tcp = tcp;
            let mut first = [0; 16 << 10];
            if tcp.read(&mut first)? > 0 {
                tcp.write_all(&bytes)?;
                io::copy(&mut tcp, &mut io::sink())?;
            }
            Ok(())
        }
    }
}

fn wait_for_the_end(shared: &Shared) -> io::Result<()> {
    let seen = shared.seen();
    let over = |_: &mut _| !shared.over.load(Ordering::Relaxed);
    drop(shared.arrived.wait_while(seen, over));
    Ok(())
}

/// The connection below TLS, which remembers what comes.
struct Below<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
}

impl Read for Below<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.shared.seen().raw.extend_from_slice(buffer.get(..length).unwrap_or_default());
        self.shared.arrived.notify_all();
        Ok(length)
    }
}

impl Write for Below<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The connection above TLS, which remembers what comes, too.
struct Above<'a, S> {
    inner: S,
    shared: &'a Shared,
}

impl<S: Read> Read for Above<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.shared.seen().plain.extend_from_slice(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

fn requests<S: Read + Write>(shared: &Shared, inner: S) -> io::Result<()> {
    let mut stream = BufReader::new(Above { inner, shared });
    while let Some((head, body)) = read_request(&mut stream)? {
        let request = {
            let mut seen = shared.seen();
            let number = seen.requests.len();
            let request = Request { number, at: Instant::now(), head, body };
            seen.requests.push(request.clone());
            shared.arrived.notify_all();
            request
        };
        let reply = (shared.script)(&request);
        shared.seen().remember(request.number, in_words(&reply));
        let mut bytes = Vec::new();
        match reply {
            Reply::Answer { status, headers, body } => {
                write!(bytes, "HTTP/1.1 {status} As Told\r\nContent-Length: {}\r\n", body.len())?;
                for (name, value) in headers {
                    write!(bytes, "{name}: {value}\r\n")?;
                }
                write!(bytes, "\r\n{body}")?;
                put(&mut stream, &bytes)?;
            }
            Reply::Raw(raw) => return put(&mut stream, &raw),
            Reply::Lost => return Ok(()),
            Reply::Hang => return io::copy(&mut stream, &mut io::sink()).map(drop),
            Reply::Endless => {
                put(&mut stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let chunk = [b"400\r\n", &[b' '; 1024][..], b"\r\n"].concat();
                loop {
                    put(&mut stream, &chunk)?;
                    shared.seen().endless += 1024;
                }
            }
            Reply::Trickle(pause) => {
                let body = " ".repeat(1_000);
                write!(bytes, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{body}")?;
                for byte in bytes.chunks(1) {
                    put(&mut stream, byte)?;
                    thread::sleep(pause);
                }
            }
        }
    }
    Ok(())
}

/// What a request got.
fn in_words(reply: &Reply) -> String {
    match reply {
        Reply::Answer { status, headers, .. } => {
            let after = headers.iter().find(|(name, _)| *name == "Retry-After");
            after.map_or_else(
                || status.to_string(),
                |(name, value)| format!("{status} with {name}: {value}"),
            )
        }
        Reply::Raw(_) => "bytes, and the end of the connection".to_owned(),
        Reply::Lost => "no answer, but the end of the connection".to_owned(),
        Reply::Hang => "no answer".to_owned(),
        Reply::Endless => "an answer without an end".to_owned(),
        Reply::Trickle(_) => "an answer a byte at a time".to_owned(),
    }
}

fn put<S: Write>(stream: &mut BufReader<Above<'_, S>>, bytes: &[u8]) -> io::Result<()> {
    let stream = &mut stream.get_mut().inner;
    stream.write_all(bytes)?;
    stream.flush()
}

/// Reads a request; `None` at the end of the connection.
fn read_request(stream: &mut impl io::BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    loop {
        let begun = head.len();
        if stream.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if head.get(begun..).is_some_and(|line| line.trim_end().is_empty()) {
            break;
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some((head, body)))
}
