//! How many requests are answered: so many a minute for every key and for every address
//! (PROTOCOL 7).
//!
//! Requests are counted in fixed [`windows`] on the monotonic clock, so that no change of the wall
//! clock opens or shuts anything. [`address`] says whose address a request counts for; [`Limiter`]
//! is what the calls ask.

mod address;
mod limiter;
mod windows;

pub(crate) use address::{Network, client};
pub(crate) use limiter::{Limiter, Quota};
