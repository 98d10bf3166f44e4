//! Hands the version of the compiler to the report.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version
        .as_deref()
        .map_or("rustc, version unknown", str::trim);
    println!("cargo::rustc-env=PEERS_RUSTC={version}");
}
