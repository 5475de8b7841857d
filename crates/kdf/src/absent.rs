//! Instructions that this architecture does not have.

use crate::chain::{Chain, Kernel};
use crate::prf::Prf;

/// Never detected, so never run.
#[derive(Clone, Copy)]
pub(crate) enum Absent {}

impl Absent {
    pub(crate) fn detect() -> Option<Self> {
        None
    }

    pub(crate) fn from(self) -> usize {
        match self {}
    }

    #[cfg(not(target_arch = "aarch64"))]
    pub(crate) fn single(self) -> Self {
        self
    }
}

impl<const N: usize> Kernel<N> for Absent {
    fn advance(self, _: &mut [Chain; N], _: &Prf, _: u32) {
        match self {}
    }
}
