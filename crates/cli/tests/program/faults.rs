//! Entries that cannot be read or opened cost no other.

use crate::hostile::Hostile;
use crate::run::logflux;
use crate::server::Server;
use crate::tail::Tail;

/// Three good entries, and between them one of a mode of the future and others that are none.
fn page() -> Vec<String> {
    let sealed = logflux(&["seal"]).input("first\nsecond\nthird\n").ok();
    let good: Vec<&str> = sealed.lines().collect();
    let future = good[0].replace("\"encryption_mode\":1", "\"encryption_mode\":5");
    let evil = good[0].replace("{\"node\":\"", "{\"node\":\"\\u001b]0;owned\\u0007");
    vec![
        good[0].to_owned(),
        future,
        "null".to_owned(),
        good[1].to_owned(),
        "[1,2]".to_owned(),
        "{\"node\":\"n\"}".to_owned(),
        evil,
        good[2].to_owned(),
    ]
}

const GIVEN: &str = "first\nsecond\nthird\n";

#[test]
fn a_query_gives_the_others_and_names_what_it_cannot_read() {
    let page = page();
    let server = Hostile::page(&page);
    for args in
        [&["query"][..], &["query", "--limit", "0"], &["query", "--grep", "i", "--grep", "r"]]
    {
        let ended = server.call(args).run();
        let expected = if args.len() == 5 { "first\nthird\n" } else { GIVEN };
        assert_eq!((ended.status, ended.stdout.as_str()), (1, expected), "{}", ended.stderr);
        for number in [2, 3, 5, 6, 7] {
            assert!(ended.stderr.contains(&format!("entry {number}: ")), "{}", ended.stderr);
        }
        assert_eq!(ended.stderr.lines().count(), 5, "{}", ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'));
    }
    // What is sealed in a mode of the future passes as it is: a newer version opens it.
    let sealed = server.call(&["query", "--sealed"]).run();
    let passed: Vec<&str> = [0, 1, 3, 7].into_iter().map(|at| page[at].as_str()).collect();
    assert_eq!((sealed.status, sealed.stdout.lines().collect::<Vec<_>>()), (1, passed));
    assert!(!sealed.stderr.contains("entry 2: "), "{}", sealed.stderr);
    assert!(sealed.stderr.contains("entry 3: "), "{}", sealed.stderr);
    let some = server.call(&["query", "--sealed", "--limit", "2"]).run();
    assert_eq!(some.stdout.lines().collect::<Vec<_>>(), [page[0].as_str(), page[1].as_str()]);
}

#[test]
fn a_tail_goes_on() {
    let server = Hostile::page(&page());
    for (newest, given) in [("0", GIVEN), ("100", "third\nsecond\nfirst\n")] {
        let ended = server.call(&["tail", "-n", newest, "--no-reconnect"]).run();
        assert_eq!((ended.status, ended.stdout.as_str()), (1, given), "{}", ended.stderr);
        assert!(ended.stderr.contains("encryption_mode must be"), "{}", ended.stderr);
    }
}

#[test]
fn an_open_gives_the_others_from_lines_and_from_an_array() {
    let page = page();
    for input in [page.join("\n"), format!("[{}]", page.join(",\n"))] {
        let ended = logflux(&["open"]).input(input);
        assert_eq!((ended.status, ended.stdout.as_str()), (1, GIVEN), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 5, "{}", ended.stderr);
    }
    // An array that is torn has given what came before.
    let ended = logflux(&["open"]).input(format!("[{},{},{{\"nod", page[0], page[3]));
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "first\nsecond\n"));
    assert!(ended.stderr.contains("the array is not valid JSON"), "{}", ended.stderr);
    // Many that are none are named up to a bound, and counted.
    let ended = logflux(&["open"]).input("x\n".repeat(1_000));
    assert_eq!(ended.stderr.lines().count(), 21);
    assert!(ended.stderr.contains("980 more cannot be read"), "{}", ended.stderr);
    let ended = logflux(&["open", "--verbose"]).input("x\n".repeat(1_000));
    assert_eq!(ended.stderr.lines().count(), 1_000);
}

#[test]
fn entries_that_cannot_be_opened_are_counted_in_a_line() {
    let server = Server::start();
    let key = server.key("ingest,read");
    let lines: String = (0..30).map(|i| format!("line {i}\n")).collect();
    let send = server.call(&key, &["send", "--node", "web-1"]).env("LOGFLUX_SECRET", "another one");
    send.input(&lines).ok();
    server.call(&key, &["send"]).input("good\n").ok();
    let ended = server.call(&key, &["query"]).run();
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "good\n"));
    let said: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("30 entries cannot be opened (") && said[0].contains(" of web-1"));
    assert!(said[0].contains(" and 27 more): authentication failed: "), "{said:?}");
    let ended = server.call(&key, &["query", "--verbose"]).run();
    assert_eq!(ended.stderr.matches(" of web-1: authentication failed").count(), 30);

    let sealed = server.call(&key, &["query", "--sealed"]).run().ok();
    let ended = logflux(&["open"]).input(&sealed);
    assert_eq!((ended.status, ended.stdout.as_str()), (1, "good\n"));
    assert!(
        ended
            .stderr
            .starts_with("30 entries cannot be opened (line 2, line 3, line 4 and 27 more): ")
    );
    let mut tail = Tail::start(&server, &key, &["-n", "31", "--limit", "1"]);
    assert_eq!(tail.line(), "good");
    server.call(&key, &["send"]).input("late\n").ok();
    assert_eq!((tail.line().as_str(), tail.status()), ("late", 1));
    let said: Vec<String> = tail.err.iter().collect();
    assert!(said.len() == 1 && said[0].starts_with("30 entries cannot be opened"), "{said:?}");
}
