//! The clients of the process, which all that load the library share: threads, workers, and copies of
//! the SDK.
//!
//! There is one for every distinct set of settings. A client is known by its number, so that nothing of
//! it is finalized, and lives until it is closed.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use logflux_transport::{BuildError, Client};

use crate::Fault;
use crate::notices::{Notices, Watches};
use crate::settings::{self, Environment, Given, Identity};

/// A client, and how many objects use it.
pub struct Shared {
    /// The client.
    pub client: Client,
    /// What it told.
    pub notices: Arc<Notices>,
    identity: Identity,
    users: AtomicU32,
    closed: AtomicBool,
}

impl Shared {
    /// Gives how many are left. The table is locked.
    fn one_user_less(&self) -> u32 {
        let left = self.users.load(Ordering::Acquire).saturating_sub(1);
        self.users.store(left, Ordering::Release);
        left
    }
}

type Table = Vec<Option<Arc<Shared>>>;

/// Every client at its number.
static TABLE: ArcSwapOption<Table> = ArcSwapOption::const_empty();
/// Held while the table is replaced.
static REPLACING: Mutex<()> = Mutex::new(());
/// The client of the process, where the SDK keeps it here.
static PROCESS: AtomicU32 = AtomicU32::new(NONE);

/// The number of no client.
pub const NONE: u32 = 0;

/// A client with these settings: one that is there, or a new one. Gives its number.
///
/// # Errors
/// [`Fault`] where a setting is missing or wrong.
pub fn open(given: &Given, environment: &Environment, watches: Watches) -> Result<u32, Fault> {
    let (config, secret, identity) = settings::read(given, environment)?;
    let _replacing = REPLACING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut table = TABLE.load_full().map_or_else(Table::new, |table| (*table).clone());
    let same = |shared: &Arc<Shared>| {
        shared.identity == identity
            && shared.notices.watches() == watches
            && !shared.closed.load(Ordering::Acquire)
    };
    let there = table.iter().zip(1..).find(|(shared, _)| shared.as_ref().is_some_and(same));
    if let Some((Some(shared), number)) = there {
        shared.users.fetch_add(1, Ordering::AcqRel);
        return Ok(number);
    }
    let notices = Arc::new(Notices::new(watches));
    let mut builder = Client::builder(config, secret);
    if watches.drops || watches.notices {
        let notices = Arc::clone(&notices);
        builder = builder.on_drop(move |report| notices.tell(report));
    }
    let client = builder.build().map_err(|error| refused(&error))?;
    let (users, closed) = (AtomicU32::new(1), AtomicBool::new(false));
    table.push(Some(Arc::new(Shared { client, notices, identity, users, closed })));
    let number = u32::try_from(table.len()).map_err(|_| Fault::Other("too many clients"))?;
    TABLE.store(Some(Arc::new(table)));
    Ok(number)
}

fn refused(error: &BuildError) -> Fault {
    match error {
        BuildError::Node => Fault::setting("node", "the host name is no node: give one"),
        BuildError::KeyPolicy(error) => Fault::setting("keyPolicy", error),
        BuildError::Trust(error) => Fault::setting("caFile", error),
        BuildError::Proxy(error) => Fault::setting("proxy", error),
        BuildError::Spool(error) => Fault::setting("spoolDir", error),
        _ => Fault::Settings(error.to_string()),
    }
}

/// Does something with the client of this number, or, for [`NONE`], with that of the process.
pub fn with<T>(number: u32, work: impl FnOnce(&Shared) -> T) -> Option<T> {
    let number = if number == NONE { PROCESS.load(Ordering::Acquire) } else { number };
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    let table = TABLE.load();
    let shared = table.as_ref()?.get(at)?.as_ref()?;
    Some(work(shared))
}

/// As [`with`], where the client must be there.
///
/// # Errors
/// [`Fault::Other`] where it is not there.
pub fn of<T>(number: u32, work: impl FnOnce(&Shared) -> T) -> Result<T, Fault> {
    with(number, work).ok_or(Fault::Other("the client is gone"))
}

/// Every client that is there.
pub fn all() -> impl Iterator<Item = Arc<Shared>> {
    let table = TABLE.load_full();
    let clients: Vec<_> = table.iter().flat_map(|table| table.iter().flatten()).cloned().collect();
    clients.into_iter()
}

/// Visits every client, and allocates nothing.
pub fn visit(mut work: impl FnMut(&Shared)) {
    let table = TABLE.load();
    table.iter().flat_map(|table| table.iter().flatten()).for_each(|shared| work(shared));
}

/// Makes this the client of the process.
pub fn adopt(number: u32) {
    PROCESS.store(number, Ordering::Release);
}

/// The number of the client of the process; [`NONE`] where there is none.
pub fn process() -> u32 {
    PROCESS.load(Ordering::Acquire)
}

/// One user less. True where the caller is to close the client: nobody uses it any more, or it ends for
/// `all`.
pub fn leave(number: u32, shared: &Shared, all: bool) -> bool {
    let _replacing = REPLACING.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.one_user_less() > 0 && !all {
        return false;
    }
    shared.closed.store(true, Ordering::Release);
    let _ = PROCESS.compare_exchange(number, NONE, Ordering::AcqRel, Ordering::Acquire);
    true
}

/// An object that knew this number is gone; `used` where it had not left before. A closed client that
/// nobody knows is forgotten; another goes on, since what was logged through it may be on its way.
pub fn release(number: u32, used: bool) {
    let _replacing = REPLACING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(table) = TABLE.load_full() else { return };
    let Some(at) = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)) else {
        return;
    };
    let Some(Some(shared)) = table.get(at) else { return };
    let left = if used { shared.one_user_less() } else { shared.users.load(Ordering::Acquire) };
    if left > 0 || !shared.closed.load(Ordering::Acquire) {
        return;
    }
    let mut table = (*table).clone();
    if let Some(slot) = table.get_mut(at) {
        *slot = None;
    }
    TABLE.store(Some(Arc::new(table)));
}
