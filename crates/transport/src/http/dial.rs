//! Opens a connection with the first address that answers (RFC 8305, "Happy Eyeballs").
//!
//! The addresses are tried in their order, but the two families by turns. Where one has not answered
//! after 250 ms, the next is tried beside it; where it has failed, at once. So an address family that
//! leads nowhere costs 250 ms and no more. All of it is one thread's work.

#[cfg(unix)]
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

#[cfg(unix)]
use logflux_process::above_standard_streams;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// How long an address is alone (RFC 8305, section 5: Connection Attempt Delay).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum DialError {
    /// Nobody has answered in time.
    TimedOut,
    /// Every address failed.
    Failed(io::Error),
}

/// The addresses in their order, but IPv6 and IPv4 by turns, and the family of the first begins
/// (RFC 8305, section 4).
pub(super) fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.into_iter().peekable();
    let begins_with_6 = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.partition(|address| address.is_ipv6() == begins_with_6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::with_capacity(first.len() + second.len());
    loop {
        let pair = [first.next(), second.next()];
        if pair.iter().all(Option::is_none) {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

/// Connects with one of the addresses. The stream is non-blocking, and sends without delay.
pub(super) fn dial(
    addresses: &[SocketAddr],
    deadline: Option<Instant>,
) -> Result<TcpStream, DialError> {
    let mut waiting = addresses.iter();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut failures = Failures::default();
    let mut next = Instant::now();
    loop {
        while attempts.is_empty() || next <= Instant::now() {
            let Some(address) = waiting.next() else { break };
            match Attempt::begin(*address) {
                Ok(attempt) => {
                    attempts.push(attempt);
                    next = Instant::now() + ATTEMPT_DELAY;
                }
                Err(error) => failures.add(*address, &error),
            }
        }
        if attempts.is_empty() {
            return Err(DialError::Failed(failures.into_error()));
        }
        let begin = (!waiting.as_slice().is_empty()).then_some(next);
        let until = [deadline, begin].into_iter().flatten().min();
        for at in await_any(&attempts, until).map_err(DialError::Failed)?.into_iter().rev() {
            let attempt = attempts.swap_remove(at);
            match attempt.ended() {
                Ok(stream) => return Ok(stream),
                Err((address, error)) => {
                    failures.add(address, &error);
                    // The next one need not wait for what is over.
                    next = Instant::now();
                }
            }
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(DialError::TimedOut);
        }
    }
}

/// Waits until something has become of an attempt; gives the numbers of those, in their order.
fn await_any(attempts: &[Attempt], until: Option<Instant>) -> io::Result<Vec<usize>> {
    let left = until
        .map(|until| until.saturating_duration_since(Instant::now()).try_into())
        .transpose()
        .map_err(io::Error::other)?;
    let mut ready: Vec<_> =
        attempts.iter().map(|attempt| PollFd::new(&attempt.socket, PollFlags::OUT)).collect();
    match poll(&mut ready, left.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(Vec::new()),
        Err(errno) => return Err(errno.into()),
    }
    let ready = ready.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
    Ok(ready.map(|(at, _)| at).collect())
}

/// A connection that is being made.
struct Attempt {
    address: SocketAddr,
    socket: Socket,
}

impl Attempt {
    fn begin(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        #[cfg(unix)]
        let socket =
            Socket::from(OwnedFd::from(above_standard_streams(File::from(OwnedFd::from(socket)))?));
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Ok(()) => Ok(Self { address, socket }),
            Err(error) if goes_on(&error) => Ok(Self { address, socket }),
            Err(error) => Err(error),
        }
    }

    fn ended(self) -> Result<TcpStream, (SocketAddr, io::Error)> {
        match self.socket.take_error().and_then(|error| match error {
            Some(error) => Err(error),
            None => self.socket.peer_addr(),
        }) {
            Ok(_) => Ok(self.socket.into()),
            Err(error) => Err((self.address, error)),
        }
    }
}

/// Whether a connection is made in the background.
fn goes_on(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error())
        || matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// What became of the addresses.
#[derive(Default)]
struct Failures {
    last: Option<io::ErrorKind>,
    sentences: Vec<(SocketAddr, String)>,
}

impl Failures {
    fn add(&mut self, address: SocketAddr, error: &io::Error) {
        self.last = Some(error.kind());
        self.sentences.push((address, error.to_string()));
    }

    fn into_error(self) -> io::Error {
        let sentence = match self.sentences.as_slice() {
            [] => "the name has no address".to_owned(),
            [(_, sentence)] => sentence.clone(),
            several => several
                .iter()
                .map(|(address, sentence)| format!("{}: {sentence}", address.ip()))
                .collect::<Vec<_>>()
                .join("; "),
        };
        io::Error::new(self.last.unwrap_or(io::ErrorKind::NotFound), sentence)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

    use super::*;

    /// An address where nothing listens.
    fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// An address that does not answer: a listener that takes no more connections, with those that
    /// fill it. `None` where this system answers all the same.
    fn silent() -> Option<(SocketAddr, Vec<Socket>)> {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut sockets = vec![listener];
        for _ in 0..16 {
            let attempt = Attempt::begin(address).unwrap();
            let until = Instant::now() + Duration::from_millis(200);
            let answered = await_any(std::slice::from_ref(&attempt), Some(until)).unwrap();
            let unanswered = answered.is_empty();
            sockets.push(attempt.socket);
            if unanswered {
                return Some((address, sockets));
            }
        }
        None
    }

    #[test]
    fn the_families_take_turns() {
        let of = |text: &str| -> Vec<SocketAddr> {
            let address = |name: &str| match name.strip_prefix('6') {
                Some(n) => (Ipv6Addr::from(n.parse::<u128>().unwrap()), 1).into(),
                None => (Ipv4Addr::from(name[1..].parse::<u32>().unwrap()), 1).into(),
            };
            text.split_whitespace().map(address).collect()
        };
        for (given, wanted) in [
            ("61 62 63 41 42", "61 41 62 42 63"),
            ("41 42 61", "41 61 42"),
            ("41 61 42 62", "41 61 42 62"),
            ("61 62", "61 62"),
            ("41", "41"),
            ("", ""),
        ] {
            assert_eq!(interleaved(of(given)), of(wanted), "{given}");
        }
    }

    #[test]
    fn an_address_that_refuses_or_that_this_machine_cannot_reach_is_passed_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // No connection goes to a multicast address.
        let addresses = ["[ff02::1]:1".parse().unwrap(), closed(), closed(), good];
        let stream = dial(&addresses, None).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn where_all_addresses_fail_each_failure_is_told() {
        let DialError::Failed(error) = dial(&[closed()], None).unwrap_err() else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        let addresses = ["[ff02::1]:1".parse().unwrap(), closed()];
        let DialError::Failed(error) = dial(&addresses, None).unwrap_err() else { panic!() };
        let text = error.to_string();
        assert!(text.contains("ff02::1: ") && text.contains("; 127.0.0.1: "), "{text}");
        let DialError::Failed(error) = dial(&[], None).unwrap_err() else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn an_address_that_does_not_answer_does_not_keep_the_next_one_waiting() {
        let Some((silent, _sockets)) = silent() else {
            eprintln!("skipped: a full listener answers on this system");
            return;
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // Without a deadline only the good address ends this.
        for addresses in [&[silent, good][..], &[silent, closed(), silent, good]] {
            let begun = Instant::now();
            let stream = dial(addresses, None).unwrap();
            assert_eq!(stream.peer_addr().unwrap(), good);
            println!("{:?} for {addresses:?}", begun.elapsed());
        }
        // The next one is tried beside it, and not in its place.
        let begun = Instant::now();
        let deadline = Some(begun + Duration::from_millis(400));
        assert!(matches!(dial(&[silent, silent], deadline), Err(DialError::TimedOut)));
        assert!(begun.elapsed() >= Duration::from_millis(400));
    }
}
