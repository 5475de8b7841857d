//! The state of one derivation between iterations.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::prf::Prf;
use crate::sha256::{State, write_bytes};

/// `U`, the last iteration's output, and `T`, the exclusive or of all so far (RFC 8018, 5.2).
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Chain {
    pub(crate) u: State,
    pub(crate) t: State,
}

impl Chain {
    /// A state that stands for no salt: lanes that have none compute on it.
    pub(crate) const fn idle() -> Self {
        Self { u: [0; 8], t: [0; 8] }
    }

    /// Takes the first iteration.
    pub(crate) fn begin(&mut self, prf: &Prf, salt: &[u8]) {
        prf.first(salt, &mut self.u);
        self.t = self.u;
    }

    /// Writes the derived key, once the last iteration is done.
    pub(crate) fn finish(&self, key: &mut [u8; 32]) {
        write_bytes(&self.t, key);
    }
}

/// Instructions that take `N` derivations through the iterations together.
pub(crate) trait Kernel<const N: usize> {
    /// Advances each of `chains` by `steps` iterations.
    fn advance(self, chains: &mut [Chain; N], prf: &Prf, steps: u32);
}

/// Checks every derivation of `kernel` against the `pbkdf2` crate, stopping once in between.
#[cfg(test)]
pub(crate) fn check<const N: usize>(kernel: impl Kernel<N> + Copy) {
    let prf = Prf::new(b"secret");
    let salts: [[u8; 2]; N] = std::array::from_fn(|i| [u8::try_from(i).unwrap(), 0xff]);
    let mut chains = [const { Chain::idle() }; N];
    for (chain, salt) in chains.iter_mut().zip(&salts) {
        chain.begin(&prf, salt);
    }
    kernel.advance(&mut chains, &prf, 0);
    kernel.advance(&mut chains, &prf, 1);
    kernel.advance(&mut chains, &prf, 2);
    for (chain, salt) in chains.iter().zip(&salts) {
        let mut key = [0; 32];
        chain.finish(&mut key);
        assert_eq!(key, pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(b"secret", salt, 4));
    }
}
