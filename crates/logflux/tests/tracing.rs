//! What the layer makes of the events of `tracing`, as it is opened again.

#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A failed test may say so.

mod place;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use logflux::{Layer, Level};
use place::{ENOUGH, Place};
use tracing::subscriber::with_default;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// What a client of its own stores of what `log` logs.
fn stored(log: impl FnOnce()) -> Vec<(Level, String)> {
    let place = Place::new();
    let client = place.client();
    with_default(tracing_subscriber::registry().with(Layer::new(client.clone())), log);
    client.close(ENOUGH).unwrap();
    place.stored()
}

fn texts(log: impl FnOnce()) -> Vec<String> {
    stored(log).into_iter().map(|(_, text)| text).collect()
}

#[derive(Debug)]
struct Wrong(&'static str, Option<Box<Wrong>>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Wrong {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|source| source.as_ref() as _)
    }
}

#[test]
fn levels_are_those_of_the_same_name_and_trace_is_left_out_or_debug() {
    let log = || {
        tracing::error!("e");
        tracing::warn!("w");
        tracing::info!("i");
        tracing::debug!("d");
        tracing::trace!("t");
    };
    let levels = |stored: &[(Level, String)]| stored.iter().map(|(level, _)| *level).collect();
    let up_to_debug = [Level::Error, Level::Warning, Level::Info, Level::Debug];
    let by_default = stored(log);
    assert_eq!(by_default[0].1, r#"{"message":"e","target":"tracing"}"#);
    assert_eq!(by_default[3].1, r#"{"message":"d","target":"tracing"}"#);
    let found: Vec<Level> = levels(&by_default);
    assert_eq!(found, up_to_debug);

    for (filter, expected) in [
        (LevelFilter::TRACE, &[&up_to_debug[..], &[Level::Debug]].concat()[..]),
        (LevelFilter::WARN, &up_to_debug[..2]),
    ] {
        let place = Place::new();
        let client = place.client();
        let layer = Layer::new(client.clone()).with_max_level(filter);
        with_default(tracing_subscriber::registry().with(layer), log);
        client.close(ENOUGH).unwrap();
        let found: Vec<Level> = levels(&place.stored());
        assert_eq!(found, expected, "{filter}");
    }
}

/// What this layer leaves out is not lost to others.
#[test]
fn another_layer_gets_the_trace_events_that_this_one_leaves_out() {
    struct Counts(&'static AtomicU64);
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Counts {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    static SEEN: AtomicU64 = AtomicU64::new(0);
    let place = Place::new();
    let client = place.client();
    let subscriber =
        tracing_subscriber::registry().with(Layer::new(client.clone())).with(Counts(&SEEN));
    with_default(subscriber, || tracing::trace!("t"));
    client.close(ENOUGH).unwrap();
    assert!(place.stored().is_empty());
    assert_eq!(SEEN.load(Ordering::Relaxed), 1);
}

#[test]
fn fields_are_json_values_of_their_own_kind() {
    let wrong = Wrong("no disk", Some(Box::new(Wrong("a cable", None))));
    let told = Wrong("failed: no disk", Some(Box::new(Wrong("no disk", None))));
    let texts = texts(|| {
        tracing::info!(target: "t", user = 4711, ok = true, name = "Zoë \"Z\"\n", "logged {}", "in");
        tracing::info!(target: "t", min = i64::MIN, max = u64::MAX, float = 1.5, whole = 2.0);
        tracing::info!(target: "t", nan = f64::NAN, inf = f64::INFINITY, minus = f64::NEG_INFINITY);
        tracing::info!(target: "t", small = 7_i128, big = i128::MIN, bigger = u128::MAX, edge = u128::from(u64::MAX));
        tracing::info!(target: "t", debug = ?Some(["x"]), display = %"y", empty = tracing::field::Empty);
        tracing::info!(target: "t", error = &wrong as &(dyn Error + 'static));
        tracing::info!(target: "t", error = &told as &(dyn Error + 'static));
        tracing::info!(target: "t", message = 5, "dotted.name" = 1, "ключ" = 2);
        tracing::info!(target: "t", message = true);
        tracing::info!(target: "t", target = "mine", spans = 1, fields = 2, "{}", "");
    });
    assert_eq!(
        texts,
        [
            r#"{"message":"logged in","target":"t","fields":{"user":4711,"ok":true,"name":"Zoë \"Z\"\n"}}"#,
            r#"{"target":"t","fields":{"min":-9223372036854775808,"max":18446744073709551615,"float":1.5,"whole":2.0}}"#,
            r#"{"target":"t","fields":{"nan":"NaN","inf":"inf","minus":"-inf"}}"#,
            r#"{"target":"t","fields":{"small":7,"big":"-170141183460469231731687303715884105728","bigger":"340282366920938463463374607431768211455","edge":18446744073709551615}}"#,
            r#"{"target":"t","fields":{"debug":"Some([\"x\"])","display":"y"}}"#,
            r#"{"target":"t","fields":{"error":"no disk: a cable"}}"#,
            r#"{"target":"t","fields":{"error":"failed: no disk"}}"#,
            r#"{"message":"5","target":"t","fields":{"dotted.name":1,"ключ":2}}"#,
            r#"{"message":"true","target":"t"}"#,
            r#"{"message":"","target":"t","fields":{"target":"mine","spans":1,"fields":2}}"#,
        ]
    );
    for text in texts {
        assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap().is_object());
    }
}

#[test]
fn the_spans_around_an_event_are_told_from_the_outermost_with_what_was_recorded_since() {
    let texts = texts(|| {
        let outer = tracing::info_span!("request", id = 7, user = tracing::field::Empty);
        let _outer = outer.clone().entered();
        tracing::info!(target: "t", "one");
        outer.record("user", "ann");
        outer.record("id", 8);
        let inner = tracing::debug_span!("query");
        inner.in_scope(|| tracing::info!(target: "t", rows = 2, "two"));
        tracing::info!(target: "t", parent: &inner, "three");
        tracing::info!(target: "t", parent: None, "four");
    });
    assert_eq!(
        texts,
        [
            r#"{"message":"one","target":"t","spans":[{"name":"request","fields":{"id":7}}]}"#,
            r#"{"message":"two","target":"t","fields":{"rows":2},"spans":[{"name":"request","fields":{"id":8,"user":"ann"}},{"name":"query"}]}"#,
            r#"{"message":"three","target":"t","spans":[{"name":"request","fields":{"id":8,"user":"ann"}},{"name":"query"}]}"#,
            r#"{"message":"four","target":"t"}"#,
        ]
    );
}

#[test]
fn a_value_that_panics_harms_nothing_else() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a bad value")
        }
    }
    let texts = texts(|| {
        let span = tracing::info_span!("s", a = ?Panics, b = tracing::field::Empty);
        span.record("b", tracing::field::debug(Panics));
        let _span = span.entered();
        tracing::info!(target: "t", a = ?Panics, b = 2, "{:?}", Panics);
        tracing::info!(target: "t", parent: None, a = 1, "next");
    });
    let words = "[a value panicked when it was formatted]";
    assert_eq!(
        texts,
        [
            format!(
                r#"{{"message":"{words}","target":"t","fields":{{"a":"{words}","b":2}},"spans":[{{"name":"s","fields":{{"a":"{words}","b":"{words}"}}}}]}}"#
            ),
            r#"{"message":"next","target":"t","fields":{"a":1}}"#.to_owned(),
        ]
    );
}

#[test]
fn what_is_below_the_least_level_is_not_formatted_and_filters_are_those_of_tracing() {
    struct Counting<'a>(&'a AtomicU64);
    impl fmt::Debug for Counting<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fetch_add(1, Ordering::Relaxed);
            f.write_str("counted")
        }
    }
    let formatted = AtomicU64::new(0);
    let place = Place::new();
    let client = place.config().min_level(Level::Warning).build().unwrap();
    let filter =
        Targets::new().with_default(LevelFilter::TRACE).with_target("noisy", LevelFilter::OFF);
    let layer = Layer::new(client.clone()).with_filter(filter);
    with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!(target: "t", a = ?Counting(&formatted), "below");
        tracing::error!(target: "noisy::module", a = ?Counting(&formatted), "filtered");
        assert_eq!(formatted.load(Ordering::Relaxed), 0);
        tracing::warn!(target: "t", a = ?Counting(&formatted), "logged");
    });
    client.close(ENOUGH).unwrap();
    assert_eq!(place.texts(), [r#"{"message":"logged","target":"t","fields":{"a":"counted"}}"#]);
}

#[test]
fn two_layers_share_the_spans_and_each_has_all_of_them() {
    let place = Place::new();
    let (one, two) = (place.client(), place.client());
    let layers =
        tracing_subscriber::registry().with(Layer::new(one.clone())).with(Layer::new(two.clone()));
    with_default(layers, || {
        let span = tracing::info_span!("s", a = 1, b = tracing::field::Empty);
        span.record("b", 2);
        span.in_scope(|| tracing::info!(target: "t", "x"));
    });
    one.close(ENOUGH).unwrap();
    two.close(ENOUGH).unwrap();
    let expected = r#"{"message":"x","target":"t","spans":[{"name":"s","fields":{"a":1,"b":2}}]}"#;
    assert_eq!(place.texts(), [expected, expected]);
}
