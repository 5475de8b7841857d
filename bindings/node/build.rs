//! What may unload the addon.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos") {
        // The symbols of Node-API are those of the program that loads the addon.
        println!("cargo:rustc-cdylib-link-arg=-undefined");
        println!("cargo:rustc-cdylib-link-arg=dynamic_lookup");
    } else if env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("unix") {
        // Its threads outlive the environment that loaded it: a worker's, for one.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
