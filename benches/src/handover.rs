//! What a logging call costs its caller: ours, `tracing-appender`'s non-blocking writer, and
//! OpenTelemetry's batch processor.

use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{Level, Secret, Timestamp};
use logflux_transport::{Backoff, Client, ClientConfig, QueueBytes, QueueSize};
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, SdkLoggerProvider,
};

/// The message's length.
pub const LEN: usize = 256;
/// How many calls one thread makes in a burst.
const BURST: usize = 1_000;
/// How many bursts; the worker threads work in between and meanwhile.
const BURSTS: usize = 20;
/// Between bursts: so long that eight threads log less than the default key policy seals, at most
/// 65,536 entries a key; else memory that grows and grows would be measured.
const PAUSE: Duration = Duration::from_millis(100);
/// What the queues hold: more than is sent, so that the way of a full queue is not measured.
const QUEUE: usize = 1_000_000;

/// Hands one message over.
type Call = dyn Fn(&str) + Send + Sync;

/// One way to hand messages over.
pub struct Contender {
    /// The library.
    pub name: &'static str,
    call: Arc<Call>,
}

/// Nanoseconds of a call, the clock's own cost taken off.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// Half of the calls are faster.
    pub p50: u64,
    /// 99 in 100 are.
    pub p99: u64,
    /// 999 in 1,000 are.
    pub p999: u64,
}

/// All contenders; `None` where one cannot be set up.
#[must_use]
pub fn contenders() -> Option<Vec<Contender>> {
    let now = |client: &Client, message: &str| client.log(Level::Info, message);
    let time = Timestamp::now();
    let given = move |client: &Client, message: &str| client.log_at(Level::Info, message, time);
    Some(vec![
        ours("logflux", now)?,
        ours("logflux, the time given", given)?,
        appender(),
        open_telemetry(),
    ])
}

impl Contender {
    /// Calls from so many threads at once.
    #[must_use]
    pub fn measure(&self, threads: usize) -> Latency {
        let mut times: Vec<u64> = thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.bursts())).collect();
            running.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        });
        times.sort_unstable();
        let clock = clock_cost();
        let at = |per_mille: usize| {
            let index = times.len() * per_mille / 1_000;
            times.get(index).copied().unwrap_or(0).saturating_sub(clock)
        };
        Latency { p50: at(500), p99: at(990), p999: at(999) }
    }

    fn bursts(&self) -> Vec<u64> {
        let message = "x".repeat(LEN);
        let mut times = Vec::with_capacity(BURST * BURSTS);
        for _ in 0..BURSTS {
            for _ in 0..BURST {
                let started = Instant::now();
                (self.call)(&message);
                times.push(nanoseconds(started.elapsed()));
            }
            thread::sleep(PAUSE);
        }
        times
    }
}

/// What two looks at the clock take.
fn clock_cost() -> u64 {
    let mut times: Vec<u64> = (0..10_001).map(|_| nanoseconds(Instant::now().elapsed())).collect();
    times.sort_unstable();
    times.get(5_000).copied().unwrap_or(0)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Our client, whose server is not there: messages are sealed meanwhile, and held.
fn ours(
    name: &'static str,
    log: impl Fn(&Client, &str) + Send + Sync + 'static,
) -> Option<Contender> {
    let key = "lf_0123456789abcdefABCDEF0123456789".parse().ok()?;
    let mut settings = ClientConfig::new("https://127.0.0.1:1".parse().ok()?, key);
    settings.queue_size = QueueSize::new(QUEUE).ok()?;
    settings.queue_bytes = QueueBytes::new(1 << 30).ok()?;
    let minute = Duration::from_secs(60);
    settings.retry.backoff = Backoff::new(minute, minute, 2.0).ok()?;
    let client =
        Client::builder(settings, Secret::generate().ok()?).on_drop(|_| {}).build().ok()?;
    Some(Contender { name, call: Arc::new(move |message: &str| log(&client, message)) })
}

fn appender() -> Contender {
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE)
        .finish(std::io::sink());
    // Its worker lives as long as this.
    let guard = Arc::new(guard);
    let call = move |message: &str| {
        let _guard = &guard;
        let _ = writer.clone().write_all(message.as_bytes());
    };
    Contender { name: "tracing-appender", call: Arc::new(call) }
}

#[derive(Debug)]
struct Nowhere;

impl LogExporter for Nowhere {
    async fn export(&self, _batch: LogBatch<'_>) -> OTelSdkResult {
        Ok(())
    }
}

fn open_telemetry() -> Contender {
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchLogProcessor::builder(Nowhere).with_batch_config(config).build();
    let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
    let logger = provider.logger("benches");
    let call = move |message: &str| {
        let _provider = &provider;
        let mut record = logger.create_log_record();
        record.set_body(message.to_owned().into());
        logger.emit(record);
    };
    Contender { name: "opentelemetry, batch", call: Arc::new(call) }
}
