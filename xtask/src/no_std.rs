//! Core and facade without their default features.

use std::path::PathBuf;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::steps::{Outcome, Steps};

/// A target for which there is no std at all, so that one that slips in through
/// a dependency cannot go unnoticed.
const TARGET: &str = "thumbv7em-none-eabi";

const PACKAGES: [&str; 2] = ["bytesbuf-core", "bytesbuf"];

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("without default features", |sh, _| {
        for package in PACKAGES {
            cmd!(sh, "cargo check -p {package} --lib --no-default-features").run()?;
        }
        Ok(())
    })?;
    steps.step_if_possible("target without std", |sh, _| {
        if !is_installed(sh)? {
            return Ok(Outcome::NotRun(format!("target {TARGET} not installed")));
        }
        for package in PACKAGES {
            cmd!(
                sh,
                "cargo check -p {package} --lib --no-default-features --target {TARGET}"
            )
            .run()?;
        }
        Ok(Outcome::Passed)
    })
}

fn is_installed(sh: &Shell) -> Result<bool> {
    let sysroot = cmd!(sh, "rustc --print sysroot").quiet().read()?;
    let libraries = PathBuf::from(sysroot).join("lib/rustlib").join(TARGET);
    Ok(libraries.join("lib").is_dir())
}
