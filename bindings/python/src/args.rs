//! Reading the arguments of Python's calls.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use logflux_envelope::{Field, Level, Mode, Node, Stage, Timestamp};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyInt, PyString};

use crate::errors;

/// The error that names an argument, what it may be and of which type it is, but not its value.
pub(crate) fn wrong_type(name: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let got = value.get_type();
    let got = got.name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{name} must be {expected}, not {got}"))
}

/// A text of Python's, unless it holds an unpaired surrogate. The error that Python has for those
/// bears the text, and so is not handed on.
pub(crate) fn text<'a>(value: &'a Bound<'_, PyString>) -> Option<Cow<'a, str>> {
    value.to_cow().ok()
}

/// The text of a setting.
pub(crate) fn named_text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let string = value.cast::<PyString>().map_err(|_| wrong_type(name, "str", value))?;
    let text = text(string).ok_or_else(|| errors::setting(name, "holds an unpaired surrogate"))?;
    Ok(text.into_owned())
}

/// The path of a setting.
pub(crate) fn path(name: &str, value: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    value.extract().map_err(|_| wrong_type(name, "str or os.PathLike", value))
}

/// A message to seal: text or bytes.
pub(crate) fn message<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(string) = value.cast::<PyString>() {
        return match text(string).ok_or_else(errors::message_not_unicode)? {
            Cow::Borrowed(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Cow::Owned(text) => Ok(Cow::Owned(text.into_bytes())),
        };
    }
    bytes(value).ok_or_else(|| wrong_type("message", "str or bytes", value))
}

/// The bytes of `bytes` or `bytearray`.
pub(crate) fn bytes<'a>(value: &'a Bound<'_, PyAny>) -> Option<Cow<'a, [u8]>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(Cow::Borrowed(bytes.as_bytes()));
    }
    value.cast::<PyByteArray>().ok().map(|bytes| Cow::Owned(bytes.to_vec()))
}

/// The node that is given, or the host's name.
pub(crate) fn node(value: Option<&Bound<'_, PyAny>>) -> PyResult<Node> {
    let Some(value) = value else {
        return logflux_transport::host_name()
            .ok_or_else(|| errors::setting("node", "the host name is no node: give one"));
    };
    let name = value.cast::<PyString>().map_err(|_| wrong_type("node", "str", value))?;
    let refuse = |error: &dyn ToString| errors::field(Field::Node, Stage::Field, error.to_string());
    let name = text(name).ok_or_else(|| refuse(&"node holds an unpaired surrogate"))?;
    Node::new(name).map_err(|error| refuse(&error))
}

/// A level by its number or its name.
pub(crate) fn level(value: &Bound<'_, PyAny>) -> PyResult<Level> {
    let level = match (value.cast::<PyInt>(), value.cast::<PyString>()) {
        (Ok(number), _) if !number.is_instance_of::<PyBool>() => {
            number.extract().ok().and_then(|number| Level::from_number(number).ok())
        }
        (_, Ok(name)) => text(name).and_then(|name| name.parse().ok()),
        _ => return Err(wrong_type("level", "a Level, an int or a str", value)),
    };
    level.ok_or_else(|| errors::field(Field::Loglevel, Stage::Field, logflux_wire::LevelError))
}

/// The number of a level that is given by its number or its name.
#[pyfunction]
pub(crate) fn level_number(level: &Bound<'_, PyAny>) -> PyResult<u8> {
    Ok(self::level(level)?.number())
}

/// A mode by its number or its name.
pub(crate) fn mode(value: &Bound<'_, PyAny>) -> PyResult<Mode> {
    let mode = match (value.cast::<PyInt>(), value.cast::<PyString>()) {
        (Ok(number), _) if !number.is_instance_of::<PyBool>() => {
            number.extract().ok().and_then(|number| Mode::from_number(number).ok())
        }
        (_, Ok(name)) => text(name).and_then(|name| name.parse().ok()),
        _ => return Err(wrong_type("mode", "a Mode, an int or a str", value)),
    };
    mode.ok_or_else(|| {
        errors::field(Field::EncryptionMode, Stage::Mode, logflux_wire::UnsupportedMode)
    })
}

/// A time: a `datetime` with a time zone, seconds since 1970, or RFC 3339; now where there is none.
pub(crate) fn timestamp(value: Option<&Bound<'_, PyAny>>) -> PyResult<Timestamp> {
    let Some(value) = value else { return Ok(Timestamp::now()) };
    let refuse =
        |error: &dyn ToString| errors::field(Field::Timestamp, Stage::Field, error.to_string());
    if let Ok(text_value) = value.cast::<PyString>() {
        let text = text(text_value).unwrap_or_default();
        return text.parse().map_err(|error: logflux_wire::TimestampError| refuse(&error));
    }
    if value.hasattr("tzinfo")? && value.hasattr("isoformat")? {
        if value.call_method0("utcoffset")?.is_none() {
            return Err(refuse(
                &"timestamp has no time zone: use datetime.now(timezone.utc) or .astimezone()",
            ));
        }
        return from_datetime(value)?.map_err(|error| refuse(&error));
    }
    if value.is_instance_of::<PyBool>() {
        return Err(wrong_type("timestamp", TIMESTAMP, value));
    }
    let range = |_| refuse(&logflux_wire::TimestampError::Range);
    if let Ok(seconds) = value.cast::<PyInt>() {
        let seconds =
            seconds.extract().map_err(|_| refuse(&logflux_wire::TimestampError::Range))?;
        return Timestamp::from_unix(seconds, 0).map_err(range);
    }
    match value.extract::<f64>() {
        Ok(seconds) => {
            from_seconds(seconds).ok_or_else(|| refuse(&logflux_wire::TimestampError::Range))
        }
        Err(_) => Err(wrong_type("timestamp", TIMESTAMP, value)),
    }
}

/// The time of a `datetime` with a time zone.
fn from_datetime(
    value: &Bound<'_, PyAny>,
) -> PyResult<Result<Timestamp, logflux_wire::TimestampError>> {
    let parse = |value: &Bound<'_, PyAny>| -> PyResult<Result<Timestamp, _>> {
        let written = value.call_method0("isoformat")?.str()?;
        Ok(written.to_string_lossy().parse())
    };
    let parsed = parse(value)?;
    if parsed.is_ok() {
        return Ok(parsed);
    }
    // The offset may have seconds, which RFC 3339 does not know.
    let utc = value.py().import("datetime")?.getattr("timezone")?.getattr("utc")?;
    match value.call_method1("astimezone", (utc,)) {
        Ok(value) => parse(&value),
        Err(_) => Ok(parsed),
    }
}

const TIMESTAMP: &str = "a datetime, a str in RFC 3339, or seconds since 1970";

/// To the microsecond: a float has no more digits for times of these years.
pub(crate) fn from_seconds(seconds: f64) -> Option<Timestamp> {
    if !seconds.is_finite() || seconds.abs() > 1e12 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)] // It is finite, and was bounded.
    let micros = (seconds * 1e6).round() as i64;
    let nanoseconds = u32::try_from(micros.rem_euclid(1_000_000)).ok()? * 1_000;
    Timestamp::from_unix(micros.div_euclid(1_000_000), nanoseconds).ok()
}

/// How long a call waits: seconds, a `timedelta`, or a text such as `250ms`. A thousand years is as
/// good as for ever, and no clock overflows by it.
pub(crate) fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    const FOR_EVER: Duration = Duration::from_secs(1_000 * 365 * 86_400);
    Ok(any_duration(name, value)?.map_or(FOR_EVER, |duration| duration.min(FOR_EVER)))
}

/// A duration as above; `None` where it is longer than any that can be expressed.
pub(crate) fn any_duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    if let Ok(string) = value.cast::<PyString>() {
        let text = text(string).unwrap_or_default();
        return logflux_transport::parse_duration(&text)
            .map(Some)
            .map_err(|error| errors::setting(name, error));
    }
    let seconds = match value.call_method0("total_seconds") {
        Ok(seconds) => seconds.extract::<f64>(),
        Err(_) => value.extract::<f64>(),
    };
    let seconds = seconds.map_err(|_| {
        wrong_type(name, "a number of seconds, a timedelta, or a str such as \"250ms\"", value)
    })?;
    if seconds.is_nan() || seconds < 0.0 {
        return Err(errors::setting(name, "must be 0 or more seconds"));
    }
    Ok(Duration::try_from_secs_f64(seconds).ok())
}
