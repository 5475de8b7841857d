//! The pairs of a query string, each of a known name and at most once.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::query::QueryError;

/// Hands each value to `take`, with its name as it stands in `names`.
///
/// # Errors
/// [`QueryError`] for another name or a repeated one, and whatever `take` gives.
pub fn read<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    names: &'static [&'static str],
    mut take: impl FnMut(&'static str, &'a str) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let mut seen = Vec::new();
    for (name, value) in pairs {
        let Some(known) = names.iter().find(|known| **known == name) else {
            return Err(QueryError::Unknown { name: name.chars().take(64).collect(), names });
        };
        if seen.contains(&known) {
            return Err(QueryError::Value { name: known, reason: "it stands twice".into() });
        }
        seen.push(known);
        take(known, value)?;
    }
    Ok(())
}

/// Reads a value by the rule of its type.
///
/// # Errors
/// [`QueryError::Value`].
pub fn value<T: FromStr<Err: ToString>>(name: &'static str, text: &str) -> Result<T, QueryError> {
    text.parse().map_err(|error: T::Err| QueryError::Value { name, reason: error.to_string() })
}

/// Reads a number that has bounds.
///
/// # Errors
/// [`QueryError::Value`].
pub fn within(
    name: &'static str,
    text: &str,
    bounds: RangeInclusive<usize>,
) -> Result<usize, QueryError> {
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    let reason = || format!("it must be {} to {}", bounds.start(), bounds.end());
    number.ok_or_else(|| QueryError::Value { name, reason: reason() })
}
