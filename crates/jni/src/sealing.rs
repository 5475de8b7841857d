//! Sealing: a message becomes an entry.

use std::sync::Arc;

use jni::objects::{JByteArray, JLongArray, JString};
use jni::sys::{jdouble, jint, jlong};
use logflux_envelope as core;
use logflux_envelope::{Message, Node};
use logflux_host::settings::key_policy;

use crate::handles::{self, Held};
use crate::{settings, values};

/// A sealer, and who it seals for.
pub(crate) struct Sealer {
    sealer: core::Sealer,
    node: Node,
}

exports! {
    /// Makes a sealer.
    fn Java_io_logflux_Native_sealerNew(
        env, secret: jlong, node: JString<'l>, mode: JString<'l>, policy: JString<'l>,
        budget: jdouble, bounds: JLongArray<'l>,
    ) -> jlong {
        let bounds = settings::bounds(env, budget, &bounds)?;
        let key_policy = key_policy(values::text(env, &policy)?.as_deref(), bounds)?;
        let sealer = core::Sealer::builder((*handles::secret(secret)?).clone())
            .mode(values::mode(values::text(env, &mode)?.as_deref())?)
            .key_policy(key_policy)
            .build()?;
        let node = values::node(values::text(env, &node)?)?;
        Ok(handles::keep(Held::Sealer(Arc::new(Sealer { sealer, node }))))
    }

    /// Seals a message; gives the entry's JSON.
    fn Java_io_logflux_Native_sealerSeal(
        env, sealer: jlong, message: JByteArray<'l>, level: jint, timestamp: JString<'l>,
    ) -> JByteArray<'l> {
        let sealer = handles::sealer(sealer)?;
        let bytes = env.convert_byte_array(&message)?;
        let level = values::level(level)?;
        let timestamp = values::timestamp(values::text(env, &timestamp)?.as_deref())?;
        let message = Message { bytes: &bytes, node: &sealer.node, level, timestamp };
        let entry = sealer.sealer.seal(message)?.to_json();
        values::bytes(env, entry.as_bytes())
    }

    /// What the sealer has done: entries with a key of their own, entries that share one, derivations,
    /// waits for a key, keys derived ahead.
    fn Java_io_logflux_Native_sealerStats(env, sealer: jlong) -> JLongArray<'l> {
        let stats = handles::sealer(sealer)?.sealer.stats();
        let pool = u64::try_from(stats.pool_level).unwrap_or(u64::MAX);
        let counts = [stats.unique, stats.shared, stats.derivations, stats.waits, pool];
        values::numbers(env, &counts)
    }
}
