//! `logflux tail`

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use logflux_envelope::{Level, Node};
use logflux_transport::{Api, CallError, Disposition, Tail};
use logflux_wire::limits::QUERY_MAX;
use logflux_wire::query::Query;

use crate::batch::Batch;
use crate::commands::query::Returned;
use crate::connection::ConnectionArgs;
use crate::failure::Outcome;
use crate::faults::Faults;
use crate::printing::{PrintArgs, Printer};
use crate::rereading::{changeable, tell};
use crate::secret::SecretArgs;
use crate::signals;
use crate::streams::say;

/// How many entries are opened together.
const TOGETHER: usize = 100;
/// How long entries that cannot be opened are counted before they are told again.
const QUIET: Duration = Duration::from_secs(10);
/// The pauses before the server is asked again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Entries are opened as they arrive at the ingest API
#[derive(Args, Debug)]
#[command(
    name = "tail",
    after_help = "It goes on until it is interrupted (Ctrl-C). Where the connection breaks it is made again, and nothing
that is still stored is missed; --no-reconnect ends instead. Status: 0 after --limit entries or when
the reader of its output wants no more; 1 where the server refuses, where the connection is lost with
--no-reconnect, or where an entry could not be read or opened. At SIGHUP it reads the secret, the API key
and the CA file again.

Entries that cannot be opened are counted on stderr, in a line at most every ten seconds; --verbose names
each. --grep and --field look at the messages after they are opened here; --limit counts what they leave.

Examples:
  logflux tail
  logflux tail --grep timeout --field service=shop
  logflux tail --level warning --node web-1 --format long
  logflux tail --lines 0 --limit 1 --format json        wait for one entry
  logflux tail --sealed > sealed.ndjson"
)]
pub(crate) struct TailCommand {
    /// The least severe level: `error` gives emergency, alert, critical and error
    #[arg(long)]
    level: Option<Level>,
    /// The sender, exactly
    #[arg(long)]
    node: Option<Node>,
    /// How many of the newest entries to show first, at most 1000
    #[arg(short = 'n', long, default_value = "10", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    lines: u16,
    /// End after this many entries that have arrived and were shown
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// End where the connection breaks
    #[arg(long)]
    no_reconnect: bool,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl TailCommand {
    pub(crate) fn run(&self) -> Outcome {
        let api = Arc::new(Mutex::new(Arc::new(self.connection.settings()?.api()?)));
        let printer = Arc::new(self.print.printer()?);
        self.read_again_at_hangup(&api, &printer)?;
        let filter = Query { level: self.level, node: self.node.clone(), ..Query::default() };
        // What arrives from now on comes by the tail, so that nothing falls between the two.
        let first = newest(&api).tail(&filter, None)?;
        let mut seen = HashSet::new();
        let mut faults = self.print.faults();
        if self.lines > 0 {
            let limit = usize::from(self.lines).min(QUERY_MAX);
            let page = newest(&api).query(&Query { limit, ..filter.clone() })?;
            let mut newest = readable(page.entries, &printer, &mut faults);
            newest.reverse();
            printer.print(&newest, usize::MAX, &mut faults)?;
            seen.extend(newest.identities());
        }
        let (sender, arrivals) = sync_channel(10 * TOGETHER);
        let reconnect = !self.no_reconnect;
        thread::Builder::new()
            .name("tail".to_owned())
            .spawn(move || follow(&api, &filter, first, reconnect, &sender))?;
        let mut left = self.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let mut told = None;
        while left > 0 {
            // What is counted is told now, or after a while, also where nothing more comes.
            if faults.is_untold() && told.is_none_or(|told: Instant| told.elapsed() >= QUIET) {
                faults.tell();
                told = Some(Instant::now());
            }
            let wait = told.filter(|_| faults.is_untold());
            let wait = wait.map(|told| QUIET.saturating_sub(told.elapsed()));
            let (arrived, end) = match together(&arrivals, wait) {
                Together::Arrived(arrived, end) => (arrived, end),
                Together::Nothing => continue,
                Together::End => break,
            };
            let mut batch = readable(arrived, &printer, &mut faults);
            batch.retain(|identity| !seen.remove(identity));
            let (_, printed) = printer.print(&batch, left, &mut faults)?;
            left -= printed;
            if let Some(error) = end {
                faults.tell();
                return Err(error.into());
            }
        }
        faults.end()
    }

    /// At a SIGHUP the next connection is made with the API key and the CA file as they are then, and
    /// entries are opened with the new secret as well.
    fn read_again_at_hangup(&self, api: &Calls, printer: &Arc<Printer>) -> Outcome {
        let (api, printer) = (Arc::clone(api), Arc::clone(printer));
        let (connection, print) = (self.connection.clone(), self.print.clone());
        let read_again = move || {
            let config = connection.settings()?;
            let read = changeable(&connection, &config, print.secret());
            let renewed = config.api()?;
            let secrets = print.secret().map(SecretArgs::secrets).transpose()?;
            printer.add_secrets(secrets.unwrap_or_default())?;
            *api.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
            Ok(read)
        };
        signals::at_hangup(move || tell(read_again()), |signal| signals::end_by(signal))
    }
}

/// What calls are made with: another after a SIGHUP.
type Calls = Arc<Mutex<Arc<Api>>>;

/// What calls are made with now.
fn newest(api: &Calls) -> Arc<Api> {
    Arc::clone(&api.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What can be shown. The rest are faults.
fn readable(entries: Vec<Returned>, printer: &Printer, faults: &mut Faults) -> Batch {
    Batch::of(entries, printer.is_sealed(), |_, error| {
        faults.unreadable("an entry that arrived cannot be read", error);
    })
}

/// An entry, or what cannot be read; or why there are no more.
type Arrival = Result<Returned, CallError>;

/// What a wait for entries gave.
enum Together {
    /// Entries, and the error that ended them.
    Arrived(Vec<Returned>, Option<CallError>),
    /// None in the time that there was.
    Nothing,
    End,
}

/// Waits for an entry, and takes with it what else has come.
fn together(arrivals: &Receiver<Arrival>, wait: Option<Duration>) -> Together {
    let first = match wait {
        None => arrivals.recv().map_err(|_| RecvTimeoutError::Disconnected),
        Some(wait) => arrivals.recv_timeout(wait),
    };
    let mut next = match first {
        Ok(first) => Some(first),
        Err(RecvTimeoutError::Timeout) => return Together::Nothing,
        Err(RecvTimeoutError::Disconnected) => return Together::End,
    };
    let mut entries = Vec::new();
    while let Some(arrival) = next {
        match arrival {
            Ok(entry) => entries.push(entry),
            Err(error) => return Together::Arrived(entries, Some(error)),
        }
        next = (entries.len() < TOGETHER).then(|| arrivals.try_recv().ok()).flatten();
    }
    Together::Arrived(entries, None)
}

/// Reads what arrives, and connects again where that ends, until nobody wants more.
fn follow(api: &Calls, filter: &Query, first: Tail, reconnect: bool, sender: &SyncSender<Arrival>) {
    let mut tail = Ok(first);
    let mut last: Option<String> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match tail {
            Ok(mut tail) => {
                let mut ended = CallError::Unreachable("the server ended it".to_owned());
                for arrival in tail.by_ref() {
                    if let Err(error) = arrival {
                        ended = error;
                        break;
                    }
                    pause = FIRST_PAUSE;
                    if sender.send(arrival).is_err() {
                        return;
                    }
                }
                last = tail.last_id().map(str::to_owned).or(last);
                ended
            }
            Err(error) => error,
        };
        if !reconnect || error.disposition(1) != Disposition::Retry {
            sender.send(Err(error)).ok();
            return;
        }
        if pause == FIRST_PAUSE {
            say!("the connection is lost ({error}); connecting again");
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        tail = newest(api).tail(filter, last.as_deref());
    }
}
