//! `logflux bench`

use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use logflux_envelope::{KeyPolicy, Level, Message, Mode, Node, Sealer, Secret, Timestamp};
use logflux_kdf::ITERATIONS;
use serde_json::json;

use crate::failure::Outcome;
use crate::output::Format;
use crate::progress;
use crate::streams::stdout;

/// Measure what keys and entries cost on this machine, and which policy suits a rate of lines
#[derive(Args, Debug)]
#[command(after_help = "One thread, a few seconds. Other load on the machine shows in the figures.

Examples:
  logflux bench
  logflux bench --format json")]
pub(crate) struct Bench {
    /// The form of the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How often each is measured; the median counts.
const ROUNDS: usize = 5;

impl Bench {
    pub(crate) fn run(&self) -> Outcome {
        let lanes = logflux_kdf::backend().lanes();
        let bar = progress::bar("measuring", ROUNDS * 3);
        let step = || bar.inc(1);
        let one = median(|| derive(1), step);
        // Twice the lanes, so that a mix of backends counts as it would over time.
        let many = median(|| derive(lanes * 2), step) / u32::try_from(lanes * 2).unwrap_or(1);
        let seal = seal_256(step)?;
        bar.finish_and_clear();
        let figures = Figures {
            backend: logflux_kdf::backend().name(),
            derive_one_ms: one.as_secs_f64() * 1e3,
            derive_many_ms_per_key: many.as_secs_f64() * 1e3,
            seal_256b_per_second: 1.0 / seal.as_secs_f64(),
        };
        match self.format {
            Format::Json => figures.print_json(),
            Format::Text => figures.print_text(),
        }
    }
}

struct Figures {
    backend: &'static str,
    derive_one_ms: f64,
    derive_many_ms_per_key: f64,
    seal_256b_per_second: f64,
}

impl Figures {
    fn print_json(&self) -> Outcome {
        let figures = json!({
            "backend": self.backend,
            "derive_one_ms": round(self.derive_one_ms),
            "derive_many_ms_per_key": round(self.derive_many_ms_per_key),
            "seal_256b_per_second": self.seal_256b_per_second.round(),
        });
        Ok(writeln!(stdout(), "{figures}")?)
    }

    fn print_text(&self) -> Outcome {
        let unique_rate = 1e3 / self.derive_many_ms_per_key;
        let budget_rate = unique_rate * 0.1;
        let mut out = stdout();
        writeln!(out, "key derivation      {}", self.backend)?;
        writeln!(out, "one key             {:.1} ms", self.derive_one_ms)?;
        writeln!(out, "many keys           {:.1} ms a key", self.derive_many_ms_per_key)?;
        writeln!(
            out,
            "sealing 256 bytes   {:.0} a second under a key at hand",
            self.seal_256b_per_second
        )?;
        writeln!(out)?;
        writeln!(out, "lines a second      what suits")?;
        writeln!(
            out,
            "up to {budget_rate:<13.1} adaptive (the default): every line has its own key within a tenth of a core"
        )?;
        writeln!(
            out,
            "up to {unique_rate:<13.1} unique: every line has its own key, for up to a whole core"
        )?;
        writeln!(
            out,
            "up to {:<13.0} adaptive or bounded: lines share keys; or mode 128: every line has its",
            self.seal_256b_per_second
        )?;
        writeln!(
            out,
            "                    own key at this rate, and node, level and time are authentic"
        )?;
        Ok(())
    }
}

fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The time to derive so many keys together.
fn derive(count: usize) -> Duration {
    let salts: Vec<[u8; 32]> =
        (0..count).map(|salt| [u8::try_from(salt % 256).unwrap_or(0); 32]).collect();
    let started = Instant::now();
    std::hint::black_box(logflux_kdf::derive_many(b"a secret to measure with", &salts, ITERATIONS));
    started.elapsed()
}

/// The time to seal one message of 256 bytes to canonical JSON, in batches, under a key at hand.
fn seal_256(step: impl Fn()) -> Outcome<Duration> {
    const BATCH: usize = 100;
    const BATCHES: u32 = 1_000;
    let sealer = Sealer::builder(Secret::generate()?)
        .mode(Mode::Pbkdf2)
        .key_policy(KeyPolicy::BOUNDED)
        .build()?;
    let node = Node::new("app-server-01")?;
    let bytes = [b'x'; 256];
    let timestamp = Timestamp::now();
    let message = Message { bytes: &bytes, node: &node, level: Level::Info, timestamp };
    let messages = vec![message; BATCH];
    let mut out = Vec::new();
    let mut seal = || {
        out.clear();
        std::hint::black_box(sealer.seal_many(&messages, &mut out));
    };
    seal();
    let measure = || {
        let started = Instant::now();
        (0..BATCHES).for_each(|_| seal());
        started.elapsed()
    };
    Ok(median(measure, step) / (BATCHES * u32::try_from(BATCH).unwrap_or(1)))
}

fn median(mut measure: impl FnMut() -> Duration, step: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let time = measure();
            step();
            time
        })
        .collect();
    times.sort();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}
