//! Levels as logging calls take them: LogFlux's own, and those of `logging`, by number and by name.
//! They never fail.

use logflux_envelope::Level;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString};

/// What is logged at a level that nobody knows.
const UNKNOWN: Level = Level::Info;

/// The level that a number of `logging` means: from 50, 40, 30, 25 and 20 on critical, error, warning,
/// notice and info, below that debug.
pub(crate) fn of_logging(number: i64) -> Level {
    match number {
        50.. => Level::Critical,
        40.. => Level::Error,
        30.. => Level::Warning,
        25.. => Level::Notice,
        20.. => Level::Info,
        _ => Level::Debug,
    }
}

/// The level that a name means, in any case.
pub(crate) fn of_name(name: &str) -> Option<Level> {
    if let Ok(level) = name.parse() {
        return Some(level);
    }
    let name = name.to_ascii_lowercase();
    Some(match name.as_str() {
        "fatal" => Level::Critical,
        "exception" | "failure" => Level::Error,
        "success" => Level::Notice,
        "msg" => Level::Info,
        "notset" | "trace" => Level::Debug,
        _ => return None,
    })
}

/// The level that a caller means: 1 to 8 are LogFlux's own numbers, from 9 on they are those of
/// `logging`.
pub(crate) fn any(level: &Bound<'_, PyAny>) -> Level {
    if let Ok(number) = level.cast::<PyInt>() {
        if level.is_instance_of::<PyBool>() {
            return UNKNOWN;
        }
        return number.extract::<i64>().map_or_else(|_| huge(level), of_number);
    }
    let Ok(name) = level.cast::<PyString>() else {
        // Numbers of other libraries.
        return whole(level).map_or(UNKNOWN, of_number);
    };
    let text = name.to_string_lossy();
    let text = text.trim();
    of_name(text)
        .or_else(|| text.parse().ok().map(of_number))
        .or_else(|| added(level))
        .unwrap_or(UNKNOWN)
}

fn of_number(number: i64) -> Level {
    let own = u64::try_from(number).ok().and_then(|number| Level::from_number(number).ok());
    own.unwrap_or_else(|| of_logging(number))
}

/// A number of any kind, as far as it matters here.
pub(crate) fn whole(number: &Bound<'_, PyAny>) -> Option<i64> {
    let number = number.extract::<f64>().ok().filter(|number| !number.is_nan())?;
    #[expect(clippy::cast_possible_truncation, reason = "it is between 0 and 100")]
    let whole = number.clamp(0.0, 100.0) as i64;
    Some(whole)
}

fn huge(level: &Bound<'_, PyAny>) -> Level {
    if level.gt(0).unwrap_or(false) { Level::Critical } else { Level::Debug }
}

/// The level of a name that `logging.addLevelName` made known.
fn added(name: &Bound<'_, PyAny>) -> Option<Level> {
    let py = name.py();
    let modules = py.import("sys").ok()?.getattr("modules").ok()?;
    let logging = modules.get_item(intern!(py, "logging")).ok()?;
    let number = logging.call_method1(intern!(py, "getLevelName"), (name,)).ok()?;
    number.extract::<i64>().ok().map(of_logging)
}
