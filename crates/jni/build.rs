//! What may unload the library.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let unix = env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("unix");
    if unix && env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("macos") {
        // Its threads outlive the class loader that loaded it.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
