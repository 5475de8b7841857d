//! Children that the C library does not know of, or not wholly.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use crate::ENOUGH;

/// How a child is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By `fork`, which runs what `pthread_atfork` registered.
    Fork,
    /// By `_Fork`, which does not; where the C library lacks it, as below.
    BareFork,
    /// By the system call.
    SystemCall,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fork, Self::BareFork, Self::SystemCall];

    fn child(self) -> libc::pid_t {
        type Fork = extern "C" fn() -> libc::pid_t;
        // SAFETY: the name ends with NUL.
        let bare = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr()) };
        match self {
            // SAFETY: see `in_raw_child`.
            Self::Fork => unsafe { libc::fork() },
            Self::BareFork if !bare.is_null() => {
                // SAFETY: POSIX declares it so.
                let bare: Fork = unsafe { std::mem::transmute(bare) };
                bare()
            }
            Self::BareFork | Self::SystemCall => {
                // SAFETY: see `in_raw_child`. Without a stack and another flag, the child has a copy
                // of everything.
                let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
                libc::pid_t::try_from(pid).unwrap_or(-1)
            }
        }
    }
}

/// Runs `work` in a child that is made in this way, and ends with it at once. True if it ended well
/// and in time.
///
/// Nothing frees the locks of the C library in such a child, so it is made when all other threads of
/// this process sleep, and so hold none. A program has one test that calls this, or they would wait
/// for each other.
pub fn in_raw_child(way: Way, work: impl FnOnce()) -> bool {
    wait_until_all_others_sleep();
    let pid = way.child();
    if pid == 0 {
        // A panic must not unwind into the child's copy of the test runner.
        let result = catch_unwind(AssertUnwindSafe(work));
        // SAFETY: it ends the child, and runs nothing of the parent's.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    let begun = Instant::now();
    let mut status = -1;
    loop {
        // SAFETY: the status is there for the call.
        match unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } {
            0 if begun.elapsed() < ENOUGH => thread::sleep(Duration::from_millis(2)),
            ended if ended == pid && pid > 0 => return status == 0,
            _ => return false,
        }
    }
}

fn wait_until_all_others_sleep() {
    let mut looks = 0;
    while looks < 3 {
        looks = if others_sleep().unwrap_or(false) { looks + 1 } else { 0 };
        thread::sleep(Duration::from_millis(2));
    }
}

fn others_sleep() -> io::Result<bool> {
    // SAFETY: the call has no conditions.
    let own = unsafe { libc::gettid() }.to_string();
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        if task.file_name().to_str() == Some(&own) {
            continue;
        }
        // The state follows the name, which stands in parentheses.
        let stat = fs::read_to_string(task.path().join("stat"))?;
        if !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')) {
            return Ok(false);
        }
    }
    Ok(true)
}
