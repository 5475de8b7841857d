//! `logflux serve`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use logflux_server::settings::Settings;
use logflux_server::{Server, ServerConfig, dev_tls};
use tracing_subscriber::EnvFilter;

use crate::failure::{Failure, Outcome};
use crate::streams::say;
use crate::upkeep::UpkeepArgs;

/// Run the ingest server: it takes sealed entries, keeps them, and cannot read them
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "It runs until it is interrupted (Ctrl-C, SIGTERM), and then answers what it began.
At a SIGHUP it reads the settings file, the keys and the certificate again.

Examples:
  logflux serve --dev --data ./data
  logflux keys create --data ./data --scope ingest,read
  logflux serve --listen 0.0.0.0:443 --data /var/lib/logflux --tls-cert cert.pem --tls-key key.pem \
      --retain 30d --max-size 20GB
  logflux serve --config /etc/logflux/logflux.toml --check-config"
)]
pub(crate) struct Serve {
    /// The settings file, in TOML; a flag overrides it
    #[arg(long, value_name = "FILE", env = "LOGFLUX_CONFIG")]
    config: Option<PathBuf>,
    /// Only check what a server needs to start, and say what is wrong: settings, certificate, webhook,
    /// data folder and address
    #[arg(long)]
    check_config: bool,
    /// The address and port; port 0 takes a free one [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The folder for the entries, the keys and, with --dev, the certificates
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    data: Option<PathBuf>,
    /// The server's certificate chain in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        required_unless_present_any = ["dev", "config"]
    )]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Make a local authority, DIR/ca.pem, and a certificate for localhost, 127.0.0.1 and ::1
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    dev: bool,
    #[command(flatten)]
    upkeep: UpkeepArgs,
    /// Requests a minute that one key may send; 0 for no limit [default: 600]
    #[arg(long, value_name = "N", env = "LOGFLUX_REQUESTS_PER_KEY")]
    requests_per_key: Option<u32>,
    /// Requests a minute that may come from one address; 0 for no limit [default: 60]
    #[arg(long, value_name = "N", env = "LOGFLUX_REQUESTS_PER_ADDRESS")]
    requests_per_address: Option<u32>,
    /// A proxy, or a network of them, whose X-Forwarded-For is believed; may be given again
    #[arg(long, value_name = "NETWORK")]
    trusted_proxy: Vec<String>,
    /// What to log on stderr: error, warn, info, debug, or a `tracing` filter
    #[arg(long, default_value = "info", value_name = "FILTER", env = "LOGFLUX_LOG")]
    log: String,
    /// Log one JSON object a line
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    pub(crate) fn run(&self) -> Outcome {
        if self.check_config {
            return self.check();
        }
        self.init_logs()?;
        let settings = self.settings()?;
        let mut ca = None;
        if self.dev {
            let data = settings.data.clone().ok_or_else(no_data)?;
            ca = Some(dev_tls(&data)?.ca);
        }
        let mut config = settings.config()?;
        self.upkeep.apply(&mut config);
        let server = Server::bind(config)?;
        say!("listening on https://{}", server.local_addr());
        if let Some(ca) = ca {
            say!("clients trust it by LOGFLUX_CA_FILE={}", ca.display());
        }
        let again = self.clone();
        Ok(server.run_reading(move || again.read())?)
    }

    /// The settings file, and the flags above it.
    fn settings(&self) -> Outcome<Settings> {
        let mut settings = match &self.config {
            Some(path) => Settings::read(path)?,
            None => Settings::default(),
        };
        settings.listen = self.listen.or(settings.listen);
        settings.data = self.data.clone().or(settings.data);
        if self.dev {
            let data = settings.data.clone().ok_or_else(no_data)?;
            let files = logflux_server::DevTls::of(&data).files;
            (settings.tls.cert, settings.tls.key) = (Some(files.cert), Some(files.key));
        }
        if let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) {
            (settings.tls.cert, settings.tls.key) = (Some(cert.clone()), Some(key.clone()));
        }
        let limits = &mut settings.limits;
        limits.requests_per_key = self.requests_per_key.or(limits.requests_per_key);
        limits.requests_per_address = self.requests_per_address.or(limits.requests_per_address);
        if !self.trusted_proxy.is_empty() {
            limits.trusted_proxies = Some(self.trusted_proxy.clone());
        }
        Ok(settings)
    }

    /// What a running server goes on with.
    fn read(&self) -> Result<ServerConfig, String> {
        let settings = self.settings().map_err(|failure| failure.to_string())?;
        if let (true, Some(data)) = (self.dev, &settings.data) {
            dev_tls(data).map_err(|error| error.to_string())?;
        }
        let mut config = settings.config().map_err(|error| error.to_string())?;
        self.upkeep.apply(&mut config);
        Ok(config)
    }

    fn check(&self) -> Outcome {
        EnvFilter::try_new(&self.log)
            .map_err(|error| Failure::new(format!("--log {}: {error}", self.log)))?;
        let mut config = self.settings()?.config()?;
        self.upkeep.apply(&mut config);
        // With --dev the certificate is made at the start.
        let checked = if self.dev { config.check_dev() } else { config.check() };
        checked.map_err(|wrong| Failure::lines(&wrong))?;
        say!("the settings are good: {config}");
        Ok(())
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

fn no_data() -> Failure {
    Failure::new("data: it is not set: name the data folder with --data")
}
