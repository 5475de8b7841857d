//! Proxies that the tests look into: HTTP with CONNECT, with TLS or without, and SOCKS 5.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use logflux_certify::endpoint::Presented;
use rustls::{ServerConnection, StreamOwned};

/// What a proxy does with a connection.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Connects it with this address, whatever the client asked for.
    To(String),
    /// Answers this, and ends it.
    Answer(Vec<u8>),
    /// Says nothing, as long as the client waits.
    Hang,
}

impl Verdict {
    /// An answer of HTTP with this status line.
    #[must_use]
    pub fn status(line: &str) -> Self {
        Self::Answer(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n").into_bytes())
    }
}

/// A proxy that runs, to the end of the tests.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// What has come from clients.
#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    asked: Vec<String>,
    bytes: Vec<u8>,
}

type Decide = Arc<dyn Fn(&str) -> Verdict + Send + Sync>;

impl Proxy {
    /// An HTTP proxy. `decide` gets the head of a request.
    #[must_use]
    pub fn http(decide: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> Self {
        Self::start(move |client, seen| serve_http(client, seen, &decide))
    }

    /// An HTTP proxy that speaks TLS with its clients.
    #[must_use]
    pub fn https(
        presented: Presented,
        decide: impl Fn(&str) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |client, seen| {
            let connection =
                ServerConnection::new(Arc::clone(&presented)).map_err(io::Error::other)?;
            serve_http(StreamOwned::new(connection, client), seen, &decide)
        })
    }

    /// A SOCKS 5 proxy, with these credentials or without. `decide` gets the target, such as
    /// `name:443`; an answer is the whole reply.
    #[must_use]
    pub fn socks(
        credentials: Option<(&'static str, &'static str)>,
        decide: impl Fn(&str) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let decide: Decide = Arc::new(decide);
        Self::start(move |client, seen| serve_socks(client, seen, credentials, &decide))
    }

    fn start(
        serve: impl Fn(TcpStream, &Mutex<Seen>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (serve, shared) = (Arc::new(serve), Arc::clone(&seen));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                lock(&shared).connections += 1;
                let (serve, shared) = (Arc::clone(&serve), Arc::clone(&shared));
                // A client that goes away is no matter.
                thread::spawn(move || drop(serve(client, &shared)));
            }
        });
        Self { address, seen }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.seen).connections
    }

    /// What it was asked, request by request.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.seen).asked.clone()
    }

    /// How many bytes have gone through it to servers.
    #[must_use]
    pub fn passed(&self) -> usize {
        lock(&self.seen).bytes.len()
    }

    /// Whether these bytes have come from clients.
    #[must_use]
    pub fn has_seen(&self, bytes: &[u8]) -> bool {
        let seen = lock(&self.seen);
        let asked = seen.asked.join("\n");
        [asked.as_bytes(), &seen.bytes]
            .iter()
            .any(|text| text.windows(bytes.len()).any(|window| window == bytes))
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client's connection, with TLS or without.
trait Client: Read + Write {
    fn socket(&self) -> &TcpStream;
}

impl Client for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Client for StreamOwned<ServerConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

fn serve_http(
    mut client: impl Client,
    seen: &Mutex<Seen>,
    decide: &(impl Fn(&str) -> Verdict + ?Sized),
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    lock(seen).asked.push(head.clone());
    match decide(&head) {
        Verdict::To(server) => {
            let server = TcpStream::connect(server)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")?;
            relay(client, server, seen)
        }
        Verdict::Answer(answer) => client.write_all(&answer),
        Verdict::Hang => client.read_to_end(&mut Vec::new()).map(drop),
    }
}

fn serve_socks(
    mut client: TcpStream,
    seen: &Mutex<Seen>,
    credentials: Option<(&str, &str)>,
    decide: &Decide,
) -> io::Result<()> {
    fn read(client: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes).map(|()| bytes)
    }
    fn counted(client: &mut TcpStream) -> io::Result<String> {
        let length = read(client, 1)?.iter().map(|length| usize::from(*length)).sum();
        read(client, length).map(|text| String::from_utf8_lossy(&text).into_owned())
    }
    read(&mut client, 1)?;
    let methods = counted(&mut client)?;
    let wanted = if credentials.is_some() { 2 } else { 0 };
    if !methods.bytes().any(|method| method == wanted) {
        return client.write_all(&[5, 0xff]);
    }
    client.write_all(&[5, wanted])?;
    if let Some((user, password)) = credentials {
        read(&mut client, 1)?;
        let given = (counted(&mut client)?, counted(&mut client)?);
        let good = (given.0.as_str(), given.1.as_str()) == (user, password);
        client.write_all(&[1, u8::from(!good)])?;
        if !good {
            return Ok(());
        }
    }
    let host = match read(&mut client, 4)?.as_slice() {
        [5, 1, 0, 1] => {
            let octets: [u8; 4] = read(&mut client, 4)?.try_into().unwrap_or_default();
            std::net::Ipv4Addr::from(octets).to_string()
        }
        [5, 1, 0, 3] => counted(&mut client)?,
        other => return Err(io::Error::other(format!("{other:?}"))),
    };
    let port: [u8; 2] = read(&mut client, 2)?.try_into().unwrap_or_default();
    let target = format!("{host}:{}", u16::from_be_bytes(port));
    lock(seen).asked.push(target.clone());
    match decide(&target) {
        Verdict::To(server) => {
            let server = TcpStream::connect(server)?;
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            relay(client, server, seen)
        }
        Verdict::Answer(answer) => client.write_all(&answer),
        Verdict::Hang => client.read_to_end(&mut Vec::new()).map(drop),
    }
}

/// Passes everything on both ways, until one side ends.
fn relay(mut client: impl Client, mut server: TcpStream, seen: &Mutex<Seen>) -> io::Result<()> {
    let turn = Some(Duration::from_millis(1));
    client.socket().set_read_timeout(turn)?;
    server.set_read_timeout(turn)?;
    let mut buffer = [0; 16 << 10];
    loop {
        let upwards = some(client.read(&mut buffer))?;
        if let Some(bytes) = upwards.and_then(|length| buffer.get(..length)) {
            if bytes.is_empty() {
                return Ok(());
            }
            lock(seen).bytes.extend(bytes);
            server.write_all(bytes)?;
        }
        let downwards = some(server.read(&mut buffer))?;
        if let Some(bytes) = downwards.and_then(|length| buffer.get(..length)) {
            if bytes.is_empty() {
                return Ok(());
            }
            client.write_all(bytes)?;
            client.flush()?;
        }
    }
}

/// `None` where nothing came in time.
fn some(read: io::Result<usize>) -> io::Result<Option<usize>> {
    match read {
        Ok(length) => Ok(Some(length)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
