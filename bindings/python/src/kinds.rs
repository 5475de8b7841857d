//! What a value of Python's consists of: the parts of a container, or a text.
//!
//! Parts are taken without running any code of the value's own where its storage is Python's, and
//! never more of them than there is room for.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFrozenSet, PyInt, PyList, PySet, PySlice, PyString, PyTuple,
    PyType,
};

use crate::json::{FIELDS_MAX, Json, digits, is_built_in_container, is_plain, pass_through};
use crate::text::head;

/// What a container holds; `more` says that it holds more than that.
pub(crate) enum Parts<'py> {
    /// Names and values.
    Members { members: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>, more: bool },
    /// Values.
    Items { items: Vec<Bound<'py, PyAny>>, more: bool },
}

/// The parts of a container, at most `room`; `None` where the value is no container.
pub(crate) fn parts<'py>(value: &Bound<'py, PyAny>, room: usize) -> PyResult<Option<Parts<'py>>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(Some(members(dict, room)));
    }
    if let Ok(list) = value.cast::<PyList>() {
        let items = list.iter().take(room).collect();
        return Ok(Some(Parts::Items { items, more: list.len() > room }));
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        let items = tuple.iter().take(room).collect();
        return Ok(Some(Parts::Items { items, more: tuple.len() > room }));
    }
    if value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
        return iterated(value, room).map(Some);
    }
    if is_plain(value) || value.is_instance_of::<PyBytes>() {
        return Ok(None);
    }
    if let Some(names) = generated_fields(value)? {
        return fields(value, &names, room).map(Some);
    }
    match Library::of(value.py())?.kind(value) {
        Some(Kind::Mapping) => mapping(value, room).map(Some),
        Some(Kind::Iterable) => iterated(value, room).map(Some),
        None => Ok(None),
    }
}

/// The members of a dict, at most `room`.
pub(crate) fn members<'py>(dict: &Bound<'py, PyDict>, room: usize) -> Parts<'py> {
    // No code of anybody's runs meanwhile, so that the dict stays as it is.
    let members = dict.iter().take(room).collect();
    Parts::Members { members, more: dict.len() > room }
}

fn iterated<'py>(value: &Bound<'py, PyAny>, room: usize) -> PyResult<Parts<'py>> {
    let mut items = Vec::new();
    for item in value.try_iter()? {
        let item = item?;
        if items.len() == room {
            return Ok(Parts::Items { items, more: true });
        }
        items.push(item);
    }
    Ok(Parts::Items { items, more: false })
}

fn mapping<'py>(value: &Bound<'py, PyAny>, room: usize) -> PyResult<Parts<'py>> {
    let mut members = Vec::new();
    for name in value.try_iter()? {
        let name = name?;
        if members.len() == room {
            return Ok(Parts::Members { members, more: true });
        }
        let item = value.get_item(&name)?;
        members.push((name, item));
    }
    Ok(Parts::Members { members, more: false })
}

/// The fields of a dataclass, or of a class of `attrs`, as long as its `repr` is the generated one,
/// and only those which that shows. The generated one would take no end of time for objects that refer
/// to each other.
fn generated_fields<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
    let kind = value.get_type();
    let py = value.py();
    if let Some(fields) = kind.getattr_opt(pyo3::intern!(py, "__dataclass_fields__"))? {
        if !is_generated(&kind, &["dataclasses.py", "reprlib.py"]) {
            return Ok(None);
        }
        let fields = fields.cast_into::<PyDict>()?;
        return shown(fields.values().iter()).map(Some);
    }
    if let Some(fields) = kind.getattr_opt(pyo3::intern!(py, "__attrs_attrs__"))? {
        let generated = is_generated(&kind, &["<attrs generated"]);
        return if generated { shown(fields.try_iter()?.flatten()).map(Some) } else { Ok(None) };
    }
    Ok(None)
}

/// The names of the fields whose `repr` says yes.
fn shown<'py>(fields: impl Iterator<Item = Bound<'py, PyAny>>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut names = Vec::new();
    for field in fields {
        // Class variables are among the fields of a dataclass as well.
        let variable = field.getattr_opt("_field_type")?;
        let is_field = match variable {
            Some(kind) => kind.str()?.to_string_lossy() == "_FIELD",
            None => true,
        };
        if is_field && field.getattr("repr")?.is_truthy()? {
            names.push(field.getattr("name")?);
        }
    }
    Ok(names)
}

/// Whether a class's `__repr__`, and no `__str__` beside it, was written by a library.
fn is_generated(kind: &Bound<'_, PyType>, files: &[&str]) -> bool {
    let code = |name: &str| -> PyResult<String> {
        let function = kind.getattr(name)?;
        function.getattr("__code__")?.getattr("co_filename")?.extract()
    };
    // `object.__str__` is written in C, and has no code.
    let own_str = code("__str__").is_ok();
    !own_str && code("__repr__").is_ok_and(|name| files.iter().any(|file| name.contains(file)))
}

fn fields<'py>(
    value: &Bound<'py, PyAny>,
    names: &[Bound<'py, PyAny>],
    room: usize,
) -> PyResult<Parts<'py>> {
    let mut members = Vec::new();
    for name in names.iter().take(room) {
        let text = name.cast::<PyString>()?;
        // One that was never set is left out, as `repr` would fail.
        if let Some(item) = value.getattr_opt(text)? {
            members.push((name.clone(), item));
        }
    }
    Ok(Parts::Members { members, more: names.len() > room })
}

#[derive(Clone, Copy)]
enum Kind {
    Mapping,
    Iterable,
}

/// The containers of Python's library.
struct Library {
    mappings: Vec<Py<PyAny>>,
    iterables: Vec<Py<PyAny>>,
}

impl Library {
    fn of(py: Python<'_>) -> PyResult<&Self> {
        static LIBRARY: PyOnceLock<Library> = PyOnceLock::new();
        LIBRARY.get_or_try_init(py, || {
            let collections = py.import("collections")?;
            let empty = PyDict::new(py).into_any();
            let view = |name: &str| empty.call_method0(name).map(|view| view.get_type().into_any());
            let proxy = py.get_type::<PyType>().getattr("__dict__")?.get_type().into_any();
            let mappings =
                [proxy, collections.getattr("UserDict")?, collections.getattr("ChainMap")?];
            let iterables = [
                collections.getattr("deque")?,
                collections.getattr("UserList")?,
                view("keys")?,
                view("values")?,
                view("items")?,
            ];
            Ok(Self {
                mappings: mappings.into_iter().map(Bound::unbind).collect(),
                iterables: iterables.into_iter().map(Bound::unbind).collect(),
            })
        })
    }

    fn kind(&self, value: &Bound<'_, PyAny>) -> Option<Kind> {
        let bases = value.get_type().mro();
        let is_one =
            |kinds: &[Py<PyAny>]| bases.iter().any(|base| kinds.iter().any(|kind| kind.is(&base)));
        if is_one(&self.mappings) {
            Some(Kind::Mapping)
        } else if is_one(&self.iterables) {
            Some(Kind::Iterable)
        } else {
            None
        }
    }
}

/// How many bytes of a value that is bytes are written.
const BYTES_MAX: isize = 16 * 1024;

/// What `str` makes of a value that is no container; of bytes, the beginning.
pub(crate) fn text_of<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let long = match (value.cast::<PyBytes>(), value.cast::<PyByteArray>()) {
        (Ok(bytes), _) => bytes.as_bytes().len() > BYTES_MAX.unsigned_abs(),
        (_, Ok(bytes)) => bytes.len() > BYTES_MAX.unsigned_abs(),
        _ => false,
    };
    if long {
        let head = value.get_item(PySlice::new(value.py(), 0, BYTES_MAX, 1))?.str()?;
        return Ok(PyString::new(value.py(), &format!("{}…", head.to_string_lossy())));
    }
    value.str()
}

/// The text of a name that is no `str`.
pub(crate) fn name_of<'py>(name: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    match replacement(name)? {
        Some(text) => Ok(text),
        None => name.str(),
    }
}

/// What is to be written in place of a value whose `str` or `repr` would take long, if it is one.
pub(crate) fn replacement<'py>(
    value: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = value.py();
    if let Ok(text) = value.cast::<PyString>() {
        let (short, cut) = head(text, LONG_TEXT)?;
        return Ok(cut.then(|| PyString::new(py, &format!("{}…", short.to_string_lossy()))));
    }
    if let Ok(integer) = value.cast::<PyInt>() {
        return if is_long(integer)? {
            digits(integer).map(|(text, _)| Some(text))
        } else {
            Ok(None)
        };
    }
    if is_long_decimal(value) {
        return value.str().map(Some);
    }
    let mut budget = SHORT;
    if is_plain(value) || is_short(value, &mut budget, 0)? {
        return Ok(None);
    }
    if value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>() {
        return text_of(value).map(Some);
    }
    let mut json = Json::new(py, Vec::new(), FIELDS_MAX);
    json.value(value)?;
    Ok(Some(PyString::new(py, &String::from_utf8_lossy(&json.out))))
}

/// How many values, or how much text, `str` may be asked for.
const SHORT: usize = 2_000;
/// A text that is longer is cut before it is put into another.
const LONG_TEXT: usize = 384 * 1024;
/// How deep they may be nested.
const SHORT_DEPTH: usize = 32;

/// Whether `str` of an integer would fail, or take long.
fn is_long(integer: &Bound<'_, PyInt>) -> PyResult<bool> {
    const BITS_MAX: usize = 13_000;
    if integer.extract::<i64>().is_ok() {
        return Ok(false);
    }
    let bits = integer.py().get_type::<PyInt>().call_method1("bit_length", (integer,))?;
    Ok(bits.extract::<usize>()? > BITS_MAX)
}

/// Whether `%d` of a `Decimal` would make a whole number of no end of digits.
fn is_long_decimal(value: &Bound<'_, PyAny>) -> bool {
    const DIGITS_MAX: u64 = 4_000;
    let py = value.py();
    let kind = value.get_type();
    let named = |name: Bound<'_, PyString>| name.to_string_lossy() == "Decimal";
    kind.name().is_ok_and(named)
        && value
            .call_method0(pyo3::intern!(py, "adjusted"))
            .and_then(|exponent| exponent.extract::<i64>())
            .is_ok_and(|exponent| exponent.unsigned_abs() > DIGITS_MAX)
}

/// Whether a value has few parts. It looks at no more of them than that.
fn is_short(value: &Bound<'_, PyAny>, budget: &mut usize, depth: usize) -> PyResult<bool> {
    let cost = if let Ok(text) = value.cast::<PyString>() {
        1 + text.code_point_len()? / 100
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        1 + bytes.as_bytes().len() / 100
    } else if let Ok(bytes) = value.cast::<PyByteArray>() {
        1 + bytes.len() / 100
    } else if let Ok(integer) = value.cast::<PyInt>() {
        if depth > 0 && is_long(integer)? { *budget } else { 1 }
    } else {
        1
    };
    if cost >= *budget || depth > SHORT_DEPTH {
        return Ok(false);
    }
    *budget -= cost;
    let of_text = value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>();
    if of_text || is_plain(value) {
        return Ok(true);
    }
    let found = match parts(value, *budget) {
        Ok(found) => found,
        Err(error) => {
            pass_through(value.py(), error)?;
            return Ok(!is_built_in_container(value));
        }
    };
    let (items, more) = match found {
        None => return Ok(true),
        Some(Parts::Items { items, more }) => (items, more),
        Some(Parts::Members { members, more }) => {
            (members.into_iter().flat_map(|(name, value)| [name, value]).collect(), more)
        }
    };
    if more {
        return Ok(false);
    }
    for item in &items {
        if !is_short(item, budget, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}
