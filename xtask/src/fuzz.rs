//! Random programs under libFuzzer with address sanitizer, and a replay without either.
//!
//! The programs and what they are held against are in `crates/fuzz`. Its corpus is
//! replayed in any case; the rest needs a nightly compiler and cargo-fuzz.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::oracle::test_outside;
use crate::steps::{Outcome, Steps, figure};
use crate::tools::{self, Missing};

const TARGETS: [&str; 5] = [
    "view_algebra",
    "buffer_algebra",
    "bytes_interop",
    "budget_and_trim",
    "provider",
];

const MANIFEST: &str = "crates/fuzz/Cargo.toml";

/// Longer inputs find little more, and take long to understand.
const MAX_LEN: usize = 1024;

/// A program takes milliseconds.
const HANGS_AFTER_SECONDS: u64 = 60;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long, in seconds for each target
    #[arg(long = "time", value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Instead, replace the committed corpus by the smallest part of what was found that
    /// reaches the same code
    #[arg(long)]
    minimise: bool,
    /// Without the inputs that have failed before, and without the replay: to see whether
    /// they would be found again
    #[arg(long, conflicts_with = "minimise")]
    fresh: bool,
    /// One target alone
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
}

impl Args {
    fn targets(&self) -> Vec<&str> {
        match &self.target {
            Some(target) => vec![target],
            None => TARGETS.to_vec(),
        }
    }
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    if !args.minimise && !args.fresh {
        replay(steps)?;
    }
    let mut tools = Err(Missing::new("not looked for"));
    steps.step_if_possible("cargo-fuzz", |sh, root| {
        tools = prepare(sh, root);
        Ok(tools
            .clone()
            .map_or_else(Outcome::from, |_| Outcome::Passed))
    })?;
    for target in args.targets() {
        steps.step_if_possible(&format!("fuzz, {target}"), |sh, root| {
            let (nightly, program) = match &tools {
                Ok(tools) => tools,
                Err(missing) => return Ok(missing.clone().into()),
            };
            let places = if args.fresh {
                Places::fresh(root, target)?
            } else {
                Places::of(root, target)?
            };
            let fuzzer = Fuzzer {
                sh,
                nightly,
                program,
                target,
            };
            if args.minimise {
                fuzzer.minimise(&places)?;
            } else {
                fuzzer.fuzz(&places, args.seconds)?;
            }
            Ok(Outcome::Passed)
        })?;
    }
    if args.minimise {
        replay(steps)?;
    }
    Ok(())
}

/// Every program of the committed corpus once, without libFuzzer.
pub(crate) fn replay(steps: &mut Steps) -> Result<()> {
    steps.step("fuzz, replay of the corpus", |sh, root| {
        test_outside(sh, root, MANIFEST, &[])
    })
}

/// Folders of a target.
struct Places {
    committed: PathBuf,
    /// What runs add to.
    corpus: PathBuf,
    /// Inputs that failed.
    artifacts: PathBuf,
}

impl Places {
    fn of(root: &Path, target: &str) -> Result<Self> {
        let places = Self {
            committed: root.join("crates/fuzz/corpus").join(target),
            corpus: root.join("target/fuzz-corpus").join(target),
            artifacts: root.join("target/fuzz-artifacts").join(target),
        };
        fs::create_dir_all(&places.corpus)?;
        fs::create_dir_all(&places.artifacts)?;
        copy_files(&places.committed, &places.corpus)?;
        let crashes = root.join("crates/fuzz/crashes").join(target);
        if crashes.is_dir() {
            copy_files(&crashes, &places.corpus)?;
        }
        Ok(places)
    }

    /// With what is committed and never failed, and nothing of earlier runs.
    fn fresh(root: &Path, target: &str) -> Result<Self> {
        let below = root.join("target/fuzz-fresh").join(target);
        let places = Self {
            committed: root.join("crates/fuzz/corpus").join(target),
            corpus: below.join("corpus"),
            artifacts: below.join("artifacts"),
        };
        if below.exists() {
            fs::remove_dir_all(&below)?;
        }
        fs::create_dir_all(&places.corpus)?;
        fs::create_dir_all(&places.artifacts)?;
        copy_files(&places.committed, &places.corpus)?;
        Ok(places)
    }
}

/// The nightly to fuzz with and cargo-fuzz, installed if it is missing.
fn prepare(sh: &Shell, root: &Path) -> Result<(&'static str, PathBuf), Missing> {
    if cfg!(windows) {
        return Err(Missing::new(
            "cargo-fuzz has no address sanitizer on Windows",
        ));
    }
    let nightly = tools::nightly(sh)?;
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let compiler = cmd!(sh, "{compiler} --version").quiet().ignore_stderr();
    if compiler.read().is_err() {
        return Err(Missing::new(
            "no C++ compiler, which libFuzzer is built with",
        ));
    }
    Ok((nightly, tools::FUZZ.get(sh, root)?))
}

/// One target, and what it is run with.
struct Fuzzer<'a> {
    sh: &'a Shell,
    nightly: &'a str,
    /// cargo-fuzz.
    program: &'a Path,
    target: &'a str,
}

impl<'a> Fuzzer<'a> {
    /// `cargo fuzz <verb> <target>`. Directories are relative to that of the shell.
    fn command(&self, verb: &str) -> Cmd<'a> {
        let Self {
            sh,
            nightly,
            program,
            target,
        } = self;
        cmd!(
            sh,
            "rustup run {nightly} {program} fuzz {verb} --fuzz-dir crates/fuzz --target-dir target/fuzz
             --features libfuzzer {target}"
        )
    }

    fn fuzz(&self, places: &Places, seconds: u64) -> Result<()> {
        let target = self.target;
        let Places {
            corpus, artifacts, ..
        } = places;
        let before = failures(artifacts)?;
        let prefix = format!("-artifact_prefix={}/", artifacts.display());
        let time = format!("-max_total_time={seconds}");
        let (len, hang) = (
            format!("-max_len={MAX_LEN}"),
            format!("-timeout={HANGS_AFTER_SECONDS}"),
        );
        // Long programs from the start: most failures need several operations.
        let flags = [&prefix, &time, &len, &hang, "-len_control=0"];
        let cmd = self.command("run").arg(corpus).arg("--").args(flags);
        let mut figures = Figures::default();
        let outcome = watch(cmd, |line| figures.read(line));
        let found: Vec<_> = failures(artifacts)?
            .into_iter()
            .filter(|path| !before.contains(path))
            .collect();
        if let Some(input) = found.last() {
            bail!("{}", self.how_to_reproduce(input));
        }
        outcome?;
        ensure!(figures.executions > 0, "{target}: nothing was executed");
        figure(figures);
        Ok(())
    }

    fn minimise(&self, places: &Places) -> Result<()> {
        let Places {
            committed, corpus, ..
        } = places;
        // Without counters: an input for each edge, not for each number of times.
        self.command("cmin")
            .arg(corpus)
            .args(["--", "-use_counters=0"])
            .run()?;
        fs::remove_dir_all(committed)?;
        fs::create_dir_all(committed)?;
        let kept = copy_files(corpus, committed)?;
        ensure!(kept > 0, "nothing is left");
        eprintln!("{}: {kept} inputs", self.target);
        Ok(())
    }

    fn how_to_reproduce(&self, input: &Path) -> String {
        let target = self.target;
        let (run, shorten) = (self.command("run"), self.command("tmin"));
        let input = input.display();
        format!(
            "{target} fails on {input}\n\
             its program, and the failure without libFuzzer:\n  \
             FUZZ_TARGET={target} FUZZ_INPUT={input} cargo test --manifest-path {MANIFEST} \
             --test replay one_input -- --nocapture\n\
             under libFuzzer and address sanitizer:\n  {run} {input}\n\
             a shorter one:\n  {shorten} {input}\n\
             once it is understood, it belongs in crates/fuzz/crashes/{target}"
        )
    }
}

/// Inputs that failed. A slow one has not.
fn failures(artifacts: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(artifacts)? {
        let entry = entry?;
        if is_failure(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

fn is_failure(name: &str) -> bool {
    ["crash-", "leak-", "oom-", "timeout-"]
        .iter()
        .any(|kind| name.starts_with(kind))
}

fn copy_files(from: &Path, to: &Path) -> Result<usize> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    let mut count = 0;
    for entry in entries {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
        count += 1;
    }
    Ok(count)
}

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    executions: u64,
    seconds: u64,
    /// Edges of the control flow that were taken.
    edges: u64,
    /// Those, and how often in one execution, in powers of two.
    features: u64,
}

impl Figures {
    /// Reads a line of the output. Whether a person wants to see it.
    fn read(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split_whitespace().collect();
        let after = |word: &str| {
            let at = words.iter().position(|&other| other == word)?;
            words.get(at + 1)?.parse().ok()
        };
        if line.starts_with('#') {
            self.edges = after("cov:").unwrap_or(self.edges);
            self.features = after("ft:").unwrap_or(self.features);
        }
        if let ["Done", executions, "runs", "in", seconds, ..] = words[..] {
            self.executions = executions.parse().unwrap_or(0);
            self.seconds = seconds.parse().unwrap_or(0);
        }
        let start = line.trim_start();
        let is_noise = |noise: &str| start.starts_with(noise);
        // Frames of a stack begin with `#` too, further to the right.
        !line.starts_with('#') && !["NEW_FUNC", "NEW_PC", "\""].into_iter().any(is_noise)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            executions,
            seconds,
            edges,
            features,
        } = self;
        let rate = executions / (*seconds).max(1);
        write!(
            f,
            "{executions} executions, {rate} a second, {edges} edges, {features} features"
        )
    }
}

/// Runs a command whose standard error is handed to `each_line`, and shown if that says
/// so.
fn watch(cmd: Cmd<'_>, mut each_line: impl FnMut(&str) -> bool) -> Result<()> {
    eprintln!("$ {cmd}");
    let shown = cmd.to_string();
    let mut child = Command::from(cmd)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if let Some(stderr) = child.stderr.take() {
        // Not all of it is text.
        for line in BufReader::new(stderr).split(b'\n') {
            let line = line.with_context(|| format!("cannot read the output of `{shown}`"))?;
            let line = String::from_utf8_lossy(&line);
            if each_line(&line) {
                eprintln!("{line}");
            }
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_last_lines() {
        let mut figures = Figures::default();
        let lines = [
            "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 40Mb",
            "\tNEW_FUNC[1/4]: 0x55b3 in core::slice /core/src/slice/mod.rs:574",
            "#97\tDONE   cov: 587 ft: 2365 corp: 21/85Kb lim: 122 exec/s: 190 rss: 429Mb",
            "###### Recommended dictionary. ######",
            "\"\\377\\377\" # Uses: 112",
        ];
        for line in lines {
            assert!(!figures.read(line), "{line}");
        }
        assert!(figures.read("Done 59206 runs in 311 second(s)"));
        assert_eq!(
            figures.to_string(),
            "59206 executions, 190 a second, 587 edges, 2365 features"
        );
    }

    #[test]
    fn what_fails_is_shown() {
        let mut figures = Figures::default();
        for line in [
            "thread '<unnamed>' panicked at src/view_algebra/mod.rs:1:1:",
            "==1==ERROR: AddressSanitizer: heap-use-after-free",
            "    #1 0x55d1 in main",
        ] {
            assert!(figures.read(line), "{line}");
        }
        assert_eq!(figures, Figures::default());
    }

    #[test]
    fn a_failure_comes_with_commands_for_the_same_compiler() {
        let sh = Shell::new().unwrap();
        let fuzzer = Fuzzer {
            sh: &sh,
            nightly: "nightly-1",
            program: Path::new("bin/cargo-fuzz"),
            target: "provider",
        };
        let advice = fuzzer.how_to_reproduce(Path::new("a/crash-1"));
        for verb in ["run", "tmin"] {
            let command =
                format!("rustup run nightly-1 bin/cargo-fuzz fuzz {verb} --fuzz-dir crates/fuzz");
            assert!(advice.contains(&command), "{advice}");
        }
        assert_eq!(advice.matches(" provider a/crash-1").count(), 2, "{advice}");
    }

    #[test]
    fn slow_inputs_are_no_failures() {
        assert!(is_failure("crash-12"));
        assert!(is_failure("leak-12"));
        assert!(is_failure("oom-12"));
        assert!(is_failure("timeout-12"));
        assert!(!is_failure("slow-unit-12"));
    }

    #[test]
    fn each_target_has_a_binary_and_a_corpus() {
        let fuzz = crate::workspace_root().join("crates/fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        for target in TARGETS {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
            let corpus = fs::read_dir(fuzz.join("corpus").join(target)).unwrap();
            assert!(corpus.count() > 0, "{target}");
        }
    }

    #[test]
    fn all_targets_unless_one_is_named() {
        let args = |target: Option<&str>| Args {
            seconds: 1,
            minimise: false,
            fresh: false,
            target: target.map(str::to_owned),
        };
        assert_eq!(args(None).targets(), TARGETS);
        assert_eq!(args(Some("provider")).targets(), ["provider"]);
    }
}
