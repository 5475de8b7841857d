//! Entries altered by one bit: every one must fail to open.

use logflux_envelope::{Mode, Stage};

use super::builder::{Case, Suite, invalid};
use super::draft::{Draft, flip};
use super::error::GenerateError;
use super::recipe::{Recipe, SECRET};

pub(super) fn add(suite: &mut Suite<'_>) -> Result<(), GenerateError> {
    let draft = suite.draft(&Recipe::new(Mode::Pbkdf2))?;
    let mut tamper = Tamper { suite, mode: Mode::Pbkdf2, draft: &draft, prefix: "open" };
    tamper.tag(0..128);
    tamper.iv(0..96);
    tamper.salt((0..256).step_by(8));
    tamper.text(0, (0..draft.payload.len() - 16).map(|byte| 8 * byte + byte % 8));

    for (mode, prefix) in [(Mode::ChaCha20Argon2, "open/mode-4"), (Mode::Argon2, "open/mode-3")] {
        let draft = suite.draft(&Recipe::new(mode))?;
        let mut tamper = Tamper { suite, mode, draft: &draft, prefix };
        tamper.tag((0..128).step_by(9));
        tamper.iv((0..96).step_by(9));
        tamper.salt((0..256).step_by(85));
        tamper.text(0, (0..draft.payload.len() - 16).map(|byte| 8 * byte + byte % 8));
    }

    // One scrypt key for all of them, and one for the salt.
    let draft = suite.draft(&Recipe::new(Mode::Scrypt))?;
    let mut tamper = Tamper { suite, mode: Mode::Scrypt, draft: &draft, prefix: "open/mode-2" };
    tamper.tag((0..128).step_by(9));
    tamper.iv((0..96).step_by(9));
    tamper.salt([0]);
    tamper.text(0, [0, 160]);

    let draft = suite.draft(&Recipe::new(Mode::Hkdf))?;
    let mut tamper = Tamper { suite, mode: Mode::Hkdf, draft: &draft, prefix: "open/mode-128" };
    tamper.commitment((0..32).map(|byte| 8 * byte + byte % 8));
    tamper.tag((0..128).step_by(9));
    tamper.iv((0..96).step_by(9));
    // Of the epoch's half, each costs a derivation.
    tamper.salt((0..128).step_by(41));
    tamper.salt((128..256).step_by(8));
    tamper.text(32, (0..draft.payload.len() - 48).map(|byte| 8 * byte + byte % 8));
    Ok(())
}

struct Tamper<'a, 'f> {
    suite: &'a mut Suite<'f>,
    mode: Mode,
    draft: &'a Draft,
    prefix: &'static str,
}

impl Tamper<'_, '_> {
    fn add(&mut self, part: &str, flag: &'static str, bit: usize, altered: &Draft) {
        let case = Case::must(
            format!("{}/{part}/flip-{bit:03}", self.prefix),
            flag,
            format!("bit {} of byte {} of the {part} is flipped", bit % 8, bit / 8),
        );
        self.suite.open(case.of(self.mode), SECRET, altered, invalid(Stage::Authentication));
    }

    fn tag(&mut self, bits: impl IntoIterator<Item = usize>) {
        let start = 8 * (self.draft.payload.len() - 16);
        for bit in bits {
            let altered = self.draft.with_payload(flip(&self.draft.payload, start + bit));
            self.add("tag", "ModifiedTag", bit, &altered);
        }
    }

    fn iv(&mut self, bits: impl IntoIterator<Item = usize>) {
        for bit in bits {
            let altered = self.draft.with_iv(flip(&self.draft.iv, bit));
            self.add("iv", "ModifiedIv", bit, &altered);
        }
    }

    fn salt(&mut self, bits: impl IntoIterator<Item = usize>) {
        for bit in bits {
            let altered = self.draft.with_salt(flip(&self.draft.salt, bit));
            self.add("salt", "ModifiedSalt", bit, &altered);
        }
    }

    fn commitment(&mut self, bits: impl IntoIterator<Item = usize>) {
        for bit in bits {
            let altered = self.draft.with_payload(flip(&self.draft.payload, bit));
            self.add("commitment", "ModifiedCommitment", bit, &altered);
        }
    }

    fn text(&mut self, before: usize, bits: impl IntoIterator<Item = usize>) {
        for bit in bits {
            let altered = self.draft.with_payload(flip(&self.draft.payload, 8 * before + bit));
            self.add("ciphertext", "ModifiedCiphertext", bit, &altered);
        }
    }
}
