//! The alerts that were given, in a database of their own: `alerts.db`.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logflux_wire::alert::{Alert, AlertKind};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, TransactionBehavior};

use crate::versions::NotNewest;
use crate::{disk, folder, sampling, versions};

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

/// Alerts, and which of those that are wanted cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlertList {
    /// The alerts, the newest first.
    pub alerts: Vec<Alert>,
    /// The numbers of alerts that are damaged, and left out.
    pub damaged: Vec<i64>,
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
        versions::check(&folder::alerts_db(data), &STEPS)?;
        Ok(())
    }

    /// The alerts, the newest first. One that is damaged is left out, and named.
    ///
    /// # Errors
    /// [`AlertsError::Database`].
    pub fn list(&self, filter: &AlertFilter) -> Result<AlertList, AlertsError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, alert FROM alerts
             WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR time >= ?2)
             ORDER BY id DESC",
        )?;
        let mut rows = statement.query((filter.kind.map(AlertKind::name), filter.since))?;
        let mut list = AlertList::default();
        while list.alerts.len() < filter.limit
            && let Some(row) = rows.next()?
        {
            let id = row.get(0)?;
            match read(id, row.get_ref(1)?) {
                Some(alert) => list.alerts.push(alert),
                None => list.damaged.push(id),
            }
        }
        Ok(list)
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

    /// The next alert to be posted, or when that will be. One that is damaged can never be posted:
    /// it is given up, and holds no other back.
    pub(super) fn due(&self, now: i64) -> Result<Result<Due, Option<i64>>, AlertsError> {
        let connection = self.lock();
        let mut damaged = Vec::new();
        let next = next_post(&connection, now, &mut damaged)?;
        for id in damaged {
            give_up(&connection, id);
        }
        Ok(next)
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

/// Looks for the first alert that can be read among those that are due.
fn next_post(
    connection: &Connection,
    now: i64,
    damaged: &mut Vec<i64>,
) -> Result<Result<Due, Option<i64>>, AlertsError> {
    let mut statement = connection.prepare_cached(
        "SELECT post, id, alert, attempts FROM alerts WHERE post IS NOT NULL ORDER BY post, id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let post: i64 = row.get(0)?;
        if post > now {
            return Ok(Err(Some(post)));
        }
        let id = row.get(1)?;
        match (read(id, row.get_ref(2)?), row.get(3)) {
            (Some(alert), Ok(attempts)) => return Ok(Ok(Due { alert, attempts })),
            _ => damaged.push(id),
        }
    }
    Ok(Err(None))
}

/// Posts a damaged alert no more. Where even that cannot be written, it is passed over each time.
fn give_up(connection: &Connection, id: i64) {
    let written = connection.execute("UPDATE alerts SET post = NULL WHERE id = ?1", [id]);
    if let Some(missed) = sampling::passes("alert_damaged") {
        let error = written.err().map(tracing::field::display);
        tracing::error!(alert = id, error, missed, "an alert is damaged, and is not posted");
    }
}

/// An alert as it was written; none, where it is damaged.
fn read(id: i64, text: ValueRef<'_>) -> Option<Alert> {
    let alert: Alert = serde_json::from_str(text.as_str().ok()?).ok()?;
    Some(Alert { id, ..alert })
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
    Database(#[source] rusqlite::Error),
    /// The database of alerts is damaged as a whole.
    #[error(
        "the database of alerts (alerts.db) is damaged ({0}): put a backup in place with `logflux \
         store restore`, or move alerts.db, alerts.db-wal and alerts.db-shm away"
    )]
    Corrupt(#[source] rusqlite::Error),
    /// The disk is full, so that the database of alerts cannot be opened or written.
    #[error("the database of alerts (alerts.db): the disk is full: make room on it")]
    Full,
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

impl From<rusqlite::Error> for AlertsError {
    fn from(error: rusqlite::Error) -> Self {
        match disk::Fault::of(&error) {
            Some(disk::Fault::Full) => Self::Full,
            Some(disk::Fault::Damage) => Self::Corrupt(error),
            None => Self::Database(error),
        }
    }
}

impl From<NotNewest> for AlertsError {
    fn from(error: NotNewest) -> Self {
        match error {
            NotNewest::Database(error) => error.into(),
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
        assert_eq!(listed.alerts.len(), 1);
        drop(alerts);
        assert_eq!(
            Alerts::open(data.path()).unwrap().list(&AlertFilter::default()).unwrap(),
            listed
        );
    }

    #[test]
    fn a_damaged_alert_is_left_out_and_given_up_and_holds_back_no_other() {
        let data = tempfile::tempdir().unwrap();
        let alerts = Alerts::open(data.path()).unwrap();
        let alert: Alert = serde_json::from_str(
            r#"{"id":0,"kind":"disk_low","time":"2024-01-17T10:30:45Z","message":"m"}"#,
        )
        .unwrap();
        for _ in 0..4 {
            alerts.add(&alert, 7, 10, true).unwrap();
        }
        alerts
            .lock()
            .execute_batch("UPDATE alerts SET alert = '{\"kind\":7' WHERE id = 1")
            .unwrap();
        alerts
            .lock()
            .execute_batch("UPDATE alerts SET alert = CAST(x'ff' AS TEXT) WHERE id = 3")
            .unwrap();
        let ids = |limit| {
            let list = alerts.list(&AlertFilter { limit, ..AlertFilter::default() }).unwrap();
            (list.alerts.iter().map(|alert| alert.id).collect::<Vec<_>>(), list.damaged)
        };
        assert_eq!(ids(100), (vec![4, 2], vec![3, 1]));
        assert_eq!(ids(2), (vec![4, 2], vec![3]), "others take the places of those left out");
        // None is due before its time, and then only those that can be posted.
        assert_eq!(alerts.due(6).unwrap().unwrap_err(), Some(7));
        for id in [2, 4] {
            assert_eq!(alerts.due(7).unwrap().unwrap().alert.id, id);
            alerts.posted(id, None).unwrap();
        }
        assert_eq!(alerts.due(7).unwrap().unwrap_err(), None);
        let waiting = "SELECT count(*) FROM alerts WHERE post IS NOT NULL";
        let waiting: i64 = alerts.lock().query_row(waiting, [], |row| row.get(0)).unwrap();
        assert_eq!(waiting, 0, "what is damaged is not looked at again");
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
