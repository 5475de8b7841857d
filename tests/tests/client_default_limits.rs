//! Several processes of one host, with the default settings, share what a default server lets one
//! address do: 60 requests a minute. Nothing is lost, and nothing is late.
//!
//! `LOGFLUX_TEST_STEADY` asks for the long form: so many seconds, of more processes, and with a bound
//! for how long a line is on its way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use logflux_envelope::Entry;
use logflux_server::Rates;
use logflux_tests::{ENOUGH, Place, number};
use logflux_transport::Api;
use logflux_wire::query::Query;

/// How long a line may be on its way in the long form, but for one in a hundred.
const LATE: Duration = Duration::from_secs(30);

/// How many processes log how many lines a second, for how many seconds.
struct Load {
    processes: usize,
    rate: usize,
    seconds: usize,
}

fn start(place: &Place, name: &str, load: &Load) -> Child {
    Command::new(env!("CARGO_BIN_EXE_steady-process"))
        .args([name, &load.rate.to_string(), &load.seconds.to_string()])
        .env("LOGFLUX_SERVER_URL", format!("https://{}", place.address()))
        .env("LOGFLUX_API_KEY", place.key().expose())
        .env("LOGFLUX_SECRET", "correct horse battery staple")
        .env("LOGFLUX_NODE", name)
        .env("LOGFLUX_CA_FILE", place.ca_file())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Tells of every entry, and when it came. One request in the server's count is enough for that.
fn follow(api: &Api, begun: &Sender<()>, came: &Sender<(Entry, SystemTime)>) {
    let mut last = None;
    loop {
        let Ok(mut tail) = api.tail(&Query::default(), last.as_deref()) else {
            // The window has no request left for it.
            thread::sleep(Duration::from_secs(1));
            continue;
        };
        let _ = begun.send(());
        while let Some(Ok(entry)) = tail.next() {
            if came.send((entry.unwrap(), SystemTime::now())).is_err() {
                return;
            }
        }
        last = tail.last_id().map(str::to_owned).or(last);
    }
}

/// How many entries of each process came, each once, and how long each was on its way.
///
/// They are not opened: to derive their keys costs as long as the processes had for it together.
fn collect(
    came: &Receiver<(Entry, SystemTime)>,
    count: usize,
) -> (BTreeMap<String, usize>, Vec<Duration>) {
    let mut of_each = BTreeMap::<String, usize>::new();
    let mut seen = BTreeSet::new();
    let mut late = Vec::new();
    let mut take = |(entry, at): (Entry, SystemTime)| {
        assert!(seen.insert((*entry.salt(), *entry.iv())), "one came twice");
        *of_each.entry(entry.node().as_str().to_owned()).or_default() += 1;
        late.push(at.duration_since(entry.timestamp().into()).unwrap_or_default());
    };
    for _ in 0..count {
        let Ok(one) = came.recv_timeout(ENOUGH) else { break };
        take(one);
    }
    // What comes twice comes soon after.
    while let Ok(one) = came.recv_timeout(Duration::from_millis(200)) {
        take(one);
    }
    (of_each, late)
}

#[test]
fn processes_of_one_host_lose_nothing_under_the_default_limits() {
    let long = number("LOGFLUX_TEST_STEADY", 0);
    let load = if long > 0 {
        Load { processes: 8, rate: 10, seconds: long }
    } else {
        Load { processes: 4, rate: 20, seconds: 15 }
    };
    let lines = load.rate * load.seconds;
    let (place, _running) = Place::limited(Rates::default());
    let (began, begun) = channel();
    let (came, received) = channel();
    let api = place.api();
    thread::spawn(move || follow(&api, &began, &came));
    begun.recv_timeout(ENOUGH).unwrap();

    let names: Vec<String> = (0..load.processes).map(|number| format!("p{number}")).collect();
    let processes: Vec<Child> = names.iter().map(|name| start(&place, name, &load)).collect();
    let mut said = Vec::new();
    let mut requests = 0;
    for mut process in processes {
        let mut stderr = process.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let told = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let told = told.last().unwrap_or_default();
        said.extend(errors.join().unwrap().lines().map(str::to_owned));
        assert!(process.wait().unwrap().success(), "{told} {said:?}");
        let told: Vec<usize> = told.split(' ').map(|word| word.parse().unwrap()).collect();
        assert_eq!(told[..3], [lines, lines, 0], "accepted, delivered, dropped: {said:?}");
        requests += told[3];
    }
    assert!(said.len() <= 1, "{said:?}");

    let (of_each, mut late) = collect(&received, names.len() * lines);
    assert_eq!(of_each, names.into_iter().map(|name| (name, lines)).collect());
    late.sort_unstable();
    let part = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!(
        "{} lines in {requests} requests; on their way p50 {:?}, p99 {:?}, at most {:?}",
        late.len(),
        part(50),
        part(99),
        part(100)
    );
    if long > 0 {
        assert!(part(99) <= LATE, "p99 {:?}", part(99));
    }
}
