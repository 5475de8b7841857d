//! Keys derived ahead, where the process is restored from a snapshot.

use std::collections::HashSet;
use std::thread;

use super::*;

/// What no key may have in common with one of before: the salt, or in mode 128 the epoch's half.
fn own(mode: Mode, salt: &Salt) -> Vec<u8> {
    derive::input(mode, salt)
}

/// Takes keys for so many entries, of which some may share one.
fn take(reserve: &Reserve, entries: usize) -> HashSet<Vec<u8>> {
    let mode = reserve.shared.plan.mode;
    let mut taken = HashSet::new();
    for _ in 0..entries {
        let give = |key: Arc<SealKey>| _ = taken.insert(own(mode, &key.salt));
        reserve.take_keys(std::iter::once(1), give).unwrap();
    }
    taken
}

/// All salts that the reserve holds.
fn held(reserve: &Reserve) -> HashSet<Vec<u8>> {
    let mode = reserve.shared.plan.mode;
    let state = reserve.shared.lock();
    let current = state.current.iter().map(|current| &current.key.salt);
    current.chain(state.pool.iter().map(|key| &key.salt)).map(|salt| own(mode, salt)).collect()
}

#[test]
fn after_a_restore_no_key_of_before_is_used() {
    let max_age = Duration::from_secs(3600);
    let adaptive = KeyPolicy::Adaptive { budget: 1.0, max_entries: 65_536, max_age };
    for (mode, policy) in [
        (Mode::Pbkdf2, KeyPolicy::Unique),
        (Mode::Pbkdf2, adaptive),
        (Mode::Pbkdf2, KeyPolicy::BOUNDED),
        (Mode::Argon2, adaptive),
        (Mode::Hkdf, KeyPolicy::BOUNDED),
    ] {
        let secret = Secret::new("correct horse battery staple").unwrap();
        let reserve = Reserve::new(Arc::new(Plan::new(secret, mode, policy)));
        let mut before = take(&reserve, 3);
        if reserve.shared.plan.prefers_fresh() {
            while reserve.stats().pool_level == 0 {
                thread::sleep(Duration::from_millis(5));
            }
        }
        // What the thread derives meanwhile was drawn before as well, and is in no list here.
        before.extend(held(&reserve));
        logflux_process::after_restore();
        let after = take(&reserve, 3);
        assert!(after.is_disjoint(&before), "{mode} {policy:?}");
        assert!(held(&reserve).is_disjoint(&before), "{mode} {policy:?}");
    }
}

#[test]
fn keys_whose_salts_were_drawn_before_a_restore_do_not_get_into_the_pool() {
    let secret = Secret::new("correct horse battery staple").unwrap();
    let reserve = Reserve::new(Arc::new(Plan::new(secret, Mode::Pbkdf2, KeyPolicy::BOUNDED)));
    let shared = &reserve.shared;
    let drawn_at = logflux_process::restores();
    let keys = shared.plan.derive(1).unwrap();
    logflux_process::after_restore();
    shared.add(&mut shared.lock(), keys, drawn_at, Duration::ZERO);
    assert_eq!(reserve.stats().pool_level, 0);
    take(&reserve, 1);
}
