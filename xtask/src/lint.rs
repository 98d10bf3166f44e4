//! Formatting and clippy.

use anyhow::Result;
use xshell::cmd;

use crate::steps::Steps;

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("fmt", |sh, _| {
        cmd!(sh, "cargo fmt --all --check").run()?;
        for outside in ["benches/counts", "benches/peers", "crates/fuzz"] {
            cmd!(sh, "cargo fmt --manifest-path {outside}/Cargo.toml --check").run()?;
        }
        Ok(())
    })?;
    steps.step("clippy, all features", |sh, _| {
        cmd!(
            sh,
            "cargo clippy --workspace --all-features --all-targets -- -D warnings"
        )
        .run()?;
        Ok(())
    })?;
    steps.step("clippy, fuzz", |sh, root| {
        cmd!(
            sh,
            "cargo clippy --manifest-path crates/fuzz/Cargo.toml --all-targets -- -D warnings"
        )
        .env("CARGO_TARGET_DIR", root.join("target").join("oracle"))
        .run()?;
        Ok(())
    })?;
    // One package a call: features of packages named together would be united.
    // Tests and examples may ask for features, so the library alone.
    for package in ["bytesbuf-core", "bytesbuf"] {
        steps.step(&format!("clippy, {package} without features"), |sh, _| {
            cmd!(
                sh,
                "cargo clippy -p {package} --lib --no-default-features -- -D warnings"
            )
            .run()?;
            Ok(())
        })?;
    }
    Ok(())
}
