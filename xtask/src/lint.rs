//! Formatting and clippy.

use anyhow::Result;
use xshell::cmd;

use crate::steps::Steps;

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("fmt", |sh, _| {
        cmd!(sh, "cargo fmt --all --check").run()?;
        cmd!(
            sh,
            "cargo fmt --manifest-path benches/peers/Cargo.toml --check"
        )
        .run()?;
        cmd!(
            sh,
            "cargo fmt --manifest-path benches/counts/Cargo.toml --check"
        )
        .run()?;
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
