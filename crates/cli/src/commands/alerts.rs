//! `logflux alerts`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use logflux_envelope::Timestamp;
use logflux_server::monitor::{AlertFilter, Alerts};
use logflux_wire::alert::{Alert, AlertKind};

use crate::connection::ConnectionArgs;
use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::moment;
use crate::output::Format;
use crate::streams::{say, stdout};

/// Alerts raised by the server, the newest last
#[derive(Args, Debug)]
#[command(
    name = "alerts",
    after_help = "Kinds: limit_near, limit_exceeded, auth_failures, unusual_use, large_payload, invalid_payloads,
nonce_reused, clock_jumped, store_damaged, store_log_large, disk_low, certificate_expiring. From a
server it needs a key of the scope `admin`; from a data folder none.

Examples:
  logflux alerts --since 24h
  logflux alerts --kind auth_failures --format json
  logflux alerts --data ./data"
)]
pub(crate) struct AlertsCommand {
    /// Alerts of one kind
    #[arg(long)]
    kind: Option<AlertKind>,
    /// Alerts of this time and later: RFC 3339, or how long ago, such as 1h
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Option<Timestamp>,
    /// How many at most, 1 to 1000: the newest
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// The form of the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Read them from this data folder, not from a server
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server_url", "ca_file"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl AlertsCommand {
    pub(crate) fn run(&self) -> Outcome {
        let limit = usize::from(self.limit);
        let mut alerts = match &self.data {
            Some(data) => {
                std::fs::metadata(data.join("alerts.db"))
                    .map_err(|e| Failure::new(format!("{}: {e}", escape::path(data))))?;
                let mut filter = AlertFilter::default();
                (filter.kind, filter.limit) = (self.kind, limit);
                filter.since = self.since.map(|since| since.unix_seconds().saturating_mul(1_000));
                let list = Alerts::open(data)?.list(&filter)?;
                for id in list.damaged {
                    say!("alert {id} is damaged, and is not listed");
                }
                list.alerts
            }
            None => self.connection.settings()?.api()?.alerts(self.kind, self.since, limit)?,
        };
        alerts.reverse();
        let mut stdout = stdout();
        for alert in &alerts {
            self.show(alert, &mut stdout)?;
        }
        Ok(())
    }

    fn show(&self, alert: &Alert, out: &mut impl Write) -> Outcome {
        match self.format {
            Format::Json => writeln!(out, "{}", escape::line(&serde_json::to_string(alert)?))?,
            Format::Text => {
                let tenant = alert.tenant.as_deref().map(escape::line);
                let tenant = tenant.map(|tenant| format!(" (tenant {tenant})"));
                writeln!(
                    out,
                    "{} {:<16} {}{}",
                    escape::line(&alert.time),
                    alert.kind,
                    escape::line(&alert.message),
                    tenant.unwrap_or_default()
                )?;
            }
        }
        Ok(())
    }
}
