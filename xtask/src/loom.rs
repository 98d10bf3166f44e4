//! The concurrency scenarios under loom.

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::checked::Counted;
use crate::steps::{Steps, figure};

/// Preemptions a thread may suffer in one execution. Two found every bug that was
/// planted; three takes many times as long.
const PREEMPTIONS: u32 = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often a thread may be preempted in one execution
    #[arg(long, default_value_t = PREEMPTIONS)]
    preemptions: u32,
    /// Run only models whose name contains this
    filter: Option<String>,
}

/// The modules of the models. Other tests of a library run under loom as they do without.
pub(crate) const MODELS: &str = "model_tests::";

pub(crate) const CORE: &str = "bytesbuf-core";
pub(crate) const POOL: &str = "bytesbuf-pool";
pub(crate) const FACADE: &str = "bytesbuf";

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let mut total = 0;
    for package in [CORE, POOL, FACADE] {
        steps.step(&format!("loom, {package}"), |sh, _| {
            let cmd = command(sh, package, args.preemptions, &[]);
            let filter = args.filter.as_deref().unwrap_or(MODELS);
            let counted = Counted::run_any(cmd.arg(filter))?;
            figure(format!("{counted} models"));
            total += counted;
            require_models(package, counted, args.filter.is_some())
        })?;
    }
    ensure!(total > 0, "no test matches the filter");
    Ok(())
}

/// `cargo test` of a package's library under loom, in the shell's directory.
pub(crate) fn command<'a>(
    sh: &'a Shell,
    package: &str,
    preemptions: u32,
    flags: &[&str],
) -> xshell::Cmd<'a> {
    cmd!(
        sh,
        "cargo test --release --lib -p {package} --all-features --target-dir target/loom {flags...}"
    )
    .env("RUSTFLAGS", "--cfg bytesbuf_loom")
    .env("LOOM_MAX_PREEMPTIONS", preemptions.to_string())
}

/// The number in the test harness's `running 12 tests`.
pub(crate) fn tests_announced(line: &str) -> Option<usize> {
    let (count, unit) = line.strip_prefix("running ")?.split_once(' ')?;
    if unit != "test" && unit != "tests" {
        return None;
    }
    count.parse().ok()
}

/// A run without tests passes without having shown anything.
fn require_models(package: &str, counted: usize, filtered: bool) -> Result<()> {
    ensure!(
        counted > 0 || filtered,
        "no loom test was run for {package}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_harness() {
        assert_eq!(tests_announced("running 12 tests"), Some(12));
        assert_eq!(tests_announced("running 1 test"), Some(1));
        assert_eq!(tests_announced("running 0 tests"), Some(0));
        assert_eq!(tests_announced("running for 3 tests"), None);
        assert_eq!(tests_announced("test result: ok. 12 passed"), None);
    }

    #[test]
    fn a_run_without_models_fails() {
        assert!(require_models(CORE, 0, false).is_err());
        assert!(require_models(POOL, 0, false).is_err());
        assert!(require_models(CORE, 1, false).is_ok());
        assert!(require_models(CORE, 0, true).is_ok());
        assert!(require_models(FACADE, 0, false).is_err());
    }
}
