//! Telling C of dropped messages.

use std::ffi::c_void;

use logflux_transport::{DropReason, Dropped};

use crate::gate::Gate;

/// Why a message was dropped: an index into logflux_dropped.by_reason.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum logflux_drop_reason {
    /// The queue was full.
    QueueFull = 0,
    /// The message is longer than an entry can hold.
    TooLong = 1,
    /// The client was closed before, or before the message was delivered.
    Closed = 2,
    /// The server refused the entry for good; it is in the dead-letter file, where there is one.
    Refused = 3,
    /// Every attempt failed, and there is no spool.
    Undeliverable = 4,
    /// The spool was full, or its disk.
    SpoolFull = 5,
    /// The system gave no random bytes or no memory to seal it.
    Unsealed = 6,
    /// The spool could not read the entry back: its disk has damaged it.
    SpoolDamaged = 7,
    /// A thread of the client failed, which is a fault of the library. Another goes on.
    WorkerFailed = 8,
}

/// How many messages were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct logflux_dropped {
    /// How many in all.
    pub total: u64,
    /// How many for each logflux_drop_reason; what is beyond those is 0.
    pub by_reason: [u64; 16],
}

/// Is called when messages were dropped, with how many since the last call, at most once a second.
/// It runs on a thread of the client's, or inside logflux_client_free; see "Callbacks" in
/// docs/c-conventions.md for what it may do.
pub type logflux_drop_callback =
    Option<extern "C" fn(context: *mut c_void, dropped: *const logflux_dropped)>;

impl From<&Dropped> for logflux_dropped {
    fn from(dropped: &Dropped) -> Self {
        let mut by_reason = [0; 16];
        for (slot, reason) in by_reason.iter_mut().zip(DropReason::ALL) {
            *slot = dropped.by(reason);
        }
        Self { total: dropped.total(), by_reason }
    }
}

impl logflux_dropped {
    fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.by_reason.iter_mut().zip(other.by_reason).for_each(|(n, m)| *n += m);
    }

    fn without(&self, other: &Self) -> Self {
        let mut rest = *self;
        rest.total = rest.total.saturating_sub(other.total);
        rest.by_reason.iter_mut().zip(other.by_reason).for_each(|(n, m)| *n = n.saturating_sub(m));
        rest
    }
}

/// The way of drops to C.
pub(crate) type DropGate = Gate<logflux_dropped, logflux_dropped>;

impl DropGate {
    /// Tells of drops since the last time.
    pub(crate) fn tell_of(&self, dropped: &logflux_dropped) {
        self.tell(|told| {
            told.add(dropped);
            *dropped
        });
    }

    /// Tells of what was dropped in all and not told of yet, and never again.
    pub(crate) fn end_with(&self, dropped: &logflux_dropped) {
        self.shut(|told| {
            let rest = dropped.without(told);
            (rest.total > 0).then_some(rest)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Callback;

    #[test]
    fn reasons_have_the_numbers_of_the_core_s_order() {
        let numbers: Vec<u32> = [
            logflux_drop_reason::QueueFull,
            logflux_drop_reason::TooLong,
            logflux_drop_reason::Closed,
            logflux_drop_reason::Refused,
            logflux_drop_reason::Undeliverable,
            logflux_drop_reason::SpoolFull,
            logflux_drop_reason::Unsealed,
            logflux_drop_reason::SpoolDamaged,
            logflux_drop_reason::WorkerFailed,
        ]
        .map(|reason| reason as u32)
        .to_vec();
        assert_eq!(numbers, (0..9).collect::<Vec<u32>>());
        assert_eq!(
            DropReason::ALL,
            [
                DropReason::QueueFull,
                DropReason::TooLong,
                DropReason::Closed,
                DropReason::Refused,
                DropReason::Undeliverable,
                DropReason::SpoolFull,
                DropReason::Unsealed,
                DropReason::SpoolDamaged,
                DropReason::WorkerFailed,
            ]
        );
    }

    #[test]
    fn every_drop_is_told_once_and_none_after_the_gate_is_shut() {
        extern "C" fn add(context: *mut c_void, dropped: *const logflux_dropped) {
            // SAFETY: the context is the number below, and what was dropped is there for the call.
            unsafe { *context.cast::<u64>() += (*dropped).total };
        }
        let mut sum = 0_u64;
        let of = |n| logflux_dropped { total: n, by_reason: [0; 16] };
        let gate = DropGate::new(Callback::new(Some(add), (&raw mut sum).cast()).unwrap());
        gate.tell_of(&of(3));
        gate.end_with(&of(5));
        gate.tell_of(&of(100));
        gate.end_with(&of(200));
        assert_eq!(sum, 5);
    }
}
