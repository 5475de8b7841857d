//! What a call through C costs beside the same call in Rust: `make bench-c`.
//!
//! Rust and C take turns, five times each, in one run and each time in a process of its own: one that
//! has logged before has the memory for what it logs. A figure is the median of bursts, each the mean
//! of its 1,000 calls of 256 bytes; what is printed is the median of the turns.

use std::error::Error;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use logflux_envelope::{KeyPolicy, Level, Message, Node, Sealer, Secret, Timestamp};
use logflux_transport::{Backoff, Client, ClientConfig, QueueBytes, QueueSize};

const LENGTH: usize = 256;
const BURST: u32 = 1_000;
const BURSTS: usize = 200;
const TURNS: usize = 5;

/// The argument of a process that measures one turn of Rust's.
const TURN: &str = "--turn";

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let program = std::env::args_os().nth(1).ok_or("usage: c_call PROGRAM")?;
    if program == TURN {
        println!("seal {:.1}\nlog {:.1}", seal()?, log()?);
        return Ok(());
    }
    let myself = std::env::current_exe()?;
    let (mut rust, mut c) = (Figures::default(), Figures::default());
    for _ in 0..TURNS {
        rust.add(Command::new(&myself).arg(TURN))?;
        c.add(&mut Command::new(&program))?;
    }
    println!("ns a call of {LENGTH} B, derivation by {}", logflux_kdf::backend().name());
    for (name, rust, c) in [("log", rust.log, c.log), ("seal", rust.seal, c.seal)] {
        let (rust, c) = (median(rust), median(c));
        println!("{name:5} Rust {rust:6.1}   C {c:6.1}   C - Rust {:+6.1}", c - rust);
    }
    Ok(())
}

#[derive(Default)]
struct Figures {
    log: Vec<f64>,
    seal: Vec<f64>,
}

impl Figures {
    /// Adds what a program measures.
    fn add(&mut self, program: &mut Command) -> Result<(), Failure> {
        let output = program.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        for line in String::from_utf8(output.stdout)?.lines() {
            match line.split_once(' ') {
                Some(("log", figure)) => self.log.push(figure.parse()?),
                Some(("seal", figure)) => self.seal.push(figure.parse()?),
                _ => return Err(format!("what is {line:?}?").into()),
            }
        }
        Ok(())
    }
}

/// The client's server is not there: messages are sealed meanwhile, and held.
fn log() -> Result<f64, Failure> {
    let key = "lf_0123456789abcdefABCDEF0123456789".parse()?;
    let mut settings = ClientConfig::new("https://127.0.0.1:1".parse()?, key);
    settings.queue_size = QueueSize::new(1_000_000)?;
    settings.queue_bytes = QueueBytes::new(1 << 30)?;
    let minute = Duration::from_secs(60);
    settings.retry.backoff = Backoff::new(minute, minute, 2.0)?;
    let client = Client::builder(settings, Secret::generate()?).build()?;
    let message = "x".repeat(LENGTH);
    client.log(Level::Info, &message);
    let figure = measure(|| client.log(Level::Info, &message));
    let _ = client.close(Duration::ZERO);
    Ok(figure)
}

fn seal() -> Result<f64, Failure> {
    let sealer = Sealer::builder(Secret::generate()?).key_policy(KeyPolicy::BOUNDED).build()?;
    let node = Node::new("app-server-01")?;
    let bytes = [b'x'; LENGTH];
    let timestamp = Timestamp::from_unix(1_705_487_445, 0)?;
    let mut out = Vec::new();
    let mut seal = || {
        out.clear();
        sealer.seal_json(
            Message { bytes: &bytes, node: &node, level: Level::Info, timestamp },
            &mut out,
        )
    };
    seal()?;
    Ok(measure(|| assert!(seal().is_ok())))
}

fn measure(mut call: impl FnMut()) -> f64 {
    let means = (0..BURSTS).map(|_| {
        let begun = Instant::now();
        for _ in 0..BURST {
            call();
        }
        let mean = begun.elapsed().as_secs_f64() * 1e9 / f64::from(BURST);
        thread::sleep(Duration::from_millis(2));
        mean
    });
    median(means.collect())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
