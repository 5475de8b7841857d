//! Parts exchanged between entries that are each valid, and parts moved within one.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid};
use super::error::GenerateError;
use super::recipe::{MESSAGE, Recipe, SECRET};

/// 48 bytes: three blocks of AES.
const BLOCKS: &str = "first block of it,second block of it,third block";

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    for (mode, prefix) in [
        (Mode::Pbkdf2, "open"),
        (Mode::ChaCha20Argon2, "open/mode-4"),
        (Mode::Hkdf, "open/mode-128"),
    ] {
        let own = suite.draft(&Recipe::new(mode))?;
        let other = Recipe::new(mode).iv_from(50).message("User login was denied");
        debug_assert_eq!(other.message.len(), MESSAGE.len());
        let other = suite.draft(&other)?;
        let salted = suite.draft(&Recipe::new(mode).salt_from(64))?;
        let join = |text: &[u8], tag: &[u8]| {
            let (text, _) = text.split_at(text.len() - 16);
            let (_, tag) = tag.split_at(tag.len() - 16);
            [text, tag].concat()
        };
        let cases = [
            ("payload", "another entry's payload", own.with_payload(other.payload.clone())),
            ("iv", "another entry's iv", own.with_iv(other.iv.clone())),
            ("salt", "another entry's salt", own.with_salt(salted.salt.clone())),
            ("tag", "another entry's tag", own.with_payload(join(&own.payload, &other.payload))),
            (
                "ciphertext",
                "another entry's ciphertext under this entry's tag",
                own.with_payload(join(&other.payload, &own.payload)),
            ),
            (
                "payload-of-other-salt",
                "the payload of the same message under another salt",
                own.with_payload(salted.payload.clone()),
            ),
            ("iv-reversed", "the bytes of the iv backwards", {
                let mut iv = own.iv.clone();
                iv.reverse();
                own.with_iv(iv)
            }),
        ];
        for (name, comment, altered) in cases {
            let case = Case::must(format!("{prefix}/swapped/{name}"), "SwappedParts", comment);
            suite.open(case.of(mode), SECRET, &altered, invalid(Stage::Authentication));
        }

        let blocks = suite.draft(&Recipe::new(mode).message(BLOCKS))?;
        let start = blocks.payload.len() - 16 - BLOCKS.len();
        let mut payload = blocks.payload.clone();
        let (_, text) = payload.split_at_mut(start);
        let (first, rest) = text.split_at_mut(16);
        let (second, _) = rest.split_at_mut(16);
        first.swap_with_slice(second);
        let case = Case::must(
            format!("{prefix}/swapped/blocks"),
            "SwappedParts",
            "two blocks of the ciphertext change places",
        );
        let altered = blocks.with_payload(payload);
        suite.open(case.of(mode), SECRET, &altered, invalid(Stage::Authentication));

        let mut tag_first = own.payload.clone();
        tag_first.rotate_right(16);
        let case = Case::must(
            format!("{prefix}/swapped/tag-first"),
            "SwappedParts",
            "the tag stands before the ciphertext",
        );
        let altered = own.with_payload(tag_first);
        suite.open(case.of(mode), SECRET, &altered, invalid(Stage::Authentication));
    }

    let own = suite.draft(&Recipe::new(Mode::Hkdf))?;
    let other = Recipe::new(Mode::Hkdf);
    let mut salt = other.salt;
    salt.rotate_left(16);
    let case = Case::must(
        "open/mode-128/swapped/salt-halves",
        "SwappedParts",
        "the halves of the salt change places",
    );
    let altered = own.with_salt(salt.to_vec());
    suite.open(case.should(), SECRET, &altered, invalid(Stage::Authentication));
    let mut rotated = own.payload.clone();
    rotated.rotate_left(32);
    let case = Case::must(
        "open/mode-128/swapped/commitment-last",
        "SwappedParts",
        "the commitment stands behind the tag",
    );
    let altered = own.with_payload(rotated);
    suite.open(case.should(), SECRET, &altered, invalid(Stage::Authentication));
    let bare = own.payload.split_at(32).1.to_vec();
    let padded = [vec![0; 32], bare].concat();
    let case = Case::must(
        "open/mode-128/swapped/commitment-zero",
        "ModifiedCommitment",
        "the commitment is all zeros, the rest is right",
    );
    suite.open(case.should(), SECRET, &own.with_payload(padded), invalid(Stage::Authentication));
    Ok(())
}
