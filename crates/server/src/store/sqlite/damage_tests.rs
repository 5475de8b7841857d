//! What is damaged costs nothing else, in pages and in deletion.

use std::path::PathBuf;
use std::time::Duration;

use logflux_wire::Timestamp;
use logflux_wire::counts::{By, Counts, CountsQuery, Step};
use logflux_wire::query::Order;
use rusqlite::Connection;
use tokio::runtime::Runtime;

use super::tests::{entry, open, request, tenant, until};
use super::*;
use crate::store::Position;

fn append(store: &SqliteStore, tenant: &Tenant, size: usize, count: usize) -> Vec<Entry> {
    let entries: Vec<Entry> = (0..count).map(|_| entry(size)).collect();
    Runtime::new().unwrap().block_on(store.append(tenant.clone(), entries.clone())).unwrap();
    entries
}

/// All entries, page by page, and how many were left out.
fn all(store: &SqliteStore, tenant: &Tenant, ask: &PageRequest) -> (Vec<Entry>, u64) {
    let runtime = Runtime::new().unwrap();
    let (mut all, mut damaged, mut after): (_, _, Option<Position>) = (Vec::new(), 0, None);
    loop {
        let request = PageRequest { after, ..ask.clone() };
        let page = runtime.block_on(store.page(tenant.clone(), request)).unwrap();
        all.extend(page.entries);
        damaged += page.damaged;
        match page.next {
            Some(next) => after = Some(next),
            None => return (all, damaged),
        }
        assert!(all.len() + usize::try_from(damaged).unwrap() < 10_000, "the walk has no end");
    }
}

/// The nodes and the counts of a time that ends within a minute.
fn counted(store: &SqliteStore) -> (Nodes, Counts) {
    let runtime = Runtime::new().unwrap();
    let to = Some("2100-01-01T00:00:30Z".parse().unwrap());
    let by = By { level: true, node: true };
    let whole = CountsQuery { by, step: Step::from_seconds(86_400).unwrap(), ..Default::default() };
    let of_day = runtime.block_on(store.counts(tenant(), whole.clone())).unwrap();
    // With a step that is no whole minutes all is counted one by one.
    let from = Some(of_day.buckets[0].start);
    let from_within = from.map(|t| Timestamp::from_unix(t.unix_seconds(), 1).unwrap());
    let step = Step::from_seconds(31_622_399).unwrap();
    let query = CountsQuery { from: from_within, to, step, ..whole };
    let counts = runtime.block_on(store.counts(tenant(), query)).unwrap();
    assert_eq!(counts.buckets.iter().map(|bucket| bucket.entries).sum::<u64>(), 150);
    let request = NodesRequest { to, ..NodesRequest::default() };
    (runtime.block_on(store.nodes(tenant(), request)).unwrap(), counts)
}

/// Overwrites the pages of an index below its root, or the root where it is all there is.
fn damage_index(path: &PathBuf, index: &str) {
    let root: i64 = Connection::open(path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [index], |r| r.get(0))
        .unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let start = |page: u64| (usize::try_from(page).unwrap() - 1) * 4_096;
    let root = start(root.unsigned_abs());
    let number =
        |bytes: &[u8], at: usize| u64::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let pages = match bytes[root] {
        2 => (0..usize::try_from(number(&bytes, root + 3)).unwrap())
            .map(|cell| root + usize::try_from(number(&bytes, root + 12 + 2 * cell)).unwrap())
            .chain([root + 8])
            .map(|at| start(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()).into()))
            .collect(),
        _ => vec![root],
    };
    for page in pages {
        bytes[page..page + 4_096].fill(0xAA);
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn an_index_that_is_damaged_hides_no_entry() {
    for index in
        ["entries_by_source", "entries_by_level", "spans_by_first", "sqlite_autoindex_tenants_1"]
    {
        let data = tempfile::tempdir().unwrap();
        let other: Tenant = "other".parse().unwrap();
        let store = open(data.path());
        let (mine, theirs) = (append(&store, &tenant(), 16, 150), append(&store, &other, 16, 90));
        drop(store);
        compact(data.path()).unwrap();
        let asked = [
            request(|query| query.limit = 20),
            request(|query| (query.limit, query.node) = (20, Some("n".parse().unwrap()))),
            request(|query| {
                (query.limit, query.order) = (50, Order::Descending);
            }),
        ];
        let store = open(data.path());
        let before = asked.each_ref().map(|ask| all(&store, &tenant(), ask));
        let counted_before = counted(&store);
        drop(store);
        damage_index(&folder::entries_db(data.path()), index);
        let store = open(data.path());
        for (ask, before) in asked.iter().zip(before) {
            assert_eq!(before.0.len(), mine.len());
            assert_eq!(all(&store, &tenant(), ask), before, "{index}");
            assert_eq!(all(&store, &other, ask).0.len(), theirs.len(), "{index}");
        }
        assert_eq!(counted(&store), counted_before, "{index}");
        assert!(
            store.meter().unwrap().damaged.get() > 0
                || index.contains("span")
                || index.contains("tenants")
        );
        drop(store);
        let (copied, _) = repair(data.path()).unwrap();
        assert_eq!((copied.entries, copied.lost), (240, 0), "{index}: {copied:?}");
    }
}

#[test]
fn entries_whose_time_is_damaged_end_no_walk() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let sent = append(&store, &tenant(), 16, 20);
    drop(store);
    let connection = Connection::open(folder::entries_db(data.path())).unwrap();
    connection.execute("UPDATE entries SET nanoseconds = 2000000000 WHERE seq > 13", []).unwrap();
    connection.execute("UPDATE entries SET seconds = seconds + 10 WHERE seq > 13", []).unwrap();
    drop(connection);
    let store = open(data.path());
    for limit in [1, 2, 7, 100] {
        for order in [Order::Ascending, Order::Descending] {
            let ask = request(|query| (query.limit, query.order) = (limit, order));
            let (found, damaged) = all(&store, &tenant(), &ask);
            assert_eq!(found.len(), 13, "{limit} {order:?}");
            assert!(found.iter().all(|entry| sent[..13].contains(entry)));
            assert!(damaged >= 7, "{damaged}");
        }
    }
}

/// Overwrites the pages with some bytes, but for the root of the table, which may have them in its
/// unused part.
fn damage_pages_with(path: &Path, needle: &[u8]) {
    const INTERIOR: u8 = 5;
    let mut bytes = std::fs::read(path).unwrap();
    for page in bytes.chunks_mut(4_096).skip(1) {
        if page[0] != INTERIOR && page.windows(needle.len()).any(|window| window == needle) {
            page.fill(0xAA);
        }
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_cannot_be_deleted_holds_back_nothing_else() {
    let by_age = StoreSettings { retain: Some(Duration::from_secs(1)), ..StoreSettings::default() };
    let by_size =
        StoreSettings { max_size: Some(bytesize::ByteSize(1 << 20)), ..StoreSettings::default() };
    // A long payload in pages of its own, and a page with some entries.
    for (settings, size) in [(&by_age, 20_000), (&by_age, 600), (&by_size, 20_000)] {
        let data = tempfile::tempdir().unwrap();
        let other: Tenant = "other".parse().unwrap();
        let store = open(data.path());
        let mine = append(&store, &tenant(), size, 100);
        append(&store, &other, size, 100);
        drop(store);
        compact(data.path()).unwrap();
        let needle = &mine[2].payload().as_bytes()[size / 2..size / 2 + 64];
        damage_pages_with(&folder::entries_db(data.path()), needle);
        let store = SqliteStore::open(data.path(), &Limits::default(), settings).unwrap();
        let meter = store.meter().unwrap();
        let most = if settings.retain.is_some() { 180 } else { 80 };
        until(|| meter.deleted.get() >= most && meter.damaged.get() > 0);
        // What stays is passed over by a walk, entry by entry.
        for order in [Order::Ascending, Order::Descending] {
            let (_, damaged) =
                all(&store, &tenant(), &request(|query| (query.limit, query.order) = (1, order)));
            assert!((1..20).contains(&damaged), "{damaged}");
        }
        // Entries are taken meanwhile and afterwards, and go as well.
        append(&store, &tenant(), size, 200);
        until(|| meter.deleted.get() >= most + 150);
    }
}
