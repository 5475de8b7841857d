//! Bytes that the library gives.

use std::ffi::c_char;
use std::hint::black_box;

use crate::boundary::{answering, freeing};

/// Bytes that functions append to, with a NUL after the last that does not count. Whatever it held is
/// zeroed when it is cleared, grows or is freed. One thread at a time may use it.
pub struct logflux_buffer {
    /// Empty, or ends with the NUL.
    bytes: Vec<u8>,
}

impl logflux_buffer {
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        // It cannot fail.
        let _ = self.append_with(bytes.len(), |out| {
            out.extend_from_slice(bytes);
            Ok::<(), ()>(())
        });
    }

    /// Lets `write` append up to `most` bytes; where it fails it must have appended nothing.
    pub(crate) fn append_with<E>(
        &mut self,
        most: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Growing in place would leave a copy of what it held.
        let needed = self.bytes.len().saturating_add(most).saturating_add(1);
        if needed > self.bytes.capacity() {
            let capacity = needed.max(self.bytes.capacity().saturating_mul(2));
            let mut grown = Vec::with_capacity(capacity);
            grown.extend_from_slice(&self.bytes);
            // The one that it was is dropped, and so zeroed.
            *self = Self { bytes: grown };
        }
        self.bytes.pop();
        let result = write(&mut self.bytes);
        self.bytes.push(0);
        result
    }
}

impl Drop for logflux_buffer {
    fn drop(&mut self) {
        // All of its room: what failed may have left something beyond the length.
        self.bytes.clear();
        self.bytes.resize(self.bytes.capacity(), 0);
        black_box(self.bytes.as_mut_slice());
    }
}

/// Makes an empty buffer. To be ended with logflux_buffer_free.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_buffer_new() -> Option<Box<logflux_buffer>> {
    answering(None, || Some(Box::new(logflux_buffer { bytes: Vec::new() })))
}

/// Where the bytes are, with a NUL after the last. Good until the buffer is changed or freed; never
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_buffer_data(buffer: Option<&logflux_buffer>) -> *const c_char {
    match buffer {
        Some(buffer) if !buffer.bytes.is_empty() => buffer.bytes.as_ptr().cast(),
        _ => c"".as_ptr(),
    }
}

/// How many bytes there are.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_buffer_length(buffer: Option<&logflux_buffer>) -> usize {
    buffer.map_or(0, |buffer| buffer.bytes.len().saturating_sub(1))
}

/// Zeroes and forgets what the buffer holds, and keeps its room for the next.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_buffer_clear(buffer: Option<&mut logflux_buffer>) {
    if let Some(buffer) = buffer {
        // Many at a time: one by one, as `zeroize` does, would cost more than sealing.
        buffer.bytes.fill(0);
        // So that the compiler must do it.
        black_box(buffer.bytes.as_mut_slice());
        buffer.bytes.clear();
    }
}

/// Zeroes and frees a buffer. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_buffer_free(buffer: Option<Box<logflux_buffer>>) {
    freeing(buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_stands_before_a_nul() {
        let mut buffer = logflux_buffer { bytes: Vec::new() };
        assert_eq!(logflux_buffer_length(Some(&buffer)), 0);
        buffer.append(b"ab");
        buffer.append(b"");
        buffer.append(b"c");
        assert_eq!(buffer.bytes, b"abc\0");
        let failed = buffer.append_with(100, |_| Err("no"));
        assert_eq!((failed, logflux_buffer_length(Some(&buffer))), (Err("no"), 3));
        assert_eq!(buffer.bytes, b"abc\0");
        logflux_buffer_clear(Some(&mut buffer));
        assert_eq!(logflux_buffer_length(Some(&buffer)), 0);
        buffer.append(b"d");
        assert_eq!(buffer.bytes, b"d\0");
    }
}
