//! What an operator does with a store that is damaged, copied, old or gone.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::tests::{entry, open, request, tenant};
use super::*;
use crate::keys::{KeyState, Keys, NewKey, Scope};

fn append(store: &SqliteStore, tenant: &Tenant, count: usize) -> Vec<Entry> {
    let entries: Vec<Entry> = (0..count).map(|_| entry(200)).collect();
    let runtime = Runtime::new().unwrap();
    let outcomes = runtime.block_on(store.append(tenant.clone(), entries.clone())).unwrap();
    assert_eq!(outcomes, vec![Appended::Stored; count]);
    entries
}

fn held(store: &SqliteStore, tenant: &Tenant) -> usize {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(store.page(tenant.clone(), request(|_| {}))).unwrap().entries.len()
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// A store with some entries, and a backup of it.
fn backed_up(data: &Path) -> tempfile::TempDir {
    append(&open(data), &tenant(), 3);
    let other = tempfile::tempdir().unwrap();
    backup(data, &other.path().join("backup")).unwrap();
    other
}

#[test]
fn a_key_that_was_revoked_since_the_backup_stays_revoked() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let new = NewKey::new(tenant(), Scope::Ingest.into());
    let ids: Vec<_> = (0..4).map(|_| keys.create(&new).unwrap().1.id).collect();
    keys.revoke(&ids[3]).unwrap();
    let before = keys.get(&ids[3]).unwrap();
    let other = backed_up(data.path());
    let folder = other.path().join("backup");
    keys.revoke(&ids[0]).unwrap();
    keys.rotate(&ids[1], Duration::ZERO).unwrap();
    drop(keys);

    assert_eq!(restore(data.path(), &folder, true).unwrap().warning, None);
    let keys = Keys::open(data.path()).unwrap();
    let now = logflux_wire::Timestamp::now();
    let states: BTreeMap<_, _> =
        keys.list().unwrap().into_iter().map(|key| (key.id.clone(), key.state(now))).collect();
    let states: Vec<_> = ids.iter().map(|id| states[id]).collect();
    assert_eq!(states, [KeyState::Revoked, KeyState::Expired, KeyState::Active, KeyState::Revoked]);
    assert_eq!(keys.get(&ids[3]).unwrap(), before);
    drop(keys);

    // Where that cannot be seen, it is said.
    let says = |warning: Option<String>| warning.unwrap().contains("logflux keys list");
    std::fs::write(folder::keys_db(data.path()), [7; 9_000]).unwrap();
    assert!(says(restore(data.path(), &folder, true).unwrap().warning));
    std::fs::remove_file(folder::keys_db(data.path())).unwrap();
    assert!(says(restore(data.path(), &folder, true).unwrap().warning));
    assert!(says(restore(&other.path().join("new"), &folder, false).unwrap().warning));
    let keys = Keys::open(data.path()).unwrap();
    assert_eq!(keys.list().unwrap().len(), 4);
}

#[test]
fn a_folder_with_its_log_is_restored_with_what_is_in_the_log() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    append(&store, &tenant(), 40);
    let keys = Keys::open(data.path()).unwrap();
    let id = keys.create(&NewKey::new(tenant(), Scope::Ingest.into())).unwrap().1.id;
    // What a snapshot of the disk has: every file as it is at one moment.
    let other = tempfile::tempdir().unwrap();
    let snapshot = other.path().join("snapshot");
    folder::create(&snapshot).unwrap();
    for name in names(data.path()).iter().filter(|name| !name.ends_with("-shm")) {
        std::fs::copy(data.path().join(name), snapshot.join(name)).unwrap();
    }
    let log = std::fs::metadata(snapshot.join("entries.db-wal")).unwrap().len();
    assert!(log > 0, "what was written last is in the log");
    let before = names(&snapshot).len();
    let back = other.path().join("back");
    restore(&back, &snapshot, false).unwrap();
    assert_eq!(names(&snapshot).len(), before, "the snapshot is as it was");
    assert_eq!(names(&back).len(), 3, "{:?}", names(&back));
    assert_eq!(held(&open(&back), &tenant()), 40);
    assert!(Keys::open(&back).unwrap().get(&id).is_ok());

    // A folder on which a server runs has no one moment.
    let error = restore(&other.path().join("no"), data.path(), false).unwrap_err().to_string();
    assert!(error.contains("store backup"), "{error}");
}

#[test]
fn what_is_no_backup_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    drop(backed_up(data.path()));
    let other = tempfile::tempdir().unwrap();
    assert!(restore(data.path(), other.path(), true).is_err());
    std::fs::write(folder::entries_db(other.path()), [7; 9_000]).unwrap();
    assert!(restore(data.path(), other.path(), true).is_err());
    assert!(!names(data.path()).iter().any(|name| name.contains("restoring")));
    assert_eq!(held(&open(data.path()), &tenant()), 3);
}

#[test]
fn a_backup_removes_no_folder_that_is_not_its_own() {
    let data = tempfile::tempdir().unwrap();
    drop(open(data.path()));
    let other = tempfile::tempdir().unwrap();
    let theirs = other.path().join("backup.part");
    folder::create(&theirs).unwrap();
    std::fs::write(theirs.join("file"), "theirs").unwrap();
    backup(data.path(), &other.path().join("backup")).unwrap();
    assert!(theirs.join("file").exists());
    let mut names = names(other.path());
    names.sort();
    assert_eq!(names, ["backup", "backup.part"]);
}

#[test]
fn a_repair_keeps_the_damaged_file_and_its_log() {
    let data = tempfile::tempdir().unwrap();
    append(&open(data.path()), &tenant(), 5);
    let before = std::fs::read(folder::entries_db(data.path())).unwrap();
    for number in 1..=2 {
        let (copied, kept) = repair(data.path()).unwrap();
        assert_eq!(copied.entries, 5);
        assert!(kept.ends_with(format!("entries.db.damaged-{number}")));
    }
    let kept = std::fs::read(data.path().join("entries.db.damaged-1")).unwrap();
    assert!(kept == before);
    assert_eq!(held(&open(data.path()), &tenant()), 5);
}
