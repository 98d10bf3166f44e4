//! A million short-lived threads, each with a message, blocks of the thread before it and an
//! estate in a thread-local: nothing may be stranded.
//!
//! `cargo test` runs the same test with a few thousand.

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::steps::{Steps, figure, watch};

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
             -- --exact --nocapture threads::any_number_of_threads_strand_nothing"
        );
        // What the test itself says, at its end.
        let mut came = 0;
        watch(cmd.env("BYTESBUF_CHURN", &threads), |line| {
            let count = line.strip_suffix(" threads came and went");
            let count = count.and_then(|rest| rest.split(' ').next_back()?.parse().ok());
            came = count.unwrap_or(came);
        })?;
        ensure!(came >= args.threads, "{came} threads, not {threads}");
        figure(format!("{came} threads"));
        Ok(())
    })
}
