//! Core and facade without std: with no features, and with all that do not need it.

use anyhow::Result;
use xshell::cmd;

use crate::steps::{Outcome, Steps};
use crate::tools;

/// A target for which there is no std at all, so that one that slips in through
/// a dependency cannot go unnoticed.
const TARGET: &str = "thumbv7em-none-eabi";

/// Packages with what their features may be.
const BUILDS: [(&str, &str); 4] = [
    ("bytesbuf-core", ""),
    ("bytesbuf-core", "alloc"),
    ("bytesbuf", ""),
    ("bytesbuf", "bytes-compat,test-util"),
];

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("without default features", |sh, _| {
        for (package, features) in BUILDS {
            cmd!(
                sh,
                "cargo check -p {package} --lib --no-default-features --features={features}"
            )
            .run()?;
        }
        Ok(())
    })?;
    steps.step_if_possible("target without std", |sh, _| {
        if let Err(missing) = tools::target(sh, TARGET) {
            return Ok(missing.into());
        }
        for (package, features) in BUILDS {
            cmd!(
                sh,
                "cargo check -p {package} --lib --no-default-features --features={features} --target {TARGET}"
            )
            .run()?;
        }
        Ok(Outcome::Passed)
    })
}
