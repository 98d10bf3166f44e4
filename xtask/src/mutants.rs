//! Changes the code of core, pool and arena, one place at a time, and asks the tests who notices.
//!
//! A mutant that nobody notices is a test that is missing, or a difference that nobody
//! could notice. Those of the second kind are explained in `mutants-survivors.txt`; any
//! other fails the verb.

mod pass;
mod survivors;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::ARENA;
use crate::loom::{CORE, POOL};
use crate::steps::{Outcome, Steps, figure};
use crate::tools;
use pass::PASSES;
use survivors::{Listed, Tally};

const LIST: &str = "xtask/mutants-survivors.txt";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this package (may be given more than once) [default: core, pool and arena]
    #[arg(long)]
    package: Vec<String>,
    /// Only files that match this pattern (may be given more than once)
    #[arg(long)]
    file: Vec<String>,
    /// Only the k-th of n parts, as `k/n` with k from 0
    #[arg(long)]
    shard: Option<String>,
    /// Only what has changed since this commit
    #[arg(long)]
    since: Option<String>,
    /// Seconds after which a mutant's tests are taken to hang [default: from a run without mutants]
    #[arg(long)]
    timeout: Option<u32>,
    /// Mutants at a time, each in a copy of its own
    #[arg(long, default_value_t = 1)]
    jobs: u32,
}

impl Args {
    /// Whether every mutant of the packages is tried.
    fn is_complete(&self) -> bool {
        self.file.is_empty() && self.shard.is_none() && self.since.is_none()
    }

    fn includes(&self, package: &str) -> bool {
        self.package.is_empty() || self.package.iter().any(|name| name == package)
    }
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let passes = || PASSES.iter().filter(|pass| args.includes(pass.package));
    ensure!(
        passes().count() > 0,
        "no such package; try {CORE}, {POOL} or {ARENA}"
    );
    let mut total = Tally::default();
    let mut all_ran = true;
    for pass in passes() {
        steps.step_if_possible(&format!("mutants, {}", pass.name), |sh, root| {
            let program = match tools::MUTANTS.get(sh, root) {
                Ok(program) => program,
                Err(missing) => {
                    all_ran = false;
                    return Ok(missing.into());
                }
            };
            let try_out = |stage: usize, mut flags: Vec<String>| {
                let name = format!("{}-{}", pass.name, stage + 1);
                let out = root.join("target").join("mutants").join(name);
                // It may leave what is there, if nothing is selected.
                if out.exists() {
                    fs::remove_dir_all(&out)?;
                }
                fs::create_dir_all(&out)?;
                flags.extend(pass.stages[stage].flags().map(str::to_owned));
                let cmd = sh.cmd(&program).arg("mutants").arg("--output").arg(&out);
                run_mutants(cmd.args(flags))?;
                Tally::read(&out.join("mutants.out"))
            };
            let mut tally = try_out(0, pass.all(sh, root, args)?)?;
            // Version 27.1 does not ask the patterns about fields that it leaves out.
            tally.retain(|mutant| pass.is_for(mutant));
            for stage in 1..pass.stages.len() {
                if tally.survived.is_empty() {
                    break;
                }
                let mut again = try_out(stage, pass.only(args, &tally.survivors))?;
                again.retain(|mutant| tally.survived.iter().any(|name| name == mutant));
                let (before, now) = (tally.survived.len(), again.tried());
                ensure!(
                    now >= before,
                    "{before} survived, of which only {now} were tried again"
                );
                tally.replace_survivors(again);
            }
            figure(&tally);
            ensure!(
                tally.tried() > 0 || !args.is_complete(),
                "no mutant was tried"
            );
            total.add(tally);
            Ok(Outcome::Passed)
        })?;
    }
    if !all_ran {
        return Ok(());
    }
    steps.step("mutants, survivors", |_, root| {
        let listed = fs::read_to_string(root.join(LIST)).with_context(|| LIST.to_owned())?;
        let listed = survivors::parse(&listed).with_context(|| LIST.to_owned())?;
        let in_scope = |entry: &&Listed| {
            passes().any(|pass| entry.file.starts_with(&format!("crates/{}/", pass.package)))
        };
        let listed: Vec<_> = listed.iter().filter(in_scope).collect();
        // A change need not change what can be mutated.
        if args.since.is_some() && total.tried() == 0 {
            return Ok(());
        }
        judge(&total, &listed, args.is_complete())
    })
}

/// Its exit code says more than whether it worked.
fn run_mutants(cmd: xshell::Cmd<'_>) -> Result<()> {
    eprintln!("$ {cmd}");
    let status = Command::from(cmd).status()?;
    match status.code() {
        // All caught; some missed; some timed out.
        Some(0 | 2 | 3) => Ok(()),
        Some(4) => bail!("the tests fail without a mutant"),
        _ => bail!("cargo-mutants ended with {status}"),
    }
}

fn judge(total: &Tally, listed: &[&Listed], complete: bool) -> Result<()> {
    ensure!(total.tried() > 0, "no mutant was tried; wrong filter?");
    for mutant in &total.timed_out {
        println!("timed out (counts as caught): {mutant}");
    }
    for stale in survivors::stale(total, listed, complete) {
        println!("listed in {LIST}, but does not survive: {stale}");
    }
    let unexplained = survivors::unexplained(total, listed);
    ensure!(
        unexplained.is_empty(),
        "{} mutants went unnoticed. Write the test, or explain in {LIST} why none can be written:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_tried_is_nothing_shown() {
        assert!(judge(&Tally::default(), &[], false).is_err());
    }

    #[test]
    fn a_survivor_without_an_explanation_fails() {
        let mut total = Tally::default();
        total.survived.push("a.rs: replace f with ()".to_owned());
        let error = judge(&total, &[], true).unwrap_err().to_string();
        assert!(error.contains("a.rs: replace f with ()"), "{error}");
        let listed = survivors::parse("a.rs: replace f with ()\n  Why not.").unwrap();
        judge(&total, &[&listed[0]], true).unwrap();
    }

    #[test]
    fn the_committed_list_can_be_read() {
        let text = fs::read_to_string(crate::workspace_root().join(LIST)).unwrap();
        let listed = survivors::parse(&text).unwrap();
        assert!(listed.iter().all(|entry| entry.file.starts_with("crates/")));
    }
}
