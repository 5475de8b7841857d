//! The alerts that were given, in a database of their own: `alerts.db`.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logflux_wire::alert::{Alert, AlertKind};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::versions::NotNewest;
use crate::{folder, versions};

/// From nothing to version 1, and from there to 2.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE alerts (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        kind     TEXT NOT NULL,
        time     INTEGER NOT NULL,      -- milliseconds since 1970
        alert    TEXT NOT NULL,         -- JSON, its id left out of account
        attempts INTEGER NOT NULL DEFAULT 0,
        post     INTEGER                -- when to post it next; NULL: not, or not again
    ) STRICT;
    CREATE INDEX alerts_to_post ON alerts (post) WHERE post IS NOT NULL;
",
    "
    CREATE INDEX alerts_by_kind ON alerts (kind, id);
",
];

/// Which alerts are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlertFilter {
    /// The kind.
    pub kind: Option<AlertKind>,
    /// Alerts of this time and later: milliseconds since 1970.
    pub since: Option<i64>,
    /// How many at most, the newest first.
    pub limit: usize,
}

impl Default for AlertFilter {
    fn default() -> Self {
        Self { kind: None, since: None, limit: 100 }
    }
}

/// The alerts of a data folder. Several processes may have them open.
#[derive(Debug)]
pub struct Alerts {
    connection: Mutex<Connection>,
}

/// An alert that is to be posted.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) alert: Alert,
    /// How often it was posted before.
    pub(super) attempts: u32,
}

impl Alerts {
    /// Opens the alerts of a data folder, which must exist.
    ///
    /// # Errors
    /// [`AlertsError`].
    pub fn open(data: &Path) -> Result<Self, AlertsError> {
        let path = folder::alerts_db(data);
        folder::check_whole(data).map_err(AlertsError::Folder)?;
        folder::touch(&path).map_err(AlertsError::Folder)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -512)?; // KiB
        versions::migrate(&mut connection, &STEPS)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Whether this program knows the version of a data folder's alerts, where there are some.
    pub(crate) fn check_version(data: &Path) -> Result<(), AlertsError> {
        Ok(versions::check(&folder::alerts_db(data), &STEPS)?)
    }

    /// The alerts, the newest first.
    ///
    /// # Errors
    /// [`AlertsError::Database`].
    pub fn list(&self, filter: &AlertFilter) -> Result<Vec<Alert>, AlertsError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, alert FROM alerts
             WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR time >= ?2)
             ORDER BY id DESC LIMIT ?3",
        )?;
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((filter.kind.map(AlertKind::name), filter.since, limit))?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            alerts.push(read(row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default())?);
        }
        Ok(alerts)
    }

    /// Adds an alert and gives its number; of more than `keep` of its kind the oldest go, so that no
    /// kind pushes another out.
    pub(super) fn add(
        &self,
        alert: &Alert,
        time: i64,
        keep: u32,
        post: bool,
    ) -> Result<i64, AlertsError> {
        let text = serde_json::to_string(alert).map_err(|_| AlertsError::Damaged(0))?;
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO alerts (kind, time, alert, post) VALUES (?1, ?2, ?3, ?4)",
            (alert.kind.name(), time, text, post.then_some(time)),
        )?;
        let id = transaction.last_insert_rowid();
        transaction.execute(
            "DELETE FROM alerts WHERE kind = ?1 AND id <= (
                 SELECT id FROM alerts WHERE kind = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (alert.kind.name(), keep),
        )?;
        transaction.commit()?;
        Ok(id)
    }

    /// The next alert to be posted, or when that will be.
    pub(super) fn due(&self, now: i64) -> Result<Result<Due, Option<i64>>, AlertsError> {
        let connection = self.lock();
        let next = connection
            .prepare_cached(
                "SELECT post, id, alert, attempts FROM alerts WHERE post IS NOT NULL
                 ORDER BY post, id LIMIT 1",
            )?
            .query_row([], |row| {
                let text: String = row.get(2)?;
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, text, row.get(3)?))
            })
            .optional()?;
        match next {
            None => Ok(Err(None)),
            Some((post, ..)) if post > now => Ok(Err(Some(post))),
            Some((_, id, text, attempts)) => Ok(Ok(Due { alert: read(id, &text)?, attempts })),
        }
    }

    /// Notes that an alert was posted, and when to post it again.
    pub(super) fn posted(&self, id: i64, next: Option<i64>) -> Result<(), AlertsError> {
        self.lock().execute(
            "UPDATE alerts SET attempts = attempts + 1, post = ?2 WHERE id = ?1",
            (id, next),
        )?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(id: i64, text: &str) -> Result<Alert, AlertsError> {
    let alert: Alert = serde_json::from_str(text).map_err(|_| AlertsError::Damaged(id))?;
    Ok(Alert { id, ..alert })
}

/// Why alerts cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertsError {
    /// The file cannot be made.
    #[error("alerts.db: {0}")]
    Folder(std::io::Error),
    /// The database fails.
    #[error("the database of alerts (alerts.db): {0}")]
    Database(#[from] rusqlite::Error),
    /// A newer version has written it.
    #[error(
        "the database of alerts has version {found}, and this program knows {newest}: use a newer one"
    )]
    Version {
        /// Its version.
        found: i64,
        /// What this program knows.
        newest: i64,
    },
    /// A row is not what this crate writes.
    #[error("alert {0} is damaged")]
    Damaged(i64),
}

impl From<NotNewest> for AlertsError {
    fn from(error: NotNewest) -> Self {
        match error {
            NotNewest::Database(error) => Self::Database(error),
            NotNewest::Unknown { found, newest } => Self::Version { found, newest },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_an_older_version_are_taken_over() {
        let data = tempfile::tempdir().unwrap();
        let old = Connection::open(folder::alerts_db(data.path())).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        let alert = r#"{"id":0,"kind":"disk_low","time":"2024-01-17T10:30:45Z","message":"m"}"#;
        old.execute("INSERT INTO alerts (kind, time, alert) VALUES ('disk_low', 7, ?1)", [alert])
            .unwrap();
        drop(old);
        let alerts = Alerts::open(data.path()).unwrap();
        let listed = alerts.list(&AlertFilter::default()).unwrap();
        assert_eq!(listed.len(), 1);
        drop(alerts);
        assert_eq!(
            Alerts::open(data.path()).unwrap().list(&AlertFilter::default()).unwrap(),
            listed
        );
    }

    #[test]
    fn alerts_of_a_newer_version_are_refused() {
        let data = tempfile::tempdir().unwrap();
        drop(Alerts::open(data.path()).unwrap());
        Alerts::check_version(data.path()).unwrap();
        let newer = Connection::open(folder::alerts_db(data.path())).unwrap();
        newer.pragma_update(None, "user_version", 3).unwrap();
        for error in [
            Alerts::open(data.path()).unwrap_err(),
            Alerts::check_version(data.path()).unwrap_err(),
        ] {
            assert!(matches!(error, AlertsError::Version { found: 3, newest: 2 }), "{error}");
        }
    }
}
