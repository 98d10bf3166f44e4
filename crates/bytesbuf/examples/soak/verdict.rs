//! The figures at the end, and whether they are as they should be.

use std::fmt;
use std::time::Duration;

use bytesbuf::mem::{BudgetStats, PoolStats};

use crate::memory::{ALLOWANCE, BUDGET, Bound, MAX_CACHED, MIB, REMAINDER};
use crate::run::mib;
use crate::steady::{self, Steady};
use crate::totals::Totals;

pub(crate) struct Verdict {
    pub(crate) elapsed: Duration,
    pub(crate) threads: usize,
    pub(crate) totals: Totals,
    pub(crate) steady: Steady,
    pub(crate) workers_failed: usize,
    /// By the pool's figures, after all threads are gone.
    pub(crate) bytes_in_use: usize,
    /// By those of all budgets.
    pub(crate) charged: usize,
    pub(crate) waiting: usize,
    pub(crate) cached: usize,
    pub(crate) budget: BudgetStats,
    pub(crate) most_allocated: usize,
    pub(crate) allocated_after_trim: usize,
    pub(crate) before: Option<usize>,
    pub(crate) most_resident: Option<usize>,
    pub(crate) after_trim: Option<usize>,
    pub(crate) bound: Bound,
    pub(crate) table: PoolStats,
}

impl Verdict {
    /// What is not as it should be, with its numbers.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut expect = |right: bool, otherwise: String| {
            if !right {
                failures.push(otherwise);
            }
        };
        let totals = &self.totals;
        expect(
            self.workers_failed == 0,
            format!(
                "{} of {} workers panicked",
                self.workers_failed, self.threads
            ),
        );
        expect(
            totals.checked.get() > 0,
            "no digest was checked: the run shows nothing".to_owned(),
        );
        let (refused, waits) = (totals.refused.get(), self.budget.waits);
        expect(
            refused > 0 && waits > 0,
            format!("{refused} requests were refused, {waits} waited: the budget was not used up"),
        );
        let differing = totals.differing.get();
        expect(
            differing == 0,
            format!("{differing} of {} digests differ", totals.checked.get()),
        );
        for (what, count) in [
            ("messages were derived from others", &totals.derived),
            ("short-lived threads were started", &totals.short_threads),
            ("requests were given up", &totals.cancelled),
        ] {
            let count = count.get();
            expect(count > 0, format!("{count} {what}"));
        }
        let Steady {
            messages,
            allocations,
            before,
            differing,
        } = self.steady;
        expect(
            before > 0,
            format!("{before} allocations before the steady load: they are not counted"),
        );
        let bound = steady::may_allocate(self.threads);
        expect(
            allocations <= bound,
            format!(
                "{allocations} allocations for {messages} messages of a steady load, of {bound}"
            ),
        );
        expect(
            differing == 0,
            format!("{differing} of {messages} messages of a steady load differ"),
        );
        expect(
            self.bytes_in_use == 0,
            format!("{} bytes of blocks are still in use", self.bytes_in_use),
        );
        expect(
            self.charged == 0 && self.waiting == 0,
            format!(
                "{} bytes are still charged, {} requests wait",
                self.charged, self.waiting
            ),
        );
        expect(
            self.budget.peak <= BUDGET,
            format!("{} bytes were charged of {BUDGET}", self.budget.peak),
        );
        expect(
            self.allocated_after_trim == 0 || !cfg!(target_os = "linux"),
            format!(
                "after trim the pool has {} bytes from the allocator",
                self.allocated_after_trim
            ),
        );
        expect(
            self.after_trim.is_some() || !cfg!(target_os = "linux"),
            "the system does not say what is resident".to_owned(),
        );
        if let Some(most) = self.most_resident {
            expect(
                most <= self.bound.total,
                format!(
                    "{:.1} MiB were resident, of {:.1}",
                    mib(most),
                    mib(self.bound.total)
                ),
            );
        }
        if let (Some(before), Some(after)) = (self.before, self.after_trim) {
            expect(
                after <= before + REMAINDER,
                format!(
                    "{:.1} MiB are resident after trim, {:.1} before",
                    mib(after),
                    mib(before)
                ),
            );
        }
        failures
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        let seconds = self.elapsed.as_secs_f64();
        let optional = |bytes: Option<usize>| match bytes {
            Some(bytes) => format!("{:.1}", mib(bytes)),
            None => "not known".to_owned(),
        };
        let mut row = |name: &str, value: String| writeln!(f, "{name:<28}{value}");
        row("time", format!("{seconds:.1} s, {} threads", self.threads))?;
        row(
            "written",
            format!(
                "{} messages, {} MiB, {:.0} MiB/s",
                totals.written.get(),
                totals.bytes.get() / MIB as u64,
                totals.bytes.get() as f64 / MIB as f64 / seconds
            ),
        )?;
        row(
            "handed over, derived",
            format!("{}, {}", totals.handed_over.get(), totals.derived.get()),
        )?;
        row(
            "digests",
            format!(
                "{} checked, {} differ",
                totals.checked.get(),
                totals.differing.get()
            ),
        )?;
        row(
            "refused, cancelled",
            format!("{}, {}", totals.refused.get(), totals.cancelled.get()),
        )?;
        row(
            "waited for the budget",
            format!("{} (the pool's)", self.budget.waits),
        )?;
        row(
            "short-lived threads, trims",
            format!("{}, {}", totals.short_threads.get(), totals.trims.get()),
        )?;
        row(
            "steady load after that",
            format!(
                "{} messages, {} differ, {} allocations (bound {})",
                self.steady.messages,
                self.steady.differing,
                self.steady.allocations,
                steady::may_allocate(self.threads)
            ),
        )?;
        row(
            "in use at the end",
            format!(
                "{} bytes, {} charged, {} waiting",
                self.bytes_in_use, self.charged, self.waiting
            ),
        )?;
        row(
            "most charged, MiB",
            format!("{:.1} of {:.1}", mib(self.budget.peak), mib(BUDGET)),
        )?;
        row(
            "most allocated, MiB",
            format!(
                "{:.1} (seen every 100 ms); {:.1} cached at the end, {:.1} allocated after trim",
                mib(self.most_allocated),
                mib(self.cached),
                mib(self.allocated_after_trim)
            ),
        )?;
        row(
            "resident, MiB",
            format!(
                "{} before, {} at most, {} after trim",
                optional(self.before),
                optional(self.most_resident),
                optional(self.after_trim)
            ),
        )?;
        row(
            "bound, MiB",
            format!(
                "{:.1} = {:.1} budget + {:.1} depot + {:.1} magazines + {:.1} constant",
                mib(self.bound.total),
                mib(BUDGET),
                mib(MAX_CACHED),
                mib(self.bound.magazines),
                mib(ALLOWANCE)
            ),
        )?;
        writeln!(f, "{}", self.table)
    }
}
