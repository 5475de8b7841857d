//! `logflux demo`

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use logflux_envelope::{Entry, Opener, Secret};
use logflux_server::{
    Keys, NewKey, Rates, Scope, Scopes, Server, ServerConfig, ServerError, dev_tls, sqlite,
};
use logflux_transport::{ClientConfig, Shipper};
use logflux_wire::ApiKey;
use logflux_wire::limits::QUERY_MAX;
use logflux_wire::query::{Order, Query};
use tempfile::TempDir;

use crate::commands::query::pages;
use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::lines::{Input, Lines};
use crate::progress;
use crate::sealing::SealingArgs;
use crate::streams::{say, stdout};

/// The whole way on this machine: seal, ship over TLS, store, query back, open, compare
#[derive(Args, Debug)]
#[command(
    after_help = "It makes its own certificates, API key and secret, and starts its own server on a free loopback port.
The exit status is 1 if one line comes back different.

Examples:
  logflux demo                       with a small sample
  logflux demo /var/log/syslog
  journalctl -n 5000 | logflux demo -
  logflux demo --keep                then use the server from other programs"
)]
pub(crate) struct Demo {
    /// The log to send; `-` for standard input [default: a small sample]
    file: Option<PathBuf>,
    /// The data folder [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave the server up, and print what other programs need to use it
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    sealing: SealingArgs,
}

const SAMPLE: &[u8] = include_bytes!("../../sample/app.log");

/// How many lines are sealed and shipped together.
const BATCH: usize = 100;

impl Demo {
    pub(crate) fn run(&self) -> Outcome {
        let originals = self.lines()?;
        let temporary = TempDir::new()?;
        let data = self.data.clone().unwrap_or_else(|| temporary.path().to_owned());
        let place = Place::make(&data)?;
        let server = place.start(self.keep)?;
        tell(&format!("server    https://{}, data in {}", server.addr, escape::path(&data)));

        let settings = place.settings(server.addr)?;
        let started = Instant::now();
        self.ship(&settings, &place.secret, &originals)?;
        let shipped = started.elapsed();
        let row = sqlite::peek(&data)?
            .ok_or_else(|| Failure::new("the server stored nothing: is the log empty?"))?;
        tell("the newest row, as the server holds it:");
        tell(&format!("{row}"));

        let asked = Instant::now();
        let entries = fetch(&settings, originals.len())?;
        let fetched = asked.elapsed();
        let opening = Instant::now();
        let opened = open(&place.secret, &entries);
        let took = opening.elapsed();
        let equal = compare(&originals, &opened);
        let mut stdout = stdout();
        writeln!(stdout, "sealed, shipped and stored  {}", rate(originals.len(), shipped))?;
        writeln!(stdout, "queried back                {}", rate(entries.len(), fetched))?;
        writeln!(stdout, "opened                      {}", rate(opened.len(), took))?;
        writeln!(stdout, "equal to the original       {equal} of {} lines", originals.len())?;
        if equal != originals.len() || entries.len() != originals.len() {
            return Err(Failure::new("not every line came back as it was"));
        }
        if self.keep {
            place.print_exports(server.addr)?;
            tell("the server is up until Ctrl-C");
        }
        server.end()
    }

    fn lines(&self) -> Outcome<Vec<Vec<u8>>> {
        let mut lines = match self.file.as_deref() {
            None => Lines::of(SAMPLE, self.sealing.message_max()?),
            Some(path) => {
                if path == Path::new("-") && io::stdin().is_terminal() {
                    tell("reading lines from the terminal until Ctrl-D");
                }
                Lines::of(Input::open(Some(path))?, self.sealing.message_max()?)
            }
        };
        let lines: Vec<_> = lines.all()?.iter().map(|piece| piece.message().into_owned()).collect();
        if lines.is_empty() {
            return Err(Failure::new("the log is empty: there is nothing to send"));
        }
        Ok(lines)
    }

    fn ship(&self, settings: &ClientConfig, secret: &Secret, lines: &[Vec<u8>]) -> Outcome {
        let node = self.sealing.node()?;
        let sealer = self.sealing.sealer(secret.clone())?;
        let shipper = Shipper::new(settings.api()?, settings.retry);
        let bar = progress::bar("sending", lines.len());
        let mut done = 0;
        for batch in lines.chunks(BATCH) {
            let messages: Vec<_> =
                batch.iter().map(|bytes| self.sealing.message(bytes, &node)).collect();
            let mut out = Vec::new();
            let ranges =
                sealer.seal_many(&messages, &mut out).into_iter().collect::<Result<Vec<_>, _>>()?;
            let sealed: Vec<&[u8]> =
                ranges.into_iter().map(|range| out.get(range).unwrap_or_default()).collect();
            let receipt = shipper.ship(&sealed, |_| {})?;
            if let Some(refusal) = receipt.refusals.first() {
                return Err(Failure::new(format!(
                    "the server refused a line: {}",
                    refusal.message
                )));
            }
            done += batch.len();
            progress::set(&bar, done);
        }
        bar.finish_and_clear();
        let stats = sealer.stats();
        tell(&format!(
            "sealed    {} lines in {}: {} under a key of their own, {} under a shared one; {} derivations",
            lines.len(),
            sealer.mode(),
            stats.unique,
            stats.shared,
            stats.derivations
        ));
        Ok(())
    }
}

/// What the demonstration has made in its data folder.
struct Place {
    data: PathBuf,
    ca: PathBuf,
    key: ApiKey,
    secret: Secret,
    config: ServerConfig,
}

impl Place {
    fn make(data: &Path) -> Outcome<Self> {
        fs::create_dir_all(data)
            .map_err(|e| Failure::new(format!("{}: {e}", escape::path(data))))?;
        if sqlite::peek(data)?.is_some() {
            return Err(Failure::new(format!(
                "{} holds entries already: the demonstration needs a fresh folder",
                escape::path(data)
            )));
        }
        let tls = dev_tls(data)?;
        let scopes = Scopes::from(Scope::Ingest).and(Scope::Read);
        let tenant = "demo".parse()?;
        let (key, _) = Keys::open(data)?.create(&NewKey::new(tenant, scopes))?;
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = ServerConfig::new(listen, data, tls.files);
        // Who asks it is who runs it, and a long log is many requests.
        config.rates = Rates::NONE;
        Ok(Self { data: data.to_owned(), ca: tls.ca, key, secret: Secret::generate()?, config })
    }

    /// Starts the server on a thread of its own. One that is kept ends with Ctrl-C.
    fn start(&self, keep: bool) -> Outcome<Started> {
        let server = Server::bind(self.config.clone())?;
        let addr = server.local_addr();
        let kind = match keep {
            true => Kind::Kept(thread::spawn(move || server.run())),
            false => Kind::Stoppable(server.spawn()?),
        };
        Ok(Started { addr, kind })
    }

    fn settings(&self, addr: SocketAddr) -> Outcome<ClientConfig> {
        let mut settings = ClientConfig::new(format!("https://{addr}").parse()?, self.key.clone());
        settings.ca_file = Some(self.ca.clone());
        Ok(settings)
    }

    fn print_exports(&self, addr: SocketAddr) -> Outcome {
        let ca = fs::canonicalize(&self.ca).unwrap_or_else(|_| self.ca.clone());
        let mut stdout = stdout();
        writeln!(stdout, "export LOGFLUX_SERVER_URL=https://{addr}")?;
        writeln!(stdout, "export LOGFLUX_API_KEY={}", self.key.expose())?;
        writeln!(stdout, "export LOGFLUX_CA_FILE='{}'", ca.display())?;
        writeln!(stdout, "export LOGFLUX_SECRET={}", self.secret.expose())?;
        stdout.flush()?;
        tell(&format!("more keys: logflux keys create --data '{}'", self.data.display()));
        Ok(())
    }
}

struct Started {
    addr: SocketAddr,
    kind: Kind,
}

enum Kind {
    Kept(thread::JoinHandle<Result<(), ServerError>>),
    Stoppable(logflux_server::Running),
}

impl Started {
    /// Waits for the end of one that is kept, and makes the end of another.
    fn end(self) -> Outcome {
        match self.kind {
            Kind::Kept(thread) => {
                thread.join().map_err(|_| Failure::new("the server's thread failed"))??;
            }
            Kind::Stoppable(running) => running.stop()?,
        }
        Ok(())
    }
}

fn fetch(settings: &ClientConfig, count: usize) -> Outcome<Vec<Entry>> {
    let api = settings.api()?;
    let query = Query { order: Order::Ascending, limit: QUERY_MAX, ..Query::default() };
    let bar = progress::bar("querying", count);
    let mut entries = Vec::with_capacity(count);
    pages(&api, query, |page| {
        for entry in page {
            entries.push(entry.map_err(|error| {
                Failure::new(format!("the server returned an invalid entry: {error}"))
            })?);
        }
        progress::set(&bar, entries.len());
        Ok(QUERY_MAX)
    })?;
    bar.finish_and_clear();
    Ok(entries)
}

fn open(secret: &Secret, entries: &[Entry]) -> Vec<Option<Vec<u8>>> {
    let bar = progress::bar("opening", entries.len());
    let opened = Opener::new(secret.clone())
        .open_many_bytes(entries, |at| progress::set(&bar, at.done))
        .into_iter()
        .map(Result::ok)
        .collect();
    bar.finish_and_clear();
    opened
}

/// How many lines came back in their place as they were.
fn compare(originals: &[Vec<u8>], opened: &[Option<Vec<u8>>]) -> usize {
    originals.iter().zip(opened).filter(|(line, opened)| opened.as_ref() == Some(line)).count()
}

fn rate(count: usize, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // A rate for people.
    let per_second = count as f64 / seconds.max(1e-9);
    format!("{count} lines in {seconds:.3} s ({per_second:.0} a second)")
}

fn tell(line: &str) {
    say!("{line}");
}
