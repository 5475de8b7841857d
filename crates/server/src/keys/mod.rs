//! API keys: who may send and read whose entries.
//!
//! A key is 32 random letters and digits, shown once. What is kept of it is its SHA-256 hash; 190
//! bits cannot be guessed, so that a slow hash would add nothing. A key is found by the first 8 bytes
//! of its hash, and all 32 are then compared in constant time. The keys have a database of their own
//! in the data folder, which any process may open while the server runs; [`Authenticator`] is the
//! server's side of it.

mod authenticator;
mod carry;
mod info;
mod look;
mod rotate;
mod schema;
mod scope;
mod usage;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logflux_wire::{ApiKey, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub(crate) use authenticator::Authenticator;
pub use info::{KeyId, KeyIdError, KeyInfo, KeyList, KeyState, NewKey};
pub use scope::{Scope, ScopeError, Scopes};

use crate::{disk, folder, random};

const COLUMNS: &str = "id, tenant, scopes, created, expires, revoked, note, successor, last_used,
    requests, entries";

/// How long a connection waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// The most characters in a note.
const NOTE_MAX: usize = 200;

/// The keys of a data folder.
#[derive(Debug)]
pub struct Keys {
    connection: Mutex<Connection>,
}

impl Keys {
    /// Opens the keys of a data folder, which is made where it does not exist. The server need not
    /// run, and may.
    ///
    /// # Errors
    /// [`KeysError::Folder`], [`KeysError::Database`], or [`KeysError::Version`] for a folder that a
    /// newer version has written.
    pub fn open(data: &Path) -> Result<Self, KeysError> {
        let path = folder::keys_db(data);
        folder::create(data)
            .and_then(|()| folder::check_whole(data))
            .and_then(|()| folder::touch(&path))
            .map_err(|source| KeysError::Folder { path: data.display().to_string(), source })?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Makes a key. The key itself is in the result and nowhere else: it cannot be shown again.
    ///
    /// # Errors
    /// [`KeysError::Note`], [`KeysError::Random`] or [`KeysError::Database`].
    pub fn create(&self, new: &NewKey) -> Result<(ApiKey, KeyInfo), KeysError> {
        self.create_with(new, |_, _| Ok(()))
    }

    /// Makes a key, and does something else with its id, or neither.
    fn create_with(
        &self,
        new: &NewKey,
        also: impl FnOnce(&Transaction<'_>, &KeyId) -> Result<(), KeysError>,
    ) -> Result<(ApiKey, KeyInfo), KeysError> {
        if let Some(note) = &new.note
            && (note.chars().count() > NOTE_MAX || note.chars().any(char::is_control))
        {
            return Err(KeysError::Note);
        }
        let key: ApiKey = random::alphanumerics(ApiKey::PREFIX, ApiKey::RANDOM_LEN)
            .map_err(|_| KeysError::Random)?
            .parse()
            .map_err(|_| KeysError::Random)?;
        let id: KeyId = random::alphanumerics(KeyId::PREFIX, KeyId::RANDOM_LEN)
            .map_err(|_| KeysError::Random)?
            .parse()
            .map_err(|_| KeysError::Random)?;
        let whole = |time: Timestamp| Timestamp::from_unix(time.unix_seconds(), 0).unwrap_or(time);
        let info = KeyInfo {
            id,
            tenant: new.tenant.clone(),
            scopes: new.scopes,
            created: whole(Timestamp::now()),
            expires: new.expires.map(whole),
            revoked: None,
            note: new.note.clone(),
            successor: None,
            last_used: None,
            requests: 0,
            entries: 0,
        };
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO keys (id, hash, tenant, scopes, created, expires, note)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                info.id.as_str(),
                hash(&key),
                info.tenant.as_str(),
                info.scopes.to_string(),
                info.created.unix_seconds(),
                info.expires.map(Timestamp::unix_seconds),
                &info.note,
            ),
        )?;
        also(&transaction, &info.id)?;
        transaction.commit()?;
        Ok((key, info))
    }

    /// Every key, the oldest first, revoked and expired ones included. One that is damaged is left
    /// out, and named.
    ///
    /// # Errors
    /// [`KeysError::Database`].
    pub fn list(&self) -> Result<KeyList, KeysError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare(&format!("SELECT {COLUMNS}, hash FROM keys ORDER BY created, id"))?;
        let mut rows = statement.query([])?;
        let mut list = KeyList::default();
        while let Some(row) = rows.next()? {
            match read_key(row) {
                Ok((_, info)) => list.keys.push(info),
                Err(_) => list.damaged.push(parsed(row, 0).ok()),
            }
        }
        Ok(list)
    }

    /// Revokes a key, also one that is damaged; a running server refuses it within a second. One that
    /// was revoked before keeps its first time.
    ///
    /// # Errors
    /// [`KeysError::NotFound`] or [`KeysError::Database`].
    pub fn revoke(&self, id: &KeyId) -> Result<(), KeysError> {
        let changed = self.lock().execute(
            "UPDATE keys SET revoked = coalesce(revoked, ?2) WHERE id = ?1",
            (id.as_str(), Timestamp::now().unix_seconds()),
        )?;
        if changed == 0 { Err(KeysError::NotFound(id.clone())) } else { Ok(()) }
    }

    /// What is known of a key by its id.
    ///
    /// # Errors
    /// [`KeysError::NotFound`], [`KeysError::Damaged`] or [`KeysError::Database`].
    pub fn get(&self, id: &KeyId) -> Result<KeyInfo, KeysError> {
        let select = format!("SELECT {COLUMNS} FROM keys WHERE id = ?1");
        let read = |row: &Row<'_>| Ok(read_info(row));
        let found = self.lock().query_row(&select, [id.as_str()], read).optional()?;
        let found = found.ok_or_else(|| KeysError::NotFound(id.clone()))?;
        found.map_err(|_| KeysError::Damaged(id.clone()))
    }

    /// What is known of a key that someone holds, if it is one.
    ///
    /// # Errors
    /// [`KeysError::Database`].
    pub fn find(&self, key: &ApiKey) -> Result<Option<KeyInfo>, KeysError> {
        self.find_by_hash(&hash(key))
    }

    fn find_by_hash(&self, hash: &KeyHash) -> Result<Option<KeyInfo>, KeysError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS}, hash FROM keys WHERE hash BETWEEN ?1 AND ?2"
        ))?;
        let (mut first, mut last) = ([0_u8; HASH_LEN], [0xff_u8; HASH_LEN]);
        for bound in [&mut first, &mut last] {
            bound.iter_mut().zip(prefix(hash)).for_each(|(byte, of_hash)| *byte = of_hash);
        }
        let mut rows = statement.query([first, last])?;
        while let Some(row) = rows.next()? {
            let kept: KeyHash = row.get("hash")?;
            if bool::from(kept.ct_eq(hash)) {
                return Ok(Some(read_info(row)?));
            }
        }
        Ok(None)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SHA-256 of a key's text.
type KeyHash = [u8; HASH_LEN];
const HASH_LEN: usize = 32;

/// The bytes of a hash by which a key is found.
const PREFIX_LEN: usize = 8;

fn prefix(hash: &KeyHash) -> [u8; PREFIX_LEN] {
    let mut prefix = [0; PREFIX_LEN];
    prefix.iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = *of_hash);
    prefix
}

fn hash(key: &ApiKey) -> KeyHash {
    Sha256::digest(key.expose().as_bytes()).into()
}

/// Reads a key from [`COLUMNS`] and its hash.
fn read_key(row: &Row<'_>) -> rusqlite::Result<(KeyHash, KeyInfo)> {
    Ok((row.get("hash")?, read_info(row)?))
}

fn read_info(row: &Row<'_>) -> rusqlite::Result<KeyInfo> {
    Ok(KeyInfo {
        id: parsed(row, 0)?,
        tenant: parsed(row, 1)?,
        scopes: parsed(row, 2)?,
        created: time(row.get(3)?),
        expires: row.get::<_, Option<i64>>(4)?.map(time),
        revoked: row.get::<_, Option<i64>>(5)?.map(time),
        note: row.get(6)?,
        successor: match row.get_ref(7)? {
            ValueRef::Null => None,
            _ => Some(parsed(row, 7)?),
        },
        last_used: row.get::<_, Option<i64>>(8)?.map(time),
        requests: row.get::<_, i64>(9)?.cast_unsigned(),
        entries: row.get::<_, i64>(10)?.cast_unsigned(),
    })
}

/// Reads a text column into its type; what does not parse was not written by this crate.
fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?.as_str()?.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

fn time(seconds: i64) -> Timestamp {
    let nearest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_unix(seconds, 0).unwrap_or(nearest)
}

/// Why keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The data folder cannot be made or written.
    #[error("data folder {path}: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database of keys fails.
    #[error("the database of keys (keys.db): {0}")]
    Database(#[source] rusqlite::Error),
    /// The database of keys is damaged as a whole.
    #[error(
        "the database of keys (keys.db) is damaged ({0}): put a backup in place with `logflux store \
         restore`, or move keys.db, keys.db-wal and keys.db-shm away and make new keys"
    )]
    Corrupt(#[source] rusqlite::Error),
    /// The disk is full, so that the database of keys cannot be opened or written.
    #[error("the database of keys (keys.db): the disk is full: make room on it")]
    Full,
    /// A newer version has written the folder.
    #[error(
        "the database of keys has version {found}, and this program knows {newest}: use a newer one"
    )]
    Version {
        /// Its version.
        found: i64,
        /// What this program knows.
        newest: i64,
    },
    /// There is no key with this id.
    #[error("there is no key {0}")]
    NotFound(KeyId),
    /// What is known of the key is not what this crate writes.
    #[error(
        "{0} is damaged in keys.db, and the server refuses it: revoke it with `keys revoke {0}`, and \
         make a new key with `keys create`"
    )]
    Damaged(KeyId),
    /// The key cannot be rotated.
    #[error("{id} {state}: make a new key with `keys create`")]
    NotActive {
        /// The key.
        id: KeyId,
        /// What has become of it.
        state: &'static str,
    },
    /// The note is too long, or has control characters.
    #[error("a note has at most {} characters and no control characters", NOTE_MAX)]
    Note,
    /// The operating system gives no random bytes.
    #[error("the operating system's random generator fails")]
    Random,
    /// The keys cannot be read now.
    #[error("the keys cannot be read")]
    Unreadable,
    /// The server is about to stop.
    #[error("the server is stopping")]
    Stopping,
}

impl From<rusqlite::Error> for KeysError {
    fn from(error: rusqlite::Error) -> Self {
        match disk::Fault::of(&error) {
            Some(disk::Fault::Full) => Self::Full,
            Some(disk::Fault::Damage) => Self::Corrupt(error),
            None => Self::Database(error),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
