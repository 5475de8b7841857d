//! `logflux seal`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::lines::Lines;
use crate::sealing::SealingArgs;
use crate::secret::SecretArgs;

/// Lines become sealed entries, one canonical JSON object a line
#[derive(Args, Debug)]
#[command(
    after_help = "A line that cannot be sealed is named on stderr, the others come out, and the exit status is 1.

Examples:
  echo 'User login successful' | logflux seal --node app-server-01 --level info
  logflux seal --mode 128 --secret-file secret.txt app.log > sealed.ndjson"
)]
pub(crate) struct Seal {
    /// The file to read [default: standard input]
    file: Option<PathBuf>,
    #[command(flatten)]
    sealing: SealingArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

/// How many lines are sealed together.
const BATCH: usize = 256;

impl Seal {
    pub(crate) fn run(&self) -> Outcome {
        let node = self.sealing.node()?;
        let sealer = self.sealing.sealer(self.secret.secret()?)?;
        let lines = Lines::open(self.file.as_deref())?;
        let mut stdout = io::stdout().lock();
        let mut out = Vec::new();
        let (mut line, mut failed) = (0, 0);
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                break;
            }
            let messages: Vec<_> =
                batch.iter().map(|bytes| self.sealing.message(bytes, &node)).collect();
            out.clear();
            for result in sealer.seal_many(&messages, &mut out) {
                line += 1;
                match result {
                    Ok(range) => {
                        stdout.write_all(out.get(range).unwrap_or_default())?;
                        stdout.write_all(b"\n")?;
                    }
                    Err(error) => {
                        failed += 1;
                        anstream::eprintln!("line {line}: {error}");
                    }
                }
            }
            stdout.flush()?;
        }
        if failed > 0 { Err(Failure::Told) } else { Ok(()) }
    }
}
