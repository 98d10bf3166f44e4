//! Everything that has to pass before a change lands.
//!
//! Cheap and likely failures first. Each verb keeps its own target directory
//! where its flags differ, so that nothing is built twice.

use anyhow::Result;

use crate::steps::Steps;
use crate::{
    bench, compat, doc, fuzz, layers, lint, loom, msrv, no_std, oracle, perf, shuttle, test,
};

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    lint::run(steps)?;
    layers::run(steps)?;
    test::workspace(steps, false)?;
    test::workspace(steps, true)?;
    doc::run(steps)?;
    loom::run(steps, &loom::Args::default())?;
    shuttle::run(steps, &shuttle::Args::default())?;
    oracle::run(steps, &oracle::Args { release: false })?;
    fuzz::replay(steps)?;
    no_std::run(steps)?;
    msrv::run(steps)?;
    bench::once(steps)?;
    perf::check(steps)?;
    compat::run(steps)
}
