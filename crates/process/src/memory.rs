//! Memory that is about to be written.

/// What a processor fetches at a time; where that is more, some lines are asked for twice.
const LINE: usize = 64;

/// Has the processor fetch memory that will be written soon, without waiting for it.
///
/// Changes nothing but how fast it is. Does nothing where Rust has no word for it: on all but
/// x86-64.
#[inline]
pub fn will_write<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        let bytes = memory.as_ptr().cast::<i8>();
        for offset in (0..size_of_val(memory)).step_by(LINE) {
            // SAFETY: the address is inside of `memory`, and a prefetch neither reads nor faults.
            #[allow(unsafe_code)]
            unsafe {
                _mm_prefetch::<_MM_HINT_ET0>(bytes.add(offset));
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (memory, LINE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_as_it_is() {
        let memory: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for length in [0, 1, 63, 64, 65, 10_000] {
            will_write(&memory[..length]);
        }
        assert!((0..=255).cycle().zip(&memory).all(|(expected, byte)| expected == *byte));
    }
}
