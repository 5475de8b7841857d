//! Timestamps: RFC 3339, read with any offset, written in one form.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Instead, Suite, invalid, valid};
use super::error::GenerateError;
use super::recipe::Recipe;

/// What is read, and what is written for it.
const GOOD: &[(&str, &str, &str)] = &[
    ("utc", "2024-01-17T10:30:45Z", "2024-01-17T10:30:45Z"),
    ("zero-fraction", "2024-01-17T10:30:45.0Z", "2024-01-17T10:30:45Z"),
    ("nine-zeros", "2024-01-17T10:30:45.000000000Z", "2024-01-17T10:30:45Z"),
    ("one-digit", "2024-01-17T10:30:45.1Z", "2024-01-17T10:30:45.100Z"),
    ("two-digits", "2024-01-17T10:30:45.12Z", "2024-01-17T10:30:45.120Z"),
    ("three-digits", "2024-01-17T10:30:45.123Z", "2024-01-17T10:30:45.123Z"),
    ("four-digits", "2024-01-17T10:30:45.1234Z", "2024-01-17T10:30:45.123400Z"),
    ("five-digits", "2024-01-17T10:30:45.00001Z", "2024-01-17T10:30:45.000010Z"),
    ("six-digits", "2024-01-17T10:30:45.123456Z", "2024-01-17T10:30:45.123456Z"),
    ("seven-digits", "2024-01-17T10:30:45.1234567Z", "2024-01-17T10:30:45.123456700Z"),
    ("eight-digits", "2024-01-17T10:30:45.12345678Z", "2024-01-17T10:30:45.123456780Z"),
    ("nine-digits", "2024-01-17T10:30:45.123456789Z", "2024-01-17T10:30:45.123456789Z"),
    ("one-nanosecond", "2024-01-17T10:30:45.000000001Z", "2024-01-17T10:30:45.000000001Z"),
    ("needless-digits", "2024-01-17T10:30:45.500000Z", "2024-01-17T10:30:45.500Z"),
    ("offset-east", "2024-01-17T12:30:45.12+02:00", "2024-01-17T10:30:45.120Z"),
    ("offset-west", "2024-01-16T23:00:45-11:30", "2024-01-17T10:30:45Z"),
    ("offset-zero", "2024-01-17T10:30:45+00:00", "2024-01-17T10:30:45Z"),
    ("offset-minus-zero", "2024-01-17T10:30:45-00:00", "2024-01-17T10:30:45Z"),
    ("offset-largest", "2024-03-01T23:58:59+23:59", "2024-02-29T23:59:59Z"),
    ("offset-smallest", "2024-02-29T00:00:00-23:59", "2024-02-29T23:59:00Z"),
    ("leap-day", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
    ("leap-day-2000", "2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z"),
    ("into-next-year", "2023-12-31T23:59:59.999999999-00:01", "2024-01-01T00:00:59.999999999Z"),
    ("epoch", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("before-epoch", "1969-12-31T23:59:58.5Z", "1969-12-31T23:59:58.500Z"),
    ("after-2038", "2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"),
    ("after-2262", "2262-04-11T23:47:17Z", "2262-04-11T23:47:17Z"),
    ("before-gregory", "1582-10-10T00:00:00Z", "1582-10-10T00:00:00Z"),
    ("earliest", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ("latest", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
];

const WRONG: &[(&str, &str)] = &[
    ("empty", ""),
    ("date-only", "2024-01-17"),
    ("no-zone", "2024-01-17T10:30:45"),
    ("lower-case-t", "2024-01-17t10:30:45Z"),
    ("lower-case-z", "2024-01-17T10:30:45z"),
    ("space-for-t", "2024-01-17 10:30:45Z"),
    ("no-fraction-digit", "2024-01-17T10:30:45.Z"),
    ("ten-digits", "2024-01-17T10:30:45.1234567890Z"),
    ("comma", "2024-01-17T10:30:45,5Z"),
    ("offset-without-colon", "2024-01-17T10:30:45+0200"),
    ("offset-hours-only", "2024-01-17T10:30:45+02"),
    ("offset-and-z", "2024-01-17T10:30:45+02:00Z"),
    ("one-digit-month", "2024-1-17T10:30:45Z"),
    ("five-digit-year", "10000-01-01T00:00:00Z"),
    ("signed-year", "+2024-01-17T10:30:45Z"),
    ("negative-year", "-2024-01-17T10:30:45Z"),
    ("two-digit-year", "24-01-17T10:30:45Z"),
    ("no-seconds", "2024-01-17T10:30Z"),
    ("basic-form", "20240117T103045Z"),
    ("week-date", "2024-W03-3T10:30:45Z"),
    ("ordinal-date", "2024-017T10:30:45Z"),
    ("trailing-space", "2024-01-17T10:30:45Z "),
    ("leading-space", " 2024-01-17T10:30:45Z"),
    ("trailing-newline", "2024-01-17T10:30:45Z\n"),
    ("full-width-digit", "２024-01-17T10:30:45Z"),
    ("arabic-digit", "202٤-01-17T10:30:45Z"),
    ("minus-sign", "2024-01-17T10:30:45\u{2212}02:00"),
    ("zone-name", "2024-01-17T10:30:45UTC"),
    ("seconds-of-epoch", "1705487445"),
    ("http-date", "Wed, 17 Jan 2024 10:30:45 GMT"),
    ("year-0", "0000-12-31T23:59:59Z"),
    ("month-0", "2024-00-17T10:30:45Z"),
    ("month-13", "2024-13-17T10:30:45Z"),
    ("day-0", "2024-01-00T10:30:45Z"),
    ("day-32", "2024-01-32T10:30:45Z"),
    ("april-31", "2024-04-31T10:30:45Z"),
    ("no-leap-year", "2023-02-29T10:30:45Z"),
    ("no-leap-year-1900", "1900-02-29T10:30:45Z"),
    ("hour-24", "2024-01-17T24:00:00Z"),
    ("minute-60", "2024-01-17T10:60:45Z"),
    ("leap-second", "2016-12-31T23:59:60Z"),
    ("offset-24", "2024-01-17T10:30:45+24:00"),
    ("offset-minute-60", "2024-01-17T10:30:45+02:60"),
    ("before-year-1", "0001-01-01T00:00:00+00:01"),
    ("after-year-9999", "9999-12-31T23:59:59-00:01"),
];

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let base = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    for (name, read, written) in GOOD {
        let case = Case::must(format!("parse/timestamp/{name}"), "Timestamp", *read);
        suite.parse(case, base.with_text("timestamp", read).json(), valid());
        let comment = format!("{read} is written {written}");
        let case = Case::must(format!("seal/timestamp/{name}"), "Timestamp", comment);
        let recipe = Recipe::new(Mode::Pbkdf2).timestamp(written);
        let instead = Instead { timestamp: Some(read), ..Instead::default() };
        suite.seal_instead(case.flag("CanonicalJson"), &recipe, instead)?;
    }
    for (name, text) in WRONG {
        let comment = format!("{:?} is no time", text);
        let case = Case::must(format!("parse/timestamp/not-{name}"), "Timestamp", comment);
        let entry = base.with_text("timestamp", text).json();
        suite.parse(case, entry, invalid(Stage::Field));
    }
    Ok(())
}
