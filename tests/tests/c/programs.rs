//! The examples, against a real server, and the test programs: plain, under the sanitizers, and
//! under valgrind.

use std::path::PathBuf;
use std::process::Command;

use logflux_envelope::{Keyring, Opener, Secret};
use logflux_tests::{Place, secret};

use crate::toolchain::{Link, build, build_by, command, empty, prefix, succeed};

/// What the sanitizers are asked for. The library's own allocations are seen as well, and its leaks.
pub(crate) const SANITIZERS: [&str; 3] =
    ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// A program's settings for this server.
pub(crate) fn with_settings(mut command: Command, place: &Place) -> Command {
    command
        .env("LOGFLUX_SERVER_URL", format!("https://{}", place.address()))
        .env("LOGFLUX_API_KEY", place.key().expose())
        .env("LOGFLUX_SECRET", secret().expose())
        .env("LOGFLUX_CA_FILE", place.ca_file())
        .env("LOGFLUX_NODE", "n")
        .env("LOGFLUX_FLUSH_INTERVAL", "20ms");
    command
}

/// Ends with an error where memory is lost or misused. What threads that run until the process ends
/// still hold is reachable, and no leak.
const VALGRIND: [&str; 5] = [
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
];

/// A program as it is, and under the sanitizers.
fn ways(source: &str, link: Link) -> [(&'static str, Command); 2] {
    let plain = build(source, link, &[]);
    let sanitized = build(source, link, &SANITIZERS);
    [("plain", command(&plain)), ("sanitizers", command(&sanitized))]
}

/// What valgrind is wrong about.
fn suppressions() -> String {
    let file = logflux_tests::workspace().join("bindings/c/tests/valgrind.supp");
    format!("--suppressions={}", file.display())
}

#[test]
fn a_message_is_sealed_and_opened() {
    for link in [Link::Shared, Link::Static] {
        for (way, mut program) in ways("c/examples/seal_open.c", link) {
            let wrote = succeed(program.arg("größer").env("LOGFLUX_SECRET", "s"));
            assert!(
                wrote.starts_with("{\"node\":\"app-server-01\",\"payload\":\""),
                "{way}: {wrote}"
            );
            assert!(wrote.ends_with("}\ngrößer\n"), "{way}: {wrote}");
        }
    }
}

#[test]
fn a_program_logs_and_flushes() {
    for (way, program) in ways("c/examples/log.c", Link::Shared) {
        let (place, _running) = Place::new();
        let wrote = succeed(with_settings(program, &place).args(["one", "two"]));
        assert_eq!(wrote, "3 of 3 delivered\n", "{way}");
        let stored = place.stored();
        assert!(stored[0].ends_with(" starts with 2 arguments"), "{way}: {stored:?}");
        assert_eq!(stored[1..], ["one", "two"], "{way}");
    }
}

#[test]
fn a_program_without_settings_says_what_is_missing() {
    let program = build("c/examples/log.c", Link::Shared, &[]);
    let mut program = command(&program);
    for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOGFLUX_")) {
        program.env_remove(variable);
    }
    let output = crate::toolchain::run(&mut program);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "LOGFLUX_SERVER_URL is not set\n");
}

#[test]
fn a_secret_s_command_may_run_for_as_long_as_the_variable_says() {
    let (place, _running) = Place::new();
    let slow = |source: &str| {
        let mut program = with_settings(command(&build(source, Link::Shared, &[])), &place);
        program.env_remove("LOGFLUX_SECRET").env("LOGFLUX_SECRET_COMMAND", "sleep 60");
        program.env("LOGFLUX_SECRET_COMMAND_TIMEOUT", "1s");
        program
    };
    let expected = "LOGFLUX_SECRET_COMMAND) did not end within 1s";
    let output = crate::toolchain::run(&mut slow("c/examples/log.c"));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(expected), "{said}");
    let said = succeed(&mut slow("c/tests/rotation.c"));
    assert!(said.contains(expected), "{said}");
}

#[test]
fn workers_that_were_forked_log_through_the_same_handle() {
    // Not under AddressSanitizer: the lock of its own allocator may be held by another thread at the
    // fork, and the child then waits for it without end. Valgrind looks for the same faults. It is not
    // asked about leaks, since a child never frees what belongs to its parent's threads.
    let plain = [Link::Shared, Link::Static].map(|link| command(&prefork(link, &[])));
    let undefined = ["-fsanitize=undefined", "-fno-sanitize-recover=all"];
    let mut valgrind = Command::new("valgrind");
    valgrind.args(VALGRIND).arg("--leak-check=no").arg(suppressions());
    // One derivation a process, each of which takes valgrind seconds, and a busy machine a minute.
    valgrind.arg(prefork(Link::Static, &["-DCLOSE_TIMEOUT_MS=300000"])).env("LOGFLUX_MODE", "128");
    for program in plain.into_iter().chain([command(&prefork(Link::Static, &undefined)), valgrind])
    {
        let (place, _running) = Place::new();
        let way = format!("{program:?}");
        let wrote = succeed(&mut with_settings(program, &place));
        assert_eq!(wrote, "4 workers; the parent delivered 2\n", "{way}");
        let mut stored = place.stored();
        let mut expected: Vec<String> = (0..4)
            .flat_map(|worker| (0..25).map(move |line| format!("worker {worker} request {line}")))
            .chain(["parent begins".to_owned(), "parent ends".to_owned()])
            .collect();
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected, "{way}");
    }
}

fn prefork(link: Link, options: &[&str]) -> PathBuf {
    build("c/examples/prefork.c", link, options)
}

#[test]
fn every_status_is_reached() {
    let [(_, mut plain), (_, mut sanitized)] = ways("c/tests/errors.c", Link::Static);
    assert_eq!(succeed(&mut plain), "24 statuses\n");
    assert_eq!(succeed(sanitized.arg("light")), "22 statuses\n");
}

/// One derivation takes ten seconds there, and so only these.
#[test]
fn valgrind_finds_nothing_lost_and_nothing_misused() {
    let program = build("c/tests/errors.c", Link::Static, &[]);
    let mut errors = Command::new("valgrind");
    assert_eq!(succeed(errors.args(VALGRIND).arg(program).arg("light")), "22 statuses\n");
    let (place, _running) = Place::new();
    // Linked statically, since the shared library has no names for the suppressions to go by.
    let program = build("c/tests/threads.c", Link::Static, &[]);
    let mut threads = Command::new("valgrind");
    threads.args(VALGRIND).arg(suppressions()).arg(&program).arg("20");
    succeed(&mut with_settings(threads, &place));
    assert_eq!(place.stored().len(), 160);
}

#[test]
fn eight_threads_share_one_client() {
    for (way, program) in ways("c/tests/threads.c", Link::Shared) {
        let (place, _running) = Place::new();
        succeed(with_settings(program, &place).env("LOGFLUX_QUEUE_SIZE", "1000000"));
        let mut stored = place.stored();
        let mut expected: Vec<String> = (0..8)
            .flat_map(|thread| (0..1_000).map(move |line| format!("thread {thread} line {line}")))
            .collect();
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected, "{way}");
    }
}

#[test]
fn settings_come_from_variables_that_are_given_and_sentences_are_fetched() {
    for (way, program) in ways("c/tests/variables.c", Link::Shared) {
        let (place, _running) = Place::new();
        let refused = place.another_key();
        place.revoke(&refused);
        let mut program = with_settings(program, &place);
        let said = succeed(program.env("LOGFLUX_API_KEY", refused.expose()));
        assert!(said.contains("API key"), "{way}: {said}");
    }
}

#[test]
fn a_client_that_runs_gets_another_key_another_authority_and_another_secret() {
    for (way, mut program) in ways("c/tests/rotation.c", Link::Shared) {
        let (place, _running) = Place::new();
        let refused = place.another_key();
        place.revoke(&refused);
        program.arg(place.key().expose()).arg(place.ca_file());
        let mut program = with_settings(program, &place);
        program.env("LOGFLUX_API_KEY", refused.expose());
        // Nothing is tried again before it is rotated.
        program.env("LOGFLUX_INITIAL_DELAY", "1h").env("LOGFLUX_MAX_DELAY", "1h");
        program.env("LOGFLUX_RETRY_DEADLINE", "1h");
        assert_eq!(succeed(&mut program), "rotated\n", "{way}");
        let entries = place.entries();
        let new = Secret::new("a secret of another year").unwrap();
        let opened = |keyring: Keyring| {
            let opened = Opener::new(keyring).open_many(&entries);
            opened.into_iter().filter_map(Result::ok).collect::<Vec<_>>()
        };
        assert_eq!(opened(new.clone().into()), ["new"], "{way}");
        assert_eq!(opened(Keyring::new(new).with_older(secret())), ["old", "new"], "{way}");
    }
}

#[test]
fn nothing_of_a_secret_or_a_message_is_left_behind() {
    let program = build("c/tests/zeroed.c", Link::Shared, &[]);
    assert_eq!(succeed(&mut command(&program)), "nothing is left\n");
}

#[test]
fn signals_are_the_host_s() {
    let program = build("c/tests/signals.c", Link::Shared, &[]);
    assert_eq!(succeed(&mut command(&program)), "alive\n");
}

#[test]
fn hostile_arguments_are_refused_and_crash_nothing() {
    let sanitizers = "-fsanitize=fuzzer,address,undefined";
    let options = ["-std=c99", "-g", "-O1", sanitizers, "-fno-sanitize-recover=all"];
    let program = build_by("clang", "c/fuzz/hostile.c", prefix(), Link::Static, &options);
    let mut fuzz = command(&program);
    fuzz.current_dir(empty("fuzz")).args([
        "-max_total_time=15",
        "-max_len=512",
        "-timeout=60",
        "-seed=1",
    ]);
    let output = crate::toolchain::run(&mut fuzz);
    let wrote = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrote}");
    println!("{}", wrote.lines().rev().find(|line| line.contains("Done ")).unwrap_or_default());
}

#[test]
fn cpp_owns_its_handles_and_gives_results() {
    for standard in ["-std=c++17", "-std=c++20"] {
        let program = build_by(
            "c++",
            "cpp/tests/handles.cpp",
            prefix(),
            Link::Shared,
            &[standard, "-g", SANITIZERS[0], SANITIZERS[1]],
        );
        assert_eq!(succeed(&mut command(&program)), "good\n");
    }
}

#[test]
fn cpp_programs_log() {
    let examples: [(&str, &[&str], &[&str]); 2] = [
        ("cpp/examples/log.cpp", &["one"], &["the program starts", "one"]),
        (
            "cpp/examples/spdlog.cpp",
            &[],
            &["[shop] order 4711 taken", "[shop] card refused: expired"],
        ),
    ];
    for (source, arguments, lines) in examples {
        let (place, _running) = Place::new();
        let program = cpp(source);
        let wrote = succeed(with_settings(command(&program), &place).args(arguments));
        assert_eq!(wrote, "2 delivered\n");
        assert_eq!(place.stored(), lines);
    }
}

fn cpp(source: &str) -> PathBuf {
    let spdlog = succeed(Command::new("pkg-config").args(["--cflags", "--libs", "spdlog"]));
    let spdlog: Vec<&str> = spdlog.split_whitespace().collect();
    // The linker takes libraries in their order: ours come after the source, these as well.
    let mut options = vec!["-std=c++17", "-g", SANITIZERS[0], SANITIZERS[1], "-Wl,--no-as-needed"];
    options.extend(spdlog);
    build_by("c++", source, prefix(), Link::Shared, &options)
}

/// The code of the page for C programmers: what stands after `before`, in its next block.
fn of_the_page(before: &str) -> String {
    let page = std::fs::read_to_string(logflux_tests::workspace().join("docs/c.md")).unwrap();
    let block = page.split_once(before).unwrap().1.split_once("```c").unwrap().1;
    block.split_once('\n').unwrap().1.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_programs_of_the_page_run() {
    let folder = empty("page");
    for (name, before) in [("first.c", "`first.c`"), ("first.cpp", "## C++")] {
        let source = folder.join(name);
        std::fs::write(&source, of_the_page(before)).unwrap();
        let (place, _running) = Place::new();
        // An absolute path stays what it is.
        let program = build(source.to_str().unwrap(), Link::Shared, &[]);
        succeed(&mut with_settings(command(&program), &place));
        let expected: &[&str] = match name {
            "first.c" => &["started", "disk sda is 93 % full"],
            _ => &["user 4711 logged in"],
        };
        assert_eq!(place.stored(), expected);
    }
}
