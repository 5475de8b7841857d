//! The server's process.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::Arc;

use logflux_server::{Keys, NewKey, Rates, Scope, Scopes, Server, ServerConfig, dev_tls};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Says that this program shall be the server, and on which data.
const SERVE: &str = "LOGFLUX_BENCH_SERVE";

/// Becomes the server, where this process was started as one; it then does not return.
pub fn serve_if_told() {
    let Some(data) = env::var_os(SERVE) else { return };
    if let Err(error) = serve(Path::new(&data)) {
        eprintln!("{error}");
        process::exit(1);
    }
    process::exit(0);
}

fn serve(data: &Path) -> Result<(), Box<dyn Error>> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(config(any, data)?)?;
    println!("{}", server.local_addr());
    std::io::stdout().flush()?;
    Ok(server.run()?)
}

fn config(listen: SocketAddr, data: &Path) -> Result<ServerConfig, Box<dyn Error>> {
    let tls = dev_tls(data)?;
    let mut config = ServerConfig::new(listen, data, tls.files);
    config.rates = Rates::NONE;
    Ok(config)
}

/// A server that runs; dropped, it ends.
pub(super) struct Child {
    process: process::Child,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    /// A key that may send and read.
    pub(super) key: String,
}

impl Child {
    pub(super) fn start(data: &Path) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env::current_exe()?)
            .env(SERVE, data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().parse()?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.join("ca.pem"))?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let scopes = Scopes::from(Scope::Ingest).and(Scope::Read);
        let (key, _) = Keys::open(data)?.create(&NewKey::new("bench".parse()?, scopes))?;
        Ok(Self { process, address, tls: Arc::new(tls), key: key.expose().to_owned() })
    }

    pub(super) fn connect(
        &self,
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, Box<dyn Error>> {
        let name = ServerName::try_from("localhost")?;
        let socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        Ok(StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name)?, socket))
    }

    /// MiB.
    pub(super) fn resident_peak(&self) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// Seconds of processor time that it has used.
    pub(super) fn cpu(&self) -> Result<f64, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // After the name, which may hold anything, in parentheses.
        let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
        let ticks = |at| fields.split_whitespace().nth(at).and_then(|t| t.parse::<f64>().ok());
        Ok((ticks(11).ok_or("no utime")? + ticks(12).ok_or("no stime")?) / 100.0)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
