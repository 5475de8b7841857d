//! `logflux pipe`

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;

use crate::failure::Outcome;
use crate::lines::Lines;
use crate::shipping::ShippingArgs;

/// Lines pass through to stdout, and are sealed and shipped on the way
#[derive(Args, Debug)]
#[command(
    after_help = "For a program that cannot be changed. Lines pass through at once, whatever the server does; what is
not delivered at the end is in the spool, or is counted on stderr, and then the exit status is 1.
At SIGHUP it reads the secret, the API key and the CA file again.

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
/// How long a line may take to be durable before the next try.
const PATIENCE: Duration = Duration::from_secs(60);

impl Pipe {
    pub(crate) fn run(&self) -> Outcome {
        let client = self.shipping.client()?;
        let lines = Lines::open(None)?;
        let mut stdout = io::stdout().lock();
        let mut reader_gone = false;
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                break;
            }
            for line in &batch {
                self.shipping.log(&client, line);
            }
            while self.durable && client.flush(PATIENCE).is_err() {}
            if !reader_gone {
                let mut text = batch.join(&b'\n');
                text.push(b'\n');
                // Shipping goes on where nobody reads on.
                reader_gone = stdout.write_all(&text).and_then(|()| stdout.flush()).is_err();
            }
        }
        self.shipping.close(&client)
    }
}
