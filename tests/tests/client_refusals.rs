//! What the server refuses for good is counted and kept with its reason; all else is delivered.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::path::Path;

use logflux_envelope::{Entry, Mode};
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Messages as _, Reply, Request};
use logflux_tests::{closed, lines, logged, open_all, secret, watched};
use logflux_transport::{Client, ClientStats, DeadLetter, DeadLetters, DropReason, InFlight};
use tempfile::TempDir;

struct Outcome {
    stats: ClientStats,
    /// The dead letters, each with its message.
    dead: Vec<(String, DeadLetter)>,
    requests: Vec<Request>,
}

/// Logs these messages to a server that answers so, with or without a spool.
fn log(
    messages: &[String],
    spool: Option<&TempDir>,
    script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Outcome {
    let authority = Authority::new();
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), script);
    let mut settings = endpoint.settings(&authority);
    settings.spool_dir = spool.map(|folder| folder.path().to_owned());
    settings.max_in_flight = InFlight::new(1).unwrap();
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    let dropped = watched(&client, || {
        messages.iter().for_each(|message| client.info(message));
        closed(&client)
    });
    let stats = logged(&client);
    assert_eq!((stats.pending, stats.spooled), (0, 0), "{stats:?}");
    assert_eq!(stats.dropped.total(), dropped);
    let dead = spool.map_or_else(Vec::new, |folder| dead_letters(folder.path()));
    assert_eq!(stats.dead_letters, dead.len() as u64);
    Outcome { stats, dead, requests: endpoint.requests() }
}

fn dead_letters(spool: &Path) -> Vec<(String, DeadLetter)> {
    let mut dead = Vec::new();
    let file = DeadLetters::of_spool(&spool.join("own-0000"));
    assert_eq!(file.read(|letter| dead.push(letter)).unwrap(), 0, "a damaged letter");
    let entries: Vec<_> =
        dead.iter().map(|letter| Entry::parse_strict(&letter.entry).unwrap()).collect();
    open_all(&entries).into_iter().zip(dead).collect()
}

/// Where in a request these messages are.
fn places(request: &Request, wanted: &[&str]) -> Vec<usize> {
    let messages = request.messages();
    (0..messages.len()).filter(|i| wanted.contains(&messages[*i].as_str())).collect()
}

fn counts(stats: &ClientStats) -> (u64, u64, u64) {
    (stats.delivered, stats.dropped.by(DropReason::Refused), stats.dropped.total())
}

#[test]
fn of_a_batch_that_is_taken_in_part_the_refused_are_kept_with_their_reasons() {
    let script = |request: &Request| {
        let failures: Vec<_> = [
            ("line 2", "invalid_entry"),
            ("line 7", "nonce_reused"),
            ("line 8", "code_of_the_future"),
        ]
        .into_iter()
        .flat_map(|(line, code)| places(request, &[line]).into_iter().map(move |at| (at, code)))
        .collect();
        Reply::partly(request, &failures)
    };
    let outcome = log(&lines(0..10), None, script);
    assert_eq!(counts(&outcome.stats), (7, 3, 3));
    let folder = tempfile::tempdir().unwrap();
    let outcome = log(&lines(0..10), Some(&folder), script);
    assert_eq!(counts(&outcome.stats), (7, 3, 3));
    let mut dead: Vec<_> = outcome.dead.iter().map(|(message, _)| message.as_str()).collect();
    dead.sort_unstable();
    assert_eq!(dead, ["line 2", "line 7", "line 8"]);
    for (message, letter) in &outcome.dead {
        // What is not known counts as invalid, and is named.
        let (code, begin) = match message.as_str() {
            "line 2" => ("invalid_entry", "bad "),
            "line 7" => ("nonce_reused", "bad "),
            _ => ("invalid_entry", "code_of_the_future: bad "),
        };
        assert_eq!((letter.status, letter.code.as_str()), (Some(400), code));
        assert!(letter.message.starts_with(begin), "{}", letter.message);
    }
}

/// Places of entries in a request, and codes.
type Failures = Vec<(usize, &'static str)>;

#[test]
fn an_answer_that_does_not_account_for_every_entry_is_not_believed() {
    // The first is refused fifty times and the others are not told of; none is; another one is.
    let nonsense: [fn(usize) -> Failures; 3] = [
        |entries| vec![(0, "invalid_entry"); entries + 50],
        |_| vec![(99_999, "invalid_entry")],
        |entries| vec![(entries, "invalid_entry"); entries],
    ];
    for failures in nonsense {
        let script = move |request: &Request| match request.entries().len() {
            1 => Reply::taken(request),
            entries => Reply::partly(request, &failures(entries)),
        };
        for folder in [None, Some(tempfile::tempdir().unwrap())] {
            let outcome = log(&lines(0..20), folder.as_ref(), script);
            assert_eq!(counts(&outcome.stats), (20, 0, 0));
        }
    }
}

#[test]
fn an_entry_that_is_refused_by_itself_is_kept_with_the_reason_and_not_asked_for_again() {
    for (status, code) in [(400, "invalid_json"), (413, "payload_too_large")] {
        let script = move |_: &Request| Reply::refusal(status, code, "because of it");
        let outcome = log(&lines(0..5), None, script);
        assert_eq!(counts(&outcome.stats), (0, 5, 5));
        let folder = tempfile::tempdir().unwrap();
        let outcome = log(&lines(0..5), Some(&folder), script);
        assert_eq!(counts(&outcome.stats), (0, 5, 5));
        let messages: Vec<_> = outcome.dead.iter().map(|(message, _)| message.clone()).collect();
        assert_eq!(messages, lines(0..5));
        for (_, letter) in &outcome.dead {
            assert_eq!((letter.status, letter.code.as_str()), (Some(status), code));
            assert_eq!(letter.message, "because of it");
        }
        // The batch as a whole, its parts, and each entry once.
        let alone = outcome.requests.iter().filter(|request| request.entries().len() == 1);
        assert_eq!(alone.count(), 5);
    }
}

#[test]
fn a_batch_of_which_every_entry_is_refused_by_name_is_asked_for_once() {
    let script = |request: &Request| {
        let failures: Vec<String> = (0..request.entries().len())
            .map(|index| {
                format!(r#"{{"index":{index},"code":"invalid_entry","message":"no {index}"}}"#)
            })
            .collect();
        let body = format!(
            r#"{{"status":"error","error":{{"code":"invalid_entry","message":"no 0","details":{{"failures":[{}]}}}},"request_id":"req_1"}}"#,
            failures.join(",")
        );
        Reply::Answer { status: 400, headers: Vec::new(), body }
    };
    let folder = tempfile::tempdir().unwrap();
    let outcome = log(&lines(0..20), Some(&folder), script);
    assert_eq!(counts(&outcome.stats), (0, 20, 20));
    let sent: usize = outcome.requests.iter().map(|request| request.entries().len()).sum();
    assert_eq!((sent, outcome.dead.len()), (20, 20));
}

#[test]
fn a_batch_that_is_too_large_is_split_until_it_fits_and_one_entry_alone_is_refused() {
    let script = |request: &Request| {
        if request.entries().len() > 3 {
            return Reply::refusal(413, "batch_too_large", "at most 3");
        }
        match places(request, &["line 13"])[..] {
            [] => Reply::taken(request),
            _ => Reply::refusal(413, "payload_too_large", "too much of it"),
        }
    };
    for folder in [None, Some(tempfile::tempdir().unwrap())] {
        let outcome = log(&lines(0..20), folder.as_ref(), script);
        assert_eq!(counts(&outcome.stats), (19, 1, 1));
        let taken: Vec<_> = outcome
            .requests
            .iter()
            .filter(|request| {
                request.entries().len() <= 3 && places(request, &["line 13"]).is_empty()
            })
            .flat_map(Request::messages)
            .collect();
        let mut all = lines(0..20);
        all.remove(13);
        assert_eq!(taken, all);
        if folder.is_some() {
            let [(message, letter)] = &outcome.dead[..] else {
                unreachable!("{}", outcome.dead.len())
            };
            assert_eq!(message, "line 13");
            assert_eq!((letter.status, &*letter.code), (Some(413), "payload_too_large"));
        }
    }
}
