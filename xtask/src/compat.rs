//! Clients of the published 0.4.x, built and tested with ours in its place: one of our
//! own, and published ones with their own tests.

use anyhow::Result;
use xshell::cmd;

use crate::oracle::test_outside;
use crate::steps::{Outcome, Steps};

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("compat", |sh, root| {
        test_outside(
            sh,
            root,
            "crates/oracle/compat/Cargo.toml",
            &["--workspace"],
        )
    })?;
    steps.step_if_possible("published users", |sh, _| {
        if cfg!(windows) {
            return Ok(Outcome::NotRun("needs a POSIX shell".to_owned()));
        }
        cmd!(sh, "sh crates/oracle/compat/published-users.sh").run()?;
        Ok(Outcome::Passed)
    })
}
