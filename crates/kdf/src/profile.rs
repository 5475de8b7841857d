//! What the optimisation level of this build means for derivations.

use crate::backend::backend;
use crate::engine::Engine;

/// Whether this crate was compiled for less than speed: with an `opt-level` other than 2 and 3.
///
/// See [`takes_seconds`] for what this means.
#[must_use]
pub const fn is_unoptimised() -> bool {
    cfg!(any(
        logflux_opt_level = "0",
        logflux_opt_level = "1",
        logflux_opt_level = "s",
        logflux_opt_level = "z",
    ))
}

/// Whether one key takes seconds here, since this build [is unoptimised](is_unoptimised) and the
/// [`backend`] has no assembly.
///
/// Where the processor has SHA-256 instructions (x86-64 and ARMv8), one key is derived in assembly,
/// which is as fast in every build. Elsewhere the `Cargo.toml` of the application needs
///
/// ```toml
/// [profile.dev.package.logflux-kdf]
/// opt-level = 3
/// [profile.dev.package.sha2]
/// opt-level = 3
/// ```
#[must_use]
pub fn takes_seconds() -> bool {
    is_unoptimised() && !Engine::new(backend()).unwrap_or_default().has_assembly()
}

/// Whether vector instructions are calls in this build, and not inlined, so that a key in lanes or in
/// several streams takes twenty to three hundred times as long as one in assembly.
pub(crate) const CALLS_VECTORS: bool = cfg!(any(logflux_opt_level = "0", logflux_opt_level = "z"));
