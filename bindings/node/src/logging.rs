//! What JavaScript does with clients.

use logflux_envelope as core;
use logflux_envelope::Level;
use logflux_host::notices::Watches;
use logflux_host::settings::{Environment, Given};
use logflux_host::tickets::{self, Ticket};
use logflux_host::{clients, ending, rotation};
use logflux_transport::DropReason;
use napi::bindgen_prelude::External;
use napi::{JsString, Result};
use napi_derive::napi;

use crate::boundary::guarded;
use crate::settings::{self, PolicyBounds};
use crate::values;

/// The version of the addon, which is the package's.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// A client with these settings. The variables count for what is not given.
#[napi]
pub fn client_open(
    values: std::collections::HashMap<String, String>,
    environment: Environment,
    secret: Option<&External<core::Secret>>,
    policy: Option<PolicyBounds>,
    watches_drops: bool,
    watches_notices: bool,
) -> Result<u32> {
    guarded(|| {
        ending::watch();
        let policy = policy.map(settings::bounds).transpose()?;
        let given = Given { values, secret: secret.map(|secret| (**secret).clone()), policy };
        let watches = Watches { drops: watches_drops, notices: watches_notices };
        Ok(clients::open(&given, &environment, watches)?)
    })
}

/// Makes this the client of the process, in the place of the one before it.
#[napi]
pub fn process_adopt(number: u32) {
    clients::adopt(number);
}

/// The number of the client of the process; 0 where there is none.
#[napi]
pub fn process_client() -> u32 {
    clients::process()
}

/// Logs a message now. It never fails.
#[napi]
pub fn client_log(number: u32, level: u32, message: JsString<'_>) {
    log(number, level, message, logflux_envelope::Timestamp::now);
}

/// Logs a message of this time, in milliseconds since 1970.
#[napi]
pub fn client_log_at(number: u32, level: u32, message: JsString<'_>, time: f64) {
    log(number, level, message, || values::time(time));
}

#[allow(clippy::needless_pass_by_value)] // It is what the macro gives.
fn log(
    number: u32,
    level: u32,
    message: JsString<'_>,
    time: impl FnOnce() -> logflux_envelope::Timestamp,
) {
    // There is nobody to tell: JavaScript gives levels and strings alone.
    let _ = guarded(|| {
        let Ok(level) = Level::from_number(level.into()) else { return Ok(()) };
        let message = |shared: &clients::Shared| {
            if shared.client.is_enabled(level) {
                let message = message.into_utf8()?;
                shared.client.log_bytes(level, message.as_slice(), time());
            }
            Ok(())
        };
        clients::with(number, message).unwrap_or(Ok(()))
    });
}

/// The least severe level that is logged.
#[napi]
pub fn client_min_level(number: u32) -> u32 {
    let enabled = |shared: &clients::Shared| {
        let enabled = |level: &&Level| shared.client.is_enabled(**level);
        Level::ALL.iter().filter(enabled).map(|level| u32::from(level.number())).max()
    };
    clients::with(number, enabled).flatten().unwrap_or(0)
}

/// How long closing waits unless it is told otherwise, in milliseconds.
#[napi]
pub fn client_close_timeout(number: u32) -> Result<f64> {
    guarded(|| Ok(clients::of(number, |shared| shared.client.close_timeout().as_secs_f64() * 1e3)?))
}

/// What a flush or a close found.
#[napi(object, object_from_js = false)]
pub struct FlushResult {
    /// Messages that were dropped since the client was built.
    pub dropped: f64,
    /// Messages that are still on their way.
    pub left: f64,
}

impl From<tickets::FlushResult> for FlushResult {
    #[allow(clippy::cast_precision_loss)] // Nobody logs 2^53 messages.
    fn from(found: tickets::FlushResult) -> Self {
        Self { dropped: found.dropped as f64, left: found.left as f64 }
    }
}

/// Begins to flush, and does not wait.
#[napi]
pub fn client_flush_begin(number: u32) -> Result<External<Ticket>> {
    guarded(|| Ok(clients::of(number, |shared| External::new(Ticket::flush(&shared.client)))?))
}

/// Flushes, and waits.
#[napi]
pub fn client_flush_sync(number: u32, timeout: f64) -> Result<FlushResult> {
    guarded(|| {
        let client = clients::of(number, |shared| shared.client.clone())?;
        Ok(tickets::FlushResult::from(client.flush(values::duration(timeout))).into())
    })
}

/// Flushes, and closes where nobody else uses the client; `all` closes it for everybody. It does not
/// wait.
#[napi]
pub fn client_close_begin(number: u32, timeout: f64, all: bool) -> Result<External<Ticket>> {
    guarded(|| Ok(External::new(Ticket::leave(number, values::duration(timeout), all)?)))
}

/// As [`client_close_begin`], and waits.
#[napi]
pub fn client_close_sync(number: u32, timeout: f64, all: bool) -> Result<FlushResult> {
    guarded(|| {
        let (client, closes) = clients::of(number, |shared| {
            (shared.client.clone(), clients::leave(number, shared, all))
        })?;
        let timeout = values::duration(timeout);
        let ended = if closes { client.close(timeout) } else { client.flush(timeout) };
        Ok(tickets::FlushResult::from(ended).into())
    })
}

/// An object that knew this client is gone; `used` where it had not closed it.
#[napi]
pub fn client_release(number: u32, used: bool) {
    let _ = guarded(|| {
        clients::release(number, used);
        Ok(())
    });
}

/// Whether the ticket is done.
#[napi]
pub fn ticket_done(ticket: &External<Ticket>) -> bool {
    ticket.is_done()
}

/// What the ticket knows now.
#[napi]
pub fn ticket_answer(ticket: &External<Ticket>) -> FlushResult {
    ticket.answer().into()
}

/// Goes on with what is given; the rest stays as it is.
#[napi]
pub fn client_rotate(
    number: u32,
    secret: Option<&External<core::Secret>>,
    api_key: Option<String>,
    ca_file: Option<String>,
) -> Result<()> {
    guarded(|| {
        let secret = secret.map(|secret| (**secret).clone());
        Ok(rotation::rotate(number, secret, api_key.as_deref(), ca_file)?)
    })
}

/// What became of all messages.
#[napi(object, object_from_js = false)]
pub struct Stats {
    /// Messages that were logged.
    pub accepted: f64,
    /// Entries that the server has taken.
    pub delivered: f64,
    /// Messages that were dropped, in the order of the reasons.
    pub dropped: Vec<f64>,
    /// Messages that wait in memory.
    pub pending: f64,
    /// Entries that are durable in the spool.
    pub spooled: f64,
    /// Requests that were sent.
    pub requests: f64,
    /// Requests among them after a failure.
    pub retries: f64,
    /// Bytes of request bodies.
    pub bytes: f64,
    /// Entries in the dead-letter file.
    pub dead_letters: f64,
    /// Keys that were derived.
    pub derivations: f64,
    /// What failed last.
    pub last_error: Option<String>,
}

/// Why messages are dropped.
#[napi]
pub fn drop_reasons() -> Vec<&'static str> {
    DropReason::ALL.iter().map(|reason| reason.name()).collect()
}

/// What became of all messages of a client.
#[napi]
#[allow(clippy::cast_precision_loss)] // Nobody logs 2^53 messages.
pub fn client_stats(number: u32) -> Result<Stats> {
    guarded(|| {
        let stats = clients::of(number, |shared| shared.client.stats())?;
        Ok(Stats {
            accepted: stats.accepted as f64,
            delivered: stats.delivered as f64,
            dropped: stats.dropped.iter().map(|(_, count)| count as f64).collect(),
            pending: stats.pending as f64,
            spooled: stats.spooled as f64,
            requests: stats.requests as f64,
            retries: stats.retries as f64,
            bytes: stats.bytes as f64,
            dead_letters: stats.dead_letters as f64,
            derivations: stats.derivations as f64,
            last_error: stats.last_error,
        })
    })
}

/// Sentences, and the number of the next one.
#[napi(object, object_from_js = false)]
pub struct Fetched {
    /// What to ask for next.
    pub next: f64,
    /// The sentences, the oldest first.
    pub sentences: Vec<String>,
}

/// The sentences of a client, from this number on.
#[napi]
pub fn client_notices(number: u32, since: f64) -> Result<Fetched> {
    guarded(|| {
        // What is told is counted from 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let fetched = clients::of(number, |shared| shared.notices.since(since as u64))?;
        #[allow(clippy::cast_precision_loss)] // Nobody tells 2^53 sentences.
        Ok(Fetched { next: fetched.next as f64, sentences: fetched.sentences })
    })
}

/// What a client is, without its secret and key.
#[napi]
pub fn client_describe(number: u32) -> Result<String> {
    guarded(|| Ok(clients::of(number, |shared| format!("{:?}", shared.client))?))
}

/// This process was restored from a snapshot, and other copies of it may run.
#[napi]
pub fn after_restore() {
    logflux_process::after_restore();
}
