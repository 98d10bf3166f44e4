//! The documentation of the libraries.

use anyhow::Result;
use xshell::cmd;

use crate::library_args;
use crate::steps::Steps;

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("doc", |sh, _| {
        let packages = library_args();
        cmd!(sh, "cargo doc --no-deps --all-features {packages...}")
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()?;
        Ok(())
    })
}
