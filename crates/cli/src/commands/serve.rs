//! `logflux serve`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use logflux_server::{Server, ServerConfig, TlsFiles, dev_tls};
use tracing_subscriber::EnvFilter;

use crate::failure::{Failure, Outcome};
use crate::upkeep::UpkeepArgs;

/// Run the ingest server: it takes sealed entries, keeps them, and cannot read them
#[derive(Args, Debug)]
#[command(
    after_help = "It runs until it is interrupted (Ctrl-C, SIGTERM), and then answers what it began.

Examples:
  logflux serve --dev --data ./data
  logflux keys create --data ./data --scope ingest,read
  logflux serve --listen 0.0.0.0:443 --data /var/lib/logflux --tls-cert cert.pem --tls-key key.pem \
      --retain 30d --max-size 20GB"
)]
pub(crate) struct Serve {
    /// The address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The folder for the entries, the keys and, with --dev, the certificates
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The server's certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", required_unless_present = "dev")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Make a local authority, DIR/ca.pem, and a certificate for localhost, 127.0.0.1 and ::1
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    dev: bool,
    #[command(flatten)]
    upkeep: UpkeepArgs,
    /// What to log on stderr: error, warn, info, debug, or a `tracing` filter
    #[arg(long, default_value = "info", value_name = "FILTER", env = "LOGFLUX_LOG")]
    log: String,
    /// Log one JSON object a line
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    pub(crate) fn run(&self) -> Outcome {
        self.init_logs()?;
        let (tls, ca) = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => (TlsFiles { cert: cert.clone(), key: key.clone() }, None),
            _ => {
                let dev = dev_tls(&self.data)?;
                (dev.files, Some(dev.ca))
            }
        };
        let mut config = ServerConfig::new(self.listen, &self.data, tls);
        self.upkeep.apply(&mut config);
        let server = Server::bind(config)?;
        anstream::eprintln!("listening on https://{}", server.local_addr());
        if let Some(ca) = ca {
            anstream::eprintln!("clients trust it by LOGFLUX_CA_FILE={}", ca.display());
        }
        Ok(server.run()?)
    }

    fn init_logs(&self) -> Outcome {
        let filter = EnvFilter::try_new(&self.log)
            .map_err(|error| Failure::new(format!("--log {}: {error}", self.log)))?;
        let colour =
            anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let logs = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(colour);
        if self.log_json {
            logs.json().init();
        } else {
            logs.init();
        }
        Ok(())
    }
}
