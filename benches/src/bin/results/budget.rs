//! What the pool of keys spends under a steady overload.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use logflux_envelope::{KeyPolicy, Level, Message, Node, Sealer, Secret, Timestamp};

/// After this the burst of one second is spent, at every budget that is tried.
const SETTLE: Duration = Duration::from_secs(12);
const MEASURE: Duration = Duration::from_secs(40);

pub(crate) fn section() -> String {
    let mut text = format!(
        "The adaptive policy under a steady overload: one thread seals a line every 100 µs, far more \
         than there are keys for. The part of a core that the pool's thread uses over {} s, after \
         its burst.\n\n\
         | budget | used | keys a second | entries with a key of their own | with a shared one | waits |\n\
         |---:|---:|---:|---:|---:|---:|\n",
        MEASURE.as_secs()
    );
    for budget in [0.05, 0.1, 0.2] {
        if let Some(row) = measure(budget) {
            let _ = writeln!(text, "{row}");
        }
    }
    text
}

fn measure(budget: f64) -> Option<String> {
    let policy =
        KeyPolicy::Adaptive { budget, max_entries: 65_536, max_age: Duration::from_secs(60) };
    let sealer = Sealer::builder(Secret::generate().ok()?).key_policy(policy).build().ok()?;
    overload(&sealer, SETTLE)?;
    let (before, time) = (sealer.stats(), pool_thread_time()?);
    let took = overload(&sealer, MEASURE)?.as_secs_f64();
    let (after, used) = (sealer.stats(), pool_thread_time()?.saturating_sub(time));
    Some(format!(
        "| {:.0} % | {:.1} % | {:.2} | {} | {} | {} |",
        budget * 100.0,
        used.as_secs_f64() / took * 100.0,
        (after.derivations - before.derivations) as f64 / took,
        after.unique.saturating_sub(before.unique),
        after.shared - before.shared,
        after.waits - before.waits,
    ))
}

fn overload(sealer: &Sealer, duration: Duration) -> Option<Duration> {
    let node = Node::new("n").ok()?;
    let started = Instant::now();
    let mut out = Vec::new();
    while started.elapsed() < duration {
        out.clear();
        let message = Message {
            bytes: &[b'x'; 256],
            node: &node,
            level: Level::Info,
            timestamp: Timestamp::now(),
        };
        sealer.seal_json(message, &mut out).ok()?;
        std::thread::sleep(Duration::from_micros(100));
    }
    Some(started.elapsed())
}

/// The processor time of all threads of this process that are named as the pool's is.
fn pool_thread_time() -> Option<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "logflux-keys" {
            let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
            nanoseconds += stat.split_whitespace().next()?.parse::<u64>().ok()?;
        }
    }
    Some(Duration::from_nanos(nanoseconds))
}
