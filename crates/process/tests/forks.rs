//! Every way to make a child: each gets a number of its own, and so do its siblings and its children.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, unsafe_code)] // A failed test may say so.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{mem, ptr, thread};

use logflux_process::{PerProcess, generation};

/// Makes a child, and gives 0 in it.
type MakeChild = fn() -> libc::pid_t;

fn fork() -> libc::pid_t {
    // SAFETY: the children here end soon, and until then do only what a child of a process with
    // several threads may do.
    unsafe { libc::fork() }
}

/// Runs no handler of `pthread_atfork`.
fn bare_fork() -> libc::pid_t {
    type Fork = extern "C" fn() -> libc::pid_t;
    // SAFETY: the name ends with NUL.
    let fork = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr()) };
    if fork.is_null() {
        return by_system_call();
    }
    // SAFETY: POSIX declares it so.
    let fork: Fork = unsafe { mem::transmute(fork) };
    fork()
}

/// Nor does the system call by itself.
fn by_system_call() -> libc::pid_t {
    // SAFETY: as for `fork`. Without a stack or another flag, the child has a copy of everything.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    libc::pid_t::try_from(pid).unwrap()
}

/// Does something in a child, which ends with it. Nothing here allocates or locks.
fn in_child(make: MakeChild, work: impl FnOnce()) {
    let pid = make();
    assert!(pid >= 0);
    if pid == 0 {
        work();
        // SAFETY: it only ends the child.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: the status is there for the call.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0, "the child failed");
}

/// Numbers that children write for their parent.
fn shared<const N: usize>() -> &'static [AtomicU64; N] {
    let length = N * size_of::<AtomicU64>();
    let (access, kind) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, which is never removed, and is zero: N numbers.
    unsafe {
        let page = libc::mmap(ptr::null_mut(), length, access, kind, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        &*page.cast::<[AtomicU64; N]>()
    }
}

/// A child, its child, a sibling, and the child of one that did not ask for its number before.
fn family(make: MakeChild) {
    let numbers: &[AtomicU64; 6] = shared();
    let note = |place: usize| numbers.get(place).unwrap().store(generation(), Ordering::SeqCst);
    note(0);
    in_child(make, || {
        note(1);
        in_child(make, || note(2));
    });
    in_child(make, || note(3));
    in_child(make, || {
        in_child(make, || note(4));
        note(5);
    });
    let mine = generation();
    let numbers: Vec<u64> = numbers.iter().map(|number| number.load(Ordering::SeqCst)).collect();
    assert_eq!(numbers.first(), Some(&mine), "the parent's own has changed");
    assert!(!numbers.contains(&0), "{numbers:?}");
    let distinct: HashSet<_> = numbers.iter().collect();
    assert_eq!(distinct.len(), numbers.len(), "{numbers:?}");
}

#[test]
fn every_process_has_a_number_of_its_own_however_it_was_made() {
    for make in [fork, bare_fork, by_system_call] {
        family(make);
    }
}

#[test]
fn a_value_per_process_is_not_the_parent_s_however_the_child_was_made() {
    for make in [fork, bare_fork, by_system_call] {
        let value = PerProcess::new(1);
        in_child(make, || {
            // A panic would allocate.
            if value.existing().is_some() {
                // SAFETY: it only ends the child.
                unsafe { libc::_exit(1) };
            }
        });
        assert_eq!(value.existing(), Some(&1));
    }
}

/// A process that forks while it makes its value is no different: no lock stays behind.
#[test]
fn a_value_can_be_made_by_a_child_of_one_that_was_making_its_own() {
    let value = PerProcess::new(1);
    in_child(fork, || {
        let made = value.get(|| {
            in_child(fork, || {
                // SAFETY: it only ends a child that hangs.
                unsafe { libc::alarm(60) };
                assert_eq!(*value.get(|| 3), 3);
            });
            2
        });
        assert_eq!(*made, 2);
    });
    assert_eq!(*value.get(|| 4), 1);
}

/// By `fork`, since a child of the others may not start threads while its parent has some.
#[test]
fn threads_that_notice_at_once_agree() {
    let numbers: &[AtomicU64; 8] = shared();
    let parent = generation();
    in_child(fork, || {
        thread::scope(|scope| {
            for number in numbers {
                scope.spawn(|| number.store(generation(), Ordering::SeqCst));
            }
        });
    });
    let numbers: HashSet<u64> = numbers.iter().map(|n| n.load(Ordering::SeqCst)).collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    assert!(!numbers.contains(&parent) && !numbers.contains(&0), "{numbers:?}");
}
