//! Keys of 600,000 iterations, beside other libraries: `cargo bench -p logflux-benches --features
//! peers --bench derive`.

#![allow(missing_docs, reason = "criterion's macros")]

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use logflux_benches::derivation::contenders;

fn derive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("derive ({})", logflux_kdf::backend()));
    // A key costs tens of milliseconds: criterion's usual hundred samples would take minutes.
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    for contender in contenders() {
        group.throughput(Throughput::Elements(contender.keys as u64));
        let name = format!("{}, {} at once", contender.name, contender.keys);
        group.bench_function(name, |bencher| bencher.iter(|| contender.run()));
    }
    group.finish();
}

criterion_group!(benches, derive);
criterion_main!(benches);
