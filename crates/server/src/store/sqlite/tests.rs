use std::time::Duration;

use logflux_wire::query::{Order, Query};
use logflux_wire::{Iv, Level, Mode, Node, Payload, Salt, Timestamp};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use super::appending::{Appending, write_alone};
use super::*;

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

pub(super) fn entry(payload: usize) -> Entry {
    let mut sealed = vec![0; payload];
    getrandom::fill(&mut sealed).unwrap();
    Entry::new(
        Node::new("n").unwrap(),
        Payload::new(sealed).unwrap(),
        Level::Info,
        Timestamp::now(),
        Mode::Pbkdf2,
        Iv::new(random()),
        Salt::new(random()),
    )
    .unwrap()
}

pub(super) fn tenant() -> Tenant {
    "acme".parse().unwrap()
}

pub(super) fn request(change: impl FnOnce(&mut Query)) -> PageRequest {
    let mut query = Query { limit: 1_000, order: Order::Ascending, ..Query::default() };
    change(&mut query);
    PageRequest::new(query, 1 << 20).unwrap()
}

pub(super) fn open(data: &Path) -> SqliteStore {
    SqliteStore::open(data, &Limits::default(), &StoreSettings::default()).unwrap()
}

/// Waits until something holds, which it does at once on a machine that has nothing else to do.
pub(super) fn until(holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(300), "the wait was in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn try_open(data: &Path) -> StoreError {
    SqliteStore::open(data, &Limits::default(), &StoreSettings::default()).unwrap_err()
}

#[test]
fn what_a_full_database_refuses_is_not_there_and_the_next_that_fits_is() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    drop(open(data.path()));
    let mut appending = Appending::open(&path).unwrap();
    // A real SQLITE_FULL.
    let bound = |appending: &Appending, pages| {
        appending.connection().pragma_update(None, "max_page_count", pages).unwrap();
    };
    bound(&appending, 40);
    let mut appended = 0;
    let error = loop {
        match write_alone(&mut appending, &tenant(), &[entry(20_000)]) {
            Ok(outcomes) => appended += outcomes.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::Full);
    assert!(appended > 2, "{appended}");
    let batch = vec![entry(16), entry(100_000), entry(16)];
    assert_eq!(write_alone(&mut appending, &tenant(), &batch), Err(StoreError::Full));
    let mut connection = schema::open_reader(&path).unwrap();
    let held = pages::read_page(&mut connection, &tenant(), &request(|_| {}), &mut |_| {}).unwrap();
    assert_eq!(held.entries.len(), appended);

    bound(&appending, 1_000);
    let once = entry(20_000);
    let outcomes = write_alone(&mut appending, &tenant(), &[once.clone(), once]);
    assert_eq!(outcomes, Ok(vec![Appended::Stored, Appended::Duplicate]));
}

#[test]
fn a_queue_that_is_full_refuses_at_once_and_what_waits_is_stored() {
    let data = tempfile::tempdir().unwrap();
    // One tenant has half of the places at most.
    let limits = Limits { queue_requests: 6, queue_bytes: 1_000, ..Limits::default() };
    let store = SqliteStore::open(data.path(), &limits, &StoreSettings::default()).unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        // Another process writes, and holds the writer up.
        let other = Connection::open(folder::entries_db(data.path())).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut waiting = Vec::new();
        let append = |size| store.append(tenant(), vec![entry(size)]);
        for _ in 0..3 {
            let mut future = append(100);
            assert!(futures_poll(&mut future).is_none());
            waiting.push(future);
            if waiting.len() == 1 {
                // The writer takes the first out of the queue.
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        let refused = futures_poll(&mut append(16));
        assert_eq!(refused, Some(Err(StoreError::Busy)), "too many requests");
        other.execute_batch("COMMIT").unwrap();
        for future in waiting {
            assert_eq!(future.await, Ok(vec![Appended::Stored]));
        }

        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut large = append(900);
        assert!(futures_poll(&mut large).is_none());
        assert_eq!(futures_poll(&mut append(101)), Some(Err(StoreError::Busy)), "too many bytes");
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(large.await, Ok(vec![Appended::Stored]));
        // What is alone is taken whatever its size.
        assert_eq!(append(5_000).await, Ok(vec![Appended::Stored]));
    });
}

/// Polls once.
fn futures_poll<T>(future: &mut StoreFuture<'_, T>) -> Option<Result<T, StoreError>> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(result) => Some(result),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn what_waits_when_the_store_is_closed_is_stored_and_there_when_it_is_opened_again() {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<Entry> = (0..50).map(|_| entry(64)).collect();
    let store = open(data.path());
    for entry in &entries {
        // Nobody waits for the answer.
        assert!(futures_poll(&mut store.append(tenant(), vec![entry.clone()])).is_none());
    }
    drop(store);
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    let page = runtime.block_on(store.page(tenant(), request(|_| {}))).unwrap();
    assert_eq!(page.entries.len(), 50);
    let outcomes = runtime.block_on(store.append(tenant(), entries)).unwrap();
    assert_eq!(outcomes, [Appended::Duplicate; 50]);
}

#[test]
fn every_query_walks_its_index_and_sorts_no_table() {
    let data = tempfile::tempdir().unwrap();
    drop(open(data.path()));
    let connection = schema::open_reader(&folder::entries_db(data.path())).unwrap();
    for order in [Order::Ascending, Order::Descending] {
        for node in [None, Some("n".parse().unwrap())] {
            for level in [None, Some(Level::Emergency), Some(Level::Error)] {
                let request = request(|query| {
                    (query.order, query.node, query.level) = (order, node.clone(), level);
                });
                let sql = pages::positions_sql(&request);
                let mut statement =
                    connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                let plan: Vec<String> =
                    statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
                let plan = plan.join("\n");
                let searches = usize::from(level.map_or(8, Level::number));
                let index = if node.is_none() { "entries_by_level" } else { "entries_by_source" };
                assert_eq!(plan.matches("SEARCH entries").count(), searches, "{plan}");
                assert_eq!(plan.matches(index).count(), searches, "{plan}");
                assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
    }
}

#[test]
fn a_damaged_row_is_an_error_that_names_it() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    runtime.block_on(store.append(tenant(), vec![entry(64)])).unwrap();
    let connection = Connection::open(folder::entries_db(data.path())).unwrap();
    for (column, value) in [
        ("node", "''"),
        ("level", "9"),
        ("level", "-1"),
        ("seconds", "1000000000000"),
        ("nanoseconds", "1000000000"),
        ("mode", "7"),
        ("iv", "x'00'"),
        ("salt", "x''"),
        ("payload", "x'00'"),
    ] {
        connection.execute_batch("SAVEPOINT s").unwrap();
        connection.execute(&format!("UPDATE entries SET {column} = {value}"), []).unwrap();
        let error = connection
            .query_row(&format!("SELECT {} FROM entries", row::COLUMNS), [], |row| {
                Ok(row::read_entry(row))
            })
            .unwrap()
            .unwrap_err();
        connection.execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
        match error {
            StoreError::Damaged { seq: 1, column: named } => {
                assert!(named == column || column == "nanoseconds", "{column}: {named}");
            }
            other => panic!("{column}: {other}"),
        }
    }
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    drop(open(data.path()));
    let connection = Connection::open(folder::entries_db(data.path())).unwrap();
    connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    let newer = StoreError::Version { found: schema::VERSION + 1, newest: schema::VERSION };
    assert_eq!(try_open(data.path()), newer);
    assert_eq!(peek(data.path()), Err(newer));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let garbage = b"this is not a database, and long enough to be sure of it".repeat(100);
    std::fs::write(&path, &garbage).unwrap();
    let error = try_open(data.path());
    assert!(matches!(error, StoreError::Engine(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
}

#[test]
fn a_store_has_one_writer() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    assert_eq!(try_open(data.path()), StoreError::InUse);
    assert_eq!(compact(data.path()).unwrap_err(), StoreError::InUse);
    drop(store);
    drop(open(data.path()));
}

/// The tables of version 1.
pub(super) const FIRST: &str = include_str!("first.sql");

#[test]
fn a_store_of_the_first_version_is_brought_to_this_one_and_knows_its_entries() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let entries: Vec<Entry> = (0..300).map(|_| entry(64)).collect();
    let first = Connection::open(&path).unwrap();
    first.execute_batch(FIRST).unwrap();
    first.execute("INSERT INTO tenants VALUES (1, 'acme')", []).unwrap();
    for entry in &entries {
        first
            .execute(
                "INSERT INTO entries (tenant, node, level, seconds, nanoseconds, mode, iv, salt,
                 received, payload) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1700000000000, ?8)",
                (
                    entry.node().as_str(),
                    entry.level().number(),
                    entry.timestamp().unix_seconds(),
                    entry.timestamp().nanoseconds(),
                    entry.mode().number(),
                    entry.iv().as_bytes(),
                    entry.salt().as_bytes(),
                    entry.payload().as_bytes(),
                ),
            )
            .unwrap();
    }
    drop(first);
    assert_eq!(stats(data.path()), Err(StoreError::Old { found: 1, newest: schema::VERSION }));
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    let page = runtime.block_on(store.page(tenant(), request(|_| {}))).unwrap();
    assert_eq!(page.entries.len(), 300);
    let outcomes = runtime.block_on(store.append(tenant(), entries.clone())).unwrap();
    assert_eq!(outcomes, [Appended::Duplicate; 300]);
    assert_eq!(check(data.path(), |_| {}).unwrap(), Report { entries: 300, faults: Vec::new() });
    assert_eq!(stats(data.path()).unwrap().received, Some((1_700_000_000_000, 1_700_000_000_000)));
}

/// Opens a store whose runs of identities are short.
fn short_runs(path: &Path) -> Appending {
    folder::touch(path).unwrap();
    let mut appending = Appending::open(path).unwrap();
    appending.identities().set_run_size(50);
    appending
}

#[test]
fn an_entry_is_known_wherever_its_identity_is_kept_and_after_every_restart() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let mut appending = short_runs(&path);
    let entries: Vec<Entry> = (0..2_010).map(|_| entry(32)).collect();
    for chunk in entries.chunks(10) {
        let outcomes = write_alone(&mut appending, &tenant(), chunk).unwrap();
        assert_eq!(outcomes, vec![Appended::Stored; chunk.len()]);
        // Some are looked for while a run is being written.
        let known = write_alone(&mut appending, &tenant(), &[chunk[3].clone()]).unwrap();
        assert_eq!(known, [Appended::Duplicate]);
    }
    while appending.write_piece().unwrap() {}
    let runs = appending.identities().runs();
    assert!(runs > 17, "{runs}: more than share a filter");
    let altered: Vec<Entry> = entries
        .iter()
        .map(|e| {
            let (node, payload) = (e.node().clone(), entry(32).payload().clone());
            let (iv, salt) = (*e.iv(), *e.salt());
            Entry::new(node, payload, e.level(), e.timestamp(), e.mode(), iv, salt).unwrap()
        })
        .collect();
    for _ in 0..2 {
        for (sent, expected) in [(&entries, Appended::Duplicate), (&altered, Appended::NonceReused)]
        {
            let outcomes = write_alone(&mut appending, &tenant(), sent).unwrap();
            assert!(outcomes.iter().all(|outcome| *outcome == expected));
        }
        // Another tenant may have the same.
        let other: Tenant = "other".parse().unwrap();
        let outcome = write_alone(&mut appending, &other, &[entries[0].clone()]).unwrap();
        assert!(matches!(outcome[..], [Appended::Stored | Appended::Duplicate]));
        drop(appending);
        appending = short_runs(&path);
    }
    assert_eq!(check(data.path(), |_| {}).unwrap(), Report { entries: 2_011, faults: Vec::new() });

    // What is deleted is forgotten, and nothing else.
    let most = deleting::Most { entries: 2_000, bytes: i64::MAX };
    assert_eq!(appending.delete_oldest((0, 1_990), most, &mut |_| {}).unwrap().entries, 1_990);
    assert!(appending.identities().runs() <= 2);
    let outcomes = write_alone(&mut appending, &tenant(), &entries).unwrap();
    assert_eq!(outcomes[..1_990], [Appended::Stored; 1_990]);
    assert_eq!(outcomes[1_990..], [Appended::Duplicate; 20]);
    drop(appending);
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());
}

#[test]
fn what_is_rolled_back_is_not_known() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let mut appending = short_runs(&path);
    write_alone(&mut appending, &tenant(), &[entry(16)]).unwrap();
    let pages: i64 =
        appending.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    appending.connection().pragma_update(None, "max_page_count", pages + 2).unwrap();
    let (small, large) = (entry(16), entry(100_000));
    let batch = vec![small.clone(), large.clone()];
    assert_eq!(write_alone(&mut appending, &tenant(), &batch), Err(StoreError::Full));
    appending.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let outcomes = write_alone(&mut appending, &tenant(), &batch).unwrap();
    assert_eq!(outcomes, [Appended::Stored, Appended::Stored]);
}

#[test]
fn a_check_finds_what_is_damaged() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let mut appending = short_runs(&path);
    write_alone(&mut appending, &tenant(), &(0..60).map(|_| entry(32)).collect::<Vec<_>>())
        .unwrap();
    while appending.write_piece().unwrap() {}
    drop(appending);
    let connection = Connection::open(&path).unwrap();
    connection.execute("UPDATE entries SET level = 9 WHERE seq = 7", []).unwrap();
    connection.execute("DELETE FROM identity_buckets WHERE place % 2 = 0", []).unwrap();
    let report = check(data.path(), |_| {}).unwrap();
    let says = |what: [&str; 2]| report.faults.iter().any(|f| what.iter().all(|w| f.contains(w)));
    assert!(says(["row 7", "level"]), "{report:?}");
    assert!(
        report.faults.len() > 10 && says(["entry ", "not known by its identity"]),
        "{report:?}"
    );
}

#[test]
fn a_backup_is_a_store_and_is_made_while_entries_come() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    // More than is copied in one step.
    let sizes = [2_000; 200].into_iter().chain([700_000; 15]);
    let entries: Vec<Entry> = sizes.map(entry).collect();
    runtime.block_on(store.append(tenant(), entries.clone())).unwrap();
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().join("backup");
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for _ in 0..50 {
                runtime.block_on(store.append(tenant(), vec![entry(100)])).unwrap();
            }
        });
        let copied = backup(data.path(), &folder).unwrap();
        assert!(copied.bytes > 400_000 && copied.entries >= 200 && copied.lost == 0, "{copied:?}");
        sending.join().unwrap();
    });
    assert!(backup(data.path(), &folder).is_err(), "it overwrites nothing");
    assert_eq!(check(&folder, |_| {}).unwrap().faults, Vec::<String>::new());
    let back = other.path().join("restored");
    assert_eq!(restore(&back, &folder, false).unwrap().names, ["entries.db"]);
    assert!(restore(&back, &folder, false).is_err(), "it replaces nothing unasked");
    restore(&back, &folder, true).unwrap();
    let restored = open(&back);
    assert_ne!(restored.incarnation(), store.incarnation());
    let outcomes = runtime.block_on(restored.append(tenant(), entries)).unwrap();
    assert_eq!(outcomes, [Appended::Duplicate; 215]);
}

#[test]
fn what_is_too_old_or_too_much_goes_and_compact_gives_its_space_back() {
    let data = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let runtime = Runtime::new().unwrap();
    let page = |store: &SqliteStore| {
        runtime.block_on(store.page(tenant(), request(|_| {}))).unwrap().entries
    };
    let wait_for = |what: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let mut settings =
        StoreSettings { max_size: Some(bytesize::ByteSize::mib(1)), ..StoreSettings::default() };
    let store = SqliteStore::open(data.path(), &limits, &settings).unwrap();
    let mut last = entry(16);
    for _ in 0..30 {
        last = entry(16);
        let mut batch: Vec<Entry> = (0..20).map(|_| entry(10_000)).collect();
        batch.push(last.clone());
        runtime.block_on(store.append(tenant(), batch)).unwrap();
    }
    wait_for(&|| stats(data.path()).unwrap().used <= 1 << 20);
    let left = page(&store);
    assert!(left.len() > 20 && left.len() < 110, "{}", left.len());
    assert!(left.contains(&last), "the newest stay");
    drop(store);

    let (before, after) = compact(data.path()).unwrap();
    assert!(after <= 2 << 20 && after < before, "{before} {after}");
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());

    settings = StoreSettings { retain: Some(Duration::from_secs(2)), ..StoreSettings::default() };
    let store = SqliteStore::open(data.path(), &limits, &settings).unwrap();
    wait_for(&|| page(&store).is_empty());
    let fresh = entry(16);
    assert_eq!(
        runtime.block_on(store.append(tenant(), vec![fresh.clone()])),
        Ok(vec![Appended::Stored])
    );
    assert_eq!(page(&store), [fresh]);
    wait_for(&|| page(&store).is_empty());
    // Numbers are not used again.
    runtime.block_on(store.append(tenant(), vec![entry(16)])).unwrap();
    assert_eq!(runtime.block_on(store.taken(tenant())), Ok(632));
}

#[test]
fn what_has_come_is_given_in_its_order_and_only_to_its_tenant() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    let other: Tenant = "other".parse().unwrap();
    let mine: Vec<Entry> = (0..5).map(|_| entry(32)).collect();
    runtime.block_on(async {
        assert_eq!(store.since(tenant(), SinceRequest::new(0)).await, Ok(Since::default()));
        let changes = store.changes(&tenant());
        for (number, entry) in (1..).zip(&mine) {
            store.append(other.clone(), vec![self::entry(32)]).await.unwrap();
            assert!(number > 1 || !changes.has_changed().unwrap(), "of another tenant");
            store.append(tenant(), vec![entry.clone()]).await.unwrap();
            assert_eq!(store.taken(tenant()).await, Ok(number));
        }
        assert!(changes.has_changed().unwrap());
        let all = store.since(tenant(), SinceRequest::new(0)).await.unwrap();
        let (numbers, entries): (Vec<i64>, Vec<Entry>) = all.entries.into_iter().unzip();
        assert_eq!((numbers, all.upto), (vec![1, 2, 3, 4, 5], 5), "nothing tells of the others");
        assert_eq!(entries, mine);
        let rest = store.since(tenant(), SinceRequest::new(3)).await.unwrap();
        assert_eq!(rest.entries.len(), 2);
        let severe = SinceRequest { level: Some(Level::Error), ..SinceRequest::new(0) };
        assert_eq!(store.since(tenant(), severe).await.unwrap().entries, []);
        let node = SinceRequest { node: Some("m".parse().unwrap()), ..SinceRequest::new(0) };
        assert_eq!(store.since(tenant(), node).await.unwrap().entries, []);
        let ahead = store.since(tenant(), SinceRequest::new(99)).await.unwrap();
        assert_eq!((ahead.entries.len(), ahead.upto), (0, 5));
    });
}

/// The tables of version 2, which a server of that version has left with notes that are out of order.
#[test]
fn a_store_of_the_second_version_gets_its_spans_and_deletes_nothing_early() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let runtime = Runtime::new().unwrap();
    let other: Tenant = "other".parse().unwrap();
    let store = open(data.path());
    for _ in 0..20 {
        runtime.block_on(store.append(tenant(), (0..150).map(|_| entry(16)).collect())).unwrap();
        runtime.block_on(store.append(other.clone(), vec![entry(16)])).unwrap();
    }
    drop(store);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "DROP TABLE counts; DROP TABLE spans; DROP TABLE state; ALTER TABLE tenants DROP COLUMN taken;
         DELETE FROM arrivals; PRAGMA user_version = 2;",
    )
    .unwrap();
    // Of two days ago, and then of a clock that was 40 days back.
    let (now, day) = (appending::now(), 86_400_000);
    for note in [(3_000, now - 2 * day), (3_020, now - 40 * day)] {
        old.execute("INSERT INTO arrivals VALUES (?1, ?2)", note).unwrap();
    }
    drop(old);
    let settings = StoreSettings {
        retain: Some(Duration::from_secs(30 * 86_400)),
        ..StoreSettings::default()
    };
    let store = SqliteStore::open(data.path(), &Limits::default(), &settings).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(stats(data.path()).unwrap().entries, 3_020);
    let since = |tenant: &Tenant, after| {
        runtime.block_on(store.since(tenant.clone(), SinceRequest::new(after))).unwrap()
    };
    assert_eq!(runtime.block_on(store.taken(tenant())), Ok(3_000));
    assert_eq!(since(&other, 0).entries.len(), 20);
    assert_eq!(since(&other, 17).entries.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [18, 19, 20]);
    assert_eq!(since(&tenant(), 2_990).entries.len(), 10);
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());
}

#[test]
fn the_size_is_kept_at_the_cost_of_the_tenant_that_has_most() {
    let data = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let settings =
        StoreSettings { max_size: Some(bytesize::ByteSize::mib(2)), ..StoreSettings::default() };
    let store = SqliteStore::open(data.path(), &Limits::default(), &settings).unwrap();
    let quiet: Tenant = "quiet".parse().unwrap();
    let kept: Vec<Entry> = (0..50).map(|_| entry(64)).collect();
    runtime.block_on(store.append(quiet.clone(), kept.clone())).unwrap();
    for _ in 0..60 {
        let batch: Vec<Entry> = (0..20).map(|_| entry(10_000)).collect();
        runtime.block_on(store.append(tenant(), batch)).unwrap();
        runtime.block_on(store.append(quiet.clone(), vec![entry(64)])).unwrap();
    }
    let began = std::time::Instant::now();
    while stats(data.path()).unwrap().used > 2 << 20 {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    let entries = |tenant: &Tenant| {
        runtime.block_on(store.page(tenant.clone(), request(|_| {}))).unwrap().entries
    };
    assert_eq!(entries(&quiet).len(), 110, "nothing of the quiet one is gone");
    assert!(kept.iter().all(|entry| entries(&quiet).contains(entry)));
    let left = entries(&tenant()).len();
    assert!((50..1_200).contains(&left), "{left}");
    // What is deleted is not walked over, and numbers go on.
    let since = runtime.block_on(store.since(tenant(), SinceRequest::new(0))).unwrap();
    assert!(since.entries.first().is_some_and(|(number, _)| *number > 1));
    drop(store);
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());
    let store = open(data.path());
    assert_eq!(runtime.block_on(store.taken(tenant())), Ok(1_200));
}

/// Fills the payloads' overflow pages of an entry, or the page of a row, with nothing.
pub(super) fn damage_page_with(path: &Path, needle: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    let page = at / 4_096 * 4_096;
    bytes[page..page + 4_096].fill(0xAA);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_damaged_costs_no_other_entry_and_is_repaired() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let runtime = Runtime::new().unwrap();
    let other: Tenant = "other".parse().unwrap();
    let mine: Vec<Entry> = (0..40).map(|_| entry(600)).collect();
    let theirs: Vec<Entry> = (0..40).map(|_| entry(600)).collect();
    let store = open(data.path());
    runtime.block_on(store.append(tenant(), mine.clone())).unwrap();
    runtime.block_on(store.append(other.clone(), theirs.clone())).unwrap();
    drop(store);
    compact(data.path()).unwrap();
    // One row has a level that there is not, and the page of some others is overwritten.
    let connection = Connection::open(&path).unwrap();
    connection.execute("UPDATE entries SET node = '' WHERE seq = 3", []).unwrap();
    drop(connection);
    damage_page_with(&path, &mine[20].payload().as_bytes()[..64]);

    let store = open(data.path());
    // Others are stored, and known, in the same group; only what meets the damage is not.
    let fresh = entry(16);
    let batch = vec![mine[0].clone(), mine[2].clone(), fresh.clone()];
    let outcome = runtime.block_on(store.append(tenant(), batch)).unwrap();
    assert_eq!(outcome, [Appended::Duplicate, Appended::Damaged, Appended::Stored]);
    let outcome = runtime.block_on(store.append(other.clone(), theirs.clone())).unwrap();
    assert_eq!(outcome, [Appended::Duplicate; 40]);
    // Pages and tails go on.
    let page = runtime.block_on(store.page(tenant(), request(|_| {}))).unwrap();
    let lost = page.damaged;
    assert!((2..20).contains(&lost), "{lost}");
    assert_eq!(page.entries.len() as u64, 41 - lost);
    assert!(page.entries.contains(&fresh) && page.entries.contains(&mine[0]));
    let since = runtime.block_on(store.since(tenant(), SinceRequest::new(0))).unwrap();
    assert_eq!((since.entries.len() as u64, since.damaged, since.upto), (41 - lost, lost, 41));
    assert!(matches!(store.notices().unwrap().try_recv(), Ok(Notice::Damaged { .. })));
    assert!(store.meter().unwrap().damaged.get() >= 2 * lost);
    assert_eq!(repair(data.path()).unwrap_err(), StoreError::InUse);
    drop(store);

    assert!(check(data.path(), |_| {}).unwrap().faults.len() >= 2);
    let (copied, kept) = repair(data.path()).unwrap();
    assert_eq!((copied.entries, copied.lost), (81 - lost, lost), "{copied:?}");
    assert!(kept.exists());
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());
    // What was lost can be sent again.
    let store = open(data.path());
    let outcome = runtime.block_on(store.append(tenant(), mine)).unwrap();
    let again = outcome.iter().filter(|outcome| **outcome == Appended::Stored).count();
    assert_eq!(again as u64, lost);
}

#[test]
fn an_index_that_is_damaged_stops_no_other_tenant() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let runtime = Runtime::new().unwrap();
    let store = open(data.path());
    let node = |name: &str, size: usize| {
        let e = entry(size);
        let (payload, iv, salt) = (e.payload().clone(), *e.iv(), *e.salt());
        let node = Node::new(name).unwrap();
        Entry::new(node, payload, e.level(), e.timestamp(), e.mode(), iv, salt).unwrap()
    };
    let name = "a-node-with-quite-a-long-name-so-that-it-fills-pages-of-the-index-".repeat(3);
    for tenant in ["a", "b", "c"] {
        let batch = (0..100).map(|_| node(&name, 16)).collect();
        runtime.block_on(store.append(tenant.parse().unwrap(), batch)).unwrap();
    }
    drop(store);
    compact(data.path()).unwrap();
    let connection = Connection::open(&path).unwrap();
    let root: i64 = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'entries_by_source'", [], |r| {
            r.get(0)
        })
        .unwrap();
    drop(connection);
    // The root of the index leads to its pages by number: the first of them is of the first tenant.
    let mut bytes = std::fs::read(&path).unwrap();
    let root = usize::try_from(root - 1).unwrap() * 4_096;
    assert_eq!(bytes[root], 2, "an interior page");
    let cell = usize::from(u16::from_be_bytes([bytes[root + 12], bytes[root + 13]])) + root;
    let child = u32::from_be_bytes(bytes[cell..cell + 4].try_into().unwrap());
    let child = (child as usize - 1) * 4_096;
    bytes[child..child + 4_096].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();

    let store = open(data.path());
    let damaged = node("A", 16);
    runtime.block_on(async {
        // "A" comes before the others, and so meets the damage; another tenant's do not.
        let first = store.append("a".parse().unwrap(), vec![damaged.clone()]);
        let second = store.append("c".parse().unwrap(), vec![node("z", 16)]);
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first, Ok(vec![Appended::Damaged]));
        assert_eq!(second, Ok(vec![Appended::Stored]));
        let page = store.page("c".parse().unwrap(), request(|_| {})).await.unwrap();
        assert_eq!(page.entries.len(), 101);
    });
    drop(store);
    assert!(!check(data.path(), |_| {}).unwrap().faults.is_empty());
    let (copied, _) = repair(data.path()).unwrap();
    assert_eq!((copied.entries, copied.lost), (301, 0), "{copied:?}");
    let store = open(data.path());
    let stored = runtime.block_on(store.append("a".parse().unwrap(), vec![damaged]));
    assert_eq!(stored, Ok(vec![Appended::Stored]));
}

#[test]
fn a_store_that_is_copied_or_put_back_is_another_one() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let first = store.incarnation();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(store.append(tenant(), vec![entry(16)])).unwrap();
    drop(store);
    let store = open(data.path());
    assert_eq!(store.incarnation(), first, "a restart changes nothing");
    let cold = data.path().join("cold.db");
    drop(store);
    std::fs::copy(folder::entries_db(data.path()), &cold).unwrap();
    // More comes, and then the copy is put back in its place, into the same file.
    let store = open(data.path());
    runtime.block_on(store.append(tenant(), vec![entry(16)])).unwrap();
    drop(store);
    std::fs::write(folder::entries_db(data.path()), std::fs::read(&cold).unwrap()).unwrap();
    let store = open(data.path());
    let second = store.incarnation();
    assert_ne!(second, first);
    drop(store);
    // A store that was never closed: what is put back is what was there after its first entries.
    let killed = tempfile::tempdir().unwrap();
    let store = open(killed.path());
    let first = store.incarnation();
    runtime.block_on(store.append(tenant(), vec![entry(16)])).unwrap();
    let (entries, lock) = (folder::entries_db(killed.path()), folder::store_lock(killed.path()));
    let backup = killed.path().join("backup");
    self::backup(killed.path(), &backup).unwrap();
    runtime.block_on(store.append(tenant(), vec![entry(16)])).unwrap();
    let noted = std::fs::read_to_string(&lock).unwrap();
    drop(store);
    std::fs::write(&entries, std::fs::read(folder::entries_db(&backup)).unwrap()).unwrap();
    Connection::open(&entries)
        .unwrap()
        .execute("UPDATE state SET incarnation = ?1", [first.cast_signed()])
        .unwrap();
    std::fs::write(&lock, noted).unwrap();
    assert_ne!(open(killed.path()).incarnation(), first);

    // As another file, also where nothing was lost.
    std::fs::copy(folder::entries_db(data.path()), &cold).unwrap();
    std::fs::rename(&cold, folder::entries_db(data.path())).unwrap();
    assert_ne!(open(data.path()).incarnation(), second);
}
