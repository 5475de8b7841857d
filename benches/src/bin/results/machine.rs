//! Which machine, when, and built by what.

use std::process::Command;
use std::thread::available_parallelism;

/// A list of the circumstances.
pub(crate) fn describe() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    format!(
        "- Machine: {}, {cores} {}\n- System: {}\n- Compiler: {}\n- Date: {}\n",
        processor(),
        if cores == 1 { "core" } else { "cores" },
        output("uname", &["-sm"]),
        output("rustc", &["--version"]),
        output("date", &["-u", "+%Y-%m-%d"]),
    )
}

/// The processor's name and the numbers that tell its generation, where the system says them.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        info.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    };
    match (field("model name"), field("cpu family"), field("model")) {
        (Some(name), Some(family), Some(model)) => {
            format!("{name} (family {family}, model {model})")
        }
        (Some(name), ..) => name.to_owned(),
        _ => std::env::consts::ARCH.to_owned(),
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
