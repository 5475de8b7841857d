//! The files and folders of a client.

use std::ffi::c_char;
use std::time::Duration;

use logflux_transport::{SpoolFull, SpoolMaxBytes, SyncInterval};

use super::{invalid, logflux_config};
use crate::arguments::{bytes, string, there};
use crate::boundary::boundary;
use crate::error::{Failure, logflux_error};
use crate::secret::path;
use crate::status::logflux_status;

/// What becomes of an entry for which a spool has no room.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum logflux_spool_full {
    /// The new entry is dropped; the default.
    Refuse = 0,
    /// The oldest entries are dropped for it.
    DropOldest = 1,
}

/// Sets the file of the authority to trust, in PEM, and then no other; the public ones by default.
/// The path is bytes as the system has them. It is read by logflux_client_new.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_ca_file(
    config: Option<&mut logflux_config>,
    ca_file: *const c_char,
    ca_file_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_ca_file(config, bytes!(ca_file, ca_file_length)))
}

/// logflux_config_set_ca_file for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_ca_file_cstr(
    config: Option<&mut logflux_config>,
    ca_file: *const c_char,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_ca_file(config, string!(ca_file)))
}

fn set_ca_file(config: Option<&mut logflux_config>, file: &[u8]) -> Result<(), Failure> {
    let file = path(file, "ca_file")?;
    there(config, "config")?.config.ca_file = Some(file);
    Ok(())
}

/// Sets the folder of a durable spool; by default there is none. With one, entries outlive the
/// process, and a flush makes them durable even while the server is away. The path is bytes as the
/// system has them.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_spool_dir(
    config: Option<&mut logflux_config>,
    spool_dir: *const c_char,
    spool_dir_length: usize,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_spool_dir(config, bytes!(spool_dir, spool_dir_length)))
}

/// logflux_config_set_spool_dir for a C string.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_spool_dir_cstr(
    config: Option<&mut logflux_config>,
    spool_dir: *const c_char,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || set_spool_dir(config, string!(spool_dir)))
}

fn set_spool_dir(config: Option<&mut logflux_config>, file: &[u8]) -> Result<(), Failure> {
    let file = path(file, "spool_dir")?;
    there(config, "config")?.config.spool_dir = Some(file);
    Ok(())
}

/// Sets how many bytes the spool of one process may take, 1,048,576 to 1,099,511,627,776 (1 TiB),
/// 268,435,456 by default; and what becomes of an entry for which it has no room, a
/// logflux_spool_full.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_spool(
    config: Option<&mut logflux_config>,
    max_bytes: u64,
    when_full: u32,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        let when_full = match when_full {
            0 => SpoolFull::Refuse,
            1 => SpoolFull::DropOldest,
            _ => return Err(invalid(SpoolFull::NAME, "when_full must be 0 or 1")),
        };
        config.config.spool_max_bytes = SpoolMaxBytes::new(max_bytes)?;
        config.config.spool_when_full = when_full;
        Ok(())
    })
}

/// Sets for how many milliseconds a spooled entry may wait to be durable, 1 to 86,400,000; 100 by
/// default. A flush does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn logflux_config_set_sync_interval(
    config: Option<&mut logflux_config>,
    interval_ms: u64,
    error: Option<&mut *mut logflux_error>,
) -> logflux_status {
    boundary(error, || {
        let config = there(config, "config")?;
        config.config.sync_interval = SyncInterval::new(Duration::from_millis(interval_ms))?;
        Ok(())
    })
}
