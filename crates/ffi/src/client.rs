//! The client that a program logs through.

use std::ffi::{c_char, c_void};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use logflux_envelope::{SealError, Timestamp};
use logflux_transport::{Client, ClientStats, DropReport, ExitFlush};

use crate::arguments::{Out, bytes, fill, string, there};
use crate::boundary::{answering, boundary, freeing, has_interrupted_a_call};
use crate::buffer::logflux_buffer;
use crate::config::logflux_config;
use crate::drops::{DropGate, logflux_dropped};
use crate::ending::Watched;
use crate::error::{Failure, logflux_error};
use crate::gate::Gate;
use crate::kept_notices::KeptNotices;
use crate::notices::NoticeGate;
use crate::status::logflux_status;
use crate::words::{level, logflux_timestamp, time};

/// Logs through one ingest API, as one node, with one secret. Any number of threads may log, flush,
/// close and read statistics at once. After fork the child logs through threads and keys of its own,
/// and sends nothing of its parent's.
pub struct logflux_client {
    pub(crate) client: Client,
    message_max: usize,
    drops: Option<Arc<DropGate>>,
    notices: Option<Arc<NoticeGate>>,
    kept_notices: Option<Arc<KeptNotices>>,
    stats: Option<Arc<StatsGate>>,
    _watched: Watched,
}

/// What became of all messages of this process. At every read
/// accepted = delivered + dropped.total + pending + spooled.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct logflux_client_stats {
    /// Messages that were logged.
    pub accepted: u64,
    /// Entries that the server has taken, duplicates included.
    pub delivered: u64,
    /// Messages that wait in memory: to be sealed, to be sent, or for an answer.
    pub pending: u64,
    /// Entries that are durable in the spool and wait to be sent or for an answer.
    pub spooled: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Requests among them that carried entries again, after a failure.
    pub retries: u64,
    /// Bytes of request bodies that were sent.
    pub bytes: u64,
    /// Entries that were put into the dead-letter file.
    pub dead_letters: u64,
    /// Keys that were derived.
    pub derivations: u64,
    /// Messages that were dropped.
    pub dropped: logflux_dropped,
}

/// Is called with the statistics, on a thread of the client's or inside logflux_client_free; see
/// "Callbacks" in docs/c-conventions.md for what it may do.
pub type logflux_stats_callback =
    Option<extern "C" fn(context: *mut c_void, stats: *const logflux_client_stats)>;

/// The way of statistics to C. It keeps what it told last.
type StatsGate = Gate<logflux_client_stats, Option<logflux_client_stats>>;

/// The struct's size in the first version.
const STATS_LEAST: usize = 208;

/// How long freeing waits for what is left.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Builds a client. No thread is started and nothing is sent before the first message; a spool is
/// opened, and what it holds is sent with the first message. The config can be used again.
///
/// A client that is not closed when the process calls exit or returns from main is flushed then,
/// within logflux_config_set_close_timeout (5 s by default) from the end's beginning; a handler of atexit that is registered after this call runs
/// before that. _exit, abort and a fatal signal flush nothing.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_new(
    config: Option<&logflux_config>,
    out: Option<&mut *mut logflux_client>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = Out::new(out)?;
        let config = there(config, "config")?;
        let mut builder = config.builder();
        let drops = config.on_drop().map(|on_drop| Arc::new(DropGate::new(on_drop)));
        let notices = config.on_notice().map(|on_notice| Arc::new(NoticeGate::new(on_notice)));
        let kept = config.keeps_notices() && notices.is_none();
        let kept_notices = kept.then(|| Arc::new(KeptNotices::new()));
        if drops.is_some() || notices.is_some() || kept {
            let told = Told {
                drops: drops.clone(),
                notices: notices.clone(),
                kept_notices: kept_notices.clone(),
            };
            builder = builder.on_drop(move |report| told.of(report));
        }
        let mut stats = None;
        if let Some((interval, on_stats)) = config.on_stats() {
            let gate = Arc::clone(stats.insert(Arc::new(StatsGate::new(on_stats))));
            builder = builder
                .on_stats(interval, move |stats| gate.tell(|told| *told.insert(stats.into())));
        }
        let client = builder.build()?;
        let callbacks = [
            drops.clone().map(|gate| gate as _),
            notices.clone().map(|gate| gate as _),
            stats.clone().map(|gate| gate as _),
        ];
        let watched = Watched::new(&client, callbacks.into_iter().flatten().collect());
        let message_max = config.mode().message_max();
        out.give(logflux_client {
            client,
            message_max,
            drops,
            notices,
            kept_notices,
            stats,
            _watched: watched,
        })
    })
}

/// What is told of drops, and of what holds messages up.
struct Told {
    drops: Option<Arc<DropGate>>,
    notices: Option<Arc<NoticeGate>>,
    kept_notices: Option<Arc<KeptNotices>>,
}

impl Told {
    /// Tells all of them. What changed, where nothing was dropped, goes to stderr where nobody takes
    /// sentences.
    fn of(&self, report: &DropReport) {
        let dropped = report.total();
        if dropped > 0
            && let Some(gate) = &self.drops
        {
            gate.tell_of(&(&**report).into());
        }
        match (&self.notices, &self.kept_notices) {
            (Some(gate), _) => gate.tell_of(dropped, report.sentence()),
            (None, Some(kept)) => kept.keep(report.sentence()),
            (None, None) if dropped == 0 => report.write_to_stderr(),
            (None, None) => {}
        }
    }
}

/// Logs a message now. The call copies it into a queue and returns; it never waits for the network
/// or a key, unless LOGFLUX_WHEN_FULL_BLOCK was chosen. Where the queue is full the message is dropped and
/// counted, which is no failure of the call; one that is too long is both. Bytes that are not UTF-8
/// are logged as they are.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_log(
    client: Option<&logflux_client>,
    level: u32,
    message: *const c_char,
    message_length: usize,
) -> logflux_status {
    boundary(None, || log(client, level, None, bytes!(message, message_length)))
}

/// logflux_client_log for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_log_cstr(
    client: Option<&logflux_client>,
    level: u32,
    message: *const c_char,
) -> logflux_status {
    boundary(None, || log(client, level, None, string!(message)))
}

/// logflux_client_log with the time of the message; NULL is now.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_log_at(
    client: Option<&logflux_client>,
    level: u32,
    timestamp: Option<&logflux_timestamp>,
    message: *const c_char,
    message_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || log(client, level, timestamp, bytes!(message, message_length)))
}

fn log(
    client: Option<&logflux_client>,
    level_number: u32,
    timestamp: Option<&logflux_timestamp>,
    message: &[u8],
) -> Result<(), Failure> {
    let client = there(client, "client")?;
    let level = level(level_number)?;
    if !client.client.is_enabled(level) {
        return Ok(());
    }
    let timestamp = match timestamp {
        None => Timestamp::now(),
        given => time(given)?,
    };
    client.client.log_bytes(level, message, timestamp);
    let (max, got) = (client.message_max, message.len());
    if got > max { Err(SealError::MessageTooLong { max, got }.into()) } else { Ok(()) }
}

/// Whether a message of this level would be logged. It costs a few nanoseconds; use it where a
/// message is costly to put together.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_is_enabled(client: Option<&logflux_client>, level: u32) -> bool {
    answering(false, || match (client, self::level(level)) {
        (Some(client), Ok(level)) => client.client.is_enabled(level),
        _ => false,
    })
}

/// How many milliseconds closing waits where no other time is given, as the setting close_timeout says. 0
/// for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_close_timeout_ms(client: Option<&logflux_client>) -> u64 {
    answering(0, || {
        let timeout = client.map(|client| client.client.close_timeout()).unwrap_or_default();
        u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Waits until all that was logged before is delivered, or, where there is a spool, durable in it.
/// It returns within `timeout_ms`, whatever the server does. LOGFLUX_STATUS_UNFLUSHED says that
/// messages were dropped since the client was built, and logflux_error_dropped how many;
/// LOGFLUX_STATUS_TIMEOUT says that nothing was dropped and the time was not enough. What is left,
/// logflux_error_left, stays in the queue or the spool. In a callback of the client it does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_flush(
    client: Option<&logflux_client>,
    timeout_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    if let Some(status) = flush_in_a_handler(client, timeout_ms) {
        return status;
    }
    boundary(error, || {
        let flushed = there(client, "client")?.client.flush(Duration::from_millis(timeout_ms));
        Ok(flushed?)
    })
}

/// Flushes, and ends the client: later messages are dropped and counted. It returns within
/// `timeout_ms`. LOGFLUX_STATUS_UNFLUSHED says that messages were dropped since the client was
/// built, those included that were left when the time was over and are not durable in a spool;
/// logflux_error_dropped says how many. The handle still is to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_close(
    client: Option<&logflux_client>,
    timeout_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    if let Some(status) = flush_in_a_handler(client, timeout_ms) {
        return status;
    }
    boundary(error, || {
        let closed = there(client, "client")?.client.close(Duration::from_millis(timeout_ms));
        Ok(closed?)
    })
}

/// Flushes where a signal has interrupted another call on this thread, which may hold any lock: a
/// handler of atexit or a destructor of C++ runs then if the signal's handler calls exit. The client
/// stays open, and the end of the process flushes it once more.
fn flush_in_a_handler(client: Option<&logflux_client>, timeout_ms: u64) -> Option<logflux_status> {
    let client = client.filter(|_| has_interrupted_a_call())?;
    let flushed = client.client.flush_at_exit(Duration::from_millis(timeout_ms));
    let done = flushed == ExitFlush::Done;
    Some(if done { logflux_status::Ok } else { logflux_status::Timeout })
}

/// Tells what became of all messages of this process. `out_size` is sizeof(*out).
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_get_stats(
    client: Option<&logflux_client>,
    out: *mut logflux_client_stats,
    out_size: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let stats = (&there(client, "client")?.client.stats()).into();
        // SAFETY: docs/c-conventions.md, "Versions": `out` has `out_size` bytes.
        unsafe { fill(&stats, out, out_size, STATS_LEAST) }
    })
}

/// Appends what failed last, a call, the spool or the dead-letter file, to `out`; nothing where
/// nothing has failed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_last_failure(
    client: Option<&logflux_client>,
    out: Option<&mut logflux_buffer>,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let out = there(out, "out")?;
        if let Some(failure) = there(client, "client")?.client.stats().last_error {
            out.append(failure.as_bytes());
        }
        Ok(())
    })
}

/// Closes the client, if it was not, for which it waits 2 s at most; tells the callbacks
/// what they were not told of; and frees the handle. Call logflux_client_close before it for another
/// time. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_client_free(client: Option<Box<logflux_client>>) {
    if has_interrupted_a_call() {
        // A destructor that runs while a signal's handler ends the process. The call that was
        // interrupted may hold any lock and still uses the client, which the end of the process
        // flushes.
        mem::forget(client);
        return;
    }
    freeing(client);
}

impl From<&ClientStats> for logflux_client_stats {
    fn from(stats: &ClientStats) -> Self {
        Self {
            accepted: stats.accepted,
            delivered: stats.delivered,
            pending: stats.pending,
            spooled: stats.spooled,
            requests: stats.requests,
            retries: stats.retries,
            bytes: stats.bytes,
            dead_letters: stats.dead_letters,
            derivations: stats.derivations,
            dropped: (&stats.dropped).into(),
        }
    }
}

impl logflux_client {
    pub(crate) fn kept_notices(&self) -> Option<&KeptNotices> {
        self.kept_notices.as_deref()
    }

    pub(crate) fn core(&self) -> &Client {
        &self.client
    }
}

impl Drop for logflux_client {
    fn drop(&mut self) {
        // What is left is counted.
        let _ = self.client.close(LAST_WAIT);
        let stats = logflux_client_stats::from(&self.client.stats());
        if let Some(gate) = &self.drops {
            gate.end_with(&stats.dropped);
        }
        if let Some(gate) = &self.notices {
            gate.end_with(stats.dropped.total);
        }
        if let Some(gate) = &self.stats {
            gate.shut(|told| (*told != Some(stats)).then_some(stats));
        }
    }
}
