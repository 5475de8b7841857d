//! Which instructions a derivation uses, chosen once for the process.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::Engine;
use crate::profile::CALLS_VECTORS;

/// The instructions that derivations use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Sixteen salts in the lanes of AVX-512 registers, and up to eight that remain with
    /// [`ShaNi`](Self::ShaNi) or [`Avx2`](Self::Avx2).
    Avx512,
    /// Up to four salts in interleaved streams of x86's SHA instructions.
    ShaNi,
    /// Eight salts in the lanes of AVX2 registers.
    Avx2,
    /// Up to four salts in interleaved streams of ARMv8's SHA-256 instructions.
    Armv8,
    /// One salt at a time with the `pbkdf2` crate.
    Portable,
}

impl Backend {
    /// From the fastest to the slowest for many salts.
    const ALL: [Self; 5] = if CALLS_VECTORS {
        [Self::ShaNi, Self::Armv8, Self::Portable, Self::Avx512, Self::Avx2]
    } else {
        [Self::Avx512, Self::ShaNi, Self::Armv8, Self::Avx2, Self::Portable]
    };

    /// The name in reports: `avx512`, `sha-ni`, `avx2`, `armv8` or `portable`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::ShaNi => "sha-ni",
            Self::Avx2 => "avx2",
            Self::Armv8 => "armv8",
            Self::Portable => "portable",
        }
    }

    /// How many salts make one full batch: 1 to 16. A multiple of it costs the least per salt.
    ///
    /// Builds with the `opt-level` 0 or `z` take salts by streams one at a time.
    #[must_use]
    pub fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::ShaNi | Self::Armv8 if CALLS_VECTORS => 1,
            Self::ShaNi | Self::Armv8 => 4,
            Self::Portable => 1,
        }
    }

    /// Whether this machine has the instructions.
    #[must_use]
    pub(crate) fn is_available(self) -> bool {
        Engine::new(self).is_some()
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The backend of [`derive`](crate::derive()) and [`derive_many`](crate::derive_many): the fastest
/// that this machine has, found once for the process.
///
/// For tests and measurements, the environment variable `LOGFLUX_KDF_BACKEND` may name another
/// before the first derivation. A name that is unknown, or of instructions that the machine lacks,
/// changes nothing. Every backend derives the same keys.
#[must_use]
pub fn backend() -> Backend {
    // The place in `ALL` plus one; 0 is not chosen yet. Threads that come first may choose twice, and
    // choose the same. A lock here could be held by another thread at a `fork`, and would then hang
    // the child.
    static CHOSEN: AtomicUsize = AtomicUsize::new(0);
    let chosen = CHOSEN.load(Ordering::Relaxed).wrapping_sub(1);
    if let Some(backend) = Backend::ALL.get(chosen) {
        return *backend;
    }
    let forced = std::env::var("LOGFLUX_KDF_BACKEND").ok();
    let available = backends();
    let named = available.iter().find(|backend| Some(backend.name()) == forced.as_deref());
    let backend = named.or(available.first()).copied().unwrap_or(Backend::Portable);
    let place = Backend::ALL.iter().position(|other| *other == backend);
    CHOSEN.store(place.map_or(0, |place| place + 1), Ordering::Relaxed);
    backend
}

/// The backends that this machine has, the fastest for many salts first.
#[doc(hidden)]
#[must_use]
pub fn backends() -> Vec<Backend> {
    Backend::ALL.into_iter().filter(|backend| backend.is_available()).collect()
}
