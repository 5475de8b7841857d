//! The subjects of `tests/subjects`: how each is built and started, and how the suite is run on it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use crate::cli::build;
use crate::{Failure, interpreter, logflux, profile_folder, workspace};

/// A subject that is certified here.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// What it is, in the table.
    pub title: &'static str,
    /// The modes that it has, and must say it has.
    pub modes: &'static [u64],
    /// Builds it, and gives its command line.
    command: fn() -> Result<Vec<String>, Failure>,
}

/// Every subject of this workspace: the C library where its header is, the Python package where
/// `LOGFLUX_TEST_WHEEL` names an interpreter that has it, the npm package where `LOGFLUX_TEST_NODE` names a
/// folder that it is installed in, the Java SDK where `LOGFLUX_TEST_JAVA` names its jar, and the Go SDK where
/// `LOGFLUX_TEST_GO` names its workspace, which `make test` and `make certify` do.
#[must_use]
pub fn subjects() -> Vec<Subject> {
    let mut all = SUBJECTS.to_vec();
    if workspace().join("include").join("logflux.h").exists() {
        all.push(Subject { title: "C library", modes: &[1, 2, 3, 4, 128], command: c });
    }
    if env::var_os(WHEEL).is_some() {
        all.push(Subject { title: "Python package", modes: &[1, 2, 3, 4, 128], command: wheel });
    }
    if env::var_os(NODE).is_some() {
        all.push(Subject { title: "npm package", modes: &[1, 2, 3, 4, 128], command: node_sdk });
    }
    if env::var_os(JAVA).is_some() {
        all.push(Subject { title: "Java SDK", modes: &[1, 2, 3, 4, 128], command: java_sdk });
    }
    if env::var_os(GO).is_some() {
        all.push(Subject { title: "Go SDK", modes: &[1, 2, 3, 4, 128], command: go_sdk });
    }
    all
}

/// An interpreter that has the Python package.
const WHEEL: &str = "LOGFLUX_TEST_WHEEL";

/// A folder that the npm package is installed in.
const NODE: &str = "LOGFLUX_TEST_NODE";

/// The jar of the Java SDK.
const JAVA: &str = "LOGFLUX_TEST_JAVA";

/// The workspace of the Go SDK's subject.
const GO: &str = "LOGFLUX_TEST_GO";

const SUBJECTS: &[Subject] = &[
    Subject { title: "Rust core", modes: &[1, 2, 3, 4, 128], command: rust },
    Subject { title: "Python `cryptography`", modes: &[1, 2, 3, 4, 128], command: python },
    Subject { title: "Java `javax.crypto`", modes: &[1, 128], command: java },
    Subject { title: "Node `crypto`", modes: &[1, 2, 128], command: node },
    Subject { title: "Go standard library", modes: &[1, 128], command: go },
];

impl Subject {
    /// Builds it, once in a process, and gives its command line.
    ///
    /// # Errors
    /// [`Failure`] where what it needs is not there. It is never a reason to leave it out.
    pub fn command(&self) -> Result<Vec<String>, Failure> {
        /// What is built may run already, and cannot be written again then.
        static BUILT: Mutex<BTreeMap<&str, Vec<String>>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(command) = built.get(self.title) {
            return Ok(command.clone());
        }
        let command = (self.command)().map_err(|error| format!("{}: {error}", self.title))?;
        built.insert(self.title, command.clone());
        Ok(command)
    }
}

fn folder(name: &str) -> PathBuf {
    workspace().join("tests").join("subjects").join(name)
}

/// Where what is built for a subject goes.
fn built(name: &str) -> Result<PathBuf, Failure> {
    let profile = profile_folder()?;
    let folder = profile.parent().unwrap_or(&profile).join("subjects");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn rust() -> Result<Vec<String>, Failure> {
    // Cargo builds it with the tests.
    Ok(vec![text(&profile_folder()?.join("subject-rust"))])
}

fn python() -> Result<Vec<String>, Failure> {
    let program = folder("python_cryptography").join("subject.py");
    Ok(vec![text(interpreter()?), "-B".to_owned(), text(&program)])
}

fn node() -> Result<Vec<String>, Failure> {
    run(Command::new("node").arg("--version"), "nodejs")?;
    Ok(vec!["node".to_owned(), text(&folder("node").join("subject.js"))])
}

fn node_sdk() -> Result<Vec<String>, Failure> {
    let program = folder("node_sdk").join("subject.js");
    Ok(vec!["node".to_owned(), text(&program), env::var(NODE)?])
}

fn go() -> Result<Vec<String>, Failure> {
    let program = built("go")?;
    let mut build = Command::new("go");
    build.current_dir(folder("go")).env("GOTOOLCHAIN", "local").args(["build", "-o"]);
    run(build.arg(&program).arg("."), "golang-go")?;
    Ok(vec![text(&program)])
}

fn go_sdk() -> Result<Vec<String>, Failure> {
    let program = built("go_sdk")?;
    let mut build = Command::new("go");
    build.current_dir(folder("go_sdk")).env("GOWORK", env::var(GO)?).env("GOTOOLCHAIN", "local");
    run(build.args(["build", "-o"]).arg(&program).arg("."), "golang-go")?;
    Ok(vec![text(&program)])
}

fn java() -> Result<Vec<String>, Failure> {
    let classes = built("java")?;
    let mut build = Command::new("javac");
    build.args(["-d", &text(&classes)]);
    build.arg("-sourcepath").arg(folder("java")).arg(folder("java").join("Subject.java"));
    run(&mut build, "default-jdk-headless")?;
    Ok(vec!["java".to_owned(), "-cp".to_owned(), text(&classes), "Subject".to_owned()])
}

fn java_sdk() -> Result<Vec<String>, Failure> {
    let (classes, jar) = (built("java_sdk")?, env::var(JAVA)?);
    let mut build = Command::new("javac");
    build.args(["-d", &text(&classes), "-cp", &jar]);
    // The JSON of the requests is read as the subject on the JDK reads it.
    build.arg("-sourcepath").arg(folder("java")).arg(folder("java_sdk").join("Subject.java"));
    run(&mut build, "default-jdk-headless")?;
    let path = format!("{}:{jar}", text(&classes));
    Ok(vec!["java".to_owned(), "-cp".to_owned(), path, "Subject".to_owned()])
}

fn c() -> Result<Vec<String>, Failure> {
    let (program, profile) = (built("c")?, profile_folder()?);
    build("logflux-ffi", &["--lib"])?;
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-Wall", "-Wextra", "-Werror", "-I"]).arg(workspace().join("include"));
    compile.arg(folder("c").join("subject.c")).arg(profile.join("liblogflux_ffi.a"));
    compile.args(["-ljansson", "-lresolv", "-lm", "-ldl", "-lpthread", "-o"]);
    run(compile.arg(&program), "gcc libc6-dev libjansson-dev")?;
    Ok(vec![text(&program)])
}

fn wheel() -> Result<Vec<String>, Failure> {
    let interpreter = env::var(WHEEL)?;
    let program = folder("python_wheel").join("subject.py");
    Ok(vec![interpreter, "-B".to_owned(), text(&program)])
}

fn run(command: &mut Command, package: &str) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| {
        format!("`{program}` cannot be started (on Debian, install {package}; `make setup` does): {error}")
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{program}` failed: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Runs `logflux certify` on a command; gives its exit status and its report.
///
/// # Errors
/// [`Failure`] where there is no report.
pub fn certify(options: &[&str], command: &[String]) -> Result<(i32, Value), Failure> {
    let mut certify = Command::new(logflux()?);
    certify.args(["certify", "--format", "json"]).args(options);
    let output = certify.arg("--").args(command).output()?;
    let report = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok((output.status.code().unwrap_or(-1), report))
}

/// Works on every item, two at a time or as many as there are cores; the results are in the order
/// of the items.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from).max(2);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
