//! A certificate in words, as JSON, as JUnit XML, and as a badge.

mod badge;
mod json;
mod junit;
mod text;

pub use badge::badge;
pub use json::{json, list_json};
pub use junit::junit;
pub use text::{headline, list_text, text};

/// Text in XML: what XML 1.0 cannot hold becomes a question mark.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
