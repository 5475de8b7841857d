//! Sealing: a message becomes an entry.

use logflux_envelope as core;
use logflux_envelope::{Message, Node, Secret};
use logflux_host::settings::key_policy;
use napi::Result;
use napi::bindgen_prelude::External;
use napi_derive::napi;

use crate::boundary::guarded;
use crate::settings::{self, PolicyBounds};
use crate::values::{self, Bytes};

/// A sealer, and who it seals for.
pub struct Sealer {
    sealer: core::Sealer,
    node: Node,
}

/// What a sealer has done.
#[napi(object, object_from_js = false)]
pub struct SealerStats {
    /// Entries that no other entry shares a key with.
    pub unique: f64,
    /// Entries that share their key.
    pub shared: f64,
    /// Keys derived from the secret.
    pub derivations: f64,
    /// How often sealing had to wait for a key.
    pub waits: f64,
    /// Keys that are derived ahead now.
    pub pool_level: u32,
}

/// Makes a sealer.
#[napi]
pub fn sealer_new(
    secret: &External<Secret>,
    node: Option<String>,
    mode: Option<String>,
    policy: Option<String>,
    bounds: Option<PolicyBounds>,
) -> Result<External<Sealer>> {
    guarded(|| {
        let bounds = bounds.map(settings::bounds).transpose()?;
        let key_policy = key_policy(policy.as_deref(), bounds)?;
        let sealer = core::Sealer::builder((**secret).clone())
            .mode(values::mode(mode.as_deref())?)
            .key_policy(key_policy)
            .build()?;
        Ok(External::new(Sealer { sealer, node: values::node(node)? }))
    })
}

/// Seals a message; gives the entry's JSON.
#[napi]
pub fn sealer_seal(
    sealer: &External<Sealer>,
    message: Bytes<'_>,
    level: String,
    timestamp: Option<String>,
) -> Result<String> {
    guarded(|| {
        let bytes = values::bytes(message)?;
        let (level, timestamp) = (values::level(&level)?, values::timestamp(timestamp.as_deref())?);
        let message = Message { bytes: &bytes, node: &sealer.node, level, timestamp };
        Ok(sealer.sealer.seal(message)?.to_json())
    })
}

/// Seals many messages of one level and time, in their order.
#[napi]
pub fn sealer_seal_many(
    sealer: &External<Sealer>,
    messages: Vec<Bytes<'_>>,
    level: String,
    timestamp: Option<String>,
) -> Result<Vec<String>> {
    guarded(|| {
        let (level, timestamp) = (values::level(&level)?, values::timestamp(timestamp.as_deref())?);
        let seal = |message| {
            let bytes = values::bytes(message)?;
            let message = Message { bytes: &bytes, node: &sealer.node, level, timestamp };
            Ok(sealer.sealer.seal(message)?.to_json())
        };
        messages.into_iter().map(seal).collect()
    })
}

/// What the sealer has done.
#[napi]
#[allow(clippy::cast_precision_loss)] // Nobody seals 2^53 messages.
pub fn sealer_stats(sealer: &External<Sealer>) -> SealerStats {
    let stats = sealer.sealer.stats();
    SealerStats {
        unique: stats.unique as f64,
        shared: stats.shared as f64,
        derivations: stats.derivations as f64,
        waits: stats.waits as f64,
        pool_level: u32::try_from(stats.pool_level).unwrap_or(u32::MAX),
    }
}
