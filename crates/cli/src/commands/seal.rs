//! `logflux seal`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::lines::{Input, Lines};
use crate::sealing::SealingArgs;
use crate::secret::SecretArgs;
use crate::splitter::Piece;
use crate::streams::{say, stdout};

/// Lines become sealed entries, one canonical JSON object a line
#[derive(Args, Debug)]
#[command(
    after_help = "A line that is too long for one message becomes several entries. Each begins with the part that it is:
{\"line\":\"0f3a…\",\"part\":2,\"last\":false}. A line that cannot be sealed is named on stderr, the others come
out, and the exit status is 1.

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
        let input = Input::open(self.file.as_deref())?;
        let mut lines = Lines::of(input, self.sealing.message_max()?);
        let mut stdout = stdout();
        let (mut sealed, mut out) = (Vec::new(), Vec::new());
        let mut failed = 0;
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                break;
            }
            let bytes: Vec<_> = batch.iter().map(Piece::message).collect();
            let messages: Vec<_> =
                bytes.iter().map(|bytes| self.sealing.message(bytes, &node)).collect();
            sealed.clear();
            out.clear();
            let results = sealer.seal_many(&messages, &mut sealed);
            for (piece, result) in batch.iter().zip(results) {
                match result {
                    Ok(range) => {
                        out.extend_from_slice(sealed.get(range).unwrap_or_default());
                        out.push(b'\n');
                    }
                    Err(error) => {
                        failed += 1;
                        say!("line {}: {error}", piece.line);
                    }
                }
            }
            stdout.write_all(&out)?;
        }
        if failed > 0 { Err(Failure::Told) } else { Ok(()) }
    }
}
