//! Which process this is, counted along the line of its ancestors.
//!
//! The number of a process stands in one word that every child finds empty. On Linux (4.14 and
//! later) the word is alone on a page that the kernel zeroes in each child (`MADV_WIPEONFORK`),
//! whatever call made it: `fork`, `_Fork`, `clone`, or the system call itself. Elsewhere a handler
//! of the C library empties it (`pthread_atfork`, POSIX), which `fork` alone runs.
//!
//! A child of `vfork`, or of `clone` with `CLONE_VM`, shares its parent's memory, this word
//! included. It may only call `exec`.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that stays the same for the life of a process, and differs in each of its children,
/// their children, and so on. It costs about a nanosecond.
#[must_use]
pub fn generation() -> u64 {
    match word::get() {
        Some(word) => match word.load(Ordering::Acquire) {
            0 => claim(word),
            own => own,
        },
        None => id(),
    }
}

/// Gives this process a number. Takes no lock: a child may come here first, whatever its parent's
/// other threads were doing.
#[cold]
fn claim(word: &AtomicU64) -> u64 {
    /// How many numbers were given out along the line of ancestors. A child inherits it, so its own
    /// number is higher than all of theirs.
    static GIVEN: AtomicU64 = AtomicU64::new(0);

    let given = GIVEN.fetch_add(1, Ordering::AcqRel) + 1;
    // Siblings inherit the same count; the process id tells them apart.
    let number = (given << 32) | id();
    // Several threads may get here at once. The first number counts for all.
    word.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire).err().unwrap_or(number)
}

fn id() -> u64 {
    u64::from(std::process::id())
}

#[cfg(unix)]
mod word {
    use std::ptr::{self, NonNull};
    use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

    /// The word where no page can be had.
    static PLAIN: AtomicU64 = AtomicU64::new(0);
    /// Where the word is; null before it is first asked for.
    static PLACE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

    /// The word that is empty in every child, or `None` where the system has no such thing.
    #[inline]
    pub(super) fn get() -> Option<&'static AtomicU64> {
        let place = PLACE.load(Ordering::Acquire);
        if place.is_null() {
            return find();
        }
        // SAFETY: a place that is not null is the static or a page that is never unmapped, and
        // holds an initialised word that is only used atomically.
        #[allow(unsafe_code)]
        let word = unsafe { &*place };
        Some(word)
    }

    #[cold]
    fn find() -> Option<&'static AtomicU64> {
        let page = page();
        let place = match page {
            Some(page) => page.as_ptr(),
            None if handler() => (&raw const PLAIN).cast_mut(),
            // The next call tries again.
            None => return None,
        };
        let first =
            PLACE.compare_exchange(ptr::null_mut(), place, Ordering::AcqRel, Ordering::Acquire);
        if first.is_err()
            && let Some(page) = page
        {
            give_back(page);
        }
        get()
    }

    /// A page that the kernel zeroes in every child.
    #[cfg(target_os = "linux")]
    fn page() -> Option<NonNull<AtomicU64>> {
        // SAFETY: a new anonymous mapping overlaps nothing.
        #[allow(unsafe_code)]
        let page = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size_of::<AtomicU64>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return None;
        }
        let page = NonNull::new(page.cast::<AtomicU64>())?;
        /// An advice that no kernel knows. An emulator that takes it ignores all advice.
        const UNKNOWN: libc::c_int = -1;
        let advise = |advice| {
            // SAFETY: the mapping is ours, and both kinds of advice leave its content alone.
            #[allow(unsafe_code)]
            let result =
                unsafe { libc::madvise(page.as_ptr().cast(), size_of::<AtomicU64>(), advice) };
            result == 0
        };
        if advise(UNKNOWN) || !advise(libc::MADV_WIPEONFORK) {
            give_back(page);
            return None;
        }
        Some(page)
    }

    #[cfg(not(target_os = "linux"))]
    fn page() -> Option<NonNull<AtomicU64>> {
        None
    }

    fn give_back(page: NonNull<AtomicU64>) {
        // SAFETY: it was mapped with this size, and nobody else has been given it.
        #[allow(unsafe_code)]
        unsafe {
            libc::munmap(page.as_ptr().cast(), size_of::<AtomicU64>());
        }
    }

    /// Has the plain word emptied in children of `fork`. False where the system refuses.
    ///
    /// Threads that come first may register twice, which empties it twice.
    fn handler() -> bool {
        extern "C" fn in_child() {
            PLAIN.store(0, Ordering::Release);
        }
        // SAFETY: the handler lives as long as the program (the C library forgets it when a library
        // that holds it is unloaded), and an atomic store is allowed in a child of a process with
        // several threads.
        #[allow(unsafe_code)]
        let registered = unsafe { libc::pthread_atfork(None, None, Some(in_child)) == 0 };
        registered
    }

    #[cfg(test)]
    pub(super) fn is_emptied_by_the_handler() -> bool {
        assert!(handler());
        PLAIN.store(7, Ordering::Release);
        let mut status = -1;
        // SAFETY: the child reads one number and ends.
        #[allow(unsafe_code)]
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(i32::from(PLAIN.load(Ordering::Acquire) != 0));
            }
            libc::waitpid(child, &raw mut status, 0);
        }
        status == 0 && PLAIN.load(Ordering::Acquire) == 7
    }
}

/// There is no fork.
#[cfg(not(unix))]
mod word {
    use std::sync::atomic::AtomicU64;

    static PLAIN: AtomicU64 = AtomicU64::new(0);

    pub(super) fn get() -> Option<&'static AtomicU64> {
        Some(&PLAIN)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::word;

    #[test]
    fn where_there_is_no_page_a_handler_empties_the_word() {
        assert!(word::is_emptied_by_the_handler());
    }
}
