//! What a key of 600,000 iterations costs.

use std::fmt::Write;
use std::thread;
use std::time::Instant;

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

    let (threads, wall) = all_cores();
    let _ = writeln!(
        text,
        "\nAll {threads} cores at once, {SHARE} salts a core, by the clock on the wall: {:.2} ms a key \
         and core, {:.1} keys a second.",
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

/// The number of cores, and the seconds in which each of them derives its share.
fn all_cores() -> (usize, f64) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let salts = salts(threads * SHARE);
    let run = || {
        let start = Instant::now();
        thread::scope(|scope| {
            for share in salts.chunks(SHARE) {
                scope.spawn(|| derive_share(share));
            }
        });
        start.elapsed().as_secs_f64()
    };
    (threads, median((0..5).map(|_| run()).collect()))
}
