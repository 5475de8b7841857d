//! `Content-Encoding: gzip`, undone within bounds.

use std::io::{self, Write};

use axum::http::{HeaderMap, HeaderValue, header};
use flate2::write::MultiGzDecoder;
use logflux_wire::response::ErrorCode;

use super::error::ApiError;
use crate::room::Held;
use crate::tenant::Tenant;

/// How a body is encoded on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

/// What is answered in `Accept-Encoding` to a body that is encoded in another way (RFC 9110,
/// section 15.5.16).
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip");

impl Encoding {
    /// Reads `Content-Encoding`. Encodings one above another are not taken.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, second) = (values.next(), values.next());
        let name = first.map_or("identity", |value| value.to_str().unwrap_or("?").trim());
        // `x-gzip` is its old name (RFC 9110, section 8.4.1.3).
        match name.to_ascii_lowercase().as_str() {
            "identity" if second.is_none() => Ok(Self::Identity),
            "gzip" | "x-gzip" if second.is_none() => Ok(Self::Gzip),
            _ => Err(ApiError::new(
                ErrorCode::UnsupportedMediaType,
                "the body's Content-Encoding may be gzip, once, or none",
            )),
        }
    }
}

/// Undoes gzip, up to `most` bytes, for which it takes room as they come.
pub(super) fn gunzip(
    packed: &[u8],
    most: usize,
    room: &mut Held<Tenant>,
) -> Result<Vec<u8>, ApiError> {
    let bounded = Bounded { bytes: Vec::new(), most, room, fault: None };
    let mut decoder = MultiGzDecoder::new(bounded);
    let done = decoder.write_all(packed).and_then(|()| decoder.try_finish());
    let bounded = decoder.get_mut();
    match (done, bounded.fault) {
        (_, Some(Fault::TooLarge)) => {
            let message = format!("the body unpacks to more than {most} bytes: split it");
            Err(ApiError::new(ErrorCode::PayloadTooLarge, message))
        }
        (_, Some(Fault::NoRoom)) => {
            Err(ApiError::overloaded("the server holds too much already; try again"))
        }
        (Err(_), None) => {
            Err(ApiError::new(ErrorCode::InvalidRequest, "the body is not valid gzip"))
        }
        (Ok(()), None) => Ok(std::mem::take(&mut bounded.bytes)),
    }
}

/// Takes so much and no more.
struct Bounded<'a> {
    bytes: Vec<u8>,
    most: usize,
    room: &'a mut Held<Tenant>,
    fault: Option<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    TooLarge,
    NoRoom,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.fault = Some(Fault::TooLarge);
        } else if !self.room.grow(bytes.len()) {
            self.fault = Some(Fault::NoRoom);
        } else {
            self.bytes.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        Err(io::ErrorKind::FileTooLarge.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::room::Room;

    fn tenant(name: &str) -> Tenant {
        name.parse().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_packed_comes_back_and_no_more_than_the_bound() {
        let room = Room::new(1 << 20);
        let unpack = |packed: &[u8], most| {
            gunzip(packed, most, &mut room.enter(&tenant("a")))
                .map_err(|error| error.code().as_str())
        };
        let text = b"an entry ".repeat(1_000);
        let packed = gzip(&text);
        assert_eq!(unpack(&packed, 9_000), Ok(text.clone()));
        assert_eq!(unpack(&packed, 8_999), Err("payload_too_large"));
        assert_eq!(unpack(&gzip(b""), 10), Ok(Vec::new()));
        // Several members one after another are one body (RFC 1952, section 2.2).
        assert_eq!(unpack(&[gzip(b"one "), gzip(b"two")].concat(), 10), Ok(b"one two".to_vec()));
        for cut in [0, 1, 5, 20, packed.len() - 8, packed.len() - 1] {
            assert_eq!(unpack(&packed[..cut], 9_000), Err("invalid_request"), "{cut}");
        }
        let mut broken = packed.clone();
        let last = broken.len() - 6;
        broken[last] ^= 1; // the checksum
        assert_eq!(unpack(&broken, 9_000), Err("invalid_request"));
        assert_eq!(unpack(&[&packed[..], b"more"].concat(), 9_000), Err("invalid_request"));
        assert_eq!(unpack(&text, 9_000), Err("invalid_request"));
        // A bomb: 16 MiB of nothing in 16 KiB.
        assert_eq!(unpack(&gzip(&vec![0; 16 << 20]), 1 << 19), Err("payload_too_large"));
    }

    #[test]
    fn what_is_unpacked_takes_room() {
        let room = Room::new(1_000);
        let other = room.hold(&tenant("b"), 500).unwrap();
        let packed = gzip(&[7; 800]);
        let full = gunzip(&packed, 10_000, &mut room.enter(&tenant("a"))).unwrap_err();
        assert_eq!(full.code(), ErrorCode::Overloaded);
        drop(other);
        assert!(gunzip(&packed, 10_000, &mut room.enter(&tenant("a"))).is_ok());
    }

    #[test]
    fn one_encoding_is_taken_and_no_other() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            Encoding::of(&headers).ok()
        };
        assert_eq!(of(&[]), Some(Encoding::Identity));
        assert_eq!(of(&["identity"]), Some(Encoding::Identity));
        assert_eq!(of(&["GZip"]), Some(Encoding::Gzip));
        assert_eq!(of(&["x-gzip"]), Some(Encoding::Gzip));
        for other in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["deflate"], &[""]] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
