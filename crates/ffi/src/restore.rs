//! Snapshots of the process.

use crate::boundary::answering;

/// Tells the library that this process was restored from a snapshot (of a virtual machine, by CRIU,
/// by Lambda SnapStart), and that other copies of it may run. Call it first of all after the restore,
/// before anything is logged or sealed; after fork it is not needed.
///
/// Every entry that is sealed afterwards gets a key, a salt and an iv that were drawn afterwards, and
/// every request goes over a connection that was opened afterwards. All handles stay as they are:
/// clients go on with their queues, spools and threads. See "Copies of a process" in
/// docs/security-model.md.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_after_restore() {
    answering((), logflux_process::after_restore);
}
