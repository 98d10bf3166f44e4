//! A million short-lived threads, each with a message, blocks of the thread before it and an
//! estate in a thread-local: nothing may be stranded.
//!
//! `cargo test` runs the same test with a few thousand.

use anyhow::Result;
use xshell::cmd;

use crate::checked::Counted;
use crate::steps::{Steps, figure};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many
    #[arg(long, default_value_t = 1_000_000)]
    threads: u32,
}

pub(crate) fn run(steps: &mut Steps, args: &Args) -> Result<()> {
    let threads = args.threads.to_string();
    steps.step("churn", |sh, _| {
        let cmd = cmd!(
            sh,
            "cargo test -p bytesbuf --all-features --profile release-checked --test faults
             -- --exact threads::any_number_of_threads_strand_nothing"
        );
        Counted::run(cmd.env("BYTESBUF_CHURN", &threads))?;
        figure(format!("{threads} threads"));
        Ok(())
    })
}
