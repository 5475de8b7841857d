//! The codes.

use std::ffi::{CStr, c_char};

/// How a call ended. The numbers are fixed: none is ever used for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum logflux_status {
    /// It did what was asked.
    Ok = 0,
    /// An argument is NULL that must not be.
    NullArgument = 1,
    /// A length or size is impossible: above PTRDIFF_MAX, or less than the least.
    InvalidLength = 2,
    /// Text is not UTF-8.
    InvalidUtf8 = 3,
    /// A number is outside its range, such as an index.
    OutOfRange = 4,

    /// A secret is empty, or nothing but white space (PROTOCOL 3).
    InvalidSecret = 10,
    /// A node is not 1 to 255 characters without control characters (PROTOCOL 2).
    InvalidNode = 11,
    /// A level is not 1 to 8.
    InvalidLevel = 12,
    /// A timestamp is not RFC 3339, or outside the years 0001 to 9999.
    InvalidTimestamp = 13,
    /// A mode is not 1, 2, 3, 4 or 128 (PROTOCOL 4).
    UnsupportedMode = 14,
    /// A salt has not 32 bytes.
    InvalidSalt = 15,
    /// An iv has not 12 bytes.
    InvalidIv = 16,
    /// A key policy is outside its bounds (PROTOCOL 6).
    InvalidKeyPolicy = 17,
    /// A setting is missing or wrong; the error names it.
    InvalidSetting = 18,

    /// A message has more bytes than an entry can hold: 786,416, or 786,384 in mode 128.
    MessageTooLong = 20,
    /// Bytes are no entry; the error has the stage and the field (PROTOCOL 2).
    InvalidEntry = 21,
    /// No secret opens the entry: it was sealed with another, or altered.
    AuthenticationFailed = 22,
    /// The message is authentic, but not UTF-8: open it as bytes.
    MessageNotUtf8 = 23,

    /// A secret cannot be had: no variable is set, a file cannot be read, a command failed.
    SecretUnavailable = 30,
    /// The file of the authority cannot be used.
    CaFile = 31,
    /// The spool cannot be opened.
    Spool = 32,
    /// Not everything was delivered, or durable, in time. Nothing was dropped: wait again.
    Timeout = 33,
    /// Messages were dropped since the client was built, so that no flush succeeds any more; the
    /// error says how many.
    Unflushed = 34,

    /// The operating system gave no random bytes.
    RandomFailed = 40,
    /// There is not enough memory for a memory-hard mode.
    OutOfMemory = 41,

    /// A fault of this library: please report it.
    Internal = 50,
}

use logflux_status as S;

impl logflux_status {
    pub(crate) const ALL: [Self; 26] = [
        S::Ok,
        S::NullArgument,
        S::InvalidLength,
        S::InvalidUtf8,
        S::OutOfRange,
        S::InvalidSecret,
        S::InvalidNode,
        S::InvalidLevel,
        S::InvalidTimestamp,
        S::UnsupportedMode,
        S::InvalidSalt,
        S::InvalidIv,
        S::InvalidKeyPolicy,
        S::InvalidSetting,
        S::MessageTooLong,
        S::InvalidEntry,
        S::AuthenticationFailed,
        S::MessageNotUtf8,
        S::SecretUnavailable,
        S::CaFile,
        S::Spool,
        S::Timeout,
        S::Unflushed,
        S::RandomFailed,
        S::OutOfMemory,
        S::Internal,
    ];

    fn text(self) -> &'static CStr {
        match self {
            S::Ok => c"success",
            S::NullArgument => c"an argument is NULL that must not be",
            S::InvalidLength => c"a length is impossible",
            S::InvalidUtf8 => c"text is not UTF-8",
            S::OutOfRange => c"a number is outside its range",
            S::InvalidSecret => c"the secret is empty or nothing but white space",
            S::InvalidNode => c"node must be 1 to 255 characters without control characters",
            S::InvalidLevel => c"level must be 1 to 8",
            S::InvalidTimestamp => c"the timestamp is none from year 0001 to 9999",
            S::UnsupportedMode => c"encryption_mode must be 1, 2, 3, 4 or 128",
            S::InvalidSalt => c"a salt has 32 bytes",
            S::InvalidIv => c"an iv has 12 bytes",
            S::InvalidKeyPolicy => c"the key policy is outside its bounds",
            S::InvalidSetting => c"a setting is missing or wrong",
            S::MessageTooLong => c"the message is longer than an entry can hold: split it",
            S::InvalidEntry => c"the bytes are no entry",
            S::AuthenticationFailed => c"the secret is another, or the entry was altered",
            S::MessageNotUtf8 => c"the message is not UTF-8: open it as bytes",
            S::SecretUnavailable => c"the secret cannot be had from where it is said to be",
            S::CaFile => c"the file of the authority cannot be used",
            S::Spool => c"the spool cannot be opened",
            S::Timeout => c"not everything was delivered in time",
            S::Unflushed => c"messages were dropped",
            S::RandomFailed => c"the operating system gave no random bytes",
            S::OutOfMemory => c"there is not enough memory for this mode",
            S::Internal => c"a fault of the library: please report it",
        }
    }
}

/// A sentence for a status, such as "level must be 1 to 8". It is never NULL and need not be freed;
/// numbers that are no status have one as well.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_status_text(status: i32) -> *const c_char {
    let known = S::ALL.into_iter().find(|known| *known as i32 == status);
    known.map_or(c"no status of this version", S::text).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_text_and_a_number_of_its_own() {
        let mut numbers: Vec<i32> = S::ALL.iter().map(|status| *status as i32).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), S::ALL.len());
        assert!(numbers.is_sorted());
        for status in S::ALL {
            assert_eq!(logflux_status_text(status as i32), status.text().as_ptr());
        }
        assert_eq!(logflux_status_text(-1), logflux_status_text(i32::MAX));
    }
}
