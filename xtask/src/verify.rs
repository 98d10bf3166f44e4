//! `cargo xtask verify long`: the rungs that ci has no time for, one after the other.
//!
//! Each runs as its verb does. One that fails does not keep the others from running; what
//! became of all of them is printed as a table, which belongs into the notes of a release.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::ci::as_typed;
use crate::steps::{Done, Steps, Verdict};
use crate::{
    churn, coverage, fuzz, kill, loom, memcheck, miri, mutants, orderings, sanitize, semver,
    shuttle, soak, test, tools,
};

const REPORT: &str = "target/verify-report.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which ladder
    #[arg(value_enum)]
    which: Which,
    /// Show the rungs, and run nothing
    #[arg(long)]
    list: bool,
    /// Only this rung (may be given more than once), such as `soak` or `miri --long`
    #[arg(long, value_name = "RUNG")]
    only: Vec<String>,
    /// How long to fuzz, in seconds for each target
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    fuzz: u64,
    /// How long to soak, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    soak: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Hours: before a release
    Long,
}

/// A verb with what it is told, as it would be typed.
struct Rung {
    typed: String,
    run: fn(&mut Steps, &str) -> Result<()>,
}

/// A rung out of the module of its verb: what the module is told is read from the words
/// after the first.
macro_rules! rung {
    ($verb:ident $($words:tt)*) => {
        Rung {
            typed: format!("{}{}", stringify!($verb), format!($($words)*)),
            run: |steps, words| $verb::run(steps, &as_typed(words)?),
        }
    };
}

fn rungs(args: &Args) -> Vec<Rung> {
    let Args { fuzz, soak, .. } = args;
    vec![
        rung!(test " --narrow --release"),
        rung!(shuttle " --iterations 200000"),
        rung!(loom " --preemptions 3"),
        rung!(orderings ""),
        rung!(kill ""),
        rung!(sanitize ""),
        rung!(memcheck ""),
        rung!(coverage ""),
        rung!(semver ""),
        rung!(fuzz " --time {fuzz}"),
        rung!(soak " --minutes {soak}"),
        rung!(churn ""),
        rung!(miri " --seeds 64"),
        rung!(miri " --long"),
        rung!(miri " --rest"),
        rung!(mutants ""),
    ]
}

impl Rung {
    fn verb(&self) -> &str {
        self.typed.split(' ').next().unwrap_or_default()
    }

    /// What comes after the verb.
    fn words(&self) -> &str {
        self.typed.split_once(' ').map_or("", |(_, words)| words)
    }
}

/// Those that are asked for, by verb or as typed; all if nothing is.
fn select(rungs: Vec<Rung>, only: &[String]) -> Result<Vec<Rung>> {
    let is = |rung: &Rung, name: &str| rung.verb() == name || rung.typed == name;
    for name in only {
        let known = rungs.iter().any(|rung| is(rung, name));
        ensure!(known, "no rung is called `{name}`; --list shows them");
    }
    let wanted = |rung: &Rung| only.is_empty() || only.iter().any(|name| is(rung, name));
    Ok(rungs.into_iter().filter(wanted).collect())
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let Which::Long = args.which;
    let rungs = select(rungs(args), &args.only)?;
    if args.list {
        for rung in &rungs {
            println!("{}", rung.typed);
        }
        return Ok(());
    }
    fs::create_dir_all(steps.root().join("target"))?;
    let of_what = of_what(&steps.sh)?;
    steps.keep_going = true;
    let mut rows = Vec::new();
    for rung in &rungs {
        let before = steps.done().len();
        let result = (rung.run)(steps, rung.words());
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        let error = result.err().map(|error| format!("{error:#}"));
        let row = Row::of(&rung.typed, &steps.done()[before..], error);
        eprintln!("\n{}", row.line());
        rows.push(row);
        // After each: hours are not lost with the last of them.
        fs::write(steps.root().join(REPORT), report(&of_what, &rows))?;
    }
    steps.keep_going = false;
    let now = self::of_what(&steps.sh)?;
    let of_what = match now == of_what {
        true => of_what,
        false => format!("{of_what}\nAt the end: {now}"),
    };
    fs::write(steps.root().join(REPORT), report(&of_what, &rows))?;
    println!("\n{}", report(&of_what, &rows));
    let failed = rows.iter().filter(|row| row.verdict == "FAILED");
    let failed: Vec<_> = failed.map(|row| row.rung.as_str()).collect();
    if !failed.is_empty() {
        bail!("failed: {}; the table is in {REPORT}", failed.join(", "));
    }
    Ok(())
}

/// What became of a rung.
#[derive(Debug)]
struct Row {
    rung: String,
    verdict: &'static str,
    took: Duration,
    /// Of the steps: what they have counted, why they failed, or why they did not run.
    notes: Vec<String>,
}

impl Row {
    fn of(rung: &str, steps: &[Done], error: Option<String>) -> Self {
        let mut notes: Vec<_> = steps.iter().filter_map(note).collect();
        let is_failed = |step: &Done| matches!(step.verdict, Verdict::Failed(_));
        let is_passed = |step: &Done| step.verdict == Verdict::Passed;
        let verdict = if error.is_some() || steps.iter().any(is_failed) {
            "FAILED"
        } else if steps.iter().all(is_passed) && !steps.is_empty() {
            "passed"
        } else if steps.iter().any(is_passed) {
            "passed in part"
        } else {
            "not run"
        };
        notes.extend(error.map(|error| first_line(&error).to_owned()));
        Self {
            rung: rung.to_owned(),
            verdict,
            took: steps.iter().map(|step| step.took).sum(),
            notes,
        }
    }

    fn line(&self) -> String {
        let Self {
            rung,
            verdict,
            took,
            notes,
        } = self;
        let seconds = took.as_secs();
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        // A bar would end the cell.
        let notes = notes.join("; ").replace('|', "\\|");
        format!("| `{rung}` | {verdict} | {minutes}:{seconds:02} | {notes} |")
    }
}

/// What a step has to say beside that it passed.
fn note(step: &Done) -> Option<String> {
    let Done {
        name,
        verdict,
        figures,
        ..
    } = step;
    match verdict {
        Verdict::Passed if figures.is_empty() => None,
        Verdict::Passed => Some(format!("{name}: {}", figures.join(", "))),
        Verdict::NotRun(_) => Some(format!("{name}: {verdict}")),
        Verdict::Failed(error) => Some(format!("{name}: FAILED: {}", first_line(error))),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What the figures are of: the commit, and the compilers.
fn of_what(sh: &Shell) -> Result<String> {
    let read = |cmd: Cmd<'_>| cmd.quiet().read();
    // Out of an archive, the sources have no commit.
    let commit = read(cmd!(sh, "git rev-parse --short HEAD").ignore_stderr());
    let commit = commit.unwrap_or_else(|_| "unknown".to_owned());
    let changes = read(cmd!(sh, "git status --porcelain").ignore_stderr());
    let changed = changes.is_ok_and(|files| !files.is_empty());
    let stable = read(cmd!(sh, "rustc --version"))?;
    let nightly = tools::nightly(sh).unwrap_or("no nightly");
    Ok(line_of(&commit, changed, &[&stable, nightly]))
}

fn line_of(commit: &str, changed: bool, compilers: &[&str]) -> String {
    let changes = if changed { ", with changes on top" } else { "" };
    format!("Commit {commit}{changes}; {}.", compilers.join("; "))
}

fn report(of_what: &str, rows: &[Row]) -> String {
    let mut text =
        format!("{of_what}\n\n| rung | verdict | minutes | figures |\n|---|---|---|---|\n");
    for row in rows {
        let _ = writeln!(text, "{}", row.line());
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn args(only: &[&str]) -> Args {
        Args {
            which: Which::Long,
            list: false,
            only: only.iter().map(|&name| name.to_owned()).collect(),
            fuzz: 7,
            soak: 3,
        }
    }

    fn step(name: &str, verdict: Verdict, figures: &[&str]) -> Done {
        Done {
            name: name.to_owned(),
            verdict,
            took: Duration::from_secs(61),
            figures: figures.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    fn names(rungs: &[Rung]) -> Vec<&str> {
        rungs.iter().map(|rung| rung.typed.as_str()).collect()
    }

    #[test]
    fn each_rung_can_be_typed() {
        for rung in rungs(&args(&[])) {
            let words = ["xtask"].into_iter().chain(rung.typed.split_whitespace());
            let parsed = crate::Args::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{}: {}", rung.typed, parsed.unwrap_err());
        }
    }

    #[test]
    fn rungs_are_selected_by_verb_or_as_typed() {
        let chosen = |only: &[&str]| {
            let args = args(only);
            select(rungs(&args), &args.only).map(|rungs| names(&rungs).join(", "))
        };
        assert_eq!(chosen(&["soak"]).unwrap(), "soak --minutes 3");
        assert_eq!(chosen(&["fuzz"]).unwrap(), "fuzz --time 7");
        assert_eq!(chosen(&["miri --long"]).unwrap(), "miri --long");
        assert_eq!(
            chosen(&["miri"]).unwrap(),
            "miri --seeds 64, miri --long, miri --rest"
        );
        let error = chosen(&["soap"]).unwrap_err().to_string();
        assert!(error.contains("`soap`"), "{error}");
        assert_eq!(chosen(&[]).unwrap(), names(&rungs(&args(&[]))).join(", "));
    }

    #[test]
    fn a_report_says_what_it_is_of() {
        let line = line_of("abc1234", true, &["rustc 1.0.0", "nightly-2020-01-01"]);
        assert_eq!(
            line,
            "Commit abc1234, with changes on top; rustc 1.0.0; nightly-2020-01-01."
        );
        let row = Row::of("soak", &[step("one", Verdict::Passed, &[])], None);
        let report = report(&line_of("abc1234", false, &["rustc 1.0.0"]), &[row]);
        let lines: Vec<_> = report.lines().collect();
        assert_eq!(lines[0], "Commit abc1234; rustc 1.0.0.");
        assert_eq!(lines[2], "| rung | verdict | minutes | figures |");
        assert_eq!(lines[4], "| `soak` | passed | 1:01 |  |");
    }

    #[test]
    fn commit_and_compiler_can_be_asked_for() {
        let sh = Shell::new().unwrap();
        sh.change_dir(crate::workspace_root());
        let line = of_what(&sh).unwrap();
        assert!(
            line.starts_with("Commit ") && line.contains("rustc "),
            "{line}"
        );
    }

    #[track_caller]
    fn check(steps: &[Done], error: Option<&str>, expected: &str) {
        let row = Row::of("soak", steps, error.map(str::to_owned));
        assert_eq!(row.line(), expected);
    }

    #[test]
    fn a_row_says_what_became_of_its_rung() {
        let passed = step("one", Verdict::Passed, &["5 tests", "1 ignored"]);
        let silent = step("two", Verdict::Passed, &[]);
        let missing = step("three", Verdict::NotRun("no wings".to_owned()), &[]);
        let failed = step("four", Verdict::Failed("a | b\nc".to_owned()), &[]);
        check(
            &[passed.clone(), silent.clone()],
            None,
            "| `soak` | passed | 2:02 | one: 5 tests, 1 ignored |",
        );
        check(
            &[silent.clone(), missing.clone()],
            None,
            "| `soak` | passed in part | 2:02 | three: not run: no wings |",
        );
        check(
            std::slice::from_ref(&missing),
            None,
            "| `soak` | not run | 1:01 | three: not run: no wings |",
        );
        check(&[], None, "| `soak` | not run | 0:00 |  |");
        check(
            &[passed, failed],
            None,
            "| `soak` | FAILED | 2:02 | one: 5 tests, 1 ignored; four: FAILED: a \\| b |",
        );
        check(
            &[silent],
            Some("not one test"),
            "| `soak` | FAILED | 1:01 | not one test |",
        );
    }
}
