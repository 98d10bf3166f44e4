//! Formatting and clippy.

use anyhow::Result;
use xshell::cmd;

use crate::steps::Steps;

/// Packages that are no members of the workspace.
const OUTSIDE: [&str; 7] = [
    "benches/counts",
    "benches/peers",
    "crates/fuzz",
    "crates/oracle",
    "crates/oracle/compat/app",
    "crates/oracle/compat/client",
    "crates/oracle/compat/testing_aids",
];

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    of_ci(steps)?;
    clippy_outside(steps, &["benches/peers", "benches/counts"])?;
    // Models, and what stands in for the rest of the pool in them.
    for checker in ["loom", "shuttle"] {
        steps.step(&format!("clippy, {checker}"), |sh, _| {
            let packages = crate::library_args();
            cmd!(
                sh,
                "cargo clippy {packages...} --lib --profile test --all-features --target-dir target/lint -- -D warnings"
            )
            .env("RUSTFLAGS", format!("--cfg bytesbuf_{checker}"))
            .run()?;
            Ok(())
        })?;
    }
    Ok(())
}

/// What there is time for: neither code that only a model checker compiles, nor benchmarks
/// with the dependencies of all peers.
pub(crate) fn of_ci(steps: &mut Steps) -> Result<()> {
    steps.step("fmt", |sh, _| {
        cmd!(sh, "cargo fmt --all --check").run()?;
        for outside in OUTSIDE {
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
    clippy_outside(steps, &["crates/fuzz", "crates/oracle"])?;
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

fn clippy_outside(steps: &mut Steps, packages: &[&str]) -> Result<()> {
    for outside in packages {
        steps.step(&format!("clippy, {outside}"), |sh, root| {
            cmd!(
                sh,
                "cargo clippy --manifest-path {outside}/Cargo.toml --all-targets -- -D warnings"
            )
            .env("CARGO_TARGET_DIR", root.join("target").join("oracle"))
            .run()?;
            Ok(())
        })?;
    }
    Ok(())
}
