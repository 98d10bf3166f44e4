//! Runs the steps of a verb: says what it runs, how long it took, and which one
//! failed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell};

/// How a step that did not fail ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// Something that it needs is not installed. Never reported as passed.
    NotRun(String),
}

const NOT_RUN: &str = "not run";

/// A shell in the root of the workspace, and a record of the steps so far.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(crate) sh: Shell,
    root: PathBuf,
    done: Vec<(String, String, Duration)>,
}

impl Steps {
    pub(crate) fn new(root: PathBuf) -> Result<Self> {
        let sh = Shell::new()?;
        sh.change_dir(&root);
        Ok(Self {
            sh,
            root,
            done: Vec::new(),
        })
    }

    /// The root of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Runs one step that either passes or fails.
    pub(crate) fn step(
        &mut self,
        name: &str,
        body: impl FnOnce(&Shell, &Path) -> Result<()>,
    ) -> Result<()> {
        self.step_if_possible(name, |sh, root| {
            body(sh, root)?;
            Ok(Outcome::Passed)
        })
    }

    /// Runs one step that may turn out to lack something it needs.
    pub(crate) fn step_if_possible(
        &mut self,
        name: &str,
        body: impl FnOnce(&Shell, &Path) -> Result<Outcome>,
    ) -> Result<()> {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let result = body(&self.sh, &self.root);
        let took = start.elapsed();
        let verdict = match &result {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::NotRun(why)) => format!("{NOT_RUN}: {why}"),
            Err(_) => "FAILED".to_owned(),
        };
        eprintln!("== {name}: {verdict}, {:.1} s", took.as_secs_f64());
        self.done.push((name.to_owned(), verdict, took));
        match result {
            Ok(_) => Ok(()),
            Err(error) => Err(error.context(format!("step `{name}` failed"))),
        }
    }

    /// For machines on which everything is installed: there, what did not run is an error.
    pub(crate) fn require_all_ran(&self) -> Result<()> {
        let is_missing =
            |(_, verdict, _): &&(String, String, Duration)| verdict.starts_with(NOT_RUN);
        let missing: Vec<_> = self.done.iter().filter(is_missing).collect();
        let lines: Vec<_> = missing
            .iter()
            .map(|(name, verdict, _)| format!("{name}: {verdict}"))
            .collect();
        if !lines.is_empty() {
            bail!("{}", lines.join("\n"));
        }
        Ok(())
    }

    /// Prints all steps with their verdicts and times, if there was more than one.
    pub(crate) fn report(&self) {
        if self.done.len() < 2 {
            return;
        }
        let width = self
            .done
            .iter()
            .map(|(name, ..)| name.len())
            .max()
            .unwrap_or(0);
        eprintln!("\n== summary");
        for (name, verdict, took) in &self.done {
            eprintln!("{name:width$}  {:>7.1} s  {verdict}", took.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|(.., took)| *took).sum();
        eprintln!("{:width$}  {:>7.1} s", "total", total.as_secs_f64());
    }
}

/// Runs a command whose standard output is shown and handed to `each_line` as it
/// comes.
pub(crate) fn watch(cmd: Cmd<'_>, mut each_line: impl FnMut(&str)) -> Result<()> {
    eprintln!("$ {cmd}");
    let shown = cmd.to_string();
    let mut child = Command::from(cmd)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.with_context(|| format!("cannot read the output of `{shown}`"))?;
            println!("{line}");
            each_line(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Steps {
        Steps::new(crate::workspace_root()).unwrap()
    }

    #[test]
    fn a_failure_names_its_step() {
        let error = steps()
            .step("shave the yak", |_, _| bail!("no razor"))
            .unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "step `shave the yak` failed: no razor"
        );
    }

    #[test]
    fn what_did_not_run_is_not_called_passed() {
        let mut steps = steps();
        steps
            .step_if_possible("fly", |_, _| Ok(Outcome::NotRun("no wings".to_owned())))
            .unwrap();
        assert_eq!(steps.done[0].1, "not run: no wings");
        let error = steps.require_all_ran().unwrap_err();
        assert_eq!(error.to_string(), "fly: not run: no wings");
    }

    #[test]
    fn what_ran_is_not_missing() {
        let mut steps = steps();
        steps.step("walk", |_, _| Ok(())).unwrap();
        steps.require_all_ran().unwrap();
    }

    #[test]
    fn a_failing_command_is_an_error() {
        let sh = Shell::new().unwrap();
        let mut lines = Vec::new();
        let cmd = xshell::cmd!(sh, "rustc --version");
        watch(cmd, |line| lines.push(line.to_owned())).unwrap();
        assert!(lines[0].starts_with("rustc "), "{lines:?}");
        let error = watch(xshell::cmd!(sh, "rustc --no-such-flag"), |_| ()).unwrap_err();
        assert!(error.to_string().contains("--no-such-flag"), "{error}");
    }
}
