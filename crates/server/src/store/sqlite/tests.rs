use std::time::Duration;

use logflux_wire::query::{Order, Query};
use logflux_wire::{Iv, Level, Mode, Node, Payload, Salt, Timestamp};
use rusqlite::Connection;
use tokio::runtime::Runtime;

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
    SqliteStore::open(data, &Limits::default()).unwrap()
}

#[test]
fn what_a_full_database_refuses_is_not_there_and_the_next_that_fits_is() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    drop(open(data.path()));
    let mut connection = schema::open_writer(&path).unwrap();
    // A real SQLITE_FULL.
    connection.pragma_update(None, "max_page_count", 40).unwrap();
    let mut appended = 0;
    let error = loop {
        match writer::write_alone(&mut connection, &tenant(), vec![entry(20_000)]) {
            Ok(outcomes) => appended += outcomes.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::Full);
    assert!(appended > 2, "{appended}");
    let batch = vec![entry(16), entry(100_000), entry(16)];
    assert_eq!(writer::write_alone(&mut connection, &tenant(), batch), Err(StoreError::Full));
    let held = reader::read_page(&mut connection, &tenant(), &request(|_| {})).unwrap();
    assert_eq!(held.entries.len(), appended);

    connection.pragma_update(None, "max_page_count", 1_000).unwrap();
    let outcomes = writer::write_alone(&mut connection, &tenant(), vec![entry(20_000)]);
    assert_eq!(outcomes, Ok(vec![Appended::Stored]));
}

#[test]
fn a_queue_that_is_full_refuses_at_once_and_what_waits_is_stored() {
    let data = tempfile::tempdir().unwrap();
    let limits = Limits { queue_requests: 2, queue_bytes: 1_000, ..Limits::default() };
    let store = SqliteStore::open(data.path(), &limits).unwrap();
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
                let (index, searches) = match (&node, level) {
                    (None, _) => ("entries_by_time", 1),
                    (Some(_), level) => ("entries_by_source", level.map_or(8, Level::number)),
                };
                assert_eq!(plan.matches("SEARCH entries").count(), usize::from(searches), "{plan}");
                assert_eq!(plan.matches(index).count(), usize::from(searches), "{plan}");
                assert!(!plan.contains("SCAN entries"), "{plan}");
                // Only a page's worth from each level is sorted.
                let sorts = plan.matches("TEMP B-TREE").count();
                let pages = plan.matches("SCAN (subquery").count();
                assert!(sorts == 0 || node.is_some() && sorts <= pages + 1, "{plan}");
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
    connection.pragma_update(None, "user_version", 2).unwrap();
    let newer = StoreError::Version { found: 2, newest: 1 };
    assert_eq!(SqliteStore::open(data.path(), &Limits::default()).unwrap_err(), newer);
    assert_eq!(peek(data.path()), Err(newer));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let path = folder::entries_db(data.path());
    let garbage = b"this is not a database, and long enough to be sure of it".repeat(100);
    std::fs::write(&path, &garbage).unwrap();
    let error = SqliteStore::open(data.path(), &Limits::default()).unwrap_err();
    assert!(matches!(error, StoreError::Engine(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
}
