//! The tests of the libraries with pointers of 32 bits, at full speed.
//!
//! A 64-bit Linux runs programs of 32 bits, and the toolchain brings all that building
//! one takes: a C library to link statically, and a linker. So nothing is needed but a
//! target, and no emulator slows the tests down.

use std::path::Path;

use anyhow::Result;
use xshell::{Shell, cmd};

use super::named;
use crate::checked::{self, Counted};
use crate::steps::{Outcome, Steps};
use crate::tools::{self, Missing};

const TARGET: &str = "i686-unknown-linux-musl";
const LINKER: &str = "rust-lld";

/// Programs that tests start. Those would build them themselves, with 64 bits.
const EXAMPLES: [&str; 1] = ["relay"];

pub(crate) fn run(steps: &mut Steps, release: bool) -> Result<()> {
    let (name, profile) = named("test, 32 bits", release);
    // Plain blocks take another path than those of a pool with `holders`.
    let libraries = [checked::packages(None), vec!["--all-features"]].concat();
    for (what, flags, examples) in [
        ("all features", &libraries[..], &EXAMPLES[..]),
        ("pool without features", &["-p", "bytesbuf-pool"], &[]),
    ] {
        steps.step_if_possible(&format!("{name}, {what}"), |sh, root| {
            if let Err(missing) = ready(sh, root) {
                return Ok(missing.into());
            }
            let cargo = |verb, more: &[&str]| {
                cmd!(
                    sh,
                    "cargo {verb} {flags...} {profile...} --target {TARGET} {more...}"
                )
                .env(linker_variable(), LINKER)
            };
            for example in examples {
                cargo("build", &["--example", example]).run()?;
            }
            Counted::run(cargo("test", &["--lib", "--tests", "--no-fail-fast"]))?;
            Ok(Outcome::Passed)
        })?;
    }
    Ok(())
}

/// Where cargo looks for the linker of the target.
fn linker_variable() -> String {
    let target = TARGET.to_uppercase().replace('-', "_");
    format!("CARGO_TARGET_{target}_LINKER")
}

/// Whether programs for the target can be built and run here: one is.
fn ready(sh: &Shell, root: &Path) -> Result<(), Missing> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Missing::new("only a 64-bit Linux on x86 runs both kinds"));
    }
    tools::target(sh, TARGET)?;
    // It is elsewhere if cargo was told so.
    sh.create_dir("target")
        .map_err(|error| Missing::new(error.to_string()))?;
    try_out(sh, &root.join("target"), TARGET)
}

/// Builds and runs a program that does nothing.
fn try_out(sh: &Shell, dir: &Path, target: &str) -> Result<(), Missing> {
    let program = dir.join(format!("nothing-{target}"));
    cmd!(
        sh,
        "rustc --target {target} -C linker={LINKER} -o {program} -"
    )
    .stdin("fn main() {}")
    .quiet()
    .run()
    .map_err(|error| Missing::new(format!("no program for {target} can be built: {error}")))?;
    // Not every kernel has both interfaces.
    cmd!(sh, "{program}")
        .quiet()
        .run()
        .map_err(|error| Missing::new(format!("no program for {target} can be run: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_the_one_that_cargo_reads() {
        assert_eq!(
            linker_variable(),
            "CARGO_TARGET_I686_UNKNOWN_LINUX_MUSL_LINKER"
        );
    }

    #[test]
    fn a_target_that_cannot_be_built_for_is_missing() {
        let sh = Shell::new().unwrap();
        let dir = crate::workspace_root().join("target");
        let missing = try_out(&sh, &dir, "pdp11-unknown-none").unwrap_err();
        let Outcome::NotRun(why) = Outcome::from(missing) else {
            panic!("this does not exist");
        };
        assert!(why.contains("pdp11-unknown-none can be built"), "{why}");
    }
}
