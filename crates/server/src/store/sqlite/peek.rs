//! One row as the server holds it, to show that nothing in it can be read.

use std::fmt;
use std::path::Path;

use logflux_wire::{Level, Timestamp, base64};
use rusqlite::OptionalExtension as _;

use super::schema;
use crate::folder;
use crate::store::StoreError;

/// A row of the store, column by column, with its binary columns in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRow {
    /// The row's number.
    pub seq: i64,
    /// The tenant's name.
    pub tenant: String,
    /// The sender's name.
    pub node: String,
    /// The severity, 1 to 8.
    pub level: i64,
    /// The entry's time: whole seconds since 1970.
    pub seconds: i64,
    /// And the nanoseconds past them.
    pub nanoseconds: i64,
    /// The encryption mode.
    pub mode: i64,
    /// The initialisation vector in base64.
    pub iv: String,
    /// The salt in base64.
    pub salt: String,
    /// The sealed message in base64.
    pub payload: String,
    /// When it came: milliseconds since 1970.
    pub received: i64,
}

/// The newest row of a data folder, or none where the store is empty or not there yet. A server may
/// run meanwhile.
///
/// # Errors
/// [`StoreError`].
pub fn peek(data: &Path) -> Result<Option<StoredRow>, StoreError> {
    let path = folder::entries_db(data);
    if !path.exists() {
        return Ok(None);
    }
    let row = schema::open_reader(&path)?
        .query_row(
            "SELECT seq, name, node, level, seconds, nanoseconds, mode, iv, salt, payload, received
             FROM entries JOIN tenants ON tenants.id = entries.tenant
             ORDER BY seq DESC LIMIT 1",
            [],
            |row| {
                let text = |column| -> rusqlite::Result<String> {
                    Ok(base64::encode(row.get_ref(column)?.as_blob()?))
                };
                Ok(StoredRow {
                    seq: row.get(0)?,
                    tenant: row.get(1)?,
                    node: row.get(2)?,
                    level: row.get(3)?,
                    seconds: row.get(4)?,
                    nanoseconds: row.get(5)?,
                    mode: row.get(6)?,
                    iv: text(7)?,
                    salt: text(8)?,
                    payload: text(9)?,
                    received: row.get(10)?,
                })
            },
        )
        .optional()?;
    Ok(row)
}

/// How many characters of a payload are shown.
const SHOWN: usize = 120;

/// A column a line; a long payload is cut, and its whole length said.
impl fmt::Display for StoredRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = u64::try_from(self.level).ok().and_then(|l| Level::from_number(l).ok());
        let level = level.map_or("?", Level::name);
        let timestamp = u32::try_from(self.nanoseconds)
            .ok()
            .and_then(|n| Timestamp::from_unix(self.seconds, n).ok())
            .map_or_else(|| "?".to_owned(), |timestamp| timestamp.to_string());
        writeln!(f, "seq        {}", self.seq)?;
        writeln!(f, "tenant     {}", self.tenant)?;
        writeln!(f, "node       {}", self.node)?;
        writeln!(f, "level      {} ({level})", self.level)?;
        writeln!(f, "timestamp  {}.{:09} ({timestamp})", self.seconds, self.nanoseconds)?;
        writeln!(f, "mode       {}", self.mode)?;
        writeln!(f, "iv         {}", self.iv)?;
        writeln!(f, "salt       {}", self.salt)?;
        match self.payload.get(..SHOWN) {
            Some(start) if self.payload.len() > SHOWN => {
                write!(f, "payload    {start}… ({} characters)", self.payload.len())
            }
            _ => write!(f, "payload    {}", self.payload),
        }
    }
}
