//! Measures, and writes `benches/RESULTS.md`: one module a section.

use std::path::Path;
use std::process::ExitCode;

mod budget;
mod derivation;
mod entries;
mod handover;
mod ingest;
mod machine;
mod measure;
mod memory;
mod shipping;

/// A section: its heading and what writes its body.
type Section = (&'static str, fn() -> String);

const SECTIONS: &[Section] = &[
    ("Memory of a client", memory::section),
    ("Deriving keys", derivation::section),
    ("Sealing and opening", entries::section),
    ("A logging call", handover::section),
    ("Shipping", shipping::section),
    ("Ingest", ingest::section),
    ("The budget of derivation", budget::section),
];

fn main() -> ExitCode {
    logflux_benches::ingest::serve_if_told();
    let mut page = format!(
        "# Results\n\nWritten by `make bench`; every table is one run on one machine.\n\n{}",
        machine::describe()
    );
    // A name on the command line measures that section alone, and writes nothing.
    if let Some(only) = std::env::args().nth(1) {
        for (heading, section) in SECTIONS.iter().filter(|(heading, _)| heading.contains(&only)) {
            println!("## {heading}\n\n{}", section());
        }
        return ExitCode::SUCCESS;
    }
    for (heading, section) in SECTIONS {
        eprintln!("measuring: {heading}");
        page.push_str(&format!("\n## {heading}\n\n{}", section()));
    }
    print!("{page}");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    match std::fs::write(&path, page) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
