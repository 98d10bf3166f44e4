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
    lint::run(steps)?;
    layers::run(steps)?;
    deny::run(steps)?;
    test::workspace(steps, false)?;
    test::workspace(steps, true)?;
    test::pass_through(steps, false)?;
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
fn as_typed<A: clap::Args>(words: &str) -> Result<A> {
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
}
