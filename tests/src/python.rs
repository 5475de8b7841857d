//! A Python interpreter with the packages of `python/requirements.txt`.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{Failure, profile_folder, workspace};

/// A Python interpreter that has the packages the tests need: what `LOGFLUX_TEST_PYTHON` names, or
/// else that of a virtual environment `target/python`, which is made when it is first needed and
/// made anew when the requirements change.
///
/// # Errors
/// [`Failure`] where there is no Python 3.9 or later, or the packages cannot be installed. It is
/// never a reason to skip a test.
pub fn interpreter() -> Result<&'static Path, Failure> {
    static INTERPRETER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let interpreter = INTERPRETER.get_or_init(|| find().map_err(|error| error.to_string()));
    interpreter.as_deref().map_err(|error| error.clone().into())
}

fn find() -> Result<PathBuf, Failure> {
    if let Some(interpreter) = env::var_os("LOGFLUX_TEST_PYTHON") {
        return Ok(interpreter.into());
    }
    let profile = profile_folder()?;
    let target = profile.parent().unwrap_or(&profile);
    let folder = target.join("python");
    let interpreter = if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python3")
    };
    // Tests run in many processes at once: one makes the environment, the others wait for it.
    fs::create_dir_all(target)?;
    let lock = File::create(target.join("python.lock"))?;
    lock.lock()?;
    let requirements = workspace().join("tests").join("python").join("requirements.txt");
    let wanted = fs::read(&requirements)?;
    // Written last, so that what was broken off is begun anew.
    let installed = folder.join("installed-requirements.txt");
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(interpreter);
    }
    let system = if cfg!(windows) { "python" } else { "python3" };
    run(Command::new(system)
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 9) and 'Python is too old')"]))
    .map_err(|error| format!("these tests need `{system}`, Python 3.9 or later: {error}"))?;
    run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder)).map_err(|error| {
        format!("`{system} -m venv` failed (on Debian, install python3-venv): {error}")
    })?;
    run(Command::new(&interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&requirements))
    .map_err(|error| {
        format!("pip could not install {} (LOGFLUX_TEST_PYTHON may name an interpreter that has them): {error}", requirements.display())
    })?;
    fs::write(&installed, wanted)?;
    Ok(interpreter)
}

/// Runs a command to its end; an error bears what it wrote.
fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let wrote = [output.stdout, output.stderr].concat();
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&wrote).trim()).into())
}
