//! Sealing: a message becomes an entry.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use logflux_process::PerProcess;
use logflux_wire::{Entry, EntryParts, Iv, Level, Mode, Node, Payload, Salt, Timestamp};

use crate::derive::EPOCH_SALT_LEN;
use crate::entry_key::Metadata;
use crate::error::SealError;
use crate::policy::{KeyPolicy, KeyPolicyError};
use crate::random;
use crate::reserve::{Plan, Reserve, SealKey};
use crate::secret::Secret;
use crate::stats::SealerStats;

/// A message to seal, with what travels beside it in the clear.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The plaintext. Text should be UTF-8; any bytes are sealed.
    pub bytes: &'a [u8],
    /// The sender's name.
    pub node: &'a Node,
    /// The severity.
    pub level: Level,
    /// The time.
    pub timestamp: Timestamp,
}

/// Seals one message in the standard mode under a salt and a key of its own, as the first published
/// description of the protocol does. It costs a whole derivation; a [`Sealer`] spends fewer.
///
/// # Errors
/// [`SealError`] for a message over 786,416 bytes, or where the system gives no random bytes.
pub fn seal(
    message: impl AsRef<[u8]>,
    secret: &Secret,
    node: &Node,
    level: Level,
    timestamp: Timestamp,
) -> Result<Entry, SealError> {
    Sealer::new(secret.clone()).seal(Message { bytes: message.as_ref(), node, level, timestamp })
}

/// Seals messages under one secret, in one mode, spending derivations by a [`KeyPolicy`].
///
/// It may be used from many threads at once; no lock is held while a message is sealed. After
/// `fork` the child seals with salts and keys of its own.
pub struct Sealer {
    plan: Arc<Plan>,
    /// A child's is empty: it derives all of its keys itself. If a process forks while another of its
    /// threads seals, the child lacks that thread, and with it the keys and ivs that it was using.
    reserve: PerProcess<Reserve>,
}

/// What one entry is sealed with.
struct Grant {
    key: Arc<SealKey>,
    salt: Salt,
    iv: Iv,
}

/// How many bytes of a salt belong to the entry alone in mode 128.
const ENTRY_SALT_LEN: usize = Salt::LEN - EPOCH_SALT_LEN;
/// The most random bytes that an entry needs.
const RANDOM_MAX: usize = ENTRY_SALT_LEN + Iv::LEN;
/// For how many messages of a batch keys are taken, and random bytes drawn, at once: a batch of the
/// client and more.
const AT_ONCE: usize = 128;

impl Sealer {
    /// A sealer in mode 1 with the default policy. Nothing is derived before the first message.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self::with_plan(Plan::new(secret, Mode::Pbkdf2, KeyPolicy::DEFAULT))
    }

    /// A sealer whose mode and policy are chosen.
    #[must_use]
    pub fn builder(secret: Secret) -> SealerBuilder {
        SealerBuilder { secret, mode: Mode::Pbkdf2, policy: KeyPolicy::DEFAULT }
    }

    pub(crate) fn with_plan(plan: Plan) -> Self {
        let plan = Arc::new(plan);
        Self { reserve: PerProcess::new(Reserve::new(Arc::clone(&plan))), plan }
    }

    /// A sealer with another secret, in the same mode and with the same policy. Nothing is derived
    /// before its first message.
    #[must_use]
    pub fn with_secret(&self, secret: Secret) -> Self {
        Self::with_plan(Plan::new(secret, self.plan.mode, self.plan.policy))
    }

    /// The mode in which it seals.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.plan.mode
    }

    /// Seals one message.
    ///
    /// # Errors
    /// [`SealError`] for a message longer than the mode allows, or where the system gives no random
    /// bytes or no memory.
    pub fn seal(&self, message: Message<'_>) -> Result<Entry, SealError> {
        self.check_length(message.bytes.len())?;
        let grant = self.grant(message.bytes.len())?;
        let mut payload = Vec::new();
        fill_payload(&grant, &message, &mut payload)?;
        let payload = Payload::new(payload).map_err(|_| SealError::Cipher)?;
        Entry::new(
            message.node.clone(),
            payload,
            message.level,
            message.timestamp,
            self.plan.mode,
            grant.iv,
            grant.salt,
        )
        .map_err(|_| SealError::Cipher)
    }

    /// Seals one message and appends the entry's canonical JSON to `out`, with no allocation but
    /// what `out` needs.
    ///
    /// # Errors
    /// As [`seal`](Self::seal); `out` is then as it was.
    pub fn seal_json(&self, message: Message<'_>, out: &mut Vec<u8>) -> Result<(), SealError> {
        self.check_length(message.bytes.len())?;
        let grant = self.grant(message.bytes.len())?;
        self.append(&grant, &message, out)
    }

    /// Seals many messages and appends their canonical JSON to `out`, one right after the other;
    /// the result says where each stands. Keys are taken, and random bytes drawn, for up to 128 of
    /// them together; nothing is allocated but `out` and the result.
    #[must_use]
    pub fn seal_many(
        &self,
        messages: &[Message<'_>],
        out: &mut Vec<u8>,
    ) -> Vec<Result<Range<usize>, SealError>> {
        let mut results = Vec::with_capacity(messages.len());
        let mut rest = messages;
        while let Some(first) = rest.first() {
            if let Err(too_long) = self.check_length(first.bytes.len()) {
                results.push(Err(too_long));
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let lengths = rest
                .iter()
                .map(|message| message.bytes.len())
                .take_while(|length| *length <= self.plan.mode.message_max());
            let mut grants = [const { None }; AT_ONCE];
            let given = match self.grant_many(lengths, &mut grants) {
                Ok(given) => given,
                Err(error) => {
                    results.resize(messages.len(), Err(error));
                    return results;
                }
            };
            let (now, later) = rest.split_at_checked(given).unwrap_or((rest, &[]));
            for (grant, message) in grants.iter().flatten().zip(now) {
                let start = out.len();
                results.push(self.append(grant, message, out).map(|()| start..out.len()));
            }
            rest = later;
        }
        results
    }

    /// What this sealer has done in this process.
    #[must_use]
    pub fn stats(&self) -> SealerStats {
        self.reserve.existing().map(Reserve::stats).unwrap_or_default()
    }

    fn check_length(&self, got: usize) -> Result<(), SealError> {
        let max = self.plan.mode.message_max();
        if got > max { Err(SealError::MessageTooLong { max, got }) } else { Ok(()) }
    }

    fn reserve(&self) -> &Reserve {
        self.reserve.get(|| Reserve::new(Arc::clone(&self.plan)))
    }

    fn grant(&self, length: usize) -> Result<Grant, SealError> {
        let mut grant = [const { None }];
        self.grant_many(std::iter::once(length), &mut grant)?;
        let [grant] = grant;
        grant.ok_or(SealError::Cipher)
    }

    /// Grants for messages of these lengths, in their order: at least one, and as many as there are
    /// keys and places for. Gives their number.
    fn grant_many<const PLACES: usize>(
        &self,
        lengths: impl Iterator<Item = usize>,
        grants: &mut [Option<Grant>; PLACES],
    ) -> Result<usize, SealError> {
        let mut keys = [const { None }; PLACES];
        let mut free = keys.iter_mut();
        self.reserve().take_keys(lengths.take(PLACES), |key| {
            if let Some(place) = free.next() {
                *place = Some(key);
            }
        })?;
        let given = PLACES - free.len();
        // Drawn for these entries and used for them: nothing is left for a copy of this process.
        let mut random = [[0; RANDOM_MAX]; PLACES];
        let each = self.plan.random_per_entry();
        let all = random.as_flattened_mut().get_mut(..given * each).ok_or(SealError::Cipher)?;
        random::fill(all)?;
        let granted = keys.into_iter().flatten().zip(all.chunks_exact(each));
        for (place, (key, random)) in grants.iter_mut().zip(granted) {
            *place = Some(Grant::new(key, random).ok_or(SealError::Cipher)?);
        }
        Ok(given)
    }

    fn append(
        &self,
        grant: &Grant,
        message: &Message<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        with_scratch(|payload| {
            fill_payload(grant, message, payload)?;
            EntryParts {
                node: message.node,
                payload,
                level: message.level,
                timestamp: message.timestamp,
                mode: self.plan.mode,
                iv: &grant.iv,
                salt: &grant.salt,
            }
            .append_json(out);
            Ok(())
        })
    }
}

impl Grant {
    /// A grant with an iv of these bytes, and with an entry's half of the salt if there are more.
    fn new(key: Arc<SealKey>, random: &[u8]) -> Option<Self> {
        let (rest, iv) = random.split_last_chunk::<{ Iv::LEN }>()?;
        let mut salt = *key.salt.as_bytes();
        if !rest.is_empty() {
            *salt.last_chunk_mut::<ENTRY_SALT_LEN>()? = *rest.as_array()?;
        }
        Some(Self { key, salt: Salt::new(salt), iv: Iv::new(*iv) })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("mode", &self.plan.mode)
            .field("policy", &self.plan.policy)
            .finish_non_exhaustive()
    }
}

fn fill_payload(
    grant: &Grant,
    message: &Message<'_>,
    payload: &mut Vec<u8>,
) -> Result<(), SealError> {
    let Message { bytes, node, level, timestamp } = *message;
    let metadata = Metadata { node, level, timestamp };
    grant.key.key.seal(bytes, &grant.salt, &grant.iv, metadata, payload).ok_or(SealError::Cipher)
}

/// A buffer of the thread's own for a payload before it is base64. After use it holds ciphertext.
fn with_scratch<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    /// What a thread keeps at most.
    const KEPT: usize = 64 << 10;
    thread_local! {
        static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    // A thread that is ending has no such buffer any more.
    let mut buffer = SCRATCH.try_with(RefCell::take).unwrap_or_default();
    let result = work(&mut buffer);
    if buffer.capacity() <= KEPT {
        buffer.clear();
        let _ = SCRATCH.try_with(|scratch| scratch.replace(buffer));
    }
    result
}

/// Chooses a sealer's mode and policy.
#[derive(Debug)]
pub struct SealerBuilder {
    secret: Secret,
    mode: Mode,
    policy: KeyPolicy,
}

impl SealerBuilder {
    /// The mode; the standard mode 1 by default.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// How derivations are spent in modes 1 to 4; [`KeyPolicy::DEFAULT`] by default. Mode 128 does
    /// not look at it.
    #[must_use]
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Makes the sealer. Nothing is derived before the first message.
    ///
    /// # Errors
    /// [`KeyPolicyError`] for a policy outside its bounds.
    pub fn build(self) -> Result<Sealer, KeyPolicyError> {
        self.policy.check()?;
        Ok(Sealer::with_plan(Plan::new(self.secret, self.mode, self.policy)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_key_seals_more_entries_than_a_random_iv_allows() {
        let node = Node::new("n").unwrap();
        let secret = Secret::new("s").unwrap();
        for mode in [Mode::Pbkdf2, Mode::Hkdf] {
            for policy in [KeyPolicy::DEFAULT, KeyPolicy::BOUNDED] {
                let mut plan = Plan::new(secret.clone(), mode, policy);
                plan.entries_per_key_max = 4;
                let sealer = Sealer::with_plan(plan);
                let mut entries_of: HashMap<Vec<u8>, u32> = HashMap::new();
                for _ in 0..13 {
                    let message = Message {
                        bytes: b"m",
                        node: &node,
                        level: Level::Info,
                        timestamp: Timestamp::MIN,
                    };
                    let entry = sealer.seal(message).unwrap();
                    *entries_of.entry(crate::derive::input(mode, entry.salt())).or_default() += 1;
                }
                assert!(entries_of.values().all(|entries| *entries <= 4), "{mode} {policy:?}");
                assert!(entries_of.len() >= 4, "{mode} {policy:?}");
            }
        }
    }
}
