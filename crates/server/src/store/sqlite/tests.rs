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

fn entry(payload: usize) -> Entry {
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

fn tenant() -> Tenant {
    "acme".parse().unwrap()
}

fn request(change: impl FnOnce(&mut Query)) -> PageRequest {
    let mut query = Query { limit: 1_000, order: Order::Ascending, ..Query::default() };
    change(&mut query);
    PageRequest::new(query, 1 << 20).unwrap()
}

fn open(data: &Path) -> SqliteStore {
    SqliteStore::open(data, &Limits::default(), &StoreSettings::default()).unwrap()
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
        match write_alone(&mut appending, &tenant(), vec![entry(20_000)]) {
            Ok(outcomes) => appended += outcomes.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::Full);
    assert!(appended > 2, "{appended}");
    let batch = vec![entry(16), entry(100_000), entry(16)];
    assert_eq!(write_alone(&mut appending, &tenant(), batch), Err(StoreError::Full));
    let mut connection = schema::open_reader(&path).unwrap();
    let held = reader::read_page(&mut connection, &tenant(), &request(|_| {})).unwrap();
    assert_eq!(held.entries.len(), appended);

    bound(&appending, 1_000);
    let once = entry(20_000);
    let outcomes = write_alone(&mut appending, &tenant(), vec![once.clone(), once]);
    assert_eq!(outcomes, Ok(vec![Appended::Stored, Appended::Duplicate]));
}

#[test]
fn a_queue_that_is_full_refuses_at_once_and_what_waits_is_stored() {
    let data = tempfile::tempdir().unwrap();
    let limits = Limits { queue_requests: 2, queue_bytes: 1_000, ..Limits::default() };
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
                let sql = reader::positions_sql(&request);
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
    connection.pragma_update(None, "user_version", 3).unwrap();
    let newer = StoreError::Version { found: 3, newest: 2 };
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
const FIRST: &str = include_str!("first.sql");

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
    assert_eq!(stats(data.path()), Err(StoreError::Old { found: 1, newest: 2 }));
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
        let outcomes = write_alone(&mut appending, &tenant(), chunk.to_vec()).unwrap();
        assert_eq!(outcomes, vec![Appended::Stored; chunk.len()]);
        // Some are looked for while a run is being written.
        let known = write_alone(&mut appending, &tenant(), vec![chunk[3].clone()]).unwrap();
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
            let outcomes = write_alone(&mut appending, &tenant(), sent.clone()).unwrap();
            assert!(outcomes.iter().all(|outcome| *outcome == expected));
        }
        // Another tenant may have the same.
        let other: Tenant = "other".parse().unwrap();
        let outcome = write_alone(&mut appending, &other, vec![entries[0].clone()]).unwrap();
        assert!(matches!(outcome[..], [Appended::Stored | Appended::Duplicate]));
        drop(appending);
        appending = short_runs(&path);
    }
    assert_eq!(check(data.path(), |_| {}).unwrap(), Report { entries: 2_011, faults: Vec::new() });

    // What is deleted is forgotten, and nothing else.
    assert_eq!(appending.delete_upto(1_990).unwrap(), 1_990);
    assert!(appending.identities().runs() <= 2);
    let outcomes = write_alone(&mut appending, &tenant(), entries.clone()).unwrap();
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
    write_alone(&mut appending, &tenant(), vec![entry(16)]).unwrap();
    let pages: i64 =
        appending.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    appending.connection().pragma_update(None, "max_page_count", pages + 2).unwrap();
    let (small, large) = (entry(16), entry(100_000));
    let batch = vec![small.clone(), large.clone()];
    assert_eq!(write_alone(&mut appending, &tenant(), batch.clone()), Err(StoreError::Full));
    appending.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let outcomes = write_alone(&mut appending, &tenant(), batch).unwrap();
    assert_eq!(outcomes, [Appended::Stored, Appended::Stored]);
}

#[test]
fn a_check_finds_what_is_damaged() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let mut appending = short_runs(&path);
    write_alone(&mut appending, &tenant(), (0..60).map(|_| entry(32)).collect()).unwrap();
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
    let entries: Vec<Entry> = (0..200).map(|_| entry(2_000)).collect();
    runtime.block_on(store.append(tenant(), entries.clone())).unwrap();
    let other = tempfile::tempdir().unwrap();
    let file = folder::entries_db(other.path());
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for _ in 0..50 {
                runtime.block_on(store.append(tenant(), vec![entry(100)])).unwrap();
            }
        });
        assert!(backup(data.path(), &file).unwrap() > 400_000);
        sending.join().unwrap();
    });
    assert!(backup(data.path(), &file).is_err(), "it overwrites nothing");
    let restored = open(other.path());
    let outcomes = runtime.block_on(restored.append(tenant(), entries)).unwrap();
    assert_eq!(outcomes, [Appended::Duplicate; 200]);
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
    assert_eq!(*store.newest().borrow(), 632);
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
        for entry in &mine {
            store.append(other.clone(), vec![self::entry(32)]).await.unwrap();
            store.append(tenant(), vec![entry.clone()]).await.unwrap();
        }
        assert_eq!(*store.newest().borrow(), 10);
        let all = store.since(tenant(), SinceRequest::new(0)).await.unwrap();
        let (numbers, entries): (Vec<i64>, Vec<Entry>) = all.entries.into_iter().unzip();
        assert_eq!((numbers, all.upto), (vec![2, 4, 6, 8, 10], 10));
        assert_eq!(entries, mine);
        let rest = store.since(tenant(), SinceRequest::new(7)).await.unwrap();
        assert_eq!(rest.entries.len(), 2);
        let severe = SinceRequest { level: Some(Level::Error), ..SinceRequest::new(0) };
        assert_eq!(store.since(tenant(), severe).await.unwrap().entries, []);
        let node = SinceRequest { node: Some("m".parse().unwrap()), ..SinceRequest::new(0) };
        assert_eq!(store.since(tenant(), node).await.unwrap().entries, []);
        let ahead = store.since(tenant(), SinceRequest::new(99)).await.unwrap();
        assert_eq!((ahead.entries.len(), ahead.upto), (0, 99));
    });
}
