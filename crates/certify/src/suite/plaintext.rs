//! Text where ciphertext must be: it reads well, and must never pass for a message.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid, valid};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};

/// Long enough for a payload of every mode.
const TEXT: &str = "INFO 10.0.0.7 the user 4711 has logged in, and all is well";
const FLAG: &str = "TextAsPayload";

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    for mode in [Mode::Pbkdf2, Mode::ChaCha20Argon2, Mode::Hkdf] {
        let draft = suite.draft(&Recipe::new(mode))?.with_payload(TEXT.as_bytes().to_vec());
        let prefix = match mode {
            Mode::Pbkdf2 => String::new(),
            other => format!("/mode-{}", other.number()),
        };
        let id = format!("open{prefix}/payload/text");
        let case = Case::must(id, FLAG, "the payload is a readable text in base64").of(mode);
        suite.open(case, SECRET, &draft, invalid(Stage::Authentication));
    }
    let draft = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    let case = Case::must("parse/payload/text-in-base64", FLAG, "without a secret nobody can know");
    suite.parse(case, draft.with_payload(TEXT.as_bytes().to_vec()).json(), valid());
    let case = Case::must("parse/payload/text", FLAG, "the payload is a readable text");
    suite.parse(case, draft.with_text("payload", TEXT).json(), invalid(Stage::Base64));
    Ok(())
}
