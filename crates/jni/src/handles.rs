//! What Java knows by a number: secrets, keyrings, sealers, openers, and what is on its way. A number that
//! is gone, or of something else, is an error and nothing worse.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jni::sys::jlong;
use logflux_envelope::{Keyring, Opener, Secret};
use logflux_host::tickets::Ticket;

use crate::boundary::Failure;
use crate::opening::OpenMany;
use crate::sealing::Sealer;

/// What a number stands for.
#[derive(Clone)]
pub(crate) enum Held {
    Secret(Arc<Secret>),
    Keyring(Arc<Keyring>),
    Sealer(Arc<Sealer>),
    Opener(Arc<Opener>),
    Ticket(Arc<Ticket>),
    OpenMany(Arc<OpenMany>),
}

static TABLE: LazyLock<RwLock<HashMap<jlong, Held>>> = LazyLock::new(RwLock::default);
static NEXT: AtomicI64 = AtomicI64::new(1);

/// Keeps something, and gives its number, which is never 0.
pub(crate) fn keep(held: Held) -> jlong {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    TABLE.write().unwrap_or_else(PoisonError::into_inner).insert(number, held);
    number
}

fn get(number: jlong) -> Option<Held> {
    TABLE.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
}

macro_rules! getters {
    ($($name:ident $kind:ident $held:ty)*) => {
        $(
            /// What this number stands for.
            pub(crate) fn $name(number: jlong) -> Result<Arc<$held>, Failure> {
                match get(number) {
                    Some(Held::$kind(held)) => Ok(held),
                    _ => Err(Failure::other("it was released already")),
                }
            }
        )*
    };
}

getters! {
    secret Secret Secret
    keyring Keyring Keyring
    sealer Sealer Sealer
    opener Opener Opener
    ticket Ticket Ticket
    open_many OpenMany OpenMany
}

exports! {
    /// Forgets what this number stands for.
    fn Java_io_logflux_Native_release(_env, number: jlong) {
        let held = TABLE.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        // Its end may take a moment, and needs no lock.
        drop(held);
        Ok(())
    }
}
