//! Puts the API key into requests, and takes it out of answers, below everything that writes to a
//! log.
//!
//! `ureq` logs the head of each request at the level TRACE, byte by byte, to the logger of the host.
//! So the requests that it gets have [`AUTHORIZATION`] where the key belongs. The key takes its place
//! in the connection's own buffer: after the head was logged, and before it is encrypted.
//!
//! Answers are logged as well, and what they say is in errors. A server or a proxy that repeats the
//! request would put the key there, so its place is taken by the placeholder again.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use logflux_wire::ApiKey;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// The value of the header `authorization` in a request that shall have the key. It is as long as
/// the real one, and no key can look like it.
pub(crate) const AUTHORIZATION: &str = "Bearer lf_********************************";

/// Where a key has its first byte in [`AUTHORIZATION`].
const KEY_AT: usize = "Bearer ".len();

/// What an answer has in place of the key.
const HIDDEN: &[u8] = AUTHORIZATION.as_bytes().split_at(KEY_AT).1;
/// An answer that ends in so much of the key, or more, may go on with the rest of it. With less, a
/// page that ends in `html` would be waited for in vain.
const BEGINNING: usize = ApiKey::PREFIX.len();

/// Gives each connection the key.
#[derive(Debug)]
pub(super) struct Credential(pub(super) Arc<ApiKey>);

impl<In: Transport> Connector<In> for Credential {
    type Out = Authorized<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|transport| Authorized { transport, key: Arc::clone(&self.0) }))
    }
}

/// A connection that puts the key into the requests that go through it.
pub(super) struct Authorized<T> {
    transport: T,
    key: Arc<ApiKey>,
}

impl<T: Transport> Authorized<T> {
    /// Writes this text where the key belongs.
    fn write_key(&mut self, place: &Range<usize>, text: &[u8]) -> Result<(), Error> {
        overwrite(self.transport.buffers().output(), place.start, text)
    }

    /// Replaces the key in what has come.
    fn hide_key(&mut self) -> Result<(), Error> {
        let buffers = self.transport.buffers();
        let places = occurrences(buffers.input(), self.key.expose().as_bytes());
        if places.is_empty() {
            return Ok(());
        }
        let mut input = buffers.input().to_vec();
        for place in places {
            overwrite(&mut input, place, HIDDEN)?;
        }
        buffers.input_consume(input.len());
        overwrite(buffers.input_append_buf(), 0, &input)?;
        buffers.input_appended(input.len());
        Ok(())
    }

    /// Whether what has come ends within the key.
    fn ends_in_key(&mut self) -> bool {
        let input = self.transport.buffers().input();
        let key = self.key.expose().as_bytes();
        let beginnings = (BEGINNING..key.len()).filter_map(|length| key.get(..length));
        beginnings.into_iter().any(|beginning| input.ends_with(beginning))
    }
}

/// Writes these bytes over those at a place.
fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) -> Result<(), Error> {
    let place = at.checked_add(with.len()).and_then(|end| bytes.get_mut(at..end));
    let place = place.ok_or(Error::Io(std::io::ErrorKind::InvalidInput.into()))?;
    place.copy_from_slice(with);
    Ok(())
}

/// Where the key is in these bytes. Its only underscore is a rare byte in what is read most, entries.
fn occurrences(bytes: &[u8], key: &[u8]) -> Vec<usize> {
    let underscore = ApiKey::PREFIX.len() - 1;
    let found = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    let begins = found.filter_map(|(at, _)| at.checked_sub(underscore));
    begins.filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(key))).collect()
}

/// Where the key belongs in bytes that go out. Only a head has such a place: JSON has no line ends
/// of this kind, and the value of a header none at all.
fn place(output: &[u8]) -> Option<Range<usize>> {
    const BEFORE: &[u8] = b"\r\nauthorization: ";
    // A head begins with a method, JSON with none: a large body is not looked through.
    output.first().filter(|first| first.is_ascii_uppercase())?;
    let after_blank = output.windows(4).position(|bytes| bytes == b"\r\n\r\n")?.checked_add(4)?;
    let head = output.get(..after_blank)?;
    let line = [BEFORE, AUTHORIZATION.as_bytes(), b"\r\n"].concat();
    let at = head.windows(line.len()).position(|bytes| bytes == line)?;
    let begin = at.checked_add(BEFORE.len())?;
    Some(begin.checked_add(KEY_AT)?..begin.checked_add(AUTHORIZATION.len())?)
}

impl<T: Transport> Transport for Authorized<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.transport.buffers().output().get(..amount);
        let Some(place) = output.and_then(place) else {
            return self.transport.transmit_output(amount, timeout);
        };
        let key = Arc::clone(&self.key);
        self.write_key(&place, key.expose().as_bytes())?;
        let sent = self.transport.transmit_output(amount, timeout);
        // The buffer lives as long as the connection; the key must not.
        self.write_key(&place, HIDDEN)?;
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let mut came = false;
        while self.transport.await_input(timeout)? {
            came = true;
            self.hide_key()?;
            // Half of a key is not shown either: the rest is awaited first.
            if !self.ends_in_key() {
                break;
            }
        }
        Ok(came)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}

impl<T: fmt::Debug> fmt::Debug for Authorized<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.transport).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use ureq::Timeout;
    use ureq::unversioned::transport::LazyBuffers;
    use ureq::unversioned::transport::time::Duration;

    use super::*;

    const KEY: &str = "lf_0123456789abcdefABCDEF0123456789";

    /// A server whose answer comes in these pieces.
    #[derive(Debug)]
    struct Pieces(LazyBuffers, VecDeque<Vec<u8>>);

    impl Transport for Pieces {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            let Some(piece) = self.1.pop_front() else { return Ok(false) };
            overwrite(self.0.input_append_buf(), 0, &piece)?;
            self.0.input_appended(piece.len());
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn a_key_that_a_server_repeats_is_hidden_in_whatever_pieces_it_comes() {
        let answer = format!("{{\"message\":\"{KEY} and {KEY}\"}} lf_0123 lf_");
        let hidden = answer.replace(KEY, str::from_utf8(HIDDEN).unwrap());
        let keys = occurrences(answer.as_bytes(), KEY.as_bytes());
        assert_eq!(keys.len(), 2);
        for length in 1..=answer.len() {
            // Less than the prefix says nothing.
            let cut = |at: &usize| (1..BEGINNING).any(|more| (at + more).is_multiple_of(length));
            if keys.iter().any(cut) {
                continue;
            }
            let pieces = answer.as_bytes().chunks(length).map(<[u8]>::to_vec).collect();
            let transport = Pieces(LazyBuffers::new(1_000, 1_000), pieces);
            let key = Arc::new(KEY.parse().unwrap());
            let mut connection = Authorized { transport, key };
            let (after, reason) = (Duration::NotHappening, Timeout::Global);
            let timeout = NextTimeout { after, reason, per_read: None, per_write: None };
            let mut read = Vec::new();
            while connection.await_input(timeout).unwrap() {
                let came = connection.buffers().input().to_vec();
                connection.buffers().input_consume(came.len());
                read.extend(came);
                assert!(occurrences(&read, KEY.as_bytes()).is_empty());
            }
            assert_eq!(String::from_utf8(read).unwrap(), hidden, "pieces of {length}");
        }
    }

    #[test]
    fn the_placeholder_is_as_long_as_a_key_and_is_none() {
        let placeholder = str::from_utf8(HIDDEN).unwrap();
        assert_eq!(placeholder.len(), ApiKey::PREFIX.len() + ApiKey::RANDOM_LEN);
        assert!(placeholder.parse::<ApiKey>().is_err());
    }

    #[test]
    fn the_key_belongs_into_a_head_and_nowhere_else() {
        let line = format!("authorization: {AUTHORIZATION}\r\n");
        let head = format!("POST /v1/ingest HTTP/1.1\r\nhost: x\r\n{line}accept: */*\r\n\r\n");
        let place_in_head = place(head.as_bytes()).unwrap();
        assert_eq!(&head[place_in_head], &AUTHORIZATION[KEY_AT..]);
        for other in [
            "GET /version HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            format!("GET /version HTTP/1.1\r\nhost: x\r\n\r\n\r\n{line}\r\n"),
            format!("GET /?{line}\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nx-{line}\r\n"),
            format!("GET / HTTP/1.1\r\n{}\r\n", line.replace("**", "*")),
            format!("{{\"node\":\"\\r\\n{line}\\r\\n\"}}"),
            String::new(),
        ] {
            assert_eq!(place(other.as_bytes()), None, "{other}");
        }
    }
}
