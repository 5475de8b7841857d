//! Work for the end of the process.

#[cfg(unix)]
use crate::signals::with_signals_blocked;

/// What is to be done when the process ends.
pub trait AtExit {
    /// Does it. It runs on the thread that ends the process, which a signal may have interrupted
    /// anywhere: it takes no lock and allocates nothing. A panic in it ends nothing.
    fn at_exit();
}

/// Does [`AtExit::at_exit`] when the process returns from `main` or calls `exit`, and when a shared
/// library that holds `T` is unloaded; not when it is aborted or killed. A child of `fork` inherits
/// it. False where the system has no place for it, or no such thing.
pub fn at_exit<T: AtExit>() -> bool {
    #[cfg(unix)]
    {
        extern "C" fn run<T: AtExit>() {
            drop(std::panic::catch_unwind(T::at_exit));
        }
        // The C library holds a lock meanwhile that its `exit` takes.
        with_signals_blocked(|| {
            // SAFETY: the handler is a function that lives as long as the code that holds it, and
            // no panic leaves it.
            #[allow(unsafe_code)]
            unsafe {
                libc::atexit(run::<T>) == 0
            }
        })
    }
    #[cfg(not(unix))]
    false
}

/// Tells threads of one process apart, without a lock and without memory of the thread's own.
#[must_use]
pub fn this_thread() -> usize {
    #[cfg(unix)]
    {
        // SAFETY: the call has no conditions.
        #[allow(unsafe_code)]
        let thread = unsafe { libc::pthread_self() };
        // A number on Linux, a pointer elsewhere.
        thread as usize
    }
    #[cfg(not(unix))]
    {
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| std::ptr::from_ref(here).addr())
    }
}
