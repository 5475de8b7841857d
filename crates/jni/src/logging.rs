//! What Java does with clients.

use std::sync::Arc;

use jni::objects::{JByteArray, JLongArray, JObject, JObjectArray, JString};
use jni::sys::{jboolean, jdouble, jint, jlong};
use logflux_envelope::{Level, Timestamp};
use logflux_host::notices::Watches;
use logflux_host::settings::Given;
use logflux_host::tickets::{FlushResult, Ticket};
use logflux_host::{clients, ending, rotation};
use logflux_transport::DropReason;

use crate::boundary::Failure;
use crate::handles::Held;
use crate::{handles, settings, values};

/// The number of a client, as Java has it.
fn number(number: jint) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

exports! {
    /// The version of the library, which is the artifact's.
    fn Java_io_logflux_Native_version(env) -> JObject<'l> {
        Ok(JString::from_str(env, env!("CARGO_PKG_VERSION"))?.into())
    }

    /// A client with these settings. The variables count for what is not given.
    fn Java_io_logflux_Native_clientOpen(
        env, given: JObjectArray<'l, JString<'l>>, environment: JObjectArray<'l, JString<'l>>,
        secret: jlong, budget: jdouble, bounds: JLongArray<'l>, drops: jboolean, notices: jboolean,
    ) -> jint {
        ending::watch();
        let secret = if secret == 0 { None } else { Some((*handles::secret(secret)?).clone()) };
        let policy = settings::bounds(env, budget, &bounds)?;
        let given = Given { values: values::pairs(env, &given)?, secret, policy };
        let environment = values::pairs(env, &environment)?;
        let number = clients::open(&given, &environment, Watches { drops, notices })?;
        jint::try_from(number).map_err(|_| Failure::other("too many clients"))
    }

    /// Logs a message: now, or at a time where the nanoseconds are not negative. False where there is no
    /// room, and the client is set to wait for it: then it is to be logged again. It never fails.
    fn Java_io_logflux_Native_clientLog(
        env, client: jint, level: jint, message: JByteArray<'l>, seconds: jlong, nanoseconds: jint,
    ) -> jboolean {
        let Ok(level) = values::level(level) else { return Ok(true) };
        let log = |shared: &clients::Shared| {
            if !shared.client.is_enabled(level) {
                return Ok(true);
            }
            let message = env.convert_byte_array(&message)?;
            let given = u32::try_from(nanoseconds).ok();
            let time = given.and_then(|given| Timestamp::from_unix(seconds, given).ok());
            let time = time.unwrap_or_else(Timestamp::now);
            Ok(shared.client.offer_bytes(level, &message, time))
        };
        clients::with(number(client), log).unwrap_or(Ok(true))
    }

    /// The least severe level that is logged.
    fn Java_io_logflux_Native_clientMinLevel(_env, client: jint) -> jint {
        let enabled = |shared: &clients::Shared| {
            let enabled = |level: &&Level| shared.client.is_enabled(**level);
            Level::ALL.iter().filter(enabled).map(|level| jint::from(level.number())).max()
        };
        Ok(clients::with(number(client), enabled).flatten().unwrap_or(0))
    }

    /// How long closing waits unless it is told otherwise, in nanoseconds.
    fn Java_io_logflux_Native_clientCloseTimeout(_env, client: jint) -> jlong {
        let timeout = clients::of(number(client), |shared| shared.client.close_timeout())?;
        Ok(jlong::try_from(timeout.as_nanos()).unwrap_or(jlong::MAX))
    }

    /// Begins to flush, and does not wait. Gives a ticket.
    fn Java_io_logflux_Native_clientFlushBegin(_env, client: jint) -> jlong {
        let ticket = clients::of(number(client), |shared| Ticket::flush(&shared.client))?;
        Ok(handles::keep(Held::Ticket(Arc::new(ticket))))
    }

    /// Flushes, and closes where nobody else uses the client. It does not wait. Gives a ticket.
    fn Java_io_logflux_Native_clientCloseBegin(_env, client: jint, nanoseconds: jlong) -> jlong {
        let ticket = Ticket::leave(number(client), values::duration(nanoseconds), false)?;
        Ok(handles::keep(Held::Ticket(Arc::new(ticket))))
    }

    /// An object that knew this client is gone; `used` where it had not closed it.
    fn Java_io_logflux_Native_clientRelease(_env, client: jint, used: jboolean) {
        clients::release(number(client), used);
        Ok(())
    }

    /// Whether the ticket is done.
    fn Java_io_logflux_Native_ticketDone(_env, ticket: jlong) -> jboolean {
        Ok(handles::ticket(ticket)?.is_done())
    }

    /// What the ticket knows now: how many messages were dropped, and how many are left.
    fn Java_io_logflux_Native_ticketAnswer(env, ticket: jlong) -> JLongArray<'l> {
        let FlushResult { dropped, left } = handles::ticket(ticket)?.answer();
        values::numbers(env, &[dropped, left])
    }

    /// Goes on with what is given; the rest stays as it is.
    fn Java_io_logflux_Native_clientRotate(
        env, client: jint, secret: jlong, api_key: JString<'l>, ca_file: JString<'l>,
    ) {
        let secret = match secret {
            0 => None,
            secret => Some((*handles::secret(secret)?).clone()),
        };
        let (key, file) = (values::text(env, &api_key)?, values::text(env, &ca_file)?);
        Ok(rotation::rotate(number(client), secret, key.as_deref(), file)?)
    }

    /// Why messages are dropped.
    fn Java_io_logflux_Native_dropReasons(env) -> JObject<'l> {
        let names: Vec<_> = DropReason::ALL.iter().map(|reason| Some(reason.name())).collect();
        values::strings(env, &names)
    }

    /// What became of all messages of a client: accepted, delivered, pending, spooled, requests, retries,
    /// bytes, dead letters, derivations; then what was dropped, in the order of the reasons.
    fn Java_io_logflux_Native_clientStats(env, client: jint) -> JLongArray<'l> {
        let stats = clients::of(number(client), |shared| shared.client.stats())?;
        let mut counts = vec![
            stats.accepted,
            stats.delivered,
            stats.pending,
            stats.spooled,
            stats.requests,
            stats.retries,
            stats.bytes,
            stats.dead_letters,
            stats.derivations,
        ];
        counts.extend(stats.dropped.iter().map(|(_, count)| count));
        values::numbers(env, &counts)
    }

    /// What failed last; null where nothing has.
    fn Java_io_logflux_Native_clientLastError(env, client: jint) -> JObject<'l> {
        match clients::of(number(client), |shared| shared.client.stats().last_error)? {
            Some(error) => Ok(JString::from_str(env, error)?.into()),
            None => Ok(JObject::null()),
        }
    }

    /// The number of the next sentence, and the sentences of a client from this number on.
    fn Java_io_logflux_Native_clientNotices(env, client: jint, since: jlong) -> JObject<'l> {
        let since = u64::try_from(since).unwrap_or(0);
        let fetched = clients::of(number(client), |shared| shared.notices.since(since))?;
        let next = fetched.next.to_string();
        let sentences = fetched.sentences.iter().map(String::as_str);
        let texts: Vec<_> = std::iter::once(next.as_str()).chain(sentences).map(Some).collect();
        values::strings(env, &texts)
    }

    /// What a client is, without its secret and key.
    fn Java_io_logflux_Native_clientDescribe(env, client: jint) -> JObject<'l> {
        let text = clients::of(number(client), |shared| format!("{:?}", shared.client))?;
        Ok(JString::from_str(env, text)?.into())
    }

    /// This process was restored from a snapshot, and other copies of it may run.
    fn Java_io_logflux_Native_afterRestore(_env) {
        logflux_process::after_restore();
        Ok(())
    }
}
