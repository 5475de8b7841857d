//! Looks up the addresses of a name.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Instant;

use logflux_process::start_thread;

use super::dial::interleaved;

/// How many lookups may be under way. More of them means that none comes back.
const LOOKUPS_MAX: usize = 8;

/// Looks names up with the system's resolver (`getaddrinfo`), which knows no time limit.
///
/// A thread of its own waits for the resolver, so that the caller's time limit holds. Where no thread
/// can be had, the caller waits itself: for as long as the system's resolver takes, which is not
/// more than seconds unless it is told otherwise.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    under_way: Arc<AtomicUsize>,
}

/// Why there is no address.
#[derive(Debug)]
pub(super) enum LookupError {
    /// The resolver has not answered in time.
    TimedOut,
    /// The resolver's answer.
    Failed(io::Error),
}

impl Lookup {
    /// The addresses of a name, or of an address, in the order in which they are to be tried.
    pub(super) fn addresses(
        &self,
        host: &str,
        port: u16,
        deadline: Option<Instant>,
    ) -> Result<Vec<SocketAddr>, LookupError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let (name, counted) = (host.to_owned(), Counted::new(&self.under_way)?);
        let (answer, answered) = sync_channel(1);
        let thread = start_thread("logflux-lookup", move || {
            let found = ask(&name, port);
            drop(counted);
            // The caller may have gone on without it.
            let _ = answer.send(found);
        });
        let found = match (thread, deadline) {
            (Ok(_), Some(deadline)) => {
                match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                    Ok(found) => found,
                    Err(RecvTimeoutError::Timeout) => return Err(LookupError::TimedOut),
                    Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("no answer")),
                }
            }
            (Ok(_), None) => answered.recv().unwrap_or_else(|_| Err(io::Error::other("no answer"))),
            (Err(_), _) => ask(host, port),
        };
        found.map_err(LookupError::Failed)
    }
}

fn ask(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(interleaved)
}

/// One lookup that is under way.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(under_way: &Arc<AtomicUsize>) -> Result<Self, LookupError> {
        let counted = Self(Arc::clone(under_way));
        if under_way.fetch_add(1, Ordering::Relaxed) < LOOKUPS_MAX {
            Ok(counted)
        } else {
            let sentence = format!("{LOOKUPS_MAX} lookups of host names have not come back");
            Err(LookupError::Failed(io::Error::other(sentence)))
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_lookup_and_a_name_has_one() {
        let lookup = Lookup::default();
        // It is over before anything could answer.
        let past = Some(Instant::now());
        for (host, address) in [("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7")] {
            let found = lookup.addresses(host, 7, past).unwrap();
            assert_eq!(found, [address.parse().unwrap()]);
        }
        let found = lookup.addresses("localhost", 7, None).unwrap();
        assert!(found.iter().all(|found| found.ip().is_loopback() && found.port() == 7));
        assert!(!found.is_empty());
        let error = lookup.addresses("name.invalid", 7, None).unwrap_err();
        assert!(matches!(error, LookupError::Failed(_)), "{error:?}");
        assert_eq!(lookup.under_way.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn lookups_that_do_not_come_back_do_not_pile_up() {
        let lookup = Lookup::default();
        lookup.under_way.store(LOOKUPS_MAX, Ordering::Relaxed);
        let error = lookup.addresses("localhost", 7, None).unwrap_err();
        let LookupError::Failed(error) = error else { panic!("{error:?}") };
        assert!(error.to_string().contains("have not come back"), "{error}");
        assert_eq!(lookup.under_way.load(Ordering::Relaxed), LOOKUPS_MAX);
        lookup.under_way.store(LOOKUPS_MAX - 1, Ordering::Relaxed);
        assert!(lookup.addresses("localhost", 7, None).is_ok());
    }
}
