//! Random histories of a spool, with a crash in every single operation on the disk, compared with
//! what a list in memory says.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::fake::{Fake, Fault};
use crate::spool::{RecordId, Spool, SpoolChanges, SpoolError, SpoolFull, SpoolOptions};

#[derive(Clone, Debug)]
enum Op {
    Append(usize),
    Sync,
    Next(usize),
    /// Acknowledges the handed out entries whose bit is set.
    Acknowledge(u32),
    PutBack(u32),
    /// The process ends, and the next one opens the spool.
    Reopen,
    /// The power fails between two operations.
    Crash,
    Fault(Fault),
    /// Somebody removes one of the files.
    Sweep(usize),
    /// Somebody removes the lock.
    SweepLock,
    /// Whether what the spool wants back is given to it from here on.
    Restore(bool),
    /// The disk has room for this much more; then for all again.
    Capacity(Option<usize>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => (1_usize..400).prop_map(Op::Append),
        2 => (600_usize..2_000).prop_map(Op::Append),
        5 => Just(Op::Sync),
        4 => (1_usize..8).prop_map(Op::Next),
        4 => any::<u32>().prop_map(Op::Acknowledge),
        2 => any::<u32>().prop_map(Op::PutBack),
        1 => Just(Op::Reopen),
        1 => Just(Op::Crash),
    ]
}

fn op_or_fault() -> impl Strategy<Value = Op> {
    use Fault::{Broken, Create, Full, Remove, Sync, SyncFolder};
    prop_oneof![
        6 => op(),
        2 => prop::sample::select(vec![Broken, Create, Full, Remove, Sync, SyncFolder])
            .prop_map(Op::Fault),
        1 => prop::option::of(0_usize..600).prop_map(Op::Capacity),
    ]
}

fn op_or_cleaner() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => op_or_fault(),
        4 => any::<usize>().prop_map(Op::Sweep),
        1 => Just(Op::SweepLock),
        1 => any::<bool>().prop_map(Op::Restore),
    ]
}

/// An entry that nobody has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    number: usize,
    length: usize,
    synced: bool,
    /// It was left by a process that had not synced it. Its file is synced when the spool is opened,
    /// which after a failed sync of that process is worth nothing.
    left: bool,
    handed_out: Option<RecordId>,
}

struct World {
    fs: Fake,
    options: SpoolOptions,
    spool: Option<Spool>,
    /// In order.
    live: Vec<Known>,
    /// How long every entry is that was ever appended, or may have been.
    lengths: Vec<usize>,
    /// The records that are not durable, and how many are, by what the spool reports.
    unsynced: BTreeSet<RecordId>,
    durable: u64,
    /// What the spool wants back is given to it.
    restores: bool,
}

fn payload(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = format!("{number}:").into_bytes();
    let filler = [0xfe, b'L', b'F', 0xff, u8::try_from(number % 251).unwrap()];
    bytes.extend(filler.iter().cycle().take(length));
    bytes
}

impl World {
    fn new(seed: u64, options: SpoolOptions) -> Self {
        let mut world = Self {
            fs: Fake::new(seed),
            options,
            spool: None,
            live: Vec::new(),
            lengths: Vec::new(),
            unsynced: BTreeSet::new(),
            durable: 0,
            restores: true,
        };
        world.open();
        world
    }

    fn try_open(&self) -> Result<(Spool, crate::spool::Recovery), SpoolError> {
        Spool::open_in(Arc::new(self.fs.clone()), Path::new("/spool"), self.options)
    }

    /// Opens the spool, where it is closed, and takes over what it says is there.
    fn open(&mut self) {
        let (mut spool, recovery) = self.try_open().unwrap();
        let batch = spool.next_batch(usize::MAX, usize::MAX).unwrap();
        spool.put_back(&batch.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        assert_eq!(recovery.entries as usize, batch.len());
        let numbers: Vec<usize> = batch.iter().map(|(_, bytes)| self.number_of(bytes)).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "order, and each once: {numbers:?}");
        for known in self.live.iter().filter(|known| known.synced) {
            assert!(numbers.contains(&known.number), "{known:?} was synced; there is {numbers:?}");
        }
        let synced = |number| self.live.iter().any(|known| known.number == number && known.synced);
        self.live = numbers
            .iter()
            .map(|number| Known {
                number: *number,
                length: self.lengths[*number],
                synced: synced(*number),
                left: !synced(*number),
                handed_out: None,
            })
            .collect();
        assert_eq!(spool.take_changes(), SpoolChanges::default());
        self.unsynced.clear();
        self.durable = recovery.entries;
        self.spool = Some(spool);
        self.check();
    }

    /// The entry that these bytes are; they must be one that was appended.
    fn number_of(&self, bytes: &[u8]) -> usize {
        let known =
            |number: &usize| self.lengths.get(*number).is_some_and(|length| *length < 1 << 20);
        let text = bytes.split(|byte| *byte == b':').next().unwrap();
        let number: usize = std::str::from_utf8(text).unwrap().parse().unwrap();
        assert!(known(&number), "entry {number} was never taken");
        assert_eq!(bytes, payload(number, self.lengths[number]), "nothing corrupt comes out");
        number
    }

    fn check(&mut self) {
        let spool = self.spool.as_ref().unwrap();
        assert_eq!(spool.len() as usize, self.live.len());
        let bytes: usize = spool.segments.values().map(|segment| segment.len).sum();
        let condemned: usize = spool.condemned.iter().map(|(_, len)| *len).sum();
        assert_eq!(spool.bytes(), (bytes + condemned) as u64);
        let live: usize = spool.segments.values().map(|segment| segment.live).sum();
        let adrift = spool.adrift.len();
        assert_eq!(live + adrift, self.live.len());
        let adrift = spool.adrift.keys().filter_map(|id| spool.index.get(*id));
        let adrift = adrift.filter(super::super::index::Slot::is_handed_out).count();
        let in_flight: usize = spool.segments.values().map(|segment| segment.in_flight).sum();
        assert_eq!(in_flight + adrift, self.live.iter().filter(|k| k.handed_out.is_some()).count());
        assert!(spool.unsynced() as usize <= self.live.len());
        // The conservation law, from the spool's reports alone.
        assert_eq!(spool.len(), self.unsynced.len() as u64 + self.durable);
        assert_eq!(spool.damaged(), 0);
    }

    /// Takes what the spool reports into account, and finds out which entries were dropped or lost:
    /// as many as it says, and none that is handed out.
    fn account(&mut self) {
        let spool = self.spool.as_mut().unwrap();
        let changes = spool.take_changes();
        for id in &changes.durable {
            assert!(self.unsynced.remove(id), "{id} became durable, and was not unsynced");
            self.durable += 1;
        }
        for id in &changes.dropped_unsynced {
            assert!(self.unsynced.remove(id), "{id} was dropped, and was not unsynced");
        }
        assert_eq!((changes.damaged, changes.taken_over, changes.adopted), (0, 0, 0));
        self.durable -= changes.dropped + changes.swept;
        if self.restores {
            for id in &changes.wanted {
                let known = self.live.iter().find(|known| known.handed_out == Some(*id)).unwrap();
                spool.restore(*id, &payload(known.number, known.length));
            }
        }
        let gone = changes.dropped + changes.swept + changes.dropped_unsynced.len() as u64;
        if gone == 0 {
            return;
        }
        let batch = spool.next_batch(usize::MAX, usize::MAX).unwrap();
        spool.put_back(&batch.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        let numbers: Vec<usize> = batch.iter().map(|(_, bytes)| self.number_of(bytes)).collect();
        let before = self.live.len();
        self.live.retain(|known| known.handed_out.is_some() || numbers.contains(&known.number));
        let more = self.spool.as_mut().unwrap().take_changes();
        assert!(more.durable.is_empty());
        self.durable -= more.swept;
        assert_eq!((before - self.live.len()) as u64, gone + more.swept);
        let waiting = self.live.iter().filter(|known| known.handed_out.is_none());
        assert_eq!(waiting.map(|known| known.number).collect::<Vec<_>>(), numbers);
    }

    fn picked(&self, bits: u32) -> Vec<Known> {
        let handed_out = self.live.iter().filter(|known| known.handed_out.is_some());
        handed_out
            .enumerate()
            .filter(|(at, _)| bits & (1 << (at % 32)) != 0)
            .map(|(_, known)| *known)
            .collect()
    }

    /// Does an operation, and says whether the power went off in it.
    fn run(&mut self, op: &Op) -> bool {
        let Some(spool) = self.spool.as_mut() else { return false };
        let mut synced = false;
        match op {
            Op::Append(length) => {
                let number = self.lengths.len();
                self.lengths.push(*length);
                let result = spool.append(&payload(number, *length));
                if let Ok(appended) = &result {
                    self.unsynced.insert(appended.id);
                    let length = *length;
                    let known =
                        Known { number, length, synced: false, left: false, handed_out: None };
                    self.live.push(known);
                } else if !self.fs.disk().crashed {
                    // It was refused, and never comes back.
                    self.lengths[number] = usize::MAX - 99;
                }
                // It may have synced to make room, which promises nothing.
            }
            Op::Sync => match spool.sync() {
                Ok(()) => {
                    assert_eq!(spool.unsynced(), 0);
                    synced = true;
                }
                Err(SpoolError::NotDurable { entries, .. }) => {
                    assert_eq!(entries, spool.unsynced());
                }
                Err(error) => panic!("{error}"),
            },
            Op::Next(count) => {
                let swept = spool.swept();
                let batch = spool.next_batch(*count, usize::MAX).unwrap();
                let swept = spool.swept() - swept;
                if self.fs.disk().crashed {
                    return true;
                }
                let numbers: Vec<_> =
                    batch.iter().map(|(_, bytes)| self.number_of(bytes)).collect();
                let waiting = self.live.iter().filter(|known| known.handed_out.is_none());
                let waiting: Vec<usize> = waiting.map(|known| known.number).collect();
                if swept == 0 {
                    assert_eq!(numbers, waiting[..(*count).min(waiting.len())]);
                }
                // Otherwise some are missing, and were counted.
                assert!(numbers.is_sorted_by(|a, b| a < b));
                for (number, (id, _)) in numbers.iter().zip(&batch) {
                    let known = self.live.iter_mut().find(|known| known.number == *number).unwrap();
                    assert_eq!(known.handed_out.replace(*id), None, "each once");
                }
            }
            Op::Acknowledge(bits) => {
                let picked = self.picked(*bits);
                let ids: Vec<_> = picked.iter().filter_map(|known| known.handed_out).collect();
                let spool = self.spool.as_mut().unwrap();
                // Whatever is reported before is taken into account before.
                assert_eq!(spool.take_changes(), SpoolChanges::default());
                let acknowledged = spool.acknowledge(&ids).unwrap();
                self.durable -= acknowledged.durable;
                for id in &acknowledged.unsynced {
                    assert!(
                        self.unsynced.remove(id),
                        "{id} was acknowledged, and was not unsynced"
                    );
                }
                self.live.retain(|known| !picked.contains(known));
            }
            Op::PutBack(bits) => {
                let picked = self.picked(*bits);
                let ids: Vec<_> = picked.iter().filter_map(|known| known.handed_out).collect();
                self.spool.as_mut().unwrap().put_back(&ids);
                for known in &mut self.live {
                    if picked.iter().any(|picked| picked.number == known.number) {
                        known.handed_out = None;
                    }
                }
            }
            Op::Reopen => {
                self.fs.disk().faults.clear();
                self.spool = None;
                if self.fs.disk().crashed {
                    return true;
                }
                match self.try_open() {
                    Ok((spool, _)) => drop(spool),
                    Err(_) => return true,
                }
                if self.fs.disk().crashed {
                    return true;
                }
                // A power failure in here is one too many for this function.
                let crash_at = self.fs.disk().crash_at.take();
                self.open();
                self.fs.disk().crash_at = crash_at;
                return false;
            }
            Op::Crash => return true,
            Op::Sweep(which) => {
                let files = self.fs.files();
                if let Some((path, _)) = files.get(which % files.len().max(1)) {
                    self.fs.disk().sweep(path);
                }
                // Until the next sync; that writes again what memory holds.
                self.live.iter_mut().for_each(|known| known.synced = false);
            }
            Op::SweepLock => self.fs.disk().sweep_lock(Path::new("/spool")),
            Op::Restore(restores) => self.restores = *restores,
            Op::Fault(fault) => self.fs.disk().faults.push(*fault),
            Op::Capacity(room) => {
                let taken: usize = self.fs.files().iter().map(|(_, length)| length).sum();
                self.fs.disk().capacity = room.map_or(usize::MAX, |room| taken + room);
            }
        }
        if self.fs.disk().crashed {
            return true;
        }
        self.account();
        if synced {
            self.live.iter_mut().for_each(|known| known.synced |= !known.left);
        }
        self.check();
        false
    }

    /// The power fails, comes back, and the spool goes on.
    fn crash(&mut self) {
        self.fs.disk().crashed = true;
        self.spool = None;
        self.fs.disk().crash();
        self.fs.disk().capacity = usize::MAX;
        self.open();
        // What is there after a crash is on the disk.
        self.live.iter_mut().for_each(|known| (known.synced, known.left) = (true, false));
        self.check();
    }
}

fn options(when_full: SpoolFull, max_bytes: u64) -> SpoolOptions {
    SpoolOptions { max_bytes, segment_bytes: 1 << 10, memory_bytes: 4 << 10, when_full }
}

fn history(ops: &[Op], seed: u64, options: SpoolOptions, crash_at: Option<usize>) -> usize {
    let mut world = World::new(seed, options);
    world.fs.disk().crash_at = crash_at;
    for op in ops {
        if world.run(op) {
            world.crash();
            if crash_at.is_some() {
                break;
            }
        }
    }
    let changes = world.fs.disk().changes;
    world.fs.disk().crash_at = None;
    world.fs.disk().faults.clear();
    world.fs.disk().capacity = usize::MAX;
    // However it came about, the spool takes entries, keeps them, and gives all out in order.
    for op in [Op::Append(70), Op::Sync, Op::Crash, Op::Append(7), Op::Next(usize::MAX)] {
        if world.run(&op) {
            world.crash();
        }
    }
    let all = world.picked(u32::MAX);
    assert_eq!(all.len(), world.live.len());
    world.run(&Op::Acknowledge(u32::MAX));
    assert!(world.spool.as_ref().unwrap().is_empty());
    world.spool = None;
    assert_eq!(world.fs.files().len(), 0, "{:?}", world.fs.files());
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), ..ProptestConfig::default() })]

    #[test]
    fn what_was_synced_survives_a_crash_in_every_operation(
        ops in vec(op(), 1..30),
        seed: u64,
    ) {
        let options = options(SpoolFull::Refuse, 1 << 20);
        let changes = history(&ops, seed, options, None);
        for crash_at in 0..changes {
            history(&ops, seed, options, Some(crash_at));
        }
    }

    #[test]
    fn so_it_does_when_the_disk_fails_and_is_full(
        ops in vec(op_or_fault(), 1..40),
        seed: u64,
    ) {
        let options = options(SpoolFull::Refuse, 1 << 20);
        let changes = history(&ops, seed, options, None);
        for crash_at in 0..changes {
            history(&ops, seed, options, Some(crash_at));
        }
    }

    #[test]
    fn what_somebody_removes_is_written_again_or_counted(
        ops in vec(op_or_cleaner(), 1..60),
        seed: u64,
        crash_at in prop::option::of(0_usize..200),
    ) {
        // The first bound keeps less than all in memory, the second drops some.
        for options in [options(SpoolFull::Refuse, 1 << 20), options(SpoolFull::DropOldest, 6 << 10)] {
            history(&ops, seed, options, crash_at);
        }
    }

    #[test]
    fn what_is_dropped_is_counted(
        ops in vec(op_or_fault(), 1..60),
        seed: u64,
        refuse: bool,
    ) {
        let when_full = if refuse { SpoolFull::Refuse } else { SpoolFull::DropOldest };
        history(&ops, seed, options(when_full, 6 << 10), None);
    }
}

/// How many cases; `PROPTEST_CASES` says otherwise.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
