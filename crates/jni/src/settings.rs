//! Settings, as Java has them.

use std::time::Duration;

use jni::Env;
use jni::objects::{JLongArray, JObject};
use logflux_host::settings::{self, PolicyBounds};
use logflux_transport::{Kind, Setting};

use crate::boundary::Failure;
use crate::values;

/// The bounds that Java gives: a NaN or a negative number stands for none; null for no bounds at all.
pub(crate) fn bounds(
    env: &Env<'_>,
    budget: f64,
    numbers: &JLongArray<'_>,
) -> Result<Option<PolicyBounds>, Failure> {
    if numbers.is_null() {
        return Ok(None);
    }
    let numbers = values::longs(env, numbers)?;
    let number = |index: usize| numbers.get(index).and_then(|number| u64::try_from(*number).ok());
    Ok(Some(PolicyBounds {
        budget: (!budget.is_nan()).then_some(budget),
        max_entries: number(0),
        max_age: number(1).map(Duration::from_nanos),
    }))
}

exports! {
    /// The table of settings that Java takes, nine texts a setting: its name, variable, kind, values, what
    /// it is, its default, its least and greatest value (of a duration in nanoseconds), its words.
    fn Java_io_logflux_Native_settings(env) -> JObject<'l> {
        let rows: Vec<_> = settings::taken().map(row).collect();
        let texts: Vec<_> = rows.iter().flatten().map(Option::as_deref).collect();
        values::strings(env, &texts)
    }
}

fn row(setting: &Setting) -> [Option<String>; 9] {
    let (kind, min, max, words) = match setting.kind {
        Kind::Number { min, max, .. } => ("number", min.to_string(), max.to_string(), None),
        Kind::Size { min, max, .. } => ("size", min.to_string(), max.to_string(), None),
        Kind::Factor { min, max, .. } => ("factor", min.to_string(), max.to_string(), None),
        Kind::Duration { min, max, .. } => {
            ("duration", min.as_nanos().to_string(), max.as_nanos().to_string(), None)
        }
        Kind::Choice { words, .. } => {
            ("choice", String::new(), String::new(), Some(words.join(" ")))
        }
        _ => ("text", String::new(), String::new(), None),
    };
    let bound = |text: String| (!text.is_empty()).then_some(text);
    [
        Some(settings::camel(setting.name)),
        setting.variable.map(str::to_owned),
        Some(kind.to_owned()),
        Some(setting.kind.values()),
        Some(settings::about(setting)),
        setting.kind.default(),
        bound(min),
        bound(max),
        words,
    ]
}
