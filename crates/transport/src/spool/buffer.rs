//! Records in memory: what is still to be written, what is not durable, and what was written last.

use std::collections::VecDeque;

use super::format::PREFIX_LEN;
use super::index::Slot;

/// How large a chunk becomes; a longer record has one of its own.
pub(super) const CHUNK: usize = 64 << 10;

/// Consecutive bytes of one segment.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) segment: u32,
    /// Where it begins in the segment.
    pub(super) offset: usize,
    /// The first record whose frame is in it.
    pub(super) first: u64,
    /// The last one.
    pub(super) last: u64,
    pub(super) bytes: Vec<u8>,
    /// How many of its bytes are written.
    pub(super) written: usize,
    /// How many of its bytes are durable.
    pub(super) durable: usize,
}

impl Chunk {
    pub(super) fn is_durable(&self) -> bool {
        self.durable == self.bytes.len()
    }

    /// Where it ends in the segment.
    pub(super) fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }

    fn payload(&self, slot: &Slot) -> Option<&[u8]> {
        if self.segment != slot.segment {
            return None;
        }
        let offset = usize::try_from(slot.offset).ok()?.checked_sub(self.offset)?;
        let start = offset + PREFIX_LEN;
        self.bytes.get(start..start + usize::try_from(slot.length).ok()?)
    }
}

/// The chunks, in the order of their records.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) chunks: VecDeque<Chunk>,
}

impl Buffer {
    /// How many bytes are not durable.
    pub(super) fn unsynced_bytes(&self) -> usize {
        // What is not durable stands at the end.
        self.chunks
            .iter()
            .rev()
            .take_while(|chunk| !chunk.is_durable())
            .map(|chunk| chunk.bytes.len() - chunk.durable)
            .sum()
    }

    /// The payload of a record, if it is here.
    pub(super) fn payload(&self, slot: &Slot) -> Option<&[u8]> {
        let after = self.chunks.partition_point(|chunk| chunk.first <= slot.id);
        self.chunks.get(after.checked_sub(1)?)?.payload(slot)
    }

    /// The chunk to which a record of this segment goes next, with room for `need` bytes more.
    pub(super) fn open_chunk(
        &mut self,
        segment: u32,
        offset: usize,
        id: u64,
        need: usize,
    ) -> &mut Chunk {
        let fits = self.chunks.back().is_some_and(|chunk| {
            chunk.segment == segment && chunk.bytes.len() + need <= CHUNK && chunk.end() == offset
        });
        if !fits {
            // A spool that is used little stays small.
            let usual = if self.chunks.is_empty() { 4 << 10 } else { CHUNK };
            self.chunks.push_back(Chunk {
                segment,
                offset,
                first: id,
                last: id,
                bytes: Vec::with_capacity(need.max(usual)),
                written: 0,
                durable: 0,
            });
        }
        let at = self.chunks.len() - 1;
        // There is one: it was there, or was pushed.
        #[allow(clippy::indexing_slicing)]
        &mut self.chunks[at]
    }

    /// Forgets durable chunks: those before record `first`, and the oldest while more than `max`
    /// bytes are held.
    pub(super) fn evict(&mut self, first: u64, max: usize) {
        let mut held: usize = self.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum();
        while let Some(front) = self.chunks.front()
            && front.is_durable()
            && (front.last < first || held > max)
        {
            held -= front.bytes.capacity();
            self.chunks.pop_front();
        }
    }

    /// Forgets what is of a segment that is no more.
    pub(super) fn forget(&mut self, segment: u32) {
        self.chunks.retain(|chunk| chunk.segment != segment);
    }

    /// Takes out what is not durable.
    pub(super) fn take_unsynced(&mut self) -> Self {
        let durable = self.chunks.iter().take_while(|chunk| chunk.is_durable()).count();
        let mut taken = self.chunks.split_off(durable);
        // Of a chunk that began durable, that part stays.
        if let Some(chunk) = taken.front_mut().filter(|chunk| chunk.durable > 0) {
            let bytes = chunk.bytes.get(..chunk.durable).unwrap_or_default().to_vec();
            let (written, durable) = (bytes.len(), bytes.len());
            self.chunks.push_back(Chunk { bytes, written, durable, ..*chunk });
        }
        Self { chunks: taken }
    }
}
