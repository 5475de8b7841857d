//! What this library is.

use std::ffi::{CStr, c_char};

use crate::boundary::answering;

/// The major version of the header.
pub const LOGFLUX_VERSION_MAJOR: u32 = 0;
/// The minor version of the header.
pub const LOGFLUX_VERSION_MINOR: u32 = 1;
/// The patch version of the header.
pub const LOGFLUX_VERSION_PATCH: u32 = 0;

const TEXT: &CStr = constant(concat!(env!("CARGO_PKG_VERSION"), "\0"));

/// Text that ends with its only NUL.
const fn constant(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    }
}

/// The version of the library that runs, such as "0.1.0". It need not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_version() -> *const c_char {
    TEXT.as_ptr()
}

/// The version of the library that runs, as major * 1,000,000 + minor * 1,000 + patch. The header's
/// own is LOGFLUX_VERSION_MAJOR, LOGFLUX_VERSION_MINOR and LOGFLUX_VERSION_PATCH.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_version_number() -> u32 {
    LOGFLUX_VERSION_MAJOR * 1_000_000 + LOGFLUX_VERSION_MINOR * 1_000 + LOGFLUX_VERSION_PATCH
}

/// What the library was built as, and which instructions it derives keys with on this machine, such
/// as "logflux 0.1.0, x86_64-unknown-linux-gnu, client, derivation by avx512". For people and bug
/// reports; it need not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_build_info() -> *const c_char {
    answering(TEXT, || match logflux_kdf::backend().name() {
        "avx512" => info!("avx512"),
        "sha-ni" => info!("sha-ni"),
        "avx2" => info!("avx2"),
        "armv8" => info!("armv8"),
        _ => info!("portable"),
    })
    .as_ptr()
}

#[cfg(feature = "client")]
macro_rules! client {
    () => {
        "client"
    };
}
#[cfg(not(feature = "client"))]
macro_rules! client {
    () => {
        "no client"
    };
}
macro_rules! info {
    ($backend:literal) => {{
        const INFO: &CStr = constant(concat!(
            "logflux ",
            env!("CARGO_PKG_VERSION"),
            ", ",
            env!("LOGFLUX_TARGET"),
            ", ",
            client!(),
            ", derivation by ",
            $backend,
            "\0"
        ));
        INFO
    }};
}
use {client, info};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_s_version_is_the_package_s() {
        let text =
            format!("{LOGFLUX_VERSION_MAJOR}.{LOGFLUX_VERSION_MINOR}.{LOGFLUX_VERSION_PATCH}");
        assert_eq!(text, env!("CARGO_PKG_VERSION"));
        assert_eq!(TEXT.to_str().unwrap(), text);
        assert_eq!(logflux_version_number(), 1_000);
    }
}
