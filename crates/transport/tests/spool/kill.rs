//! A process that is killed loses nothing that was synced.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use logflux_transport::SpoolError;

use crate::{all, bounded, entry, open};

/// How often; `SPOOL_TEST_KILLS` says otherwise.
const KILLS: usize = 25;

#[test]
fn what_was_synced_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let kills = std::env::var("SPOOL_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut next = 0;
    let mut synced: BTreeSet<usize> = BTreeSet::new();
    // Where acknowledging was begun, the kill may have come before or after.
    let mut maybe: BTreeSet<usize> = BTreeSet::new();
    let mut survived = 0;
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::the_killed_process", "--nocapture"])
            .env("SPOOL_TEST_KILLED", folder.path())
            .env("SPOOL_TEST_NEXT", next.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It ends itself at a moment that nobody chose, some time into what it does.
        let until = Instant::now() + Duration::from_micros(20_000 + 1_373 * kill as u64 % 20_000);
        let mut killed = false;
        for line in lines.by_ref() {
            // The last line may be torn.
            let Ok(line) = line else { break };
            let numbers: Vec<usize> = line
                .split_once(": ")
                .map(|(_, rest)| rest.split(' ').filter_map(|text| text.parse().ok()).collect())
                .unwrap_or_default();
            match (line.split(':').next(), &numbers[..]) {
                (Some("synced"), [from, to]) => {
                    synced.extend(*from..*to);
                    next = *to;
                }
                (Some("acknowledging"), numbers) => {
                    for number in numbers {
                        synced.remove(number);
                        maybe.insert(*number);
                    }
                }
                _ => {}
            }
            if !killed && Instant::now() > until {
                child.kill().unwrap();
                killed = true;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (mut spool, _) = open(folder.path());
        let (ids, entries) = all(&mut spool);
        // So that a thousand kills do not take ever longer.
        let enough = ids.len().saturating_sub(500);
        spool.put_back(&ids);
        let found: BTreeSet<usize> = entries
            .iter()
            .map(|bytes| {
                let text = std::str::from_utf8(bytes).unwrap();
                let number = text[9..].trim_end_matches(['}', ' ']).parse().unwrap();
                assert!(bytes.starts_with(&entry(number)), "nothing corrupt comes out");
                number
            })
            .collect();
        assert_eq!(found.len(), entries.len(), "each once");
        let lost: Vec<_> = synced.difference(&found).collect();
        assert!(lost.is_empty(), "kill {kill}: lost {lost:?}");
        survived += synced.len();
        // Entries that were written and not told of may be there, too.
        for number in &found {
            assert!(synced.contains(number) || maybe.contains(number) || *number >= next);
        }
        next = found.iter().max().map_or(next, |most| next.max(most + 1));
        maybe.extend(found.iter().take(enough));
        synced = found.into_iter().skip(enough).collect();
        spool.acknowledge(&ids[..enough]).unwrap();
    }
    assert!(survived > kills, "the processes did something before they were killed");
    println!("{kills} kills: {survived} synced entries were to be there, and were");
}

/// Not a test of its own: the process that is killed.
#[test]
fn the_killed_process() {
    let Some(folder) = std::env::var_os("SPOOL_TEST_KILLED") else { return };
    let mut next: usize = std::env::var("SPOOL_TEST_NEXT").unwrap().parse().unwrap();
    let options = bounded(64 << 20, 16 << 10);
    let (mut spool, _) = logflux_transport::Spool::open(folder.as_ref(), options).unwrap();
    let tell = |line: String| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()).unwrap();
    };
    loop {
        let from = next;
        for _ in 0..1 + next % 37 {
            match spool.append(&[entry(next), vec![b' '; next % 300]].concat()) {
                Err(SpoolError::Full { .. }) => return,
                other => drop(other.unwrap()),
            }
            next += 1;
        }
        spool.sync().unwrap();
        tell(format!("synced: {from} {next}\n"));
        if next.is_multiple_of(3) {
            let batch = spool.next_batch(30, usize::MAX).unwrap();
            let (ids, entries): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            let numbers: Vec<String> = entries
                .iter()
                .map(|bytes| {
                    let text = std::str::from_utf8(bytes).unwrap();
                    text[9..].trim_end_matches(['}', ' ']).to_owned()
                })
                .collect();
            tell(format!("acknowledging: {}\n", numbers.join(" ")));
            spool.acknowledge(&ids).unwrap();
        }
    }
}
