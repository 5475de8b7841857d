//! What is reported about backends.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use logflux_kdf::{Backend, backend, backends};

#[test]
fn the_portable_backend_is_always_there_and_last() {
    assert_eq!(backends().last(), Some(&Backend::Portable));
}

#[test]
fn the_chosen_backend_is_available_and_stays() {
    assert!(backends().contains(&backend()));
    assert_eq!(backend(), backend());
}

#[test]
fn names_and_lanes() {
    let table = [
        (Backend::Avx512, "avx512", 16),
        (Backend::ShaNi, "sha-ni", 4),
        (Backend::Avx2, "avx2", 8),
        (Backend::Armv8, "armv8", 4),
        (Backend::Portable, "portable", 1),
    ];
    for (backend, name, lanes) in table {
        assert_eq!((backend.name(), backend.lanes()), (name, lanes));
        assert_eq!(backend.to_string(), name);
    }
}

/// Re-runs this test binary with each backend forced.
#[test]
#[cfg_attr(miri, ignore = "starts processes")]
fn the_environment_can_name_one() {
    const VARIABLE: &str = "LOGFLUX_KDF_BACKEND";
    const CHILD: &str = "LOGFLUX_KDF_TEST_CHILD";
    if let Ok(expected) = std::env::var(CHILD) {
        assert_eq!(backend().name(), expected);
        return;
    }

    let run = |forced: &str, expected: Backend| {
        let test = std::env::current_exe().expect("knows itself");
        let status = std::process::Command::new(test)
            .args(["--exact", "the_environment_can_name_one"])
            .env(VARIABLE, forced)
            .env(CHILD, expected.name())
            .status();
        assert!(status.expect("runs").success(), "{forced} gave not {expected}");
    };
    let available = backends();
    for backend in &available {
        run(backend.name(), *backend);
    }
    run("abacus", available[0]);
}
