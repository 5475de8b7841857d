//! A process that can start no more threads, and in which any panic ends everything, as in a host
//! that is built with `panic = "abort"`: it seals, logs, flushes and closes all the same.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use logflux_envelope::{KeyPolicy, Level, Message, Mode, Node, SealError, Sealer, Timestamp};
use logflux_transport::{Client, ClientConfig, ExitFlush};

fn main() -> Result<(), Box<dyn Error>> {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(io::stderr(), "{panic}");
        std::process::abort();
    }));
    let max_age = Duration::from_secs(3600);
    let adaptive = KeyPolicy::Adaptive { budget: 0.1, max_entries: 65_536, max_age };
    let mut sealers = Vec::new();
    for (mode, policy) in [
        (Mode::Pbkdf2, KeyPolicy::Unique),
        (Mode::Pbkdf2, adaptive),
        (Mode::Pbkdf2, KeyPolicy::Bounded { max_entries: 1, max_age }),
        (Mode::Hkdf, adaptive),
    ] {
        sealers
            .push(Sealer::builder(logflux_tests::secret()).mode(mode).key_policy(policy).build()?);
    }
    let settings = ClientConfig::new(
        "https://127.0.0.1:1".parse()?,
        "lf_0123456789abcdefABCDEF0123456789".parse()?,
    );
    let client = Client::builder(settings, logflux_tests::secret()).build()?;
    let node = Node::new("n")?;

    // The threads are there before no more can be had.
    let started = Barrier::new(4);
    let seal = || -> Result<(), SealError> {
        started.wait();
        no_more_threads();
        for sealer in &sealers {
            for _ in 0..3 {
                sealer.seal(Message {
                    bytes: b"line",
                    node: &node,
                    level: Level::Info,
                    timestamp: Timestamp::now(),
                })?;
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(seal)).collect();
        let mut sealed = seal();
        for thread in threads {
            sealed = sealed.and(thread.join().unwrap_or(Ok(())));
        }
        sealed
    })?;
    if thread::Builder::new().spawn(|| ()).is_ok() {
        return Err("a thread was started".into());
    }

    client.info("line");
    if client.flush(Duration::from_millis(50)).is_ok() {
        return Err("a message was delivered without a thread".into());
    }
    if client.flush_at_exit(Duration::from_millis(50)) == ExitFlush::Done {
        return Err("a message was delivered at the end without a thread".into());
    }
    let _ = client.close(Duration::from_millis(50));
    logflux_tests::assert_conserved(&client.stats());
    if client.stats().dropped.total() != 1 {
        return Err("what was not delivered is not counted".into());
    }
    writeln!(io::stdout(), "well")?;
    Ok(())
}

/// Has the system refuse this thread another one, as it does where a bound is met.
fn no_more_threads() {
    // How a filter is written: an operation, where to go if it holds and if not, and a value.
    let step = |code: u32, jt, jf, k| libc::sock_filter {
        code: u16::try_from(code).unwrap_or(u16::MAX),
        jt,
        jf,
        k,
    };
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EAGAIN.unsigned_abs();
    let equals = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut steps = [
        // The number of the system call is the first field of what the filter sees.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(equals, 1, 0, number(libc::SYS_clone)),
        step(equals, 0, 1, number(libc::SYS_clone3)),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, refuse),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let filter = libc::sock_fprog { len: 5, filter: steps.as_mut_ptr() };
    // SAFETY: the filter has that many steps, and lives as long as the calls.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter);
    }
}
