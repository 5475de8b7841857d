//! What the server notices of its process, its disk and its certificate.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use logflux_wire::alert::AlertKind;
use serde_json::json;

use crate::api::App;
use crate::tls;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(30);
/// A disk of which less than a twentieth is free, and less than 10 GiB, is nearly full.
const DISK_PART: u64 = 20;
const DISK_FREE: u64 = 10 << 30;
/// A certificate that is good for less than this long is about to expire.
const CERTIFICATE: Duration = Duration::from_secs(7 * 86_400);

/// Looks, and looks again, and never ends.
pub(crate) async fn watch(app: &App) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(now().as_secs()).unwrap_or(i64::MAX);
    app.monitor().machine().started.set(seconds);
    loop {
        let app_of_look = app.clone();
        tokio::task::spawn_blocking(move || look(&app_of_look, now())).await.ok();
        tokio::time::sleep(INTERVAL).await;
    }
}

fn look(app: &App, now: Duration) {
    let (config, gauges) = (app.config(), app.monitor().machine());
    process(gauges);
    if let Some((free, size)) = disk(&config.data) {
        gauges.disk_free.set(i64::try_from(free).unwrap_or(i64::MAX));
        gauges.disk_size.set(i64::try_from(size).unwrap_or(i64::MAX));
        if free < DISK_FREE.min(size / DISK_PART) {
            app.monitor().notice(
                AlertKind::DiskLow,
                format!("of the disk of the data folder {free} of {size} bytes are free"),
                json!({ "free": free, "size": size }),
            );
        }
    }
    if let Ok(expires) = tls::expires(&config.tls.cert) {
        gauges.certificate.set(expires);
        let left = expires.saturating_sub(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        if left < i64::try_from(CERTIFICATE.as_secs()).unwrap_or(i64::MAX) {
            app.monitor().notice(
                AlertKind::CertificateExpiring,
                format!("the certificate expires in {left} s: renew it, and send a SIGHUP"),
                json!({ "seconds": left }),
            );
        }
    }
}

/// The bytes that are free on a folder's disk, and its size.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(folder).ok()?;
        Some((
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_blocks.saturating_mul(disk.f_frsize),
        ))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// What Linux says of the process.
fn process(gauges: &crate::monitor::MachineGauges) {
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|line| line.trim().trim_end_matches(" kB").parse::<i64>().ok());
        if let Some(memory) = memory {
            gauges.memory.set(memory.saturating_mul(1_024));
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            gauges.files.set(i64::try_from(files.count()).unwrap_or(i64::MAX));
        }
        let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        #[allow(clippy::cast_precision_loss)] // Billions of seconds are exact.
        gauges.processor.set(usage.tv_sec as f64 + usage.tv_nsec as f64 / 1e9);
    }
    let _ = gauges;
}
