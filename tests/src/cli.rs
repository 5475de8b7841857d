//! Finding the program `logflux`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{Failure, profile_folder, workspace};

/// The program `logflux`: what `LOGFLUX_BIN` names, or else one that is built now from this
/// workspace in the tests' own profile, so that it is never an old one.
///
/// # Errors
/// [`Failure`] where it cannot be built.
pub fn logflux() -> Result<&'static Path, Failure> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| find().map_err(|error| error.to_string()));
    program.as_deref().map_err(|error| error.clone().into())
}

fn find() -> Result<PathBuf, Failure> {
    if let Some(program) = env::var_os("LOGFLUX_BIN") {
        return Ok(program.into());
    }
    build("logflux-cli", &["--bin", "logflux"])
        .map_err(|error| format!("LOGFLUX_BIN may name a program that exists: {error}"))?;
    Ok(profile_folder()?.join(format!("logflux{}", env::consts::EXE_SUFFIX)))
}

/// Builds something of this workspace, in the tests' own profile.
pub(crate) fn build(package: &str, what: &[&str]) -> Result<(), Failure> {
    let folder = profile_folder()?;
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.current_dir(workspace()).args(["build", "--package", package]).args(what);
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => {
            build.args(["--profile", profile]);
        }
    }
    if let Some(target) = folder.parent() {
        build.arg("--target-dir").arg(target);
    }
    let built = build.output()?;
    if built.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&built.stderr);
    Err(format!("`{package}` could not be built:\n{log}").into())
}
