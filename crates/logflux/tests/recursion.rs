//! A subscriber and a logger that let everything through, while LogFlux's own threads log.
//!
//! In a process of its own, since both are for a whole process.

#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

mod place;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use place::{ENOUGH, Place};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

/// Counts the events of LogFlux's own threads, to show that there are some.
#[derive(Clone, Default)]
struct Own(Arc<AtomicU64>);

impl<S: tracing::Subscriber> Layer<S> for Own {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        if thread::current().name().is_some_and(|name| name.starts_with("logflux-")) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn what_the_client_itself_does_is_never_logged_through_it() {
    let own = Own::default();
    // This also takes what comes through `log`, such as that of the HTTP stack.
    let everything = logflux::layer().with_max_level(LevelFilter::TRACE);
    tracing_subscriber::registry().with(own.clone()).with(everything).init();
    let place = Place::new();
    let told = Arc::new(AtomicU64::new(0));
    let told_here = Arc::clone(&told);
    let config = place.config().on_drop(move |dropped| {
        told_here.fetch_add(dropped.total(), Ordering::Relaxed);
        tracing::error!(target: "t", "dropped {}", dropped.total());
        logflux::error!("dropped {}", dropped.total());
    });
    let guard = logflux::init(config).unwrap();
    for line in 0..3 {
        tracing::info!(target: "t", line, "from tracing");
        log::info!(target: "through::log", "from log");
        guard.flush(ENOUGH).unwrap();
    }
    logflux::info!("{}", "x".repeat(1 << 20));
    let lost = guard.close(ENOUGH).unwrap_err();
    assert_eq!((lost.dropped, lost.left), (1, 0));
    let stats = guard.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.dropped.total()), (7, 6, 1), "{stats:?}");
    drop(guard);
    let stored: Vec<_> = (0..3)
        .flat_map(|line| {
            [
                format!(r#"{{"message":"from tracing","target":"t","fields":{{"line":{line}}}}}"#),
                r#"{"message":"from log","target":"through::log"}"#.to_owned(),
            ]
        })
        .collect();
    assert_eq!(place.texts(), stored);
    assert!(own.0.load(Ordering::Relaxed) > 0, "the client's threads logged nothing to leave out");
}
