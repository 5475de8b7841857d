//! What a flush, a close and a ticket say in C.

use std::fs::{self, File};
use std::thread;

use logflux_tests::{Situation, Situations};

use crate::programs::SANITIZERS;
use crate::toolchain::{Link, build, command, empty};

const OK: u64 = 0;
const TIMEOUT: u64 = 33;
const UNFLUSHED: u64 = 34;

#[test]
fn they_succeed_exactly_where_everything_is_safe() {
    let program = build("c/tests/flush.c", Link::Static, &SANITIZERS);
    let situations = Situations::new();
    let folder = empty("flush");
    thread::scope(|scope| {
        for (number, situation) in situations.all.iter().enumerate() {
            let (program, input) = (&program, folder.join(number.to_string()));
            scope.spawn(move || {
                fs::write(&input, situation.messages.join("\n") + "\n").unwrap();
                let mut program = command(program);
                situation.set(&mut program);
                program.arg(situation.timeout.as_millis().to_string());
                program.stdin(File::open(input).unwrap());
                let output = program.output().unwrap();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: {error}", situation.name);
                let wrote = String::from_utf8_lossy(&output.stdout);
                assert_told_the_truth(situation, &wrote);
                // Of a key that is refused nothing is lost, but the client may have the time to say it.
                if !situation.is_well() || !situation.name.contains("key") {
                    let told = !error.is_empty();
                    assert_eq!(told, !situation.is_well(), "{}: {error}", situation.name);
                }
            });
        }
    });
}

fn assert_told_the_truth(situation: &Situation, wrote: &str) {
    let name = situation.name;
    let numbers = |what: &str| -> Vec<u64> {
        let line = wrote.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        line.split_whitespace().map(|number| number.parse().unwrap()).collect()
    };
    let total = numbers("dropped")[0];
    assert_eq!(total == 0, situation.is_well(), "{name}: {wrote}");
    for what in ["flush", "close", "ticket"] {
        let [status, dropped, left] = numbers(what)[..] else { panic!("{wrote}") };
        let expected = match (dropped, left) {
            (0, 0) => OK,
            (0, _) => TIMEOUT,
            _ => UNFLUSHED,
        };
        assert_eq!(status, expected, "{name}: {wrote}");
        assert_eq!(status == OK, situation.is_well(), "{name}: {wrote}");
        if what != "flush" {
            assert_eq!((dropped, left), (total, 0), "{name}: {wrote}");
        }
    }
}
