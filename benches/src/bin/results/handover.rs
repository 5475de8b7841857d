//! What a logging call costs its caller.

use std::fmt::Write;

use logflux_benches::handover::{LEN, contenders};

pub(crate) fn section() -> String {
    let mut text = format!(
        "Messages of {LEN} bytes in bursts of 1,000 a thread, the clock's own cost taken off, by the \
         clock on the wall; workers work meanwhile, on the same cores. Ours seals what it takes.\n\n\
         | | threads | p50 ns | p99 ns | p99.9 ns |\n|---|---:|---:|---:|---:|\n"
    );
    let Some(contenders) = contenders() else { return text };
    for threads in [1, 8] {
        for contender in &contenders {
            // The first of two rounds is the warm-up.
            let _ = contender.measure(threads);
            let latency = contender.measure(threads);
            let _ = writeln!(
                text,
                "| {} | {threads} | {} | {} | {} |",
                contender.name, latency.p50, latency.p99, latency.p999
            );
        }
    }
    text
}
