//! What every exported function runs inside: nothing unwinds into C.

use std::cell::Cell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Failure, logflux_error};
use crate::status::logflux_status;

thread_local! {
    /// How many calls this thread is inside.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is inside another call of the library, so that a signal has interrupted it
/// there. It may hold any lock.
#[cfg(feature = "client")]
pub(crate) fn has_interrupted_a_call() -> bool {
    DEPTH.get() > 0
}

/// Runs the host's code from inside a call: what that calls has interrupted nothing.
#[cfg(feature = "client")]
pub(crate) fn outside<T>(work: impl FnOnce() -> T) -> T {
    let depth = DEPTH.replace(0);
    let done = work();
    DEPTH.set(depth);
    done
}

/// Runs the library's code; a panic ends here.
fn inside<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    DEPTH.set(DEPTH.get() + 1);
    // What the work had borrowed is used no more after a panic, or guards itself with a lock.
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result
}

/// Does the work of a call. A failure becomes its status, and its details go to `error` where the
/// caller wants them.
pub(crate) fn boundary(
    error: Option<&mut *mut logflux_error>,
    work: impl FnOnce() -> Result<(), Failure>,
) -> logflux_status {
    let failure = match inside(work) {
        Ok(Ok(())) => return logflux_status::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            // What it holds could panic again when it is dropped.
            mem::forget(panic);
            logflux_error::new(logflux_status::Internal, "a panic in the library: please report it")
        }
    };
    let status = failure.status();
    if let Some(error) = error {
        *error = Box::into_raw(failure);
    }
    status
}

/// Does what cannot fail, but for a panic; then it gives `otherwise`.
pub(crate) fn answering<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    inside(work).unwrap_or_else(|panic| {
        mem::forget(panic);
        otherwise
    })
}

/// Ends a handle.
pub(crate) fn freeing<T>(handle: Option<Box<T>>) {
    answering((), || drop(handle));
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::ptr;

    use super::*;
    use crate::error::{logflux_error_free, logflux_error_message, logflux_error_status};

    #[test]
    fn a_panic_ends_at_the_boundary_as_a_status() {
        let mut error = ptr::null_mut();
        let status = boundary(Some(&mut error), || panic!("on purpose, hunter2"));
        assert_eq!(status, logflux_status::Internal);
        // SAFETY: the call has just made it.
        let error = unsafe { Box::from_raw(error) };
        assert_eq!(logflux_error_status(Some(&error)), logflux_status::Internal);
        // SAFETY: a message ends with NUL and lives as long as the error.
        let message = unsafe { CStr::from_ptr(logflux_error_message(Some(&error))) };
        assert!(!message.to_str().unwrap().contains("hunter2"));
        logflux_error_free(Some(error));
        assert_eq!(boundary(None, || panic!("on purpose")), logflux_status::Internal);
        assert_eq!(answering(7, || panic!("on purpose")), 7);
    }

    #[test]
    fn a_drop_that_panics_ends_at_the_boundary() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("on purpose");
            }
        }
        freeing(Some(Box::new(Bad)));
    }
}
