//! Reading the arguments of JavaScript's calls.

use std::time::Duration;

use logflux_envelope::{Field, Level, Mode, Node, Stage, Timestamp};
use napi::JsString;
use napi::bindgen_prelude::{Either, Uint8ArraySlice};

use crate::boundary::Failure;

/// Text, or bytes.
pub(crate) type Bytes<'a> = Either<JsString<'a>, Uint8ArraySlice<'a>>;

/// The UTF-8 of a text, or the bytes.
pub(crate) fn bytes(value: Bytes<'_>) -> Result<Vec<u8>, Failure> {
    match value {
        Either::A(text) => Ok(text.into_utf8()?.take()),
        Either::B(bytes) => Ok(bytes.to_vec()),
    }
}

/// A duration in milliseconds. A thousand years is as good as for ever, and no clock overflows by it.
pub(crate) fn duration(milliseconds: f64) -> Duration {
    const FOR_EVER: Duration = Duration::from_secs(1_000 * 365 * 86_400);
    if milliseconds.is_nan() || milliseconds <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(milliseconds / 1e3).map_or(FOR_EVER, |time| time.min(FOR_EVER))
}

/// The node that is given, or the host's name.
pub(crate) fn node(name: Option<String>) -> Result<Node, Failure> {
    match name {
        Some(name) => {
            Node::new(name).map_err(|error| Failure::field(Field::Node, Stage::Field, error))
        }
        None => logflux_transport::host_name()
            .ok_or_else(|| Failure::setting("node", "the host name is no node: give one")),
    }
}

/// A level by its number or its name.
pub(crate) fn level(text: &str) -> Result<Level, Failure> {
    text.parse().map_err(|error: logflux_wire::LevelError| {
        Failure::field(Field::Loglevel, Stage::Field, error)
    })
}

/// A mode by its number or its name; 1 where there is none.
pub(crate) fn mode(text: Option<&str>) -> Result<Mode, Failure> {
    let Some(text) = text else { return Ok(Mode::Pbkdf2) };
    text.parse().map_err(|error: logflux_wire::UnsupportedMode| {
        Failure::field(Field::EncryptionMode, Stage::Mode, error)
    })
}

/// A time in RFC 3339; now where there is none.
pub(crate) fn timestamp(text: Option<&str>) -> Result<Timestamp, Failure> {
    let Some(text) = text else { return Ok(Timestamp::now()) };
    text.parse().map_err(|error: logflux_wire::TimestampError| {
        Failure::field(Field::Timestamp, Stage::Field, error)
    })
}

/// A time in milliseconds since 1970, as JavaScript has it. One that no entry can have is now.
pub(crate) fn time(milliseconds: f64) -> Timestamp {
    let micros = (milliseconds * 1e3).round();
    if !micros.is_finite() || micros.abs() > 1e18 {
        return Timestamp::now();
    }
    #[allow(clippy::cast_possible_truncation)] // It is finite, and was bounded.
    let micros = micros as i64;
    let nanoseconds = u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0) * 1_000;
    Timestamp::from_unix(micros.div_euclid(1_000_000), nanoseconds)
        .unwrap_or_else(|_| Timestamp::now())
}
