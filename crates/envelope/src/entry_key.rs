//! What seals and opens the entries of one derivation.
//!
//! In modes 1 to 4 that is a cipher, the same for every entry with this salt. In mode 128 it is an
//! epoch key, of which every entry's own key, and a commitment to it, is expanded (PROTOCOL 5).

use logflux_kdf::Key;
use logflux_wire::limits::{COMMITMENT_LEN, NODE_MAX_CHARS, TAG_LEN};
use logflux_wire::{Entry, Iv, Level, Mode, Node, Salt, Timestamp};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::backend::Expander;
use crate::cipher::Cipher;
use crate::derive::EPOCH_SALT_LEN;

const ENTRY_LABEL: &[u8] = b"logflux/128/entry";
const AAD_LABEL: &[u8] = b"logflux/128";
const ENTRY_SALT_LEN: usize = Salt::LEN - EPOCH_SALT_LEN;

/// A derived key, ready for the entries that share its derivation.
#[allow(clippy::large_enum_variant)] // Held in an `Arc`, and boxing would cost every entry a step.
pub(crate) enum EntryKey {
    /// Modes 1 to 4: the entries' cipher.
    Direct(Cipher),
    /// Mode 128: the pseudo-random key of the entries' expansions.
    Epoch(Expander),
}

/// What an entry says beside its message. Mode 128 authenticates it.
#[derive(Clone, Copy)]
pub(crate) struct Metadata<'a> {
    pub(crate) node: &'a Node,
    pub(crate) level: Level,
    pub(crate) timestamp: Timestamp,
}

impl EntryKey {
    pub(crate) fn new(mode: Mode, key: &Key) -> Option<Self> {
        match mode {
            Mode::Hkdf => Expander::new(key).map(Self::Epoch),
            _ => Cipher::new(mode, key).map(Self::Direct),
        }
    }

    /// Replaces what `payload` holds by the sealed message; `None` where the cipher refuses.
    pub(crate) fn seal(
        &self,
        message: &[u8],
        salt: &Salt,
        iv: &Iv,
        metadata: Metadata<'_>,
        payload: &mut Vec<u8>,
    ) -> Option<()> {
        payload.clear();
        payload.reserve(COMMITMENT_LEN + message.len() + TAG_LEN);
        let tag = match self {
            Self::Direct(cipher) => {
                payload.extend_from_slice(message);
                cipher.seal(iv, &[], payload)?
            }
            Self::Epoch(epoch) => {
                let expanded = expand(epoch, salt)?;
                payload.extend_from_slice(&*expanded.commitment);
                payload.extend_from_slice(message);
                let text = payload.get_mut(COMMITMENT_LEN..)?;
                let aad = AssociatedData::new(metadata);
                Cipher::new(Mode::Hkdf, &expanded.key)?.seal(iv, aad.as_bytes(), text)?
            }
        };
        payload.extend_from_slice(&tag);
        Some(())
    }

    /// The message of `entry`; `None` where it is not authentic under this key.
    pub(crate) fn open(&self, entry: &Entry) -> Option<Vec<u8>> {
        let payload = entry.payload().as_bytes();
        let (text, tag) = payload.split_last_chunk::<TAG_LEN>()?;
        match self {
            Self::Direct(cipher) => {
                let mut message = text.to_vec();
                cipher.open(entry.iv(), &[], &mut message, tag).then_some(message)
            }
            Self::Epoch(epoch) => {
                let (commitment, text) = text.split_first_chunk::<COMMITMENT_LEN>()?;
                let expanded = expand(epoch, entry.salt())?;
                // Before decryption: a payload must belong to one key only.
                if !bool::from(commitment.ct_eq(&*expanded.commitment)) {
                    return None;
                }
                let metadata = Metadata {
                    node: entry.node(),
                    level: entry.level(),
                    timestamp: entry.timestamp(),
                };
                let aad = AssociatedData::new(metadata);
                let mut message = text.to_vec();
                Cipher::new(Mode::Hkdf, &expanded.key)?
                    .open(entry.iv(), aad.as_bytes(), &mut message, tag)
                    .then_some(message)
            }
        }
    }
}

/// An entry's own key in mode 128, and the commitment to it.
pub(crate) struct Expanded {
    pub(crate) key: Key,
    commitment: Zeroizing<[u8; COMMITMENT_LEN]>,
}

/// Expands an epoch key for the entry's half of `salt`.
pub(crate) fn expand(epoch: &Expander, salt: &Salt) -> Option<Expanded> {
    let entry_salt = salt.as_bytes().last_chunk::<ENTRY_SALT_LEN>()?;
    let mut okm = Zeroizing::new([0; Key::LEN + COMMITMENT_LEN]);
    epoch.expand(&[ENTRY_LABEL, entry_salt], &mut *okm)?;
    let key = Key::from_bytes(*okm.first_chunk()?);
    let commitment = Zeroizing::new(*okm.last_chunk()?);
    Some(Expanded { key, commitment })
}

/// `"logflux/128" ‖ u8(level) ‖ i64be(seconds) ‖ u32be(nanoseconds) ‖ u16be(len(node)) ‖ node`, in
/// a buffer that holds the longest.
struct AssociatedData {
    buffer: [u8; Self::MAX],
    len: usize,
}

impl AssociatedData {
    /// A node of 255 characters has at most 1,020 bytes.
    const MAX: usize = AAD_LABEL.len() + 1 + 8 + 4 + 2 + 4 * NODE_MAX_CHARS;

    fn new(metadata: Metadata<'_>) -> Self {
        let node = metadata.node.as_str().as_bytes();
        let node_len = u16::try_from(node.len()).unwrap_or(u16::MAX);
        let mut data = Self { buffer: [0; Self::MAX], len: 0 };
        data.push(AAD_LABEL);
        data.push(&[metadata.level.number()]);
        data.push(&metadata.timestamp.unix_seconds().to_be_bytes());
        data.push(&metadata.timestamp.nanoseconds().to_be_bytes());
        data.push(&node_len.to_be_bytes());
        data.push(node);
        data
    }

    fn push(&mut self, part: &[u8]) {
        if let Some(place) = self.buffer.get_mut(self.len..self.len + part.len()) {
            place.copy_from_slice(part);
            self.len += part.len();
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}
