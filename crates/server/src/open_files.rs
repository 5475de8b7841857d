//! How many files the process may have open: each connection is one.

/// Raises the soft limit of open files to the hard one. Where that fails the server goes on with what
/// it has.
pub(crate) fn raise_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "open files"),
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}
