//! Where a layer or a logger puts its messages.

use logflux_envelope::{Level, Timestamp};
use logflux_transport::Client;

use crate::global;
use crate::own_thread::is_ours;

#[derive(Clone, Debug)]
pub(crate) enum Sink {
    /// The client of the process, if there is one.
    Process,
    Client(Client),
}

impl Sink {
    pub(crate) fn is_enabled(&self, level: Level) -> bool {
        let enabled = match self {
            Self::Process => global::enabled(level),
            Self::Client(client) => client.is_enabled(level),
        };
        enabled && !is_ours()
    }

    pub(crate) fn log(&self, level: Level, message: &[u8]) {
        match self {
            Self::Process => {
                global::with_client(|client| client.log_bytes(level, message, Timestamp::now()));
            }
            Self::Client(client) => client.log_bytes(level, message, Timestamp::now()),
        }
    }
}
