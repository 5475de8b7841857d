//! Writes `include/logflux.h`, or says with `--check` whether it is what would be written.
//!
//! `cargo run -p logflux-ffi --example header [-- --check]`

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use cbindgen::{Builder, Config};

/// The files in the order in which a reader of the header wants them.
const FILES: [&str; 18] = [
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
    "drops",
    "client",
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

    let path = root.join("../../include/logflux.h");
    if !env::args().any(|argument| argument == "--check") {
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(&path, header)?;
    } else if fs::read(&path)? != header {
        return Err("include/logflux.h is not what crates/ffi says: run `make header`".into());
    }
    Ok(())
}
