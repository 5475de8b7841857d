//! Puts the API key into requests, below everything that writes to a log.
//!
//! `ureq` logs the head of each request at the level TRACE, byte by byte, to the logger of the host.
//! So the requests that it gets have [`AUTHORIZATION`] where the key belongs. The key takes its place
//! in the connection's own buffer: after the head was logged, and before it is encrypted.

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
    fn write_key(&mut self, place: &Range<usize>, text: &str) -> Result<(), Error> {
        let place = self.transport.buffers().output().get_mut(place.clone());
        let place = place.filter(|place| place.len() == text.len());
        let wrong = || Error::Io(std::io::ErrorKind::InvalidInput.into());
        place.ok_or_else(wrong)?.copy_from_slice(text.as_bytes());
        Ok(())
    }
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
        self.write_key(&place, key.expose())?;
        let sent = self.transport.transmit_output(amount, timeout);
        // The buffer lives as long as the connection; the key must not.
        self.write_key(&place, AUTHORIZATION.get(KEY_AT..).unwrap_or_default())?;
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.transport.await_input(timeout)
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
    use super::*;

    #[test]
    fn the_placeholder_is_as_long_as_a_key_and_is_none() {
        let placeholder = AUTHORIZATION.get(KEY_AT..).unwrap();
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
