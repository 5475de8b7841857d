//! Installing the library, and compiling against it with the documented flags.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;

use logflux_tests::workspace;

/// Where everything of these tests is.
fn folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap().join("c");
    fs::create_dir_all(&target).unwrap();
    target
}

/// The prefix with the whole library.
pub(crate) fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| installed("prefix", &[]))
}

/// A prefix with a library that has no client.
pub(crate) fn prefix_without_client() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| installed("prefix-no-client", &["CLIENT=no"]))
}

/// Installs into a prefix of this name, with these arguments for make.
pub(crate) fn installed(name: &str, arguments: &[&str]) -> PathBuf {
    let prefix = folder().join(name);
    // Both are built at the same place, one after the other.
    let lock = File::create(folder().join("lock")).unwrap();
    lock.lock().unwrap();
    let _ = fs::remove_dir_all(&prefix);
    let mut make = Command::new("make");
    make.current_dir(workspace()).arg("install").args(arguments);
    make.arg(format!("PREFIX={}", prefix.display()));
    // Cargo's own variables of this test would make it build everything anew.
    for (variable, _) in std::env::vars() {
        if variable.starts_with("CARGO")
            && variable != "CARGO_HOME"
            && variable != "CARGO_TARGET_DIR"
            && variable != "CARGO_BUILD_TARGET"
        {
            make.env_remove(variable);
        }
    }
    succeed(&mut make);
    prefix
}

/// Runs a command that must succeed, and gives what it wrote to its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}{error}", output.status);
    text
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error} (`make setup`?)"))
}

/// How a program is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Shared,
    Static,
}

/// The flags that `pkg-config` gives, and nothing else.
pub(crate) fn flags(prefix: &Path, link: Link) -> Vec<String> {
    let package = if link == Link::Shared { "logflux" } else { "logflux-static" };
    package_flags(prefix, &["--cflags", "--libs", package])
}

/// What `pkg-config` answers for a prefix.
pub(crate) fn package_flags(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(arguments);
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
    succeed(&mut command).split_whitespace().map(str::to_owned).collect()
}

pub(crate) const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Compiles a program of `bindings/`, and gives where it is.
pub(crate) fn build(source: &str, link: Link, options: &[&str]) -> PathBuf {
    build_with(source, prefix(), link, options)
}

pub(crate) fn build_with(source: &str, prefix: &Path, link: Link, options: &[&str]) -> PathBuf {
    let (compiler, standard) =
        if source.ends_with(".cpp") { ("c++", "-std=c++17") } else { ("cc", "-std=c99") };
    let options: Vec<&str> = [standard, "-g", "-O1"].iter().chain(options).copied().collect();
    build_by(compiler, source, prefix, link, &options)
}

pub(crate) fn build_by(
    compiler: &str,
    source: &str,
    prefix: &Path,
    link: Link,
    options: &[&str],
) -> PathBuf {
    let name = source.replace(['/', '.'], "-");
    let kind: String = options.concat().chars().filter(|c| c.is_alphanumeric()).collect();
    let kind = format!("{compiler}-{link:?}-{kind}-{name}");
    let program = folder().join(&kind);
    // Another test may build the same, or run it, at this moment: the name changes hands at once.
    let unfinished = folder().join(format!("{kind}-{:?}", thread::current().id()));
    let mut compile = Command::new(compiler);
    compile
        .args(WARNINGS)
        .args(options)
        .arg("-o")
        .arg(&unfinished)
        .arg(workspace().join("bindings").join(source));
    compile.args(flags(prefix, link)).arg("-pthread");
    succeed(&mut compile);
    fs::rename(&unfinished, &program).unwrap();
    program
}

/// A command for a program that was built: it finds the library.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", prefix().join("lib"));
    command
}

/// A folder for a test, empty.
pub(crate) fn empty(name: &str) -> PathBuf {
    let folder = folder().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
