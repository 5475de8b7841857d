//! What the store has to tell whoever runs the server.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::sampling;
use crate::store::{Meter, Notice, StoreError};

/// How many notices wait; above it they are only counted.
const WAITING: usize = 100;

/// Where they go; all clones are one.
#[derive(Clone, Debug)]
pub(super) struct Notices {
    sender: SyncSender<Notice>,
    receiver: Arc<Mutex<Option<Receiver<Notice>>>>,
    meter: Meter,
}

impl Notices {
    pub(super) fn new(meter: Meter) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        Self { sender, receiver: Arc::new(Mutex::new(Some(receiver))), meter }
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn take(&self) -> Option<Receiver<Notice>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn tell(&self, notice: Notice) {
        // Nobody listens, or too much waits already: it is in the log and the metrics all the same.
        self.sender.try_send(notice).ok();
    }

    /// Something could not be read or stored.
    pub(super) fn damaged(&self, error: &StoreError) {
        self.meter.damaged.inc();
        if let Some(missed) = sampling::passes("store_damaged") {
            tracing::error!(%error, missed, "a part of the store is damaged");
        }
        self.tell(Notice::Damaged { what: error.to_string() });
    }
}
