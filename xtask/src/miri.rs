//! Unit tests of core and pool under miri, once per borrow model.

use anyhow::Result;
use xshell::cmd;

use crate::steps::{Outcome, Steps};

const MODELS: [(&str, &str); 2] = [
    ("miri, stacked borrows", ""),
    ("miri, tree borrows", "-Zmiri-tree-borrows"),
];

const ALWAYS: &str = "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check";

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    for (name, model) in MODELS {
        steps.step_if_possible(name, |sh, _| {
            let version = cmd!(sh, "cargo +nightly miri --version")
                .quiet()
                .ignore_stderr()
                .read();
            if version.is_err() {
                return Ok(Outcome::NotRun(
                    "no miri; `rustup +nightly component add miri rust-src` gets it".to_owned(),
                ));
            }
            cmd!(
                sh,
                "cargo +nightly miri test -p bytesbuf-core -p bytesbuf-pool --lib"
            )
            .env("MIRIFLAGS", format!("{ALWAYS} {model}"))
            .run()?;
            Ok(Outcome::Passed)
        })?;
    }
    Ok(())
}
