//! Runs the steps of a verb: says what it runs, how long it took, what it counted, and
//! which one failed.

use std::cell::RefCell;
use std::fmt;
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

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    NotRun(String),
    /// With the error.
    Failed(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::NotRun(why) => write!(f, "not run: {why}"),
            Self::Failed(_) => f.write_str("FAILED"),
        }
    }
}

/// A step that is over.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
    /// What it has counted.
    pub(crate) figures: Vec<String>,
}

thread_local! {
    /// Figures of the step that runs.
    static FIGURES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Says what a step has counted, there and in the summary.
pub(crate) fn figure(text: impl fmt::Display) {
    eprintln!("{text}");
    FIGURES.with_borrow_mut(|figures| figures.push(text.to_string()));
}

/// A shell in the root of the workspace, and a record of the steps so far.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(crate) sh: Shell,
    root: PathBuf,
    done: Vec<Done>,
    /// Whether steps follow one that has failed. Whoever sets it looks for failures in
    /// what is [`done`](Self::done).
    pub(crate) keep_going: bool,
}

impl Steps {
    pub(crate) fn new(root: PathBuf) -> Result<Self> {
        let sh = Shell::new()?;
        sh.change_dir(&root);
        Ok(Self {
            sh,
            root,
            done: Vec::new(),
            keep_going: false,
        })
    }

    /// The steps so far.
    pub(crate) fn done(&self) -> &[Done] {
        &self.done
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
        FIGURES.take();
        let start = Instant::now();
        let result = body(&self.sh, &self.root);
        let took = start.elapsed();
        let verdict = match &result {
            Ok(Outcome::Passed) => Verdict::Passed,
            Ok(Outcome::NotRun(why)) => Verdict::NotRun(why.clone()),
            Err(error) => Verdict::Failed(format!("{error:#}")),
        };
        eprintln!("== {name}: {verdict}, {:.1} s", took.as_secs_f64());
        self.done.push(Done {
            name: name.to_owned(),
            verdict,
            took,
            figures: FIGURES.take(),
        });
        match result {
            Ok(_) => Ok(()),
            Err(error) if self.keep_going => {
                eprintln!("error: {error:#}");
                Ok(())
            }
            Err(error) => Err(error.context(format!("step `{name}` failed"))),
        }
    }

    /// For machines on which everything is installed: there, what did not run is an error.
    pub(crate) fn require_all_ran(&self) -> Result<()> {
        let lines: Vec<_> = self
            .done
            .iter()
            .filter(|step| matches!(step.verdict, Verdict::NotRun(_)))
            .map(|step| format!("{}: {}", step.name, step.verdict))
            .collect();
        if !lines.is_empty() {
            bail!("{}", lines.join("\n"));
        }
        Ok(())
    }

    /// Prints all steps with their verdicts, times and figures, if there was more than one.
    pub(crate) fn report(&self) {
        if self.done.len() < 2 {
            return;
        }
        let lengths = self.done.iter().map(|step| step.name.len());
        let width = lengths.max().unwrap_or(0);
        eprintln!("\n== summary");
        for step in &self.done {
            let Done {
                name,
                verdict,
                took,
                figures,
            } = step;
            let figures: String = figures.iter().map(|text| format!("; {text}")).collect();
            let took = took.as_secs_f64();
            eprintln!("{name:width$}  {took:>7.1} s  {verdict}{figures}");
        }
        let total: Duration = self.done.iter().map(|step| step.took).sum();
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
        assert_eq!(steps.done[0].verdict.to_string(), "not run: no wings");
        let error = steps.require_all_ran().unwrap_err();
        assert_eq!(error.to_string(), "fly: not run: no wings");
    }

    #[test]
    fn steps_follow_a_failure_if_they_are_to() {
        let mut steps = steps();
        steps.keep_going = true;
        steps.step("fall", |_, _| bail!("down")).unwrap();
        steps.step("get up", |_, _| Ok(())).unwrap();
        let verdicts: Vec<_> = steps.done().iter().map(|step| &step.verdict).collect();
        assert_eq!(
            verdicts,
            [&Verdict::Failed("down".to_owned()), &Verdict::Passed]
        );
    }

    #[test]
    fn figures_belong_to_the_step_that_has_counted() {
        let mut steps = steps();
        for (name, count) in [("one", 1), ("two", 2)] {
            steps
                .step(name, |_, _| {
                    (0..count).for_each(|sheep| figure(format!("{sheep} sheep")));
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(steps.done[0].figures, ["0 sheep"]);
        assert_eq!(steps.done[1].figures, ["0 sheep", "1 sheep"]);
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
