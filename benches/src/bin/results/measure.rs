//! Timing several things fairly.

use cpu_time::ThreadTime;

/// For each of `subjects`, the median of `rounds` runs of `run`, in seconds of its thread.
///
/// The rounds are interleaved, so that a change of the clock's speed meets all alike; and a thread's
/// own time does not count what else the machine was doing.
pub(crate) fn medians<T>(subjects: &[T], rounds: usize, mut run: impl FnMut(&T)) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); subjects.len()];
    for _ in 0..rounds {
        for (subject, times) in subjects.iter().zip(&mut times) {
            let start = ThreadTime::now();
            run(subject);
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.into_iter().map(median).collect()
}

/// The middle of `values`, or 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
