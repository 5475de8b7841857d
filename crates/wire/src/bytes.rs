//! The salt and the iv of an entry.

use std::fmt;

/// The salt of an entry: 32 bytes, drawn by the sealer, from which a key is derived.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Salt([u8; Self::LEN]);

/// The initialisation vector of an entry: 12 bytes (96 bits, NIST SP 800-38D, section 8.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Iv([u8; Self::LEN]);

macro_rules! fixed_bytes {
    ($name:ident, $len:literal) => {
        impl $name {
            /// The length in bytes.
            pub const LEN: usize = $len;

            /// Takes the bytes as they are. Every value of this length is valid.
            #[must_use]
            pub const fn new(bytes: [u8; Self::LEN]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
                &self.0
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        /// Shows the base64 text that travels.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), crate::base64::encode(&self.0))
            }
        }
    };
}

fixed_bytes!(Salt, 32);
fixed_bytes!(Iv, 12);
