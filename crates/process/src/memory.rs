//! Memory that is about to be written.

use std::mem::MaybeUninit;

/// Has the processor fetch memory that will be written soon, without waiting for it.
///
/// Changes nothing but how fast that is. Does nothing where Rust has no word for it: on all but
/// x86-64.
#[inline]
pub fn will_write(memory: &[MaybeUninit<u8>]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        /// What a processor fetches at a time.
        const LINE: usize = 64;
        for byte in memory.iter().step_by(LINE) {
            // SAFETY: the byte is there, and a prefetch neither reads nor faults.
            #[allow(unsafe_code)]
            unsafe {
                _mm_prefetch::<_MM_HINT_ET0>(byte.as_ptr().cast());
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = memory;
}
