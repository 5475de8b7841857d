//! Every subject of `tests/subjects` is certified, and the table of them.
//!
//! With `LOGFLUX_CERTIFIED` the table is written to the file that it names: `make certify` does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

mod every_pair;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use logflux_tests::subjects::{certify, side_by_side, subjects};
use logflux_tests::{Failure, logflux, workspace};
use serde_json::{Value, json};

#[test]
fn every_subject_is_certified() -> Result<(), Failure> {
    let subjects = subjects();
    let commands: Vec<_> = subjects.iter().map(|s| s.command()).collect::<Result<_, _>>()?;
    let results = side_by_side(&commands, |command| certify(&["--jobs", "3"], command));
    let mut table = Vec::new();
    let mut wrong = String::new();
    for (subject, result) in subjects.iter().zip(results) {
        let (status, report) = result?;
        if status != 0 || report["subject"]["modes"] != json!(subject.modes) {
            let cases = report["cases"].as_array().into_iter().flatten();
            let bad = cases
                .filter(|case| !matches!(case["outcome"].as_str(), Some("passed" | "unsupported")));
            let shown: Vec<String> = bad.take(5).map(Value::to_string).collect();
            writeln!(wrong, "{}: status {status}: {}", subject.title, shown.join("\n"))?;
        }
        table.push((subject.title, report));
    }
    let page = page(&table);
    println!("{page}");
    assert!(wrong.is_empty(), "{wrong}");
    if let Some(file) = std::env::var_os("LOGFLUX_CERTIFIED") {
        fs::write(workspace().join(file), page)?;
    }
    Ok(())
}

/// The program stands in the documentation, and is run as it stands there.
#[test]
fn the_program_in_the_documentation_is_certified() -> Result<(), Failure> {
    let page = fs::read_to_string(workspace().join("docs/certify.md"))?;
    let begun = page.split_once("```ruby\n").ok_or("no program in docs/certify.md")?.1;
    let program = begun.split_once("```\n").ok_or("a program without an end")?.0;
    assert!((50..120).contains(&program.lines().count()), "{}", program.lines().count());
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("subject.rb");
    fs::write(&file, program)?;
    let missing = |error| format!("ruby (on Debian, install ruby; `make setup` does): {error}");
    Command::new("ruby").arg("--version").output().map_err(missing)?;
    let command = ["ruby".to_owned(), file.to_string_lossy().into_owned()];
    let (status, report) = certify(&["--profile", "sender", "--jobs", "3"], &command)?;
    let bad = ["failed", "timed_out", "crashed", "broke_protocol", "not_run"];
    let cases = report["cases"].as_array().into_iter().flatten();
    let bad: Vec<&Value> =
        cases.filter(|case| bad.contains(&case["outcome"].as_str().unwrap_or_default())).collect();
    assert_eq!((status, &report["verdict"]), (0, &json!("certified")), "{bad:?}");
    Ok(())
}

/// One case, whose endpoint stays for whoever wants to try again by hand.
#[test]
fn an_endpoint_is_kept_and_traced_until_the_input_ends() -> Result<(), Failure> {
    let subject = subjects()[0].command()?;
    let mut kept = Command::new(logflux()?)
        .args(["certify", "--keep-endpoint", "transport/retry/status-503", "--"])
        .args(&subject)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(kept.stdout.take().ok_or("no output")?).lines();
    let mut seen = String::new();
    let address = loop {
        let line = lines.next().ok_or("no endpoint")??;
        if let Some((_, rest)) = line.split_once("the endpoint waits at https://") {
            break rest.split(' ').next().unwrap_or_default().to_owned();
        }
        seen.push_str(&line);
        seen.push('\n');
    };
    for part in
        ["POST /v1/ingest", "answered with 503", "answered with 200", "PASSED transport/retry"]
    {
        assert!(seen.contains(part), "{part}\n--\n{seen}");
    }
    drop(TcpStream::connect(&address)?);
    let next = lines.next().ok_or("no trace of the connection")??;
    assert!(next.contains("connections so far"), "{next}");
    drop(kept.stdin.take());
    assert_eq!(kept.wait()?.code(), Some(0));
    Ok(())
}

fn page(table: &[(&str, Value)]) -> String {
    let suite = table
        .first()
        .map_or("", |(_, report)| report["suite_version"].as_str().unwrap_or_default());
    let mut page = format!(
        "# Who is certified

Every implementation here, by suite {suite} ([certify.md](certify.md)). `make certify` runs it, and writes this page. A cell has how many cases passed, of how many; what lacks is said by the implementation itself, and need not be there.

| implementation | version | modes | keys | vectors | round trips | transport | result |
|---|---|---|---|---|---|---|---|
"
    );
    for (title, report) in table {
        let subject = &report["subject"];
        let modes: Vec<String> =
            subject["modes"].as_array().into_iter().flatten().map(Value::to_string).collect();
        let part = |name: &str| {
            let counts = &report["parts"][name];
            let number = |name: &str| counts[name].as_u64().unwrap_or(0);
            let lacks = match number("unsupported") {
                0 => String::new(),
                lacks => format!(", {lacks} lacking"),
            };
            format!("{} of {}{lacks}", number("passed"), number("total"))
        };
        let _ = writeln!(
            page,
            "| {title} | {} | {} | {} | {} | {} | {} | {} |",
            subject["version"].as_str().unwrap_or("-"),
            modes.join(", "),
            subject["key_policy"].as_str().unwrap_or("-"),
            part("vectors"),
            part("round_trips"),
            part("transport"),
            report["verdict"].as_str().unwrap_or("-").replace('_', " "),
        );
    }
    page
}

/// The files directly in a folder, with how many lines they have.
fn lines(folder: &Path) -> Result<Vec<(PathBuf, usize)>, Failure> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.is_file() {
            let count = fs::read_to_string(&path)?.lines().count();
            files.push((path, count));
        }
    }
    Ok(files)
}

/// The folders directly in a folder.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|file| file.map(|file| file.path())).collect::<Result<_, _>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir() && !path.ends_with("__pycache__")).collect())
}

#[test]
fn a_subject_has_at_most_150_lines_and_so_has_each_file_below_it() -> Result<(), Failure> {
    let mut subjects = folders(&workspace().join("tests/subjects"))?;
    subjects.retain(|folder| !folder.ends_with("broken"));
    assert_eq!(subjects.len(), 10, "{subjects:?}");
    for subject in subjects {
        let total: usize = lines(&subject)?.iter().map(|(_, count)| count).sum();
        assert!((1..=150).contains(&total), "{}: {total}", subject.display());
        for implementation in folders(&subject)? {
            assert!(folders(&implementation)?.is_empty(), "{}", implementation.display());
            for (file, count) in lines(&implementation)? {
                assert!(count <= 150, "{}: {count}", file.display());
            }
        }
    }
    Ok(())
}
