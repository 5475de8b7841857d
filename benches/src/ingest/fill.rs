//! Fills a store from within, as fast as it goes.

use std::error::Error;
use std::path::Path;

use logflux_server::sqlite::SqliteStore;
use logflux_server::store::{Store as _, StoreSettings};
use logflux_server::{Limits, Tenant};
use logflux_wire::Timestamp;

use super::BATCH;
use super::entries::Entries;

/// Entries of a call.
const CALL: usize = 5_000;

/// How many nodes have sent what is filled in.
const NODES: u64 = 10;

/// Appends entries of a day until the store has had this many; gives how many there were before.
///
/// # Errors
/// The store's.
pub fn fill(data: &Path, upto: i64) -> Result<i64, Box<dyn Error>> {
    std::fs::create_dir_all(data)?;
    let store = SqliteStore::open(data, &Limits::default(), &StoreSettings::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let tenant: Tenant = "bench".parse()?;
    let mut entries = Entries::new(0);
    runtime.block_on(async {
        let before = store.taken(tenant.clone()).await?;
        let end = Timestamp::now().unix_seconds();
        loop {
            let taken = store.taken(tenant.clone()).await?;
            if taken >= upto {
                break;
            }
            let at = Timestamp::from_unix(end - 86_400 * (upto - taken) / upto, 0)?;
            let call = (0..CALL / BATCH).flat_map(|_| entries.many_at(BATCH, NODES, at)).collect();
            store.append(tenant.clone(), call).await?;
        }
        Ok(before)
    })
}
