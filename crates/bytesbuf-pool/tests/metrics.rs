//! Figures for the `metrics` crate, as a recorder gets them.
#![cfg(not(bytesbuf_loom))]

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytesbuf_pool::{Budget, GlobalPool};
use metrics::atomics::AtomicU64;
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};

/// Keeps the last value of each counter and gauge, and what was described.
#[derive(Default)]
struct Kept {
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    described: Mutex<BTreeMap<String, (Option<Unit>, String)>>,
    /// Used at each registration: a recorder may use the pool.
    pool: Option<GlobalPool>,
}

/// `name{key=value,...}`, keys in order.
fn text(key: &Key) -> String {
    let labels = key.labels();
    let mut labels: Vec<_> = labels
        .map(|label| format!("{}={}", label.key(), label.value()))
        .collect();
    labels.sort();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Kept {
    fn slot(&self, map: &Mutex<BTreeMap<String, Arc<AtomicU64>>>, key: &Key) -> Arc<AtomicU64> {
        if let Some(pool) = &self.pool {
            drop(pool.rent(1));
            pool.trim();
        }
        map.lock().unwrap().entry(text(key)).or_default().clone()
    }

    fn describe(&self, key: &KeyName, unit: Option<Unit>, text: &SharedString) {
        let described = (unit, text.to_string());
        let name = key.as_str().to_owned();
        self.described.lock().unwrap().insert(name, described);
    }

    #[track_caller]
    fn gauge(&self, key: &str) -> f64 {
        let gauges = self.gauges.lock().unwrap();
        let gauge = gauges.get(key);
        let gauge = gauge.unwrap_or_else(|| panic!("no {key} in {:?}", gauges.keys()));
        // Relaxed: partner of nothing; published on this thread.
        f64::from_bits(gauge.load(Ordering::Relaxed))
    }

    #[track_caller]
    fn counter(&self, key: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        let counter = counters.get(key);
        let counter = counter.unwrap_or_else(|| panic!("no {key} in {:?}", counters.keys()));
        // Relaxed: partner of nothing; published on this thread.
        counter.load(Ordering::Relaxed)
    }

    /// The names of everything that was published.
    fn names(&self) -> Vec<String> {
        let (counters, gauges) = (self.counters.lock().unwrap(), self.gauges.lock().unwrap());
        let keys = counters.keys().chain(gauges.keys());
        let mut names: Vec<_> = keys
            .map(|key| key.split('{').next().unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(&key, unit, &text);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(&key, unit, &text);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("there are no histograms");
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.slot(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.slot(&self.gauges, key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("there are no histograms");
    }
}

fn pool() -> GlobalPool {
    let process = Budget::builder(1 << 30).name("process").build().unwrap();
    GlobalPool::builder()
        .name("frames")
        .budget(&process)
        .max_bytes(1 << 20)
        .build()
        .unwrap()
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "nothing is kept there")]
fn figures_are_those_of_the_statistics() {
    let pool = pool();
    let recorder = Kept::default();
    let held = (pool.rent(1000).unwrap(), pool.rent(4000).unwrap());
    drop(pool.rent(1000).unwrap());
    pool.rent_contiguous(2 << 20).unwrap_err();
    let stats = pool.stats();
    with_local_recorder(&recorder, || stats.publish());

    let gauge = |key: &str| recorder.gauge(key);
    assert_eq!(gauge("bytesbuf.pool.bytes.in_use{pool=frames}"), 5120.0);
    assert_eq!(gauge("bytesbuf.pool.bytes.cached{pool=frames}"), 1024.0);
    let allocated = stats.bytes_allocated() as f64;
    assert_eq!(
        gauge("bytesbuf.pool.bytes.allocated{pool=frames}"),
        allocated
    );
    assert_eq!(gauge("bytesbuf.pool.thread_caches{pool=frames}"), 1.0);
    let small = "{block_size=1024,pool=frames}";
    assert_eq!(gauge(&format!("bytesbuf.pool.blocks.in_use{small}")), 1.0);
    assert_eq!(gauge(&format!("bytesbuf.pool.blocks.cached{small}")), 1.0);
    let counter = |name: &str| recorder.counter(&format!("bytesbuf.pool.{name}{small}"));
    assert_eq!((counter("rentals"), counter("allocations")), (2, 1));
    assert_eq!((counter("misses"), counter("out_of_memory")), (2, 0));

    for (budget, limit, refusals) in [("frames", 1 << 20, 1), ("process", 1 << 30, 0)] {
        let gauge = |name| recorder.gauge(&format!("bytesbuf.budget.{name}{{budget={budget}}}"));
        assert_eq!(gauge("bytes.in_use"), 5120.0);
        assert_eq!(gauge("bytes.limit"), f64::from(limit));
        assert_eq!(gauge("bytes.peak"), 6144.0);
        assert_eq!(gauge("waiting"), 0.0);
        let counter =
            |name| recorder.counter(&format!("bytesbuf.budget.{name}{{budget={budget}}}"));
        assert_eq!((counter("waits"), counter("refusals")), (0, refusals));
    }
    drop(held);
}

#[test]
fn gauges_follow_and_counters_do_not_add_up_twice() {
    let pool = GlobalPool::new();
    let recorder = Kept::default();
    let block = pool.rent_contiguous(2 << 20).unwrap();
    with_local_recorder(&recorder, || {
        pool.publish_metrics();
        pool.publish_metrics();
    });
    let direct = "{block_size=direct,pool=pool}";
    let in_use = format!("bytesbuf.pool.blocks.in_use{direct}");
    let rentals = format!("bytesbuf.pool.rentals{direct}");
    assert_eq!(
        (recorder.gauge(&in_use), recorder.counter(&rentals)),
        (1.0, 1)
    );
    drop(block);
    // By the tick as well.
    with_local_recorder(&recorder, || pool.maintain());
    assert_eq!(
        (recorder.gauge(&in_use), recorder.counter(&rentals)),
        (0.0, 1)
    );
}

#[test]
fn a_recorder_may_use_the_pool() {
    let pool = pool();
    let recorder = Kept {
        pool: Some(pool.clone()),
        ..Kept::default()
    };
    with_local_recorder(&recorder, || pool.publish_metrics());
    assert!(pool.stats().classes().next().unwrap().rentals() > 0);
}

#[test]
fn each_name_is_described_and_on_the_page() {
    let page = include_str!("../../../docs/design/observability.md");
    let recorder = Kept::default();
    let pool = pool();
    with_local_recorder(&recorder, || {
        GlobalPool::describe_metrics();
        pool.publish_metrics();
    });
    let names = recorder.names();
    let described = recorder.described.lock().unwrap();
    assert!(
        described.keys().eq(names.iter()),
        "{described:?}\n{names:?}"
    );
    assert!(names.len() > 10);
    for (name, (unit, text)) in described.iter() {
        let bytes = *unit == Some(Unit::Bytes);
        assert_eq!(
            bytes,
            name.contains(".bytes."),
            "{name} in {unit:?}: {text}"
        );
        let cell = format!("| `{name}` | ");
        let line = page.lines().find(|line| line.starts_with(&cell));
        let line = line.unwrap_or_else(|| panic!("no line for {name}"));
        let unit = if bytes { "bytes" } else { "count" };
        assert!(line.contains(&format!("| {unit} |")), "{line}");
    }
}
