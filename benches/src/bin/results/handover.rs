//! What a logging call costs its caller.

use std::fmt::Write;

use logflux_benches::handover::{LEN, contenders};

pub(crate) fn section() -> String {
    let mut text = format!(
        "Messages of {LEN} bytes in bursts of 1,000 a thread every 100 ms, the clock's own cost \
         taken off, by the clock on the wall; workers work meanwhile, on the same cores. Ours seals \
         what it takes. A line of ours bears its time, which is read in the call unless it is \
         given; one of \
         `tracing-appender` bears none.\n\n\
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
