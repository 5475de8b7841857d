//! Reading the arguments of Java's calls, and making their answers.

use std::time::Duration;

use jni::Env;
use jni::objects::{JByteArray, JLongArray, JObject, JObjectArray, JString};
use jni::sys::{jint, jlong};
use logflux_envelope::{Field, Level, Mode, Node, Stage, Timestamp};

use crate::boundary::Failure;

/// Text, which Java has seen to be well formed; none where it is null.
pub(crate) fn text(env: &Env<'_>, text: &JString<'_>) -> Result<Option<String>, Failure> {
    Ok(if text.is_null() { None } else { Some(text.try_to_string(env)?) })
}

/// The texts of an array.
pub(crate) fn texts<'l>(
    env: &mut Env<'l>,
    array: &JObjectArray<'l, JString<'l>>,
) -> Result<Vec<Option<String>>, Failure> {
    let mut texts = Vec::new();
    for index in 0..array.len(env)? {
        let element = array.get_element(env, index)?;
        texts.push(text(env, &element)?);
        // A frame has room for few.
        env.delete_local_ref(element);
    }
    Ok(texts)
}

/// Pairs of an array of names and values.
pub(crate) fn pairs<'l, C: FromIterator<(String, String)>>(
    env: &mut Env<'l>,
    array: &JObjectArray<'l, JString<'l>>,
) -> Result<C, Failure> {
    let texts = texts(env, array)?;
    let pair = |pair: &[Option<String>]| match pair {
        [Some(name), Some(value)] => Some((name.clone(), value.clone())),
        _ => None,
    };
    Ok(texts.chunks(2).filter_map(pair).collect())
}

/// The numbers of an array.
pub(crate) fn longs(env: &Env<'_>, array: &JLongArray<'_>) -> Result<Vec<i64>, Failure> {
    let mut numbers = vec![0; array.len(env)?];
    array.get_region(env, 0, &mut numbers)?;
    Ok(numbers)
}

/// An array of Java.
pub(crate) fn bytes<'l>(env: &mut Env<'l>, bytes: &[u8]) -> Result<JByteArray<'l>, Failure> {
    Ok(env.byte_array_from_slice(bytes)?)
}

/// An array of Java.
pub(crate) fn numbers<'l>(env: &mut Env<'l>, numbers: &[u64]) -> Result<JLongArray<'l>, Failure> {
    let numbers: Vec<i64> =
        numbers.iter().map(|number| i64::try_from(*number).unwrap_or(i64::MAX)).collect();
    let array = env.new_long_array(numbers.len())?;
    array.set_region(env, 0, &numbers)?;
    Ok(array)
}

/// An array of strings of Java; null stands for none.
pub(crate) fn strings<'l>(
    env: &mut Env<'l>,
    texts: &[Option<&str>],
) -> Result<JObject<'l>, Failure> {
    let array = JObjectArray::<JString<'_>>::new(env, texts.len(), JString::null())?;
    for (index, text) in texts.iter().enumerate() {
        if let Some(text) = text {
            let made = JString::from_str(env, text)?;
            array.set_element(env, index, &made)?;
            env.delete_local_ref(made);
        }
    }
    Ok(array.into())
}

/// A duration in nanoseconds, as Java has it. It never overflows a clock.
pub(crate) fn duration(nanoseconds: jlong) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
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

/// A level by its number.
pub(crate) fn level(number: jint) -> Result<Level, Failure> {
    let number = u64::try_from(number).unwrap_or(0);
    Level::from_number(number).map_err(|error| Failure::field(Field::Loglevel, Stage::Field, error))
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
