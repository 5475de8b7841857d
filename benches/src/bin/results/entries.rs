//! What an entry costs beside its key.

use std::fmt::Write;

use logflux_benches::entries::{COUNT, LEN, ciphers, tasks};

use crate::measure::medians;

const ROUNDS: usize = 101;

pub(crate) fn section() -> String {
    let tasks: Vec<_> = ciphers().into_iter().chain(tasks()).collect();
    let times = medians(&tasks, ROUNDS, |task| task.run());
    let bare = times.first().copied().unwrap_or(1.0);
    let mut text = format!(
        "Messages of {LEN} bytes, one thread, keys at hand. Nanoseconds an entry of the thread's own \
         time, the median of {ROUNDS} interleaved rounds of {COUNT}.\n\n\
         | | ns an entry | a second | × the bare cipher's time |\n|---|---:|---:|---:|\n"
    );
    for (task, time) in tasks.iter().zip(&times) {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.2} |",
            task.name,
            time * 1e9 / COUNT as f64,
            COUNT as f64 / time,
            time / bare
        );
    }
    text
}
