//! A client of the published 0.4.x, built and tested with ours in its place.
//!
//! The own tests of published users are a script beside it,
//! `crates/oracle/compat/published-users.sh`.

use anyhow::Result;

use crate::oracle::test_outside;
use crate::steps::Steps;

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("compat", |sh, root| {
        test_outside(
            sh,
            root,
            "crates/oracle/compat/Cargo.toml",
            &["--workspace"],
        )
    })
}
