//! What is counted equals what is there, after everything that can happen to it.

use std::collections::BTreeMap;

use logflux_wire::counts::{Bucket, By, CountsQuery, Step};
use logflux_wire::{Iv, Level, Mode, Node, Payload, Salt, Timestamp};
use tokio::runtime::Runtime;

use super::tests::{open, request, tenant, until};
use super::*;

/// A generator that gives the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Entries around the beginning of 1970, so that there are times before it, over three days.
fn entries(numbers: &mut Numbers, count: usize) -> Vec<Entry> {
    let mut one = |_| {
        let mut random = [0; 44];
        getrandom::fill(&mut random).unwrap();
        let seconds = i64::try_from(numbers.below(3 * 86_400)).unwrap() - 2 * 86_400;
        let nanoseconds = [0, 1, 999_999_999][usize::try_from(numbers.below(3)).unwrap()];
        Entry::new(
            Node::new(["a", "b", "bär"][usize::try_from(numbers.below(3)).unwrap()]).unwrap(),
            Payload::new(vec![7; usize::try_from(17 + numbers.below(100)).unwrap()]).unwrap(),
            Level::from_number(numbers.below(8) + 1).unwrap(),
            Timestamp::from_unix(seconds, nanoseconds).unwrap(),
            Mode::Pbkdf2,
            Iv::new(random[..12].try_into().unwrap()),
            Salt::new(random[12..].try_into().unwrap()),
        )
        .unwrap()
    };
    (0..count).map(&mut one).collect()
}

fn all(store: &SqliteStore) -> Vec<Entry> {
    let runtime = Runtime::new().unwrap();
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { after, ..request(|_| {}) };
        let page = runtime.block_on(store.page(tenant(), request)).unwrap();
        all.extend(page.entries);
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// What the counts of these entries are.
fn expected(entries: &[Entry], query: &CountsQuery) -> Vec<Bucket> {
    type Place = (i64, Option<String>, Option<u8>);
    let mut sums: BTreeMap<Place, (u64, u64)> = BTreeMap::new();
    for entry in entries {
        let time = entry.timestamp();
        if query.from.is_some_and(|from| time < from)
            || query.to.is_some_and(|to| time >= to)
            || query.level.is_some_and(|level| entry.level().number() > level.number())
            || query.node.as_ref().is_some_and(|node| node != entry.node())
        {
            continue;
        }
        let step = query.step.seconds();
        let start = time.unix_seconds().div_euclid(step) * step;
        let node = query.by.node.then(|| entry.node().to_string());
        let level = query.by.level.then(|| entry.level().number());
        let sum = sums.entry((start, node, level)).or_default();
        *sum = (sum.0 + 1, sum.1 + entry.payload().as_bytes().len() as u64);
    }
    let bucket = |((start, node, level), (entries, bytes))| Bucket {
        start: Timestamp::from_unix(start, 0).unwrap(),
        node,
        level,
        entries,
        bytes,
    };
    sums.into_iter().map(bucket).collect()
}

/// Compares the counts of a hundred queries with the entries, and the nodes.
fn compare(store: &SqliteStore, numbers: &mut Numbers) {
    let (runtime, all) = (Runtime::new().unwrap(), all(store));
    for _ in 0..100 {
        let mut moment = || {
            let at = i64::try_from(numbers.below(4 * 86_400)).unwrap() - 5 * 43_200;
            let at = [at, at / 60 * 60, at / 86_400 * 86_400]
                [usize::try_from(numbers.below(3)).unwrap()];
            let nanoseconds = [0, 1, 999_999_999][usize::try_from(numbers.below(3)).unwrap()];
            (numbers.below(4) > 0).then(|| Timestamp::from_unix(at, nanoseconds).unwrap())
        };
        let (from, to) = (moment(), moment());
        let steps = [60, 90, 300, 3_600, 7_200, 86_400, 100_000];
        let query = CountsQuery {
            from,
            to,
            step: Step::from_seconds(steps[usize::try_from(numbers.below(7)).unwrap()]).unwrap(),
            by: By { level: numbers.below(2) > 0, node: numbers.below(2) > 0 },
            level: (numbers.below(3) == 0).then_some(Level::Warning),
            node: (numbers.below(3) == 0).then(|| Node::new("bär").unwrap()),
        };
        let counts = runtime.block_on(store.counts(tenant(), query.clone())).unwrap();
        assert_eq!(counts.buckets, expected(&all, &query), "{query:?}");

        let asked = NodesRequest { from, to, after: None };
        let nodes = runtime.block_on(store.nodes(tenant(), asked)).unwrap();
        let within = |e: &&Entry| {
            from.is_none_or(|from| e.timestamp() >= from) && to.is_none_or(|to| e.timestamp() < to)
        };
        let mut sums = BTreeMap::new();
        for entry in all.iter().filter(within) {
            let bytes = entry.payload().as_bytes().len() as u64;
            let time = entry.timestamp();
            sums.entry(entry.node().to_string())
                .and_modify(|(n, b, first, last): &mut (u64, u64, Timestamp, Timestamp)| {
                    (*n, *b) = (*n + 1, *b + bytes);
                    (*first, *last) = ((*first).min(time), (*last).max(time));
                })
                .or_insert((1, bytes, time, time));
        }
        let found =
            nodes.nodes.into_iter().map(|n| (n.node, (n.entries, n.bytes, n.first, n.last)));
        assert_eq!(found.collect::<Vec<_>>(), sums.into_iter().collect::<Vec<_>>());
    }
}

fn store_of(data: &Path, settings: &StoreSettings) -> SqliteStore {
    SqliteStore::open(data, &Limits::default(), settings).unwrap()
}

#[test]
fn counts_are_those_of_the_entries_whatever_happens_to_these() {
    let data = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(7);
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    let sent = entries(&mut numbers, 6_000);
    for part in sent.chunks(500) {
        runtime.block_on(store.append(tenant(), part.to_vec())).unwrap();
    }
    // What is there already is not counted again, and another tenant's is counted for that one.
    runtime.block_on(store.append(tenant(), sent[..100].to_vec())).unwrap();
    let other: Tenant = "other".parse().unwrap();
    runtime.block_on(store.append(other.clone(), entries(&mut numbers, 50))).unwrap();
    assert_eq!(all(&store).len(), 6_000);
    compare(&store, &mut numbers);
    let of_other = runtime.block_on(store.counts(other, CountsQuery::default())).unwrap();
    assert_eq!(of_other.buckets.iter().map(|bucket| bucket.entries).sum::<u64>(), 50);
    drop(store);
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());

    // Deleted for the size.
    let settings =
        StoreSettings { max_size: Some(bytesize::ByteSize(1 << 20)), ..StoreSettings::default() };
    let store = store_of(data.path(), &settings);
    until(|| all(&store).len() < 6_000);
    drop(store);
    compare(&open(data.path()), &mut numbers);
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());

    // Written anew by a repair, and by a backup.
    repair(data.path()).unwrap();
    compare(&open(data.path()), &mut numbers);
    let copy = tempfile::tempdir().unwrap();
    backup(data.path(), &copy.path().join("backup")).unwrap();
    compare(&open(&copy.path().join("backup")), &mut numbers);
}

#[test]
fn a_store_of_the_third_version_is_counted_and_a_check_finds_counts_that_are_wrong() {
    let data = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(8);
    let store = open(data.path());
    let sent = entries(&mut numbers, 1_000);
    Runtime::new().unwrap().block_on(store.append(tenant(), sent)).unwrap();
    drop(store);
    let change = |sql: &str| {
        rusqlite::Connection::open(folder::entries_db(data.path()))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    change("DROP TABLE counts; PRAGMA user_version = 3;");
    compare(&open(data.path()), &mut numbers);
    assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());
    for (sql, unit) in [
        ("UPDATE counts SET entries_1 = entries_1 + 1 WHERE unit = 3600", "3600"),
        ("UPDATE counts SET bytes_2 = bytes_2 + 1 WHERE unit = 60", "60"),
        ("DELETE FROM counts WHERE unit = 86400", "86400"),
    ] {
        change(sql);
        let faults = check(data.path(), |_| {}).unwrap().faults;
        assert!(faults.iter().any(|fault| fault.contains(unit)), "{faults:?}");
        repair(data.path()).unwrap();
        assert_eq!(check(data.path(), |_| {}).unwrap().faults, Vec::<String>::new());
    }
}

#[test]
fn nodes_come_in_pages_by_name() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let mut numbers = Numbers(9);
    let names: Vec<String> = (0..2_500).map(|number| format!("node {number:04}")).collect();
    let named = |name: &String| {
        let entry = entries(&mut numbers, 1).remove(0);
        let (payload, level, time) = (entry.payload().clone(), entry.level(), entry.timestamp());
        let node = Node::new(name.as_str()).unwrap();
        Entry::new(node, payload, level, time, entry.mode(), *entry.iv(), *entry.salt()).unwrap()
    };
    let sent: Vec<Entry> = names.iter().rev().map(named).collect();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(store.append(tenant(), sent)).unwrap();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let request = NodesRequest { after, ..NodesRequest::default() };
        let page = runtime.block_on(store.nodes(tenant(), request)).unwrap();
        found.extend(page.nodes.into_iter().map(|node| node.node));
        pages += 1;
        match page.next {
            Some(next) => after = Some(next.into_bytes()),
            None => break,
        }
    }
    assert_eq!((found, pages), (names, 3));
}

#[test]
fn more_than_an_answer_gives_is_refused_with_the_remedy() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let runtime = Runtime::new().unwrap();
    let ask = |query: CountsQuery| runtime.block_on(store.counts(tenant(), query));
    let query = CountsQuery {
        from: Some(Timestamp::MIN),
        to: Some("2020-01-01T00:00:00Z".parse().unwrap()),
        ..CountsQuery::default()
    };
    // Without an entry there is nothing to refuse.
    assert_eq!(ask(query.clone()).unwrap().buckets, []);
    runtime.block_on(store.append(tenant(), entries(&mut Numbers(1), 1))).unwrap();
    let error = ask(query.clone()).unwrap_err();
    assert!(matches!(&error, StoreError::TooWide(why) if why.contains("longer step")), "{error}");
    let step = Step::from_seconds(366 * 86_400).unwrap();
    assert_eq!(ask(CountsQuery { step, ..query }).unwrap().buckets.len(), 1);
}
