//! What `tracing` records, as messages.

use std::error::Error;
use std::fmt;

use logflux_envelope::Level;
use logflux_transport::Client;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, LevelFilter, Subscriber};
use tracing_subscriber::layer::{Context, Layer as SubscriberLayer};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::json::{self, Fields, Scratch};
use crate::own_thread::is_ours;
use crate::sink::Sink;

/// A layer that logs the events of `tracing` through the client of this process, from whenever there
/// is one. See [`Layer`].
///
/// ```no_run
/// use tracing_subscriber::prelude::*;
///
/// let _guard = logflux::init(logflux::Config::from_env()?)?;
/// tracing_subscriber::registry().with(logflux::layer()).init();
/// tracing::info!(user = 4711, "logged in");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn layer() -> Layer {
    Layer::to(Sink::Process)
}

/// Logs the events of `tracing`, each as one JSON object without line breaks:
///
/// ```json
/// {"message":"logged in","target":"app::auth","fields":{"user":4711},"spans":[{"name":"request","fields":{"id":7}}]}
/// ```
///
/// - `message` is the event's text, always a string; it is absent where the event has none.
/// - `target` is the event's, by default the module.
/// - `fields` are the event's other fields, in their order; absent where there are none.
/// - `spans` are the spans around the event, the outermost first, each with its `name` and the
///   `fields` that it was made with or that were recorded in it since; absent where there are none.
///
/// Booleans, strings, and numbers of up to 64 bits are those of JSON; longer integers, and floats
/// that are no number, are strings (`"NaN"`, `"inf"`, `"-inf"`). An error is a string of itself and
/// its sources, `what: why`. All other values are strings, as their `Debug` or `Display` writes
/// them. Where a name is given twice, the last value counts.
///
/// `ERROR`, `WARN`, `INFO` and `DEBUG` become the levels of these names. `TRACE` is left out: HTTP and
/// TLS libraries trace every step. Where [`with_max_level`](Self::with_max_level) lets it through, it
/// becomes debug. What is below the client's least level is not formatted; finer filters are those of
/// `tracing_subscriber`, here `Targets`, or its `EnvFilter` for what a variable says:
///
/// ```
/// use tracing_subscriber::filter::{LevelFilter, Targets};
/// use tracing_subscriber::prelude::*;
///
/// let filter: Targets = "info,my_app=trace,hyper=warn".parse()?;
/// let layer = logflux::layer().with_max_level(LevelFilter::TRACE).with_filter(filter);
/// tracing_subscriber::registry().with(layer).init();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Events of threads whose name begins with `logflux-` are left out: those are LogFlux's own, and
/// each of its requests would log lines that make another.
#[derive(Clone, Debug)]
pub struct Layer {
    sink: Sink,
    max_level: LevelFilter,
}

impl Layer {
    /// A layer for a client of its own.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::to(Sink::Client(client))
    }

    fn to(sink: Sink) -> Self {
        Self { sink, max_level: LevelFilter::DEBUG }
    }

    /// The most verbose level that is logged; `DEBUG` by default. Other layers still get what this one
    /// leaves out.
    #[must_use]
    pub fn with_max_level(self, max_level: impl Into<LevelFilter>) -> Self {
        Self { max_level: max_level.into(), ..self }
    }
}

/// A span's fields, among its extensions.
struct SpanFields(Fields);

impl<S> SubscriberLayer<S> for Layer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if is_ours() {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut SpanVisitor(&mut fields));
        // A second layer of this kind has put the same there.
        span.extensions_mut().replace(SpanFields(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Values are formatted before the lock of the extensions is taken.
        let mut fields = Fields::default();
        values.record(&mut SpanVisitor(&mut fields));
        let mut extensions = span.extensions_mut();
        if let Some(SpanFields(earlier)) = extensions.get_mut() {
            earlier.merge(&fields);
        } else {
            extensions.replace(SpanFields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let recorded = *event.metadata().level();
        let level = level(recorded);
        if recorded > self.max_level || !self.sink.is_enabled(level) {
            return;
        }
        Scratch::with(|scratch| {
            let target = event.metadata().target();
            // `tracing-log` gives what came through `log` this target, and the real one in a field.
            let from_log = target == "log";
            let mut visitor = EventVisitor { scratch, from_log, target: None };
            event.record(&mut visitor);
            let log_target = visitor.target.take();
            scratch.begin_object(log_target.as_deref().unwrap_or(target));
            if let Some(scope) = context.event_scope(event) {
                spans(&mut scratch.out, scope);
            }
            scratch.out.push(b'}');
            self.sink.log(level, &scratch.out);
        });
    }
}

fn level(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::ERROR => Level::Error,
        tracing_core::Level::WARN => Level::Warning,
        tracing_core::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}

/// Writes `,"spans":[…]`.
fn spans<'a, S: LookupSpan<'a>>(out: &mut Vec<u8>, scope: Scope<'a, S>) {
    for (at, span) in scope.from_root().enumerate() {
        out.extend_from_slice(if at == 0 { b",\"spans\":[{\"name\":" } else { b",{\"name\":" });
        json::string(out, span.name());
        if let Some(SpanFields(fields)) = span.extensions().get() {
            fields.append_to(out);
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// Every way of recording a value, as a value of JSON that is put somewhere.
macro_rules! record {
    () => {
        fn record_f64(&mut self, field: &Field, value: f64) {
            self.put(field, |out| json::float(out, value));
        }

        fn record_i64(&mut self, field: &Field, value: i64) {
            self.put(field, |out| json::signed(out, value.into()));
        }

        fn record_u64(&mut self, field: &Field, value: u64) {
            self.put(field, |out| json::unsigned(out, value.into()));
        }

        fn record_i128(&mut self, field: &Field, value: i128) {
            self.put(field, |out| json::signed(out, value));
        }

        fn record_u128(&mut self, field: &Field, value: u128) {
            self.put(field, |out| json::unsigned(out, value));
        }

        fn record_bool(&mut self, field: &Field, value: bool) {
            self.put(field, |out| json::boolean(out, value));
        }

        fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
            self.put(field, |out| json::error(out, value));
        }

        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            self.put(field, |out| json::text(out, format_args!("{value:?}")));
        }
    };
}

struct SpanVisitor<'a>(&'a mut Fields);

impl SpanVisitor<'_> {
    fn put(&mut self, field: &Field, write_value: impl FnOnce(&mut Vec<u8>)) {
        self.0.put(field.name(), write_value);
    }
}

impl Visit for SpanVisitor<'_> {
    record!();

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, |out| json::string(out, value));
    }
}

struct EventVisitor<'a> {
    scratch: &'a mut Scratch,
    from_log: bool,
    target: Option<String>,
}

impl EventVisitor<'_> {
    fn put(&mut self, field: &Field, write_value: impl FnOnce(&mut Vec<u8>)) {
        match field.name() {
            "message" => {
                let message = &mut self.scratch.message;
                message.clear();
                write_value(message);
                // A message is a string whatever it was given as.
                if message.first() != Some(&b'"') {
                    message.insert(0, b'"');
                    message.push(b'"');
                }
            }
            name if self.from_log && name.starts_with("log.") => {}
            name => self.scratch.fields.put(name, write_value),
        }
    }
}

impl Visit for EventVisitor<'_> {
    record!();

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.from_log && field.name() == "log.target" {
            self.target = Some(value.to_owned());
        }
        self.put(field, |out| json::string(out, value));
    }
}
