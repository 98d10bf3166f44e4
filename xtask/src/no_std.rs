//! Core and facade without their default features.

use anyhow::Result;
use xshell::cmd;

use crate::steps::{Outcome, Steps};
use crate::tools;

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
        if let Err(missing) = tools::target(sh, TARGET) {
            return Ok(missing.into());
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
