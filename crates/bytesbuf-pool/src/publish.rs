//! Figures for the `metrics` crate: under the feature of that name.
//!
//! The pool counts for itself, and hands the sums over when it is told to: nothing
//! here is near a rental or a release. `docs/design/observability.md` has the table
//! of names.

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::tally::Tally;
use crate::{BudgetStats, GlobalPool, PoolStats};

/// Name and meaning of a figure.
struct Metric {
    name: &'static str,
    kind: Kind,
    unit: Unit,
    help: &'static str,
}

enum Kind {
    /// Goes up and down.
    Gauge,
    /// Counts from the beginning, by the pool.
    Counter,
}

use Kind::{Counter, Gauge};

macro_rules! metrics {
    ($($id:ident: $kind:ident $name:literal in $unit:ident, $help:literal;)*) => {
        $(const $id: Metric = Metric {
            name: $name,
            kind: $kind,
            unit: Unit::$unit,
            help: $help,
        };)*

        const ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    BYTES_IN_USE: Gauge "bytesbuf.pool.bytes.in_use" in Bytes, "Blocks that are rented";
    BYTES_CACHED: Gauge "bytesbuf.pool.bytes.cached" in Bytes, "Free blocks that are kept";
    BYTES_ALLOCATED: Gauge "bytesbuf.pool.bytes.allocated" in Bytes, "Held from the allocator";
    THREAD_CACHES: Gauge "bytesbuf.pool.thread_caches" in Count, "Threads that keep free blocks";
    BLOCKS_IN_USE: Gauge "bytesbuf.pool.blocks.in_use" in Count, "Blocks that are rented";
    BLOCKS_CACHED: Gauge "bytesbuf.pool.blocks.cached" in Count, "Free blocks that are kept";
    RENTALS: Counter "bytesbuf.pool.rentals" in Count, "Blocks rented so far";
    MISSES: Counter "bytesbuf.pool.misses" in Count, "Rentals not served by their own thread";
    ALLOCATIONS: Counter "bytesbuf.pool.allocations" in Count, "Allocations for blocks so far";
    OUT_OF_MEMORY: Counter "bytesbuf.pool.out_of_memory" in Count, "Rentals without memory";
    BUDGET_IN_USE: Gauge "bytesbuf.budget.bytes.in_use" in Bytes, "Bytes that are charged";
    BUDGET_LIMIT: Gauge "bytesbuf.budget.bytes.limit" in Bytes, "Bytes that may be charged";
    BUDGET_PEAK: Gauge "bytesbuf.budget.bytes.peak" in Bytes, "Most bytes charged so far";
    BUDGET_WAITING: Gauge "bytesbuf.budget.waiting" in Count, "Requests that wait for room";
    BUDGET_WAITS: Counter "bytesbuf.budget.waits" in Count, "Requests that had to wait so far";
    BUDGET_REFUSALS: Counter "bytesbuf.budget.refusals" in Count, "Requests refused so far";
}

impl Metric {
    fn publish(&self, value: usize, labels: &[Label]) {
        match self.kind {
            Gauge => gauge!(self.name, labels.to_vec()).set(value as f64),
            Counter => counter!(self.name, labels.to_vec()).absolute(value as u64),
        }
    }

    fn describe(&self) {
        match self.kind {
            Gauge => describe_gauge!(self.name, self.unit, self.help),
            Counter => describe_counter!(self.name, self.unit, self.help),
        }
    }
}

impl GlobalPool {
    /// Hands the figures of this pool, and of the budget of this handle, to the
    /// recorder of the `metrics` crate: [`stats`](Self::stats) and
    /// [`PoolStats::publish`]. [`maintain`](Self::maintain) does it as well.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf_pool::GlobalPool;
    ///
    /// let pool = GlobalPool::builder().name("frames").max_bytes(1 << 20).build()?;
    /// GlobalPool::describe_metrics();
    /// pool.publish_metrics(); // from the timer that scrapes, say
    /// # Ok::<(), bytesbuf_pool::InvalidSettings>(())
    /// ```
    pub fn publish_metrics(&self) {
        self.stats().publish();
    }

    /// Tells the recorder of the `metrics` crate what the figures mean and what
    /// their units are. Once, after it has been installed.
    pub fn describe_metrics() {
        ALL.iter().for_each(|metric| metric.describe());
    }
}

impl PoolStats {
    /// Hands the figures to the recorder of the `metrics` crate.
    ///
    /// Labels are `pool`, the pool's name, with `block_size` in bytes or `direct` for
    /// blocks that are an allocation of their own; and `budget`, the name of each
    /// level of the handle's budget. What has no name is called `pool` or `budget`:
    /// two that are called the same overwrite each other. Budgets that come and go,
    /// one a connection, are not for publishing: ask a handle above them.
    ///
    /// Calls the recorder once for each figure and label, and allocates for the
    /// labels. No lock of the pool is held.
    pub fn publish(&self) {
        let pool = Label::new("pool", self.name().unwrap_or("pool").to_owned());
        let labels = [pool.clone()];
        BYTES_IN_USE.publish(self.bytes_in_use(), &labels);
        BYTES_CACHED.publish(self.bytes_cached(), &labels);
        BYTES_ALLOCATED.publish(self.bytes_allocated(), &labels);
        THREAD_CACHES.publish(self.thread_caches(), &labels);
        for class in self.classes() {
            let labels = [pool.clone(), size(class.block_size().to_string())];
            publish_blocks(&class.tally(), class.allocations(), &labels);
            OUT_OF_MEMORY.publish(class.out_of_memory(), &labels);
        }
        let (direct, out_of_memory) = self.direct();
        let labels = [pool, size("direct".to_owned())];
        publish_blocks(&direct, direct.rented(), &labels);
        OUT_OF_MEMORY.publish(out_of_memory, &labels);
        if let Some(budget) = self.budget() {
            publish_level(budget);
            budget.ancestors.iter().for_each(publish_level);
        }
    }
}

fn size(value: String) -> Label {
    Label::new("block_size", value)
}

fn publish_blocks(tally: &Tally, allocations: usize, labels: &[Label]) {
    BLOCKS_IN_USE.publish(tally.in_use(), labels);
    BLOCKS_CACHED.publish(tally.cached(), labels);
    RENTALS.publish(tally.rented(), labels);
    MISSES.publish(tally.missed(), labels);
    ALLOCATIONS.publish(allocations, labels);
}

fn publish_level(level: &BudgetStats) {
    let name = level.name.as_deref().unwrap_or("budget");
    let labels = [Label::new("budget", name.to_owned())];
    BUDGET_IN_USE.publish(level.in_use, &labels);
    BUDGET_LIMIT.publish(level.limit, &labels);
    BUDGET_PEAK.publish(level.peak, &labels);
    BUDGET_WAITING.publish(level.waiting, &labels);
    BUDGET_WAITS.publish(level.waits, &labels);
    BUDGET_REFUSALS.publish(level.refusals, &labels);
}
