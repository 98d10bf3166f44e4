//! The libraries on the oldest compiler that they promise to build with.

use anyhow::Result;
use xshell::cmd;

use crate::checked;
use crate::steps::{Outcome, Steps};
use crate::tools;

/// `rust-version` of the workspace. (`thread-aware` needs a newer one, as the crate of
/// that name does.)
const VERSION: &str = "1.85.0";

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step_if_possible("oldest compiler", |sh, _| {
        if let Err(missing) = tools::toolchain(sh, VERSION) {
            return Ok(missing.into());
        }
        let packages = checked::packages(None);
        cmd!(
            sh,
            "rustup run {VERSION} cargo check --lib {packages...} --target-dir target/msrv
             --features bytesbuf/bytes-compat,bytesbuf/test-util,bytesbuf/holders,bytesbuf/metrics,bytesbuf/tracing"
        )
        .run()?;
        Ok(Outcome::Passed)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_the_one_that_the_workspace_promises() {
        let manifest = crate::workspace_root().join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let promised = super::VERSION.trim_end_matches(".0");
        assert!(manifest.contains(&format!("rust-version = \"{promised}\"")));
    }
}
