//! What is measured, for the criterion benches and for `RESULTS.md` alike.

#[cfg(feature = "peers")]
pub mod derivation;
pub mod entries;
#[cfg(feature = "peers")]
pub mod handover;
pub mod ingest;
