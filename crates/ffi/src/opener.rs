//! Opening: one entry by itself, or many by an opener.

use std::ffi::c_char;
use std::num::NonZeroUsize;

use logflux_envelope::{Entry, Opener};
use zeroize::Zeroizing;

use crate::arguments::{Out, bytes, elements, logflux_slice, string, there};
use crate::boundary::{boundary, freeing};
use crate::buffer::logflux_buffer;
use crate::error::{Failure, logflux_error};
use crate::keyring::logflux_keyring;
use crate::opened::{Opened, logflux_opened};
use crate::secret::logflux_secret;
use crate::status::logflux_status;

/// Opens entries with the secrets of a keyring. It remembers keys, and derives many at once on all
/// cores. Any number of threads may open at once.
pub struct logflux_opener(Opener);

/// What a message must be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bytes,
}

/// Opens one entry of UTF-8 text, and appends its message to `out`. It costs a whole key derivation;
/// a logflux_opener remembers keys. `entry` is the JSON of one entry.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_open(
    secret: Option<&logflux_secret>,
    entry: *const c_char,
    entry_length: usize,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let opener = Opener::new(there(secret, "secret")?.0.clone());
        open_one(&opener, bytes!(entry, entry_length), out, Kind::Text)
    })
}

/// logflux_open for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_open_cstr(
    secret: Option<&logflux_secret>,
    entry: *const c_char,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let opener = Opener::new(there(secret, "secret")?.0.clone());
        open_one(&opener, string!(entry), out, Kind::Text)
    })
}

/// Makes an opener. `keys` is how many keys it remembers, or 0 for 4,096; `threads` is how many
/// threads logflux_opener_open_many may use, or 0 for one per core, and 256 at most.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_new(
    keyring: Option<&logflux_keyring>,
    keys: usize,
    threads: usize,
    out: Option<&mut *mut logflux_opener>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let mut opener = Opener::new(there(keyring, "keyring")?.0.clone());
        if let Some(keys) = NonZeroUsize::new(keys) {
            opener = opener.remember(keys);
        }
        if let Some(threads) = NonZeroUsize::new(threads.min(256)) {
            opener = opener.threads(threads);
        }
        out.give(logflux_opener(opener))
    })
}

/// Opens one entry of UTF-8 text, and appends its message to `out`.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_open(
    opener: Option<&logflux_opener>,
    entry: *const c_char,
    entry_length: usize,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let opener = &there(opener, "opener")?.0;
        open_one(opener, bytes!(entry, entry_length), out, Kind::Text)
    })
}

/// logflux_opener_open for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_open_cstr(
    opener: Option<&logflux_opener>,
    entry: *const c_char,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let opener = &there(opener, "opener")?.0;
        open_one(opener, string!(entry), out, Kind::Text)
    })
}

/// Opens one entry whatever its message's bytes are, and appends them to `out`.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_open_bytes(
    opener: Option<&logflux_opener>,
    entry: *const c_char,
    entry_length: usize,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let opener = &there(opener, "opener")?.0;
        open_one(opener, bytes!(entry, entry_length), out, Kind::Bytes)
    })
}

fn open_one(
    opener: &Opener,
    entry: &[u8],
    out: Option<&mut logflux_buffer>,
    kind: Kind,
) -> Result<(), Failure> {
    let out = there(out, "out")?;
    let entry = Entry::parse(entry)?;
    let message = match kind {
        Kind::Text => opener.open(&entry)?.into_bytes(),
        Kind::Bytes => opener.open_bytes(&entry)?,
    };
    out.append(&Zeroizing::new(message));
    Ok(())
}

/// Opens many entries of UTF-8 text together: the keys of all distinct salts are derived at once, on
/// all cores. One that fails stands beside the others: `out` has a result for each, in their order.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_open_many(
    opener: Option<&logflux_opener>,
    entries: *const logflux_slice,
    count: usize,
    out: Option<&mut *mut logflux_opened>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || open_many(opener, entries, count, out, Kind::Text))
}

/// logflux_opener_open_many whatever the messages' bytes are.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_open_many_bytes(
    opener: Option<&logflux_opener>,
    entries: *const logflux_slice,
    count: usize,
    out: Option<&mut *mut logflux_opened>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || open_many(opener, entries, count, out, Kind::Bytes))
}

fn open_many(
    opener: Option<&logflux_opener>,
    entries: *const logflux_slice,
    count: usize,
    out: Option<&mut *mut logflux_opened>,
    kind: Kind,
) -> Result<(), Failure> {
    let opener = &there(opener, "opener")?.0;
    let out = Out::new(out)?;
    // SAFETY: docs/c-conventions.md, "Arguments": what is not NULL has so many elements.
    let slices = unsafe { elements(entries, count, "entries") }?;
    let mut parsed = Vec::with_capacity(slices.len());
    let mut places: Vec<Result<(), Failure>> = Vec::with_capacity(slices.len());
    for slice in slices {
        // SAFETY: as above, for each of them.
        let entry = unsafe { elements(slice.data.cast::<u8>(), slice.length, "entries") }?;
        places.push(match Entry::parse(entry) {
            Ok(entry) => {
                parsed.push(entry);
                Ok(())
            }
            Err(error) => Err(error.into()),
        });
    }
    let mut opened = opener.open_many_bytes(&parsed, |_| {}).into_iter();
    let results = places.into_iter().map(|place| {
        place?;
        let missing = logflux_envelope::OpenError::Authentication;
        let message = Zeroizing::new(opened.next().unwrap_or(Err(missing))?);
        match kind {
            Kind::Text if str::from_utf8(&message).is_err() => {
                Err(logflux_envelope::OpenError::Utf8.into())
            }
            _ => Ok(message),
        }
    });
    let results: Vec<Opened> = results.collect();
    out.give(logflux_opened::new(results))
}

/// Zeroes and frees an opener. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_opener_free(opener: Option<Box<logflux_opener>>) {
    freeing(opener);
}
