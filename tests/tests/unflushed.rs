//! `flush`, `close` and `pipe --durable` say that all is well exactly where nothing was dropped, and
//! everything is delivered or durable. In C: `c/flushing.rs`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::endpoint::{Authority, Endpoint, Manner, Reply};
use logflux_tests::{ENOUGH, Situation, Situations, in_child, logflux, logged, secret};
use logflux_transport::{Client, ClientConfig, FlushTicket, Unflushed};

#[test]
fn a_flush_and_a_close_succeed_exactly_where_everything_is_safe() {
    let situations = Situations::new();
    thread::scope(|scope| {
        for situation in &situations.all {
            scope.spawn(|| in_rust(situation));
        }
    });
}

fn in_rust(situation: &Situation) {
    let name = situation.name;
    let read = |name: &str| situation.variable(name).map(Into::into);
    let config = ClientConfig::from_variables(&read).unwrap();
    let client = Client::builder(config, secret()).mode(Mode::Hkdf).build().unwrap();
    situation.messages.iter().for_each(|message| client.info(message));
    let flushed = client.flush(situation.timeout);
    assert_eq!(flushed.is_ok(), situation.is_well(), "{name}: {flushed:?}");
    let dropped = logged(&client).dropped.total();
    if let Err(unflushed) = flushed {
        assert!(unflushed.dropped <= dropped && unflushed.dropped + unflushed.left > 0, "{name}");
    }
    let closed = client.close(situation.timeout);
    assert_eq!(closed.is_ok(), situation.is_well(), "{name}: {closed:?}");
    let stats = logged(&client);
    let all = Unflushed { dropped: stats.dropped.total(), left: 0 };
    assert_eq!(closed.err(), (!situation.is_well()).then_some(all), "{name}: {stats:?}");
    assert_eq!(client.close(ENOUGH), closed, "{name}: a second close says the same");
    assert_eq!(client.flush(ENOUGH), closed, "{name}: and so does a flush");
}

#[test]
fn a_durable_pipe_passes_on_what_is_safe_and_ends_badly_where_something_is_lost() {
    let situations = Situations::new();
    let program = logflux().unwrap();
    thread::scope(|scope| {
        // A line that is too long for a message is several.
        let fits = |situation: &&Situation| situation.messages.iter().all(|m| m.len() < 700_000);
        for situation in situations.all.iter().filter(fits) {
            scope.spawn(move || {
                let name = situation.name;
                let mut pipe = Command::new(program);
                situation.set(&mut pipe);
                let folder = tempfile::tempdir().unwrap();
                let (out, err) = (folder.path().join("out"), folder.path().join("err"));
                pipe.args(["pipe", "--durable", "--mode", "128", "--close-timeout", "1s"]);
                pipe.stdin(Stdio::piped()).stdout(File::create(&out).unwrap());
                let mut pipe = pipe.stderr(File::create(&err).unwrap()).spawn().unwrap();
                let mut input = pipe.stdin.take().unwrap();
                for message in &situation.messages {
                    input.write_all(format!("{message}\n").as_bytes()).unwrap();
                }
                drop(input);
                // It may wait for room on the disk for ever, but it must not pass anything on.
                let begun = Instant::now();
                let status = loop {
                    if let Some(status) = pipe.try_wait().unwrap() {
                        break status;
                    }
                    if begun.elapsed() > situation.timeout {
                        let pid = pipe.id().to_string();
                        Command::new("kill").arg(pid).status().unwrap();
                        break pipe.wait().unwrap();
                    }
                    thread::sleep(Duration::from_millis(10));
                };
                let said = std::fs::read_to_string(err).unwrap();
                let safe = situation.messages[..situation.safe].iter();
                let passed: String = safe.map(|message| format!("{message}\n")).collect();
                assert_eq!(std::fs::read_to_string(out).unwrap(), passed, "{name}: {said}");
                assert_eq!(status.code(), Some(i32::from(!situation.is_well())), "{name}: {said}");
                assert_eq!(said.contains(" not delivered: "), !situation.is_well(), "{said}");
            });
        }
    });
}

/// A client of an endpoint that answers nothing until it is told to.
fn held(authority: &Authority) -> (Client, Endpoint, Arc<Mutex<()>>) {
    let gate = Arc::new(Mutex::new(()));
    let shut = Arc::clone(&gate);
    let endpoint = Endpoint::start(Manner::Tls(authority.good()), move |request| {
        drop(shut.lock());
        Reply::taken(request)
    });
    let settings = endpoint.settings(authority);
    let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
    (client, endpoint, gate)
}

#[test]
fn tickets_of_several_threads_know_their_own_messages() {
    let authority = Authority::new();
    let (client, _endpoint, gate) = held(&authority);
    let shut = gate.lock().unwrap();
    let tickets: Vec<FlushTicket> = thread::scope(|scope| {
        let begin = || {
            client.info("line");
            client.flush_begin()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for ticket in &tickets {
        assert!(!ticket.is_done());
        let left = ticket.wait(Duration::ZERO).unwrap_err();
        assert!(left.dropped == 0 && (1..=8).contains(&left.left), "{left:?}");
        assert_eq!(ticket.answer(), Err(left));
    }
    drop(shut);
    thread::scope(|scope| {
        for ticket in &tickets {
            for _ in 0..2 {
                scope.spawn(|| ticket.wait(ENOUGH).unwrap());
            }
        }
    });
    assert!(tickets.iter().all(FlushTicket::is_done));
    assert!(client.flush_begin().is_done(), "nothing is left");
}

#[test]
fn a_ticket_outlives_its_client_and_can_be_awaited() {
    let authority = Authority::new();
    let (client, _endpoint, gate) = held(&authority);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let shut = gate.lock().unwrap();
    client.info("delivered");
    let (first, again) = (client.flush_begin(), client.flush_begin());
    let waiting = runtime.block_on(async {
        // Nothing holds the runtime up meanwhile.
        tokio::time::timeout(Duration::from_millis(20), again).await
    });
    waiting.unwrap_err();
    drop(shut);
    runtime.block_on(first).unwrap();

    let shut = gate.lock().unwrap();
    client.info("dropped");
    let (ticket, awaited) = (client.flush_begin(), client.flush_begin());
    client.close(Duration::ZERO).unwrap_err();
    let after = client.flush_begin();
    drop(client);
    let one = Err(Unflushed { dropped: 1, left: 0 });
    assert_eq!(ticket.wait(ENOUGH), one);
    assert_eq!(runtime.block_on(awaited), one);
    assert_eq!(after.wait(ENOUGH), one, "of a client that is closed");
    drop(shut);
}

#[test]
fn a_ticket_of_the_parent_stays_as_it_is_in_a_forked_child() {
    let authority = Authority::new();
    let (client, _endpoint, gate) = held(&authority);
    let shut = gate.lock().unwrap();
    client.info("the parent's");
    let ticket = client.flush_begin();
    let (waiting, done) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        // Another thread has locks at every moment, also at that of a fork.
        let busy = scope.spawn(|| {
            waiting.send(()).unwrap();
            ticket.wait(ENOUGH)
        });
        done.recv().unwrap();
        for _ in 0..20 {
            let child = || {
                let begun = Instant::now();
                let left = Err(Unflushed { dropped: 0, left: 1 });
                assert_eq!(ticket.wait(ENOUGH), left);
                assert!(!ticket.is_done() && begun.elapsed() < ENOUGH / 2);
                // Of its own it has none.
                assert_eq!(client.flush(ENOUGH), Ok(()));
            };
            assert!(in_child(child));
        }
        drop(shut);
        assert_eq!(busy.join().unwrap(), Ok(()));
    });
    assert!(ticket.is_done());
}

#[test]
fn a_flush_or_a_close_in_a_callback_does_not_wait_for_itself() {
    let authority = Authority::new();
    let (_, endpoint, gate) = held(&authority);
    let shut = gate.lock().unwrap();
    let cell: Arc<OnceLock<Client>> = Arc::default();
    let (told, hear) = std::sync::mpsc::channel();
    let inside = Arc::clone(&cell);
    let client = Client::builder(endpoint.settings(&authority), secret())
        .mode(Mode::Hkdf)
        .on_drop(move |report| {
            let client = inside.get().unwrap();
            let begun = Instant::now();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let flushed = client.flush(ENOUGH);
            let awaited = runtime.block_on(client.flush_begin());
            let closed = client.close(ENOUGH);
            told.send((report.total(), flushed, awaited, closed, begun.elapsed())).unwrap();
        })
        .build()
        .unwrap();
    cell.set(client.clone()).unwrap();
    client.info("held");
    client.info(&"x".repeat(800_000));
    let (total, flushed, awaited, closed, took) = hear.recv_timeout(ENOUGH).unwrap();
    assert_eq!((total, flushed), (1, Err(Unflushed { dropped: 1, left: 1 })));
    assert_eq!(awaited, flushed);
    assert_eq!(closed, Err(Unflushed { dropped: 2, left: 0 }));
    assert!(took < ENOUGH / 2, "{took:?}");
    drop(shut);
}
