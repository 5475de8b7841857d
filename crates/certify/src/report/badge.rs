//! An SVG badge.

use super::headline::counted;
use super::xml::xml;
use crate::certificate::{Certificate, Counts, Verdict};

/// A badge that says what a run showed, such as `LogFlux 1.1.0 | certified full: modes 1, 128`.
#[must_use]
pub fn badge(certificate: &Certificate) -> String {
    let label = format!("LogFlux {}", certificate.suite_version);
    let verdict = certificate.verdict();
    let counts = certificate.counts(None);
    let bad = Counts { total: 0, passed: 0, unsupported: 0, ..counts };
    let (value, colour) = match verdict {
        Verdict::Certified => {
            let modes = certificate.subject.as_ref().map(|subject| subject.modes.clone());
            let modes: Vec<String> = modes.unwrap_or_default().iter().map(u64::to_string).collect();
            (format!("certified {}: modes {}", certificate.profile, modes.join(", ")), "#2a7f3f")
        }
        Verdict::PartPassed => ("a part passed".to_owned(), "#6b6b6b"),
        Verdict::KnownFailures => (format!("known failures: {}", counted(bad)), "#a86a00"),
        Verdict::NotCertified | Verdict::Misbehaved => {
            (format!("not certified: {}", counted(bad)), "#b3261e")
        }
        Verdict::Incomplete => ("incomplete".to_owned(), "#a86a00"),
        Verdict::ExpectedFailurePassed => ("unexpected passes".to_owned(), "#a86a00"),
    };
    let (left, right) = (width(&label), width(&value));
    let all = left + right;
    let (label_at, value_at) = (left / 2, left + right / 2);
    let (label, value) = (xml(&label), xml(&value));
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img" aria-label="{label}: {value}">
  <title>{label}: {value}</title>
  <clipPath id="r"><rect width="{all}" height="20" rx="4"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="{left}" height="20" fill="#333"/>
    <rect x="{left}" width="{right}" height="20" fill="{colour}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
    <text x="{label_at}" y="14">{label}</text>
    <text x="{value_at}" y="14">{value}</text>
  </g>
</svg>
"##
    )
}

/// The width of a text in pixels, about, with its margins.
fn width(text: &str) -> usize {
    text.chars().count() * 7 + 12
}
