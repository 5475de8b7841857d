//! What one implementation seals, every other opens: each subject of `tests/subjects` seals in every mode that it
//! has, and each opens all of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use logflux_tests::Failure;
use logflux_tests::subjects::{Subject, side_by_side, subjects};
use serde_json::{Value, json};

const SECRET: &str = "Ein Geheimnis, 秘密, \u{1f511}";
const MESSAGE: &str = "größer als 😀, \"quoted\"\n\tand\u{0}so on";

/// A subject that runs.
struct Running {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Running {
    fn start(subject: &Subject) -> Result<Self, Failure> {
        let command = subject.command()?;
        let (program, arguments) = command.split_first().ok_or("a subject without a command")?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = process.stdin.take().ok_or("no stdin")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no stdout")?);
        Ok(Self { process, requests, answers })
    }

    /// What it answers to a request, which must be `ok`.
    fn ask(&mut self, mut request: Value) -> Result<Value, Failure> {
        request["id"] = json!(1);
        request["secret_hex"] = json!(hex(SECRET));
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        match answer.get("ok") {
            Some(ok) => Ok(ok.clone()),
            None => Err(answer.to_string().into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry, and who sealed it in which mode.
struct Sealed {
    by: &'static str,
    mode: u64,
    entry: Value,
}

fn seal(subject: &Subject) -> Result<Vec<Sealed>, Failure> {
    let mut running = Running::start(subject)?;
    let mut sealed = Vec::new();
    for mode in subject.modes {
        let answer = running.ask(json!({
            "op": "seal", "mode": mode, "node": "app-server-01", "loglevel": 4,
            "timestamp": "2024-01-17T10:30:45.123Z", "message_hex": hex(MESSAGE),
        }))?;
        sealed.push(Sealed { by: subject.title, mode: *mode, entry: answer["entry_b64"].clone() });
    }
    Ok(sealed)
}

/// How many of the entries the subject has opened: all of its modes.
fn open(subject: &Subject, sealed: &[Sealed]) -> Result<usize, Failure> {
    let mut running = Running::start(subject)?;
    let known = sealed.iter().filter(|sealed| subject.modes.contains(&sealed.mode));
    let mut opened = 0;
    for Sealed { by, mode, entry } in known {
        let answer = running.ask(json!({ "op": "open", "entry_b64": entry }));
        let answer = answer.map_err(|error| format!("{by}, mode {mode}: {error}"))?;
        if answer["message_hex"] != json!(hex(MESSAGE)) {
            return Err(format!("{by}, mode {mode}: another message: {answer}").into());
        }
        opened += 1;
    }
    Ok(opened)
}

#[test]
fn what_each_seals_every_other_opens() -> Result<(), Failure> {
    let subjects = subjects();
    let sealed = side_by_side(&subjects, seal);
    let sealed: Vec<_> =
        sealed.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    assert_eq!(sealed.len(), subjects.iter().map(|subject| subject.modes.len()).sum::<usize>());
    for (subject, opened) in subjects.iter().zip(side_by_side(&subjects, |s| open(s, &sealed))) {
        let opened = opened.map_err(|error| format!("{} opens {error}", subject.title))?;
        println!("{}: {opened} entries opened", subject.title);
        assert!(opened >= subjects.len(), "{}: {opened}", subject.title);
    }
    Ok(())
}
