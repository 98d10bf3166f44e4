//! Which lines of the libraries no test runs.
//!
//! A map, not a check: covered is not tested, and there is no figure to reach. `mutants`
//! says whether anybody would notice.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::checked;
use crate::steps::{Outcome, Steps, figure};
use crate::tools;

/// Files shown, those with the smallest part covered first.
const SHOWN: usize = 25;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also lines in colour, in target/coverage/html
    #[arg(long)]
    html: bool,
    /// All files, not only those with the smallest part covered
    #[arg(long)]
    all: bool,
}

/// Lines of one file.
#[derive(Debug, PartialEq)]
struct Covered {
    file: String,
    lines: u32,
    run: u32,
}

impl Covered {
    fn percent(&self) -> f64 {
        if self.lines == 0 {
            return 100.0;
        }
        100.0 * f64::from(self.run) / f64::from(self.lines)
    }
}

/// Files of tests alone. (Tests at the end of a file count with it.)
const TESTS: &str = "_tests/|/tests/|/tests\\.rs$";

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    steps.step_if_possible("coverage", |sh, root| {
        if let Err(missing) = tools::component(sh, "llvm-tools") {
            return Ok(missing.into());
        }
        if let Err(missing) = tools::LLVM_COV.get(sh, root) {
            return Ok(missing.into());
        }
        // It is there now.
        let cover = || {
            let cover = tools::LLVM_COV.command(sh, root).ok();
            cover.context("the tool has gone")
        };
        let dir = root.join("target").join("coverage");
        fs::create_dir_all(&dir)?;
        let lcov = dir.join("lcov.info");
        cover()?.args(["clean", "--workspace"]).run()?;
        // With `holders` every block is attended: the plain path needs a run of its own.
        cover()?
            .args(["--no-report", "--all-features"])
            .args(checked::packages(None))
            .run()?;
        cover()?
            .args(["--no-report", "-p", "bytesbuf-pool"])
            .run()?;
        cover()?
            .args([
                "report",
                "--ignore-filename-regex",
                TESTS,
                "--lcov",
                "--output-path",
            ])
            .arg(&lcov)
            .run()?;
        if args.html {
            cover()?
                .args([
                    "report",
                    "--ignore-filename-regex",
                    TESTS,
                    "--html",
                    "--output-dir",
                ])
                .arg(&dir)
                .run()?;
        }
        let text = fs::read_to_string(&lcov)?;
        let mut files = parse(&text, &root.to_string_lossy());
        ensure!(!files.is_empty(), "nothing in {}", lcov.display());
        files.sort_by(|a, b| a.percent().total_cmp(&b.percent()));
        let shown = if args.all { files.len() } else { SHOWN };
        let table = table(&files, shown);
        println!("{table}");
        if let Some(sum) = table.lines().last() {
            figure(sum.trim());
        }
        Ok(Outcome::Passed)
    })
}

/// `SF:` names a file, `LF:` counts its lines, `LH:` those that were run.
fn parse(lcov: &str, root: &str) -> Vec<Covered> {
    let mut files = Vec::new();
    let (mut file, mut lines, mut run) = (String::new(), 0, 0);
    for line in lcov.lines() {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        match key {
            "SF" => file = value.trim_start_matches(root).replace('\\', "/"),
            "LF" => lines = value.parse().unwrap_or(0),
            "LH" => run = value.parse().unwrap_or(0),
            "end_of_record" => files.push(Covered {
                file: std::mem::take(&mut file).trim_start_matches('/').to_owned(),
                lines: std::mem::take(&mut lines),
                run: std::mem::take(&mut run),
            }),
            _ => (),
        }
    }
    files
}

fn table(files: &[Covered], shown: usize) -> String {
    let total = Covered {
        file: format!("all {} files", files.len()),
        lines: files.iter().map(|file| file.lines).sum(),
        run: files.iter().map(|file| file.run).sum(),
    };
    let rows = files.iter().take(shown).chain([&total]).map(|file| {
        format!(
            "{:6.1} %  {:5} of {:5} lines not run  {}",
            file.percent(),
            file.lines - file.run.min(file.lines),
            file.lines,
            file.file
        )
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LCOV: &str = "SF:/here/a/b.rs\nFN:1,f\nDA:1,0\nLF:4\nLH:1\nend_of_record\n\
                        SF:/here/c.rs\nLF:6\nLH:6\nend_of_record\n";

    #[test]
    fn files_are_read_from_the_trace() {
        let files = parse(LCOV, "/here");
        let expected = |file: &str, lines, run| Covered {
            file: file.to_owned(),
            lines,
            run,
        };
        assert_eq!(files, [expected("a/b.rs", 4, 1), expected("c.rs", 6, 6)]);
    }

    #[test]
    fn the_total_is_of_all_files_shown_or_not() {
        let shown = table(&parse(LCOV, "/here"), 1);
        let expected = "  25.0 %      3 of     4 lines not run  a/b.rs\n  \
                        70.0 %      3 of    10 lines not run  all 2 files";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_file_without_lines_is_covered() {
        let file = Covered {
            file: String::new(),
            lines: 0,
            run: 0,
        };
        assert!(file.percent() > 99.0);
    }
}
