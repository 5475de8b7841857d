//! What the crate `log` records, as messages.

use std::time::Duration;

use log::kv::{Key, Value, VisitSource, VisitValue};
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};
use logflux_envelope::Level;
use logflux_transport::Client;

use crate::json::{self, Fields, Scratch};
use crate::sink::Sink;

static LOGGER: Logger = Logger { sink: Sink::Process };

/// How long [`Log::flush`] waits, which has no time-out of its own.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// The logger for the client of this process, whenever there is one. See [`Logger`].
#[must_use]
pub fn logger() -> &'static Logger {
    &LOGGER
}

/// Makes [`logger`] the logger of the crate `log`, and lets the levels from `Debug` on through to it.
/// `log::set_max_level` lets fewer, or `Trace` as well: HTTP and TLS libraries trace every step.
///
/// ```no_run
/// let _guard = logflux::init(logflux::Config::from_env()?)?;
/// logflux::init_log()?;
/// log::info!("started");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `SetLoggerError` where the process has a logger already.
pub fn init_log() -> Result<(), SetLoggerError> {
    log::set_logger(&LOGGER)?;
    log::set_max_level(LevelFilter::Debug);
    Ok(())
}

/// Logs the records of the crate `log`, each as one JSON object without line breaks, of the same
/// form as those of `tracing`:
///
/// ```json
/// {"message":"logged in","target":"app::auth","fields":{"user":4711}}
/// ```
///
/// `fields` are the record's key-values (the feature `kv` of `log`), absent where there are none;
/// their values are written as a `Layer` of the feature `tracing` does. `Error`, `Warn`, `Info` and
/// `Debug` become the levels of these names, and `Trace` becomes debug.
///
/// Records of threads whose name begins with `logflux-` are left out: those are LogFlux's own.
#[derive(Clone, Debug)]
pub struct Logger {
    sink: Sink,
}

impl Logger {
    /// A logger for a client of its own.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { sink: Sink::Client(client) }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.sink.is_enabled(level(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        Scratch::with(|scratch| {
            json::text(&mut scratch.message, *record.args());
            // This visitor gives no errors, and what a source of its own gives ends the fields.
            let _ = record.key_values().visit(&mut FieldsVisitor(&mut scratch.fields));
            scratch.begin_object(record.target());
            scratch.out.push(b'}');
            self.sink.log(level(record.level()), &scratch.out);
        });
    }

    fn flush(&self) {
        let flush = |client: &Client| {
            let _ = client.flush(FLUSH_WITHIN);
        };
        match &self.sink {
            Sink::Process => crate::global::with_client(flush),
            Sink::Client(client) => flush(client),
        }
    }
}

fn level(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warning,
        log::Level::Info => Level::Info,
        log::Level::Debug | log::Level::Trace => Level::Debug,
    }
}

struct FieldsVisitor<'a>(&'a mut Fields);

impl<'kvs> VisitSource<'kvs> for FieldsVisitor<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        self.0.put(key.as_str(), |out| {
            let start = out.len();
            if value.visit(ValueVisitor(out)).is_err() {
                out.truncate(start);
                json::text(out, format_args!("{value}"));
            }
        });
        Ok(())
    }
}

struct ValueVisitor<'a>(&'a mut Vec<u8>);

impl<'v> VisitValue<'v> for ValueVisitor<'_> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), log::kv::Error> {
        json::text(self.0, format_args!("{value}"));
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), log::kv::Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), log::kv::Error> {
        json::unsigned(self.0, value.into());
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), log::kv::Error> {
        json::signed(self.0, value.into());
        Ok(())
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), log::kv::Error> {
        json::unsigned(self.0, value);
        Ok(())
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), log::kv::Error> {
        json::signed(self.0, value);
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), log::kv::Error> {
        json::float(self.0, value);
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), log::kv::Error> {
        json::boolean(self.0, value);
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), log::kv::Error> {
        json::string(self.0, value);
        Ok(())
    }
}
