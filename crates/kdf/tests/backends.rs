//! What is reported about backends.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use logflux_kdf::{Backend, backend, backends};

/// Whether this build derives salts one by one, in assembly where the processor has the instructions.
const ONE_BY_ONE: bool = cfg!(any(logflux_opt_level = "0", logflux_opt_level = "z"));

#[test]
fn the_portable_backend_is_always_there_and_slower_than_streams() {
    let backends = backends();
    let place = |backend| backends.iter().position(|other| *other == backend);
    let portable = place(Backend::Portable).expect("always there");
    for streams in [Backend::ShaNi, Backend::Armv8] {
        assert!(place(streams).is_none_or(|place| place < portable), "{backends:?}");
    }
    // Without optimisation lanes are slower than the portable backend, and otherwise faster.
    for lanes in [Backend::Avx512, Backend::Avx2] {
        assert!(place(lanes).is_none_or(|place| (place > portable) == ONE_BY_ONE), "{backends:?}");
    }
}

#[test]
fn a_build_without_optimisation_chooses_assembly() {
    assert_eq!(
        logflux_kdf::is_unoptimised(),
        cfg!(not(any(logflux_opt_level = "2", logflux_opt_level = "3",)))
    );
    // The library's and the test's own level are the same package's.
    let streams = backends().into_iter().find(|b| matches!(b, Backend::ShaNi | Backend::Armv8));
    if ONE_BY_ONE {
        assert_eq!(backend(), streams.unwrap_or(Backend::Portable));
        assert_eq!(backend().lanes(), 1);
    }
    let assembly = cfg!(not(miri)) && matches!(backend(), Backend::ShaNi | Backend::Armv8);
    if ONE_BY_ONE {
        assert_eq!(logflux_kdf::takes_seconds(), !assembly);
    } else if !logflux_kdf::is_unoptimised() {
        assert!(!logflux_kdf::takes_seconds());
    }
}

#[test]
fn the_chosen_backend_is_available_and_stays() {
    assert!(backends().contains(&backend()));
    assert_eq!(backend(), backend());
}

#[test]
fn names_and_lanes() {
    let streams = if ONE_BY_ONE { 1 } else { 4 };
    let table = [
        (Backend::Avx512, "avx512", 16),
        (Backend::ShaNi, "sha-ni", streams),
        (Backend::Avx2, "avx2", 8),
        (Backend::Armv8, "armv8", streams),
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
