//! The cryptography that has more than one implementation: AES-256-GCM, PBKDF2-HMAC-SHA256 and
//! HKDF-Expand-SHA256.
//!
//! By default they are RustCrypto's, and the derivation of many keys is our own. With the feature
//! `aws-lc` they are AWS-LC's, and with `aws-lc-fips` those of its FIPS module. Whichever it is, the
//! same bytes come out; the vectors are run against both.

#[cfg(any(feature = "aws-lc", feature = "aws-lc-fips"))]
mod aws_lc;
#[cfg(not(any(feature = "aws-lc", feature = "aws-lc-fips")))]
mod rust_crypto;

#[cfg(any(feature = "aws-lc", feature = "aws-lc-fips"))]
pub(crate) use aws_lc::{AesGcm, Expander, lanes, pbkdf2_many};
#[cfg(not(any(feature = "aws-lc", feature = "aws-lc-fips")))]
pub(crate) use rust_crypto::{AesGcm, Expander, lanes, pbkdf2_many};

/// The authentication tag of an entry.
pub(crate) type Tag = [u8; logflux_wire::limits::TAG_LEN];
