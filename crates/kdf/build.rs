//! Tells the crate its optimisation level, as `cfg(logflux_opt_level = "0")` and the like.
//!
//! Cargo gives a build script the level that the profile has for this package. Nothing in the source
//! can ask for it: `debug_assertions` is another setting.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-check-cfg=cfg(logflux_opt_level, values(\"0\", \"1\", \"2\", \"3\", \"s\", \"z\"))"
    );
    if let Ok(level) = std::env::var("OPT_LEVEL") {
        println!("cargo::rustc-cfg=logflux_opt_level=\"{level}\"");
    }
}
