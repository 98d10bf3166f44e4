//! Everything that has to pass before a change lands, in half an hour on two cores.
//!
//! Cheap and likely failures first. Each verb keeps its own target directory
//! where its flags differ, so that nothing is built twice.

use anyhow::Result;
use clap::Command;

use crate::steps::Steps;
use crate::{
    api, bench, compat, deny, doc, docs_rs, features, fuzz, layers, lint, loom, miri, msrv, no_std,
    oracle, perf, sanitize, shuttle, soak, test,
};

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    lint::of_ci(steps)?;
    layers::run(steps)?;
    deny::run(steps)?;
    // Optimised first: what hangs is killed there, and named.
    test::optimised(steps)?;
    test::workspace(steps, false)?;
    test::pass_through(steps, false)?;
    test::narrow::run(steps, false)?;
    doc::run(steps)?;
    docs_rs::run(steps)?;
    api::run(steps, &as_typed("")?)?;
    features::run(steps, &as_typed("")?)?;
    no_std::run(steps)?;
    msrv::run(steps)?;
    loom::run(steps, &as_typed("")?)?;
    shuttle::run(steps, &as_typed("")?)?;
    oracle::run(steps, &as_typed("")?)?;
    fuzz::run(steps, &as_typed("--time 10")?)?;
    miri::run(steps, &as_typed("")?)?;
    sanitize::run(steps, &as_typed("address --pooled")?)?;
    perf::check(steps)?;
    bench::once(steps)?;
    compat::run(steps)?;
    soak::run(steps, &as_typed("--minutes 1")?)
}

/// What a verb is told by these words on the command line.
pub(crate) fn as_typed<A: clap::Args>(words: &str) -> Result<A> {
    let command = A::augment_args(Command::new("xtask").no_binary_name(true));
    let matches = command.try_get_matches_from(words.split_whitespace())?;
    Ok(A::from_arg_matches(&matches)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Args)]
    struct Deep {
        #[arg(long, default_value_t = 2)]
        depth: u32,
    }

    #[test]
    fn verbs_are_told_what_the_command_line_would_tell_them() {
        assert_eq!(as_typed::<Deep>("").unwrap().depth, 2);
        assert_eq!(as_typed::<Deep>("--depth 3").unwrap().depth, 3);
        assert!(as_typed::<Deep>("--width 3").is_err());
        assert!(as_typed::<soak::Args>("--minutes 1").is_ok());
    }

    /// Command lines of the workflow, those of its matrices included.
    fn workflow() -> Vec<String> {
        let path = crate::workspace_root().join(".github/workflows/ci.yml");
        let text = std::fs::read_to_string(path).unwrap();
        let mut found = Vec::new();
        let mut in_matrix = false;
        for line in text.lines().map(str::trim) {
            if let Some((_, words)) = line.split_once("cargo xtask --strict ") {
                let words = words.replace("${{ matrix.flags }}", "--nextest");
                found.push(words.replace("${{ github.base_ref }}", "main"));
            } else if let Some(verbs) = line.strip_prefix("verb: [") {
                let verbs = verbs.trim_end_matches(']').split(", ");
                found.extend(verbs.map(str::to_owned));
            } else if line == "verb:" {
                in_matrix = true;
            } else if let (true, Some(verb)) = (in_matrix, line.strip_prefix("- ")) {
                found.push(verb.to_owned());
            } else {
                in_matrix = false;
            }
        }
        found.retain(|words| !words.contains("matrix.verb"));
        found
    }

    #[test]
    fn the_workflow_calls_verbs_that_exist() {
        use clap::CommandFactory;

        let lines = workflow();
        assert!(lines.len() > 20, "{lines:?}");
        for line in lines {
            let words = ["xtask"].into_iter().chain(line.split_whitespace());
            let parsed = crate::Args::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }
}
