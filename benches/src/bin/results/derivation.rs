//! What a key of 600,000 iterations costs.

use std::fmt::Write;
use std::thread;
use std::time::Instant;

use cpu_time::ThreadTime;
use logflux_benches::derivation::{Contender, contenders, derive_share, salts};
use logflux_kdf::backend;

use crate::measure::{median, medians};

const ROUNDS: usize = 9;

/// Salts of each thread when all cores are busy: many full batches of every backend.
const SHARE: usize = 48;

pub(crate) fn section() -> String {
    let contenders = contenders();
    let times = medians(&contenders, ROUNDS, |contender| {
        let _ = contender.run();
    });
    let rows: Vec<Row<'_>> = contenders
        .iter()
        .zip(times)
        .map(|(contender, time)| Row { contender, per_key: time * 1e3 / contender.keys as f64 })
        .collect();

    let mut text = format!(
        "PBKDF2-HMAC-SHA256, 600,000 iterations, one thread; this machine's backend is `{}`. \
         Milliseconds of the thread's own time, the median of {ROUNDS} interleaved rounds. The rows \
         in bold are what `derive` and `derive_many` do here.\n\n\
         | | keys at once | ms a key | × aws-lc-rs | × OpenSSL |\n|---|---:|---:|---:|---:|\n",
        backend(),
    );
    let of = |name: &str| rows.iter().find(|row| row.contender.name == name);
    let (aws, openssl) = (of("aws-lc-rs"), of("openssl"));
    for row in &rows {
        let mark = if row.contender.chosen { "**" } else { "" };
        let _ = writeln!(
            text,
            "| {mark}{}{mark} | {} | {:.2} | {} | {} |",
            row.contender.name,
            row.contender.keys,
            row.per_key,
            row.speed_against(aws),
            row.speed_against(openssl),
        );
    }

    let AllCores { threads, wall, own } = all_cores();
    let _ = writeln!(
        text,
        "\nAll {threads} cores at once, {SHARE} salts a core: {:.2} ms a key and core by the threads' \
         own time, {:.2} by the clock on the wall, which gives {:.1} keys a second.",
        own * 1e3 / SHARE as f64,
        wall * 1e3 / SHARE as f64,
        (threads * SHARE) as f64 / wall,
    );
    text
}

struct Row<'a> {
    contender: &'a Contender,
    per_key: f64,
}

impl Row<'_> {
    fn speed_against(&self, other: Option<&Row<'_>>) -> String {
        other.map_or_else(String::new, |other| format!("{:.2}", other.per_key / self.per_key))
    }
}

/// What it takes every core to derive its share, in seconds: the median of the threads' own times, and
/// the fastest round by the clock, which is the one that was disturbed the least.
struct AllCores {
    threads: usize,
    wall: f64,
    own: f64,
}

fn all_cores() -> AllCores {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let salts = salts(threads * SHARE);
    let mut own = Vec::new();
    let mut wall = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        thread::scope(|scope| {
            let work = |share: &[[u8; 32]]| {
                let start = ThreadTime::now();
                derive_share(share);
                start.elapsed().as_secs_f64()
            };
            let running: Vec<_> =
                salts.chunks(SHARE).map(|share| scope.spawn(move || work(share))).collect();
            own.extend(running.into_iter().filter_map(|thread| thread.join().ok()));
        });
        wall.push(start.elapsed().as_secs_f64());
    }
    AllCores { threads, wall: wall.into_iter().fold(f64::INFINITY, f64::min), own: median(own) }
}
