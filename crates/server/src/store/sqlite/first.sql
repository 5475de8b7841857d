-- The tables of version 1, for the test that brings such a store to the newest version.
CREATE TABLE tenants (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE entries (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      INTEGER NOT NULL REFERENCES tenants (id),
    node        TEXT    NOT NULL,
    level       INTEGER NOT NULL,
    seconds     INTEGER NOT NULL,
    nanoseconds INTEGER NOT NULL,
    mode        INTEGER NOT NULL,
    iv          BLOB    NOT NULL,
    salt        BLOB    NOT NULL,
    received    INTEGER NOT NULL,
    payload     BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_identity ON entries (tenant, salt, iv);
CREATE INDEX entries_by_time ON entries (tenant, seconds, nanoseconds);
CREATE INDEX entries_by_source ON entries (tenant, node, level, seconds, nanoseconds);
PRAGMA user_version = 1;
