//! What comes from C: pointers become references, slices and text, or errors that name them.

#[cfg(feature = "client")]
use std::ffi::OsString;
use std::ffi::{CStr, c_char};
use std::ptr;
use std::slice;
use std::str;

use crate::error::{Failure, logflux_error};
use crate::status::logflux_status;

/// A piece of text or bytes: a pointer and a length. The pointer may be NULL where the length is 0.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct logflux_slice {
    /// The first byte.
    pub data: *const c_char,
    /// How many bytes there are.
    pub length: usize,
}

pub(crate) fn null(name: &str) -> Failure {
    logflux_error::at(logflux_status::NullArgument, name, format_args!("{name} is NULL"))
}

/// A handle, or a place for an output.
pub(crate) fn there<T>(pointer: Option<T>, name: &str) -> Result<T, Failure> {
    pointer.ok_or_else(|| null(name))
}

/// A place for a handle that the caller will own.
pub(crate) struct Out<'a, T>(&'a mut *mut T);

impl<'a, T> Out<'a, T> {
    pub(crate) fn new(out: Option<&'a mut *mut T>) -> Result<Self, Failure> {
        there(out, "out").map(Self)
    }

    pub(crate) fn give(self, handle: T) -> Result<(), Failure> {
        *self.0 = Box::into_raw(Box::new(handle));
        Ok(())
    }
}

/// `length` elements at `data`.
///
/// # Safety
/// Where `data` is not NULL, so many elements can be read there for `'a`.
pub(crate) unsafe fn elements<'a, T>(
    data: *const T,
    length: usize,
    name: &str,
) -> Result<&'a [T], Failure> {
    let most = isize::MAX.unsigned_abs() / size_of::<T>().max(1);
    if length > most {
        let what = format_args!("{name} has an impossible length");
        return Err(logflux_error::at(logflux_status::InvalidLength, name, what));
    }
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(null(name));
    }
    // SAFETY: it is not NULL, the length is possible, and the caller says that they are there.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}

/// The bytes of a C string.
///
/// # Safety
/// Where `data` is not NULL, it ends with NUL and can be read for `'a`.
pub(crate) unsafe fn c_string<'a>(data: *const c_char, name: &str) -> Result<&'a [u8], Failure> {
    if data.is_null() {
        return Err(null(name));
    }
    // SAFETY: it is not NULL, and the caller says that it ends with NUL.
    Ok(unsafe { CStr::from_ptr(data) }.to_bytes())
}

pub(crate) fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Failure> {
    str::from_utf8(bytes).map_err(|error| {
        let what = format_args!("{name} is not UTF-8 at byte {}", error.valid_up_to());
        logflux_error::at(logflux_status::InvalidUtf8, name, what)
    })
}

/// Text as the system has it: any bytes on Unix, UTF-8 elsewhere.
#[cfg(feature = "client")]
pub(crate) fn os_string(bytes: &[u8]) -> Option<OsString> {
    #[cfg(unix)]
    let text = Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()));
    #[cfg(not(unix))]
    let text = str::from_utf8(bytes).ok().map(Into::into);
    text
}

/// Fills the caller's struct, as much of it as the caller knows.
///
/// # Safety
/// Where `out` is not NULL, `size` bytes can be written there.
pub(crate) unsafe fn fill<T: Copy>(
    value: &T,
    out: *mut T,
    size: usize,
    least: usize,
) -> Result<(), Failure> {
    if out.is_null() {
        return Err(null("out"));
    }
    if size < least {
        let what = format_args!("out_size is {size}, and {least} is the least: give sizeof(*out)");
        return Err(logflux_error::at(logflux_status::InvalidLength, "out_size", what));
    }
    let size = size.min(size_of::<T>());
    // SAFETY: so many bytes are in `value` and, as the caller says, at `out`; they cannot overlap,
    // since `value` is our own.
    unsafe { ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), out.cast(), size) };
    Ok(())
}

/// The bytes of a pointer and a length that came from C.
macro_rules! bytes {
    ($data:ident, $length:ident) => {{
        // SAFETY: docs/c-conventions.md, "Arguments": what is not NULL has so many bytes.
        unsafe { $crate::arguments::elements($data.cast::<u8>(), $length, stringify!($data)) }?
    }};
}

/// The text of a pointer and a length that came from C.
macro_rules! text {
    ($data:ident, $length:ident) => {
        $crate::arguments::utf8($crate::arguments::bytes!($data, $length), stringify!($data))?
    };
}

/// The bytes of a C string.
macro_rules! string {
    ($data:ident) => {{
        // SAFETY: docs/c-conventions.md, "Names": what is not NULL ends with NUL.
        unsafe { $crate::arguments::c_string($data, stringify!($data)) }?
    }};
}

pub(crate) use {bytes, string, text};
