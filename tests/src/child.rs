//! A child of `fork`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use fork::{Fork, fork, waitpid_nohang};

use crate::ENOUGH;

/// Runs `work` in a child, which ends with it. True if it ended well and in time.
pub fn in_child(work: impl FnOnce()) -> bool {
    let pid = match fork() {
        Ok(Fork::Child) => {
            // A panic must not unwind into the child's copy of the test runner.
            let result = catch_unwind(AssertUnwindSafe(work));
            std::process::exit(i32::from(result.is_err()));
        }
        Ok(Fork::Parent(pid)) => pid,
        Err(_) => return false,
    };
    let begun = Instant::now();
    loop {
        match waitpid_nohang(pid) {
            Ok(Some(status)) => return status == 0,
            Ok(None) if begun.elapsed() < ENOUGH => thread::sleep(Duration::from_millis(2)),
            _ => return false,
        }
    }
}
