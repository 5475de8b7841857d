//! `logflux pipe`

use std::io::Write;
use std::time::Duration;

use clap::Args;
use logflux_transport::{Client, DropReason, WhenFull};

use crate::ending::Ending;
use crate::failure::{Failure, Outcome};
use crate::lines::{Chunks, Event};
use crate::shipping::{ShippingArgs, lost};
use crate::splitter::{Piece, Splitter};
use crate::streams::{Stdin, Stdout, is_reader_gone, say};

/// Input passes through to stdout, and its lines are sealed and shipped on the way
#[derive(Args, Debug)]
#[command(
    after_help = "For a program that cannot be changed. Its output passes through as it comes, byte for byte, whatever the
server does; what is not delivered at the end is in the spool, or is counted on stderr, and then the exit
status is 1. Where stdout takes no more, such as a full disk, stderr says so, the lines are shipped all
the same, and the status is 1; a reader that is gone is no fault.

A line that is too long for one message becomes several entries. Each begins with the part that it is:
{\"line\":\"0f3a…\",\"part\":2,\"last\":false}.

At SIGINT and SIGTERM it reads on to the end of its input, for --close-timeout at most, and then delivers
what is left, for as long again at most. A second signal ends it at once, and what is lost is said on
stderr. At SIGHUP it reads the secret, the API key and the CA file again.

With --durable a line waits until it is safe, and a full queue makes the input wait whatever
--when-full says. At the first line that is lost the output ends: nothing is passed on any more, a
line on stderr says why, and the rest of the input is read and shipped.

Examples:
  app | logflux pipe --node web-1 > /dev/null
  app 2>&1 | logflux pipe --spool-dir /var/spool/app --level notice
  app | logflux pipe --durable --spool-dir /var/spool/app | while read -r line; do …; done"
)]
pub(crate) struct Pipe {
    /// Pass a line through only when it is durable in the spool, or delivered if there is no spool
    #[arg(long)]
    durable: bool,
    #[command(flatten)]
    shipping: ShippingArgs,
}

/// How many bytes are passed on together with --durable: one wait for the disk is for all of them.
const TOGETHER: usize = 256 << 10;
/// How long a line may take to be durable before the next look.
const PATIENCE: Duration = Duration::from_secs(60);

impl Pipe {
    pub(crate) fn run(&self) -> Outcome {
        let mut settings = self.shipping.settings()?;
        let spooled = settings.spool_dir.is_some();
        if self.durable {
            // A line that finds no room would be lost.
            settings.when_full = WhenFull::Block;
        }
        let chunks = Chunks::new();
        let (ending, waker) = (Ending::new(), chunks.waker());
        let asked = ending.clone();
        let client = self.shipping.client_of(settings, move |client, signal| {
            asked.ask(client, &waker, signal);
        })?;
        chunks.start(Stdin)?;
        let mut flow = Flow {
            command: self,
            splitter: Splitter::new(client.message_max()),
            client: &client,
            chunks: &chunks,
            open: 0,
            spooled,
            held: Vec::new(),
            output: Some(Stdout::raw()),
            failed: false,
        };
        flow.run(&ending);
        let failed = flow.failed;
        ending.close(&client, &chunks.waker())?;
        if failed { Err(Failure::Told) } else { Ok(()) }
    }
}

/// Bytes on their way through.
struct Flow<'c> {
    command: &'c Pipe,
    splitter: Splitter,
    client: &'c Client,
    chunks: &'c Chunks,
    /// How many bytes were taken of a line that has no end yet.
    open: u64,
    spooled: bool,
    /// With --durable: what was read and not passed on.
    held: Vec<u8>,
    /// Where they pass to, as long as they do.
    output: Option<Stdout>,
    /// Whether something failed that was told.
    failed: bool,
}

impl Flow<'_> {
    fn run(&mut self, ending: &Ending) {
        let mut stopped = false;
        let mut ended = false;
        let most = if self.command.durable { TOGETHER } else { 0 };
        // What was read is taken, but no more than that.
        while !(ended || stopped && self.chunks.waiting() <= self.open) {
            let mut event = Some(self.chunks.next());
            if !stopped && ending.is_stopped() {
                stopped = true;
                self.chunks.stop_reading();
            }
            let mut bytes = Vec::new();
            while let Some(next) = event.take() {
                match next {
                    Event::Bytes(more) => bytes.extend_from_slice(&more),
                    Event::Woken => {}
                    Event::End => ended = true,
                    Event::Failed(error) => {
                        say!("standard input: {error}");
                        (self.failed, ended) = (true, true);
                    }
                }
                if !ended && bytes.len() < most {
                    event = self.chunks.next_ready();
                }
            }
            self.take(&bytes);
        }
        if let Some(last) = self.splitter.finish() {
            self.log(&last);
            self.pass_durable(last.read);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut splitter = std::mem::replace(&mut self.splitter, Splitter::new(0));
        let mut complete = 0;
        self.open += bytes.len() as u64;
        splitter.push(bytes, |piece| {
            complete += piece.read;
            self.log(&piece);
        });
        self.splitter = splitter;
        if self.command.durable {
            if self.output.is_some() {
                self.held.extend_from_slice(bytes);
            }
            self.pass_durable(complete);
        } else {
            self.pass(bytes);
        }
    }

    fn log(&mut self, piece: &Piece) {
        let sealing = &self.command.shipping.sealing;
        self.client.log_bytes(sealing.level(), &piece.message(), sealing.timestamp());
        self.chunks.handled(piece.read);
        self.open -= piece.read as u64;
    }

    /// With --durable: passes so many bytes on, when their lines are durable.
    fn pass_durable(&mut self, count: usize) {
        if !self.command.durable || self.output.is_none() || count == 0 {
            return;
        }
        if is_durable(self.client, self.spooled) {
            let rest = self.held.split_off(count.min(self.held.len()));
            let lines = std::mem::replace(&mut self.held, rest);
            self.pass(&lines);
        } else {
            let lost = lost(&self.client.stats());
            say!("{lost}; no more lines are passed on, but they are shipped");
            self.output = None;
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        let Some(stdout) = &mut self.output else { return };
        // Shipping goes on where nothing passes any more.
        if let Err(error) = stdout.write_all(bytes) {
            if !is_reader_gone(&error) {
                say!("{error}: no more is passed on, but all lines are shipped");
                self.failed = true;
            }
            self.output = None;
            self.held = Vec::new();
        }
    }
}

/// Waits until everything that was logged is durable in the spool, or delivered if there is no spool;
/// false where anything was dropped. What the server refused is durable in the spool's dead letters.
fn is_durable(client: &Client, spooled: bool) -> bool {
    let ticket = client.flush_begin();
    loop {
        let waited = ticket.wait(PATIENCE);
        if waited.is_ok() {
            return true;
        }
        let dropped = client.stats().dropped;
        let kept = if spooled { dropped.by(DropReason::Refused) } else { 0 };
        if dropped.total() > kept || ticket.is_done() {
            return dropped.total() == kept;
        }
    }
}
