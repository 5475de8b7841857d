//! Spreads any number of salts over what a backend has.

use std::num::NonZeroU32;

use sha2::Sha256;

use crate::backend::Backend;
use crate::chain::{Chain, Kernel};
use crate::key::Key;
use crate::prf::Prf;
use crate::profile::CALLS_VECTORS;
use crate::wipe::wipe_stack;

#[cfg(target_arch = "aarch64")]
use crate::aarch64::Armv8 as Streams;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use crate::absent::Absent as Streams;
#[cfg(not(target_arch = "x86_64"))]
use crate::absent::{Absent as Eight, Absent as Sixteen};
#[cfg(target_arch = "x86_64")]
use crate::x86::{avx2::Avx2 as Eight, avx512::Avx512 as Sixteen, sha::ShaNi as Streams};

/// The instructions that one backend may use; each is the proof that the machine has it. What none
/// of them takes, the `pbkdf2` crate does.
#[derive(Clone, Copy, Default)]
pub(crate) struct Engine {
    sixteen: Option<Sixteen>,
    eight: Option<Eight>,
    streams: Option<Streams>,
}

/// What is done next.
enum Step {
    Sixteen(Sixteen),
    Eight(Eight),
    Streams(Streams, usize),
    Single,
}

impl Engine {
    /// What `backend` uses on this machine; `None` if the machine lacks it.
    pub(crate) fn new(backend: Backend) -> Option<Self> {
        const X86: bool = cfg!(target_arch = "x86_64");
        const ARM: bool = cfg!(target_arch = "aarch64");
        let nothing = Self::default();
        match backend {
            Backend::Avx512 => {
                let sixteen = Some(Sixteen::detect()?);
                Some(Self { sixteen, eight: Eight::detect(), streams: Streams::detect() })
            }
            Backend::Avx2 => Some(Self { eight: Some(Eight::detect()?), ..nothing }),
            Backend::ShaNi if X86 => Some(Self { streams: Some(Streams::detect()?), ..nothing }),
            Backend::Armv8 if ARM => Some(Self { streams: Some(Streams::detect()?), ..nothing }),
            Backend::ShaNi | Backend::Armv8 => None,
            Backend::Portable => Some(nothing),
        }
    }

    /// Whether one salt alone is derived in assembly.
    pub(crate) fn has_assembly(self) -> bool {
        const WRITTEN: bool = cfg!(all(
            any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")),
            not(miri)
        ));
        WRITTEN && self.streams.is_some()
    }

    /// Derives one key for each of `salts`, in their order.
    pub(crate) fn derive(self, secret: &[u8], salts: &[&[u8]], iterations: NonZeroU32) -> Vec<Key> {
        let prf = Prf::new(secret);
        let mut keys = vec![Key::zero(); salts.len()];
        let (mut salts, mut rest) = (salts, keys.as_mut_slice());
        while !salts.is_empty() {
            let step = self.next(salts.len());
            let (now, later) = salts.split_at(step.width().min(salts.len()));
            let (done, to_do) = rest.split_at_mut(now.len());
            let batch = Batch { prf: &prf, salts: now, keys: done, iterations };
            match step {
                Step::Sixteen(lanes) => batch.run::<16>(lanes),
                Step::Eight(lanes) => batch.run::<8>(lanes),
                Step::Streams(streams, 4..) => batch.run::<4>(streams),
                Step::Streams(streams, 3) => batch.run::<3>(streams),
                Step::Streams(streams, 2) => batch.run::<2>(streams),
                Step::Streams(streams, _) => batch.run::<1>(streams.single()),
                Step::Single => batch.run_singly(secret),
            }
            wipe_stack();
            (salts, rest) = (later, to_do);
        }
        keys
    }

    /// The cheapest start on `left` salts, at least one.
    ///
    /// The bounds are where the measured costs cross. With one stream as 1, two to four together cost
    /// 1.0 to 1.5, 1.5 to 2.3 and 1.8 to 3.0, and sixteen lanes of AVX-512, full or not, 5.1 to 5.7:
    /// about as much as eight streams. Without SHA instructions, eight lanes of AVX2 cost as much as four salts
    /// alone.
    fn next(self, left: usize) -> Step {
        match self {
            Self { sixteen: Some(lanes), .. } if left >= lanes.from() => Step::Sixteen(lanes),
            Self { streams: Some(streams), .. } if CALLS_VECTORS => Step::Streams(streams, 1),
            Self { streams: Some(streams), .. } => {
                // Four at a time, but five as three and two: one alone may cost as much as two.
                Step::Streams(streams, if left == 5 { 3 } else { left.min(4) })
            }
            Self { eight: Some(lanes), .. } if left > 4 => Step::Eight(lanes),
            _ => Step::Single,
        }
    }
}

impl Step {
    fn width(&self) -> usize {
        match self {
            Self::Sixteen(_) => 16,
            Self::Eight(_) => 8,
            Self::Streams(_, width) => *width,
            Self::Single => 1,
        }
    }
}

/// Salts that are done together, and the places of their keys.
struct Batch<'a> {
    prf: &'a Prf,
    salts: &'a [&'a [u8]],
    keys: &'a mut [Key],
    iterations: NonZeroU32,
}

impl Batch<'_> {
    /// Derives up to `N` keys. Lanes and streams beyond the salts idle.
    fn run<const N: usize>(self, kernel: impl Kernel<N>) {
        let mut chains = [const { Chain::idle() }; N];
        for (chain, salt) in chains.iter_mut().zip(self.salts) {
            chain.begin(self.prf, salt);
        }
        kernel.advance(&mut chains, self.prf, self.iterations.get() - 1);
        for (chain, key) in chains.iter().zip(self.keys) {
            chain.finish(key.as_mut_bytes());
        }
    }

    fn run_singly(self, secret: &[u8]) {
        for (salt, key) in self.salts.iter().zip(self.keys) {
            let key = key.as_mut_bytes();
            pbkdf2::pbkdf2_hmac::<Sha256>(secret, salt, self.iterations.get(), key);
        }
    }
}
