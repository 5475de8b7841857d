//! Says once that derivations are slow because the application was compiled without optimisation.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use logflux_wire::Mode;

/// How much processor time one key of any mode takes at most in an optimised build.
const EXPECTED: Duration = Duration::from_secs(1);

/// Called before the first derivation, which may outlast the process. Writes to stderr at most once.
pub(crate) fn check_build(mode: Mode) {
    if is_pbkdf2(mode) && logflux_kdf::takes_seconds() {
        say(mode);
    }
}

/// Called with the processor time of one key. Writes to stderr at most once.
pub(crate) fn check_cost(mode: Mode, cost: Duration) {
    // Nothing else tells how the crates of the other modes were compiled.
    if !is_pbkdf2(mode) && logflux_kdf::is_unoptimised() && cost > EXPECTED {
        say(mode);
    }
}

fn is_pbkdf2(mode: Mode) -> bool {
    matches!(mode, Mode::Pbkdf2 | Mode::Hkdf)
}

fn say(mode: Mode) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        // A closed stderr must not end the thread, as `eprintln!` would.
        let _ = writeln!(io::stderr(), "{}", hint(mode));
    }
}

/// What to add for the crates that take the time. `pbkdf2` and `hmac` are generic, and compiled where
/// they are used.
fn hint(mode: Mode) -> String {
    let packages: &[&str] = match mode {
        Mode::Scrypt => &["scrypt", "salsa20", "sha2"],
        Mode::Argon2 | Mode::ChaCha20Argon2 => &["argon2", "blake2"],
        _ => &["logflux-kdf", "sha2"],
    };
    let lines: Vec<String> = packages
        .iter()
        .map(|package| format!("\n[profile.dev.package.{package}]\nopt-level = 3"))
        .collect();
    format!(
        "logflux: a key takes seconds, because this build is not optimised; add to Cargo.toml:{}",
        lines.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_crates_that_take_the_time() {
        assert_eq!(
            hint(Mode::Pbkdf2),
            "logflux: a key takes seconds, because this build is not optimised; add to Cargo.toml:\n\
             [profile.dev.package.logflux-kdf]\nopt-level = 3\n\
             [profile.dev.package.sha2]\nopt-level = 3"
        );
        for (mode, package) in [
            (Mode::Hkdf, "logflux-kdf"),
            (Mode::Scrypt, "salsa20"),
            (Mode::Argon2, "argon2"),
            (Mode::ChaCha20Argon2, "blake2"),
        ] {
            assert!(hint(mode).contains(&format!("[profile.dev.package.{package}]\n")), "{mode:?}");
        }
    }
}
