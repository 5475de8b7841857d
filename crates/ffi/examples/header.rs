//! Writes `include/logflux.h` and the copy of the Go module, or says with `--check` whether they are what would be written.
//!
//! `cargo run -p logflux-ffi --example header [-- --check]`

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use cbindgen::{Builder, Config};

/// A Go module can include nothing that is outside of it.
const HEADERS: [&str; 2] = ["include/logflux.h", "bindings/go/internal/native/logflux.h"];

/// The files in the order in which a reader of the header wants them.
const FILES: [&str; 23] = [
    "version",
    "status",
    "error",
    "arguments",
    "buffer",
    "words",
    "secret",
    "sealer",
    "opener",
    "opened",
    "keyring",
    "entry",
    "config",
    "config/files",
    "config/callbacks",
    "config/variables",
    "drops",
    "notices",
    "kept_notices",
    "client",
    "ticket",
    "rotation",
    "restore",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| fs::read_to_string(root.join(name));
    let mut builder = Builder::new()
        .with_config(Config::from_file(root.join("cbindgen.toml"))?)
        .with_header(text("header.txt")?.trim_end())
        .with_trailer(text("trailer.txt")?.trim_end());
    // What is for vectors only stands last.
    for file in FILES.into_iter().chain(["hazmat"]) {
        builder = builder.with_src(root.join("src").join(file).with_extension("rs"));
    }
    let mut header = Vec::new();
    builder.generate()?.write(&mut header);
    let header = untagged(&String::from_utf8(header)?)?.into_bytes();

    for path in HEADERS {
        let file = root.join("../..").join(path);
        if !env::args().any(|argument| argument == "--check") {
            fs::write(file, &header)?;
        } else if fs::read(file)? != header {
            return Err(format!("{path} is not what crates/ffi says: run `make header`").into());
        }
    }
    Ok(())
}

/// The header with enums that have no tag in C before C23, where the type of an enum's name is an
/// integer: one name cannot be both in C++, and `-Wc++-compat` says so.
fn untagged(header: &str) -> Result<String, Box<dyn Error>> {
    const CONDITION: &str = "#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L\n";
    let end = CONDITION.replacen("#if ", "#endif // ", 1);
    let mut out = String::with_capacity(header.len());
    let mut enums = 0;
    let mut lines = header.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("enum ") || lines.peek() != Some(&CONDITION) {
            out.push_str(line);
            continue;
        }
        lines.next();
        let size = lines.next().unwrap_or_default().trim();
        if lines.next() != Some(&end) || lines.next() != Some(" {\n") || !size.starts_with(": ") {
            return Err("cbindgen writes enums in another way".into());
        }
        out.push_str(&format!("{CONDITION}{} {size} {{\n#else\nenum {{\n#endif\n", line.trim()));
        enums += 1;
    }
    if enums == 0 { Err("cbindgen writes no enum as it did".into()) } else { Ok(out) }
}
