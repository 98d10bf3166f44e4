//! The libraries with every combination of their features, one by one.
//!
//! Under clippy, which is what sees a warning that only some of them give.

use anyhow::Result;

use crate::checked;
use crate::steps::{Outcome, Steps};
use crate::tools;

/// A combination that fails where none of its pairs does has yet to be seen.
const TOGETHER: u32 = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many features at most are turned on together
    #[arg(long, default_value_t = TOGETHER)]
    depth: u32,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let depth = args.depth.to_string();
    steps.step_if_possible("features", |sh, root| {
        let hack = match tools::HACK.command(sh, root) {
            Ok(hack) => hack,
            Err(missing) => return Ok(missing.into()),
        };
        // The library alone: tests and examples ask for features themselves. `default` is
        // another name for `std`.
        hack.args(["clippy", "--lib", "--feature-powerset"])
            .args(["--depth", &depth, "--exclude-features", "default"])
            .args(checked::packages(None))
            .args(["--", "-D", "warnings"])
            .run()?;
        Ok(Outcome::Passed)
    })
}
