//! What an operator does with a store that is damaged, copied, old or gone.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::tests::{FIRST, damage_page_with, entry, open, request, tenant};
use super::*;
use crate::keys::{KeyState, Keys, NewKey, Scope};
use crate::monitor::Alerts;

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
        keys.list().unwrap().keys.into_iter().map(|key| (key.id.clone(), key.state(now))).collect();
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
    assert_eq!(keys.list().unwrap().keys.len(), 4);
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
fn a_restore_that_was_cut_off_is_not_served_and_is_done_again() {
    let data = tempfile::tempdir().unwrap();
    drop(Keys::open(data.path()).unwrap());
    let other = backed_up(data.path());
    let folder = other.path().join("backup");
    append(&open(data.path()), &tenant(), 4);
    // The entries are replaced, and then the keys cannot be.
    let keys = folder::keys_db(data.path());
    std::fs::remove_file(&keys).unwrap();
    std::fs::create_dir_all(keys.join("in the way")).unwrap();
    assert!(restore(data.path(), &folder, true).is_err());
    let refused = SqliteStore::open(data.path(), &Limits::default(), &StoreSettings::default());
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("run `logflux store restore` again"), "{error}");
    assert_eq!(check_start(data.path()).unwrap_err().to_string(), error);
    // Nothing else works on what is of two moments either.
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = [
        backup(data.path(), &elsewhere.path().join("copy")).err().unwrap().to_string(),
        stats(data.path()).err().unwrap().to_string(),
        check(data.path(), |_| ()).err().unwrap().to_string(),
        compact(data.path()).err().unwrap().to_string(),
        repair(data.path()).err().unwrap().to_string(),
        Keys::open(data.path()).err().unwrap().to_string(),
        Alerts::open(data.path()).err().unwrap().to_string(),
    ];
    for error in refused {
        assert!(error.contains("run `logflux store restore` again"), "{error}");
    }
    // It needs no --replace: nobody wants what is there.
    std::fs::remove_dir_all(&keys).unwrap();
    restore(data.path(), &folder, false).unwrap();
    assert_eq!(held(&open(data.path()), &tenant()), 3);
    assert!(!names(data.path()).iter().any(|name| name.contains("restoring")));
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

fn change(data: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(folder::entries_db(data)).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection.execute_batch(sql).unwrap();
}

fn faults(data: &Path) -> Vec<String> {
    check(data, |_| {}).unwrap().faults
}

#[test]
fn a_number_that_the_store_has_forgotten_is_not_given_out_again() {
    for lost in [
        "DELETE FROM sqlite_sequence",
        "UPDATE sqlite_sequence SET seq = 7",
        "UPDATE sqlite_sequence SET seq = 'x'",
    ] {
        let data = tempfile::tempdir().unwrap();
        let all = append(&open(data.path()), &tenant(), 20);
        change(data.path(), lost);
        let report = check(data.path(), |_| {}).unwrap();
        assert_eq!((report.entries, report.faults.len()), (20, 1), "{report:?}");
        assert!(report.faults[0].contains("the newest entry"), "{report:?}");
        let folder = data.path().join("backup");
        assert_eq!(backup(data.path(), &folder).unwrap().entries, 20);
        assert_eq!(repair(data.path()).unwrap().0.entries, 20);
        assert_eq!(faults(data.path()), Vec::<String>::new());
        change(data.path(), lost);
        let store = open(data.path());
        append(&store, &tenant(), 1);
        let runtime = Runtime::new().unwrap();
        let known = runtime.block_on(store.append(tenant(), all)).unwrap();
        assert_eq!(known, [Appended::Duplicate; 20]);
        assert_eq!(held(&store, &tenant()), 21);
    }
}

#[test]
fn entries_of_a_tenant_whose_name_is_lost_are_given_to_no_other() {
    let other: Tenant = "other".parse().unwrap();
    for lost in [
        "DELETE FROM tenants WHERE name = 'other'",
        "UPDATE tenants SET name = 'no name' WHERE name = 'other'",
        "UPDATE tenants SET name = CAST(x'ff00' AS TEXT) WHERE name = 'other'",
    ] {
        let data = tempfile::tempdir().unwrap();
        let store = open(data.path());
        append(&store, &tenant(), 2);
        append(&store, &other, 3);
        drop(store);
        change(data.path(), lost);
        let error = SqliteStore::open(data.path(), &Limits::default(), &StoreSettings::default());
        let error = error.unwrap_err().to_string();
        assert!(error.contains("logflux store repair"), "{error}");
        assert!(faults(data.path()).iter().any(|fault| fault.contains("tenant")));
        let (copied, _) = repair(data.path()).unwrap();
        assert_eq!((copied.entries, copied.lost), (5, 0), "{copied:?}");
        assert!(copied.faults.iter().any(|fault| fault.contains("lost-2")), "{copied:?}");
        assert_eq!(faults(data.path()), Vec::<String>::new());
        let store = open(data.path());
        append(&store, &"new".parse().unwrap(), 1);
        let of = |name: &str| held(&store, &name.parse().unwrap());
        assert_eq!(["acme", "other", "new", "lost-2"].map(of), [2, 0, 1, 3]);
    }
}

#[test]
fn a_new_tenant_gets_an_id_that_no_entry_has() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    append(&store, &tenant(), 2);
    append(&store, &"other".parse().unwrap(), 3);
    // While it runs, so that its opening does not see it.
    change(data.path(), "DELETE FROM tenants WHERE name = 'other'");
    append(&store, &"new".parse().unwrap(), 1);
    assert_eq!(held(&store, &"new".parse().unwrap()), 1);
}

#[test]
fn a_damaged_store_of_an_older_version_is_repaired() {
    for version in [1, 2] {
        let data = tempfile::tempdir().unwrap();
        let path = folder::entries_db(data.path());
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(FIRST).unwrap();
        old.execute("INSERT INTO tenants VALUES (1, 'acme')", []).unwrap();
        let entries: Vec<Entry> = (0..40).map(|_| entry(600)).collect();
        for (seq, entry) in (1..).zip(&entries) {
            appending::insert(&old, seq, 1, 1_700_000_000_000 + seq * 60_000, entry).unwrap();
        }
        if version == 2 {
            old.execute_batch(schema::tests_step(1)).unwrap();
            old.execute_batch(
                "INSERT INTO arrivals SELECT seq, received FROM entries;
                 UPDATE arrivals SET received = 5 WHERE seq = 30; PRAGMA user_version = 2;",
            )
            .unwrap();
        }
        drop(old);
        damage_page_with(&path, &entries[20].payload().as_bytes()[..64]);
        let opened = SqliteStore::open(data.path(), &Limits::default(), &StoreSettings::default());
        assert!(opened.unwrap_err().to_string().contains("logflux store repair"));
        let (copied, _) = repair(data.path()).unwrap();
        assert!(copied.entries > 20 && copied.entries + copied.lost >= 40, "{copied:?}");
        assert_eq!(faults(data.path()), Vec::<String>::new());
        let new = rusqlite::Connection::open(&path).unwrap();
        let number = |sql: &str| new.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let newest = 1_700_000_000_000 + 40 * 60_000;
        assert_eq!(number("SELECT clock FROM state"), newest);
        assert_eq!(number("SELECT max(received) FROM arrivals"), newest);
        assert!(number("SELECT min(received) FROM arrivals") > 1_700_000_000_000);
        drop(new);
        let held = held(&open(data.path()), &tenant());
        assert_eq!(held as u64, copied.entries);
    }
}

#[test]
fn a_check_names_every_entry_around_a_damaged_page() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let entries = append(&open(data.path()), &tenant(), 300);
    compact(data.path()).unwrap();
    change(data.path(), "UPDATE entries SET level = 9 WHERE seq IN (3, 290)");
    damage_page_with(&path, &entries[150].payload().as_bytes()[..64]);
    let report = check(data.path(), |_| {}).unwrap();
    assert!(report.entries > 250 && report.entries < 300, "{}", report.entries);
    for seq in [3, 151, 290] {
        let named = |fault: &String| {
            fault.contains(&format!("row {seq} ")) || fault.contains(&format!("entry {seq}: "))
        };
        assert!(report.faults.iter().any(named), "{seq}: {report:?}");
    }
}

#[test]
fn what_a_tenant_takes_up_has_its_nodes_in_it() {
    let data = tempfile::tempdir().unwrap();
    let bytes = || {
        let connection = rusqlite::Connection::open(folder::entries_db(data.path())).unwrap();
        let sum = "SELECT sum(bytes) FROM spans";
        connection.query_row(sum, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let e = entry(200);
    let (payload, iv, salt) = (e.payload().clone(), *e.iv(), *e.salt());
    let node = logflux_wire::Node::new("x".repeat(255)).unwrap();
    let long = Entry::new(node, payload, e.level(), e.timestamp(), e.mode(), iv, salt).unwrap();
    let runtime = Runtime::new().unwrap();
    let store = open(data.path());
    runtime.block_on(store.append(tenant(), vec![long])).unwrap();
    drop(store);
    let sum = bytes();
    assert_eq!(sum, spans::AROUND + 200 + 2 * 255);
    repair(data.path()).unwrap();
    assert_eq!(bytes(), sum);
}

#[test]
fn a_list_of_tenants_that_cannot_be_read_costs_no_entry() {
    // The pages with the names: one of the table, and one of its index.
    for (damaged, expected) in [
        (&[0][..], ["acme", "a-name-that-is-found"]),
        (&[1], ["acme", "a-name-that-is-found"]),
        (&[0, 1], ["lost-1", "lost-2"]),
    ] {
        let data = tempfile::tempdir().unwrap();
        let path = folder::entries_db(data.path());
        let other: Tenant = "a-name-that-is-found".parse().unwrap();
        let store = open(data.path());
        append(&store, &tenant(), 2);
        append(&store, &other, 3);
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        let name = other.as_str().as_bytes();
        let pages: Vec<usize> = (0..bytes.len() / 4_096)
            .map(|page| page * 4_096)
            .filter(|at| bytes[*at..at + 4_096].windows(name.len()).any(|text| text == name))
            .collect();
        assert_eq!(pages.len(), 2);
        for which in damaged {
            bytes[pages[*which]..pages[*which] + 4_096].fill(0xAA);
        }
        std::fs::write(&path, bytes).unwrap();
        assert!(!faults(data.path()).is_empty());
        let (copied, _) = repair(data.path()).unwrap();
        assert_eq!((copied.entries, copied.lost), (5, 0), "{copied:?}");
        assert_eq!(faults(data.path()), Vec::<String>::new());
        let store = open(data.path());
        assert_eq!(expected.map(|name| held(&store, &name.parse().unwrap())), [2, 3]);
    }
}
