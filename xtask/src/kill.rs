//! The kill matrix: for each class of bugs that happened to libraries like this one,
//! a bug of that class is planted in a copy of the workspace, and the rung that is
//! there for the class must fail on it. The same command must pass without it.
//!
//! The bugs are files in `xtask/kill`, which nothing builds: no feature, no `cfg` and
//! no environment variable switches one on.
//!
//! # The files
//! One bug a file, `NN-name.toml`, where `NN` is the class:
//!
//! ```toml
//! class = 4                  # as in the name
//! bug = "the last release no longer sees what the others did"
//! peer = "crossbeam RUSTSEC-2022-0029"     # whom it happened to
//! rung = "loom"
//! args = "-p bytesbuf-core read_here_while_released_there"
//! expect = ["Causality violation"]         # all of these, in what the failure prints
//! env = { LOOM_MAX_PREEMPTIONS = "1" }     # if any: on top of what the rung sets
//!
//! [[change]]                 # one or more
//! file = "crates/bytesbuf-core/src/ref_count.rs"
//! find = 'self.0.fetch_sub(n, Ordering::Release)'
//! replace = 'self.0.fetch_sub(n, Ordering::Relaxed)'
//! ```
//!
//! | rung | command, followed by `args` |
//! |---|---|
//! | `test` | `cargo test` |
//! | `release` | `cargo test --profile release-checked` |
//! | `compile` | `cargo check`; the expected failure is an error of the compiler |
//! | `loom` | `cargo test --release --lib --all-features`, under loom with two preemptions |
//! | `miri` | `cargo miri test` on the nightly, strict provenance, symbolic alignment |
//! | `address` | `cargo test` on the nightly, address and leak sanitizer |
//! | `oracle` | `cargo test` of `crates/oracle` |
//! | `xtask` | a verb: `args = "soak --seconds 5"` |
//!
//! `find` must be in its file exactly once. One that is not there any more is an
//! error that names the file, never a skip; a unit test finds it before the verb does.
//! `expect` keeps a typo or another failure from counting as a kill; a text that the
//! clean run prints as well is refused.
//!
//! A class without a bug has a file with `class`, `bug`, `peer` and `not_planted`,
//! which says why.

mod exec;
mod plant;
mod report;
mod rung;
mod verdict;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use crate::steps::{Outcome, Steps, figure};
use crate::workspace_copy;
use plant::{CLASSES, DoesNotApply, Plant};
use report::Row;
use rung::{Run, Rung};
use verdict::{End, Verdict};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show what there is, and run nothing
    #[arg(long)]
    list: bool,
    /// Only these: numbers of classes, or parts of names
    select: Vec<String>,
}

/// For a run of the clean tree, which may have to build everything.
const CLEAN_LIMIT: Duration = Duration::from_secs(45 * 60);
/// For a run with a bug, which rebuilds what is above it.
const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let plants = plant::load(&steps.root().join("xtask").join("kill"))?;
    require_all_classes(&plants)?;
    let selected = select(&plants, &args.select)?;
    if args.list {
        println!("{}", list(&selected));
        return Ok(());
    }
    steps.step_if_possible("kill", |sh, root| {
        let there = root.join("target").join("kill");
        workspace_copy::refresh(root, &there)?;
        let mut matrix = Matrix::new(there)?;
        let (start, ordered) = (Instant::now(), in_order(&selected));
        // Before the first bug: every bug makes the next clean run build again.
        for plant in &ordered {
            if let Err(verdict) = matrix.ready(sh, plant)? {
                eprintln!("{}: {verdict}", plant.name);
            }
        }
        eprintln!("clean runs: {:.0} s", start.elapsed().as_secs_f64());
        let mut rows = Vec::new();
        for plant in ordered {
            let start = Instant::now();
            let verdict = matrix.try_out(sh, plant)?;
            let row = Row::new(plant, verdict, start.elapsed());
            eprintln!("{}/{} {}", rows.len() + 1, selected.len(), row.line());
            rows.push(row);
        }
        let report = report::table(&rows, start.elapsed());
        println!("\n{report}");
        if let Some(sum) = report.lines().last() {
            figure(sum);
        }
        fs::write(root.join("target").join("kill-report.txt"), &report)?;
        judge(&rows)
    })
}

/// A bug that its rung did not notice is a failure; one that no rung was shown is no
/// success.
fn judge(rows: &[Row]) -> Result<Outcome> {
    let names = |is: fn(&Verdict) -> bool| {
        let rows = rows.iter().filter(|row| is(&row.verdict));
        rows.map(|row| row.plant.name.as_str()).collect::<Vec<_>>()
    };
    let bad = names(Verdict::is_bad);
    ensure!(bad.is_empty(), "not killed: {}", bad.join(", "));
    let unseen = names(|verdict| matches!(verdict, Verdict::NotRun(_)));
    if !unseen.is_empty() {
        let why = format!("what these are for is missing: {}", unseen.join(", "));
        return Ok(Outcome::NotRun(why));
    }
    Ok(Outcome::Passed)
}

/// A class that nobody thought of is not covered.
fn require_all_classes(plants: &[Plant]) -> Result<()> {
    let lacks = |class: &u32| !plants.iter().any(|plant| plant.class == *class);
    let missing: Vec<String> = (1..=CLASSES)
        .filter(lacks)
        .map(|class| class.to_string())
        .collect();
    ensure!(
        missing.is_empty(),
        "no file in xtask/kill for class {}",
        missing.join(", ")
    );
    Ok(())
}

/// Those that are asked for; all if nothing is.
fn select<'a>(plants: &'a [Plant], wanted: &[String]) -> Result<Vec<&'a Plant>> {
    let matches = |plant: &Plant, wanted: &str| match wanted.parse::<u32>() {
        Ok(class) => plant.class == class,
        Err(_) => plant.name.contains(wanted),
    };
    for wanted in wanted {
        let found = plants.iter().any(|plant| matches(plant, wanted));
        ensure!(found, "no planted bug is of class or name `{wanted}`");
    }
    let is_wanted =
        |plant: &&Plant| wanted.is_empty() || wanted.iter().any(|wanted| matches(plant, wanted));
    Ok(plants.iter().filter(is_wanted).collect())
}

/// By rung: bugs that are shown to the same one share its build products.
fn in_order<'a>(plants: &[&'a Plant]) -> Vec<&'a Plant> {
    let mut ordered = plants.to_vec();
    ordered.sort_by_key(|plant| plant.rung);
    ordered
}

fn list(plants: &[&Plant]) -> String {
    let mut text = String::new();
    for plant in plants {
        let rung = match (plant.rung, &plant.not_planted) {
            (Some(rung), _) => Run::of(plant, rung).shown(),
            (None, why) => format!("not planted: {}", why.as_deref().unwrap_or_default()),
        };
        let _ = writeln!(text, "{}\n    {}\n    {rung}", plant.name, plant.bug);
    }
    text
}

/// A copy of the workspace, and what is known of it.
struct Matrix {
    root: PathBuf,
    logs: PathBuf,
    /// How the clean tree does in each run, once asked.
    clean: BTreeMap<Run, Result<End, String>>,
    missing: BTreeMap<Rung, Option<String>>,
}

impl Matrix {
    fn new(root: PathBuf) -> Result<Self> {
        let logs = root.join("target").join("logs");
        fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
        Ok(Self {
            root,
            logs,
            clean: BTreeMap::new(),
            missing: BTreeMap::new(),
        })
    }

    /// The run that a bug is shown to, if it can be and passes without the bug.
    fn ready(&mut self, sh: &Shell, plant: &Plant) -> Result<Result<Run, Verdict>> {
        let Some(rung) = plant.rung else {
            let why = plant.not_planted.clone().unwrap_or_default();
            return Ok(Err(Verdict::NotPlanted(why)));
        };
        let missing = self.missing.entry(rung);
        if let Some(what) = missing.or_insert_with(|| rung.missing(sh)) {
            return Ok(Err(Verdict::NotRun(what.clone())));
        }
        let run = Run::of(plant, rung);
        let not_green = match self.clean(&run, &plant.name)? {
            Err(why) => Some(why.clone()),
            Ok(end) => verdict::printed_anyway(end, &plant.expect)
                .map(|text| format!("`{text}` is printed then, too")),
        };
        Ok(not_green.map_or(Ok(run), |why| Err(Verdict::NotGreen(why))))
    }

    fn try_out(&mut self, sh: &Shell, plant: &Plant) -> Result<Verdict> {
        let run = match self.ready(sh, plant)? {
            Ok(run) => run,
            Err(verdict) => return Ok(verdict),
        };
        let planted = match plant.apply(&self.root) {
            Ok(planted) => planted,
            Err(DoesNotApply(why)) => return Ok(Verdict::DoesNotApply(why)),
        };
        let log = self.log(&plant.name);
        let end = exec::run(run.command(&self.root)?, LIMIT, &log);
        planted.remove(&self.root)?;
        let compile = run.rung() == Rung::Compile;
        Ok(verdict::judge(&end?, &plant.expect, compile))
    }

    /// How the clean tree does: a rung that fails anyway shows nothing.
    fn clean(&mut self, run: &Run, name: &str) -> Result<&Result<End, String>> {
        if !self.clean.contains_key(run) {
            let log = self.log(&format!("{name}-clean"));
            let end = exec::run(run.command(&self.root)?, CLEAN_LIMIT, &log)?;
            let judged = verdict::judge_clean(&end, run.rung().counts_tests());
            let judged = judged.map(|()| end).map_err(|why| {
                let log = log.strip_prefix(&self.root).unwrap_or(&log);
                format!("{why}; see target/kill/{}", log.display())
            });
            self.clean.insert(run.clone(), judged);
        }
        Ok(&self.clean[run])
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.txt"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(name: &str, rest: &str) -> Plant {
        let class: u32 = name[..2].parse().unwrap();
        let text = format!("class = {class}\nbug = \"b\"\npeer = \"p\"\n{rest}");
        plant::parse(name, &text).unwrap()
    }

    pub(super) fn planted(name: &str, rung: &str) -> Plant {
        let change = "[[change]]\nfile = \"f\"\nfind = \"a\"\nreplace = \"b\"";
        plant(
            name,
            &format!("rung = \"{rung}\"\nargs = \"-p one\"\nexpect = [\"x\"]\n{change}"),
        )
    }

    fn unplanted(name: &str) -> Plant {
        plant(name, "not_planted = \"no such code\"")
    }

    fn names<'a>(plants: &[&'a Plant]) -> Vec<&'a str> {
        plants.iter().map(|plant| plant.name.as_str()).collect()
    }

    #[test]
    fn classes_and_parts_of_names_are_selected() {
        let all = [
            planted("03-one", "loom"),
            planted("03-two", "test"),
            unplanted("13-one"),
        ];
        let chosen = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&text| text.to_owned()).collect();
            select(&all, &wanted).map(|plants| names(&plants).join(" "))
        };
        assert_eq!(chosen(&[]).unwrap(), "03-one 03-two 13-one");
        assert_eq!(chosen(&["3"]).unwrap(), "03-one 03-two");
        assert_eq!(chosen(&["one"]).unwrap(), "03-one 13-one");
        assert_eq!(chosen(&["3", "two"]).unwrap(), "03-one 03-two");
        let error = chosen(&["3", "4"]).unwrap_err().to_string();
        assert!(error.contains("`4`"), "{error}");
    }

    #[test]
    fn bugs_of_one_rung_follow_each_other() {
        let all = [
            planted("01-a", "loom"),
            unplanted("02-b"),
            planted("03-c", "test"),
            planted("04-d", "loom"),
        ];
        let all: Vec<&Plant> = all.iter().collect();
        assert_eq!(names(&in_order(&all)), ["02-b", "03-c", "01-a", "04-d"]);
    }

    #[test]
    fn a_class_that_is_missing_is_named() {
        let mut all: Vec<Plant> = (1..=CLASSES)
            .map(|class| unplanted(&format!("{class:02}-x")))
            .collect();
        require_all_classes(&all).unwrap();
        all.remove(6);
        let error = require_all_classes(&all).unwrap_err().to_string();
        assert!(error.ends_with("class 7"), "{error}");
    }

    #[test]
    fn what_no_rung_was_shown_is_not_passed() {
        let (one, two) = (planted("01-a", "test"), planted("02-b", "miri"));
        let row = |plant, verdict| Row::new(plant, verdict, Duration::ZERO);
        let missing = || Verdict::NotRun("no nightly".to_owned());
        let killed = [row(&one, Verdict::Killed), row(&two, Verdict::Killed)];
        assert!(matches!(judge(&killed), Ok(Outcome::Passed)));
        let unseen = [row(&one, Verdict::Killed), row(&two, missing())];
        let Ok(Outcome::NotRun(why)) = judge(&unseen) else {
            panic!("a rung was missing");
        };
        assert!(why.contains("02-b") && !why.contains("01-a"), "{why}");
        let survived = [row(&one, Verdict::Survived), row(&two, missing())];
        let error = judge(&survived).unwrap_err().to_string();
        assert_eq!(error, "not killed: 01-a");
    }

    /// Of the map, the class and the rung in bold, as `| 7 | .. | **loom**, miri |` has them.
    fn in_bold(row: &str) -> Option<(u32, &str)> {
        let class = row.strip_prefix("| ")?.split(' ').next()?.parse().ok()?;
        let (_, rest) = row.rsplit_once("| **")?;
        Some((class, rest.split_once("**")?.0))
    }

    #[test]
    fn the_rung_that_the_map_names_for_a_class_is_shown_a_bug_of_it() {
        let root = crate::workspace_root();
        let plants = plant::load(&root.join("xtask/kill")).unwrap();
        let map = fs::read_to_string(root.join("docs/TESTING-MAP.md")).unwrap();
        let bold: Vec<_> = map.lines().filter_map(in_bold).collect();
        assert_eq!(bold.len(), CLASSES as usize, "{bold:?}");
        for (class, verb) in bold {
            let of_class = plants.iter().filter(|plant| plant.class == class);
            let shown: Vec<_> = of_class
                .filter_map(|plant| Some(plant.rung?.verb(&plant.args)))
                .collect();
            assert!(
                shown.iter().any(|it| it == verb),
                "{class}: {verb}, not {shown:?}"
            );
        }
    }

    #[test]
    fn the_list_shows_each_command() {
        let (bug, none) = (planted("01-a", "test"), unplanted("02-b"));
        let text = list(&[&bug, &none]);
        assert!(text.contains("cargo test -p one"), "{text}");
        assert!(text.contains("not planted: no such code"), "{text}");
    }
}
