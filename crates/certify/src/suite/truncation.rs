//! Entries and payloads that end too early, or go on too long.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    for (mode, prefix, shortest) in [
        (Mode::Pbkdf2, "open", 16),
        (Mode::ChaCha20Argon2, "open/mode-4", 16),
        (Mode::Hkdf, "open/mode-128", 48),
    ] {
        let draft = suite.draft(&Recipe::new(mode))?;
        let payload = draft.payload.clone();
        for len in 0..payload.len() {
            let (kept, _) = payload.split_at(len);
            let case = Case::must(
                format!("{prefix}/truncated/payload-{len:02}"),
                "Truncated",
                format!("only the first {len} bytes of the payload"),
            );
            let stage = if len < shortest { Stage::Size } else { Stage::Authentication };
            suite.open(case.of(mode), SECRET, &draft.with_payload(kept.to_vec()), invalid(stage));
        }
        for cut in [1, 16] {
            let (_, kept) = payload.split_at(cut);
            let case = Case::must(
                format!("{prefix}/truncated/front-{cut:02}"),
                "Truncated",
                format!("the payload without its first {cut} bytes"),
            );
            let altered = draft.with_payload(kept.to_vec());
            suite.open(case.of(mode), SECRET, &altered, invalid(Stage::Authentication));
        }
        for (name, added) in [("front", true), ("back", false)] {
            let parts = if added { [&[0][..], &payload] } else { [&payload, &[0][..]] };
            let case = Case::must(
                format!("{prefix}/extended/{name}"),
                "Truncated",
                format!("a zero byte added at the {name} of the payload"),
            );
            let altered = draft.with_payload(parts.concat());
            suite.open(case.of(mode), SECRET, &altered, invalid(Stage::Authentication));
        }
    }

    // A short node, to keep this long list short.
    let entry = suite.draft(&Recipe::new(Mode::Pbkdf2).node("a").message(""))?.json();
    for len in 0..entry.len() {
        let (kept, _) = entry.split_at(len);
        let case = Case::must(
            format!("parse/truncated/entry-{len:03}"),
            "Truncated",
            format!("only the first {len} bytes of the entry"),
        );
        suite.parse(case, kept, invalid(Stage::Json));
    }
    Ok(())
}
