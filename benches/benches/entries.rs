//! What an entry costs beside its key: `cargo bench -p logflux-benches --bench entries`.

#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logflux_benches::entries::{COUNT, tasks};

fn entries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("entries of 256 bytes");
    group.sample_size(20);
    group.throughput(Throughput::Elements(COUNT as u64));
    for task in tasks() {
        group.bench_function(&task.name, |bencher| bencher.iter(|| task.run()));
    }
    group.finish();
}

criterion_group!(benches, entries);
criterion_main!(benches);
