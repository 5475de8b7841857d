//! A certificate in words, as JSON, as JUnit XML, and as a badge.

mod badge;
mod headline;
mod json;
mod junit;
mod show;
mod text;
mod xml;

pub use badge::badge;
pub use headline::headline;
pub use json::{json, list_json, show_json};
pub use junit::junit;
pub use show::show_text;
pub use text::{list_text, result_text, text};
