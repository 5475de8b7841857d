//! Work for the end of the process.

/// What is to be done when the process ends.
pub trait AtExit {
    /// Does it. A panic in it ends nothing.
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
        // SAFETY: the handler is a function that lives as long as the code that holds it, and no
        // panic leaves it.
        #[allow(unsafe_code)]
        unsafe {
            libc::atexit(run::<T>) == 0
        }
    }
    #[cfg(not(unix))]
    false
}
