//! `logflux pipe`

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use logflux_transport::{Client, DropReason, WhenFull};

use crate::failure::Outcome;
use crate::lines::Lines;
use crate::shipping::{ShippingArgs, lost};

/// Lines pass through to stdout, and are sealed and shipped on the way
#[derive(Args, Debug)]
#[command(
    after_help = "For a program that cannot be changed. Lines pass through at once, whatever the server does; what is
not delivered at the end is in the spool, or is counted on stderr, and then the exit status is 1.
At SIGHUP it reads the secret, the API key and the CA file again.

With --durable a line waits until it is safe, and a full queue makes the input wait whatever
--when-full says. At the first line that is lost the output ends: nothing is passed on any more, a
line on stderr says why, and the rest of the input is read and shipped.

Examples:
  app | logflux pipe --node web-1 > /dev/null
  app 2>&1 | logflux pipe --spool-dir /var/spool/app --level notice
  app | logflux pipe --durable --spool-dir /var/spool/app | while read -r line; do …; done"
)]
pub(crate) struct Pipe {
    /// Pass a line through only when it is durable in the spool, or delivered where there is none
    #[arg(long)]
    durable: bool,
    #[command(flatten)]
    shipping: ShippingArgs,
}

/// How many lines are passed on together.
const BATCH: usize = 1_000;
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
        let client = self.shipping.client_of(settings)?;
        let lines = Lines::open(None)?;
        let mut output = Some(io::stdout().lock());
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                break;
            }
            // A line that is too long for an entry comes first, so that those before it pass.
            let fits = |line: &Vec<u8>| line.len() <= client.message_max();
            for lines in batch.chunk_by(|_, next| !self.durable || fits(next)) {
                lines.iter().for_each(|line| self.shipping.log(&client, line));
                if self.durable && output.is_some() && !is_durable(&client, spooled) {
                    let lost = lost(&client.stats());
                    anstream::eprintln!(
                        "{lost}; no more lines are passed on, but they are shipped"
                    );
                    output = None;
                }
                if let Some(stdout) = &mut output {
                    let mut text = lines.join(&b'\n');
                    text.push(b'\n');
                    if stdout.write_all(&text).and_then(|()| stdout.flush()).is_err() {
                        // Shipping goes on where nobody reads on.
                        output = None;
                    }
                }
            }
        }
        self.shipping.close(&client)
    }
}

/// Waits until everything that was logged is durable in the spool, or delivered where there is none;
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
