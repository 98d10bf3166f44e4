//! What is measured, and the table that says so.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytesbuf::mem::GlobalPool;
use hdrhistogram::Histogram;
use indicatif::{BinaryBytes, HumanCount};

use crate::args::Args;
use crate::relay::Forwarded;
use crate::run::SAMPLE_EVERY;
use crate::sink::{Received, latencies};

const MIB: f64 = 1024.0 * 1024.0;

/// All that the table shows.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) file: PathBuf,
    pub(crate) file_bytes: u64,
    pub(crate) elapsed: Duration,
    pub(crate) totals: Totals,
    pub(crate) memory: Memory,
}

/// Sums over all lanes and sinks.
#[derive(Debug)]
pub(crate) struct Totals {
    clients: u32,
    rounds: u32,
    frame_size: u32,
    frames: u64,
    bytes: u64,
    latency: Histogram<u64>,
    forwarded: Forwarded,
    matching: u32,
    /// One line for each stream that did not arrive as it was sent.
    differing: Vec<String>,
}

impl Totals {
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            clients: args.clients,
            rounds: args.rounds,
            frame_size: args.frame_size,
            frames: 0,
            bytes: 0,
            latency: latencies(),
            forwarded: Forwarded::default(),
            matching: 0,
            differing: Vec::new(),
        }
    }

    pub(crate) fn add_lane(&mut self, lane: Forwarded) {
        self.forwarded.payload_copied += lane.payload_copied;
        self.forwarded.header_decoded += lane.header_decoded;
    }

    /// Sinks come in the order of their clients.
    pub(crate) fn add_sink(&mut self, sink: Received) {
        let index = self.matching as usize + self.differing.len();
        self.frames += sink.frames;
        self.bytes += sink.bytes;
        self.latency
            .add(&sink.latency)
            .expect("same bounds, same type");
        match sink.differs {
            None => self.matching += 1,
            Some(how) => self.differing.push(format!("sink {index}: {how}")),
        }
    }

    /// What is wrong with the streams, if anything is.
    pub(crate) fn differing(&self) -> &[String] {
        &self.differing
    }
}

/// Memory of the process and of the pool, in bytes.
#[derive(Debug)]
pub(crate) struct Memory {
    rss_start: Option<u64>,
    rss_end: Option<u64>,
    rss_peak: Option<u64>,
    in_use_peak: u64,
    in_use_end: u64,
    cached_peak: u64,
    cached_end: u64,
}

impl Memory {
    /// Before anything is reserved.
    pub(crate) fn start() -> Self {
        Self {
            rss_start: status_bytes("VmRSS:"),
            rss_end: None,
            rss_peak: None,
            in_use_peak: 0,
            in_use_end: 0,
            cached_peak: 0,
            cached_end: 0,
        }
    }

    /// While the threads run.
    pub(crate) fn sample(&mut self, pool: &GlobalPool) {
        let stats = pool.stats();
        self.in_use_peak = self.in_use_peak.max(stats.bytes_in_use() as u64);
        self.cached_peak = self.cached_peak.max(stats.bytes_cached() as u64);
    }

    /// After all views are dropped.
    pub(crate) fn end(&mut self, pool: &GlobalPool) {
        self.sample(pool);
        let stats = pool.stats();
        self.in_use_end = stats.bytes_in_use() as u64;
        self.cached_end = stats.bytes_cached() as u64;
        self.rss_end = status_bytes("VmRSS:");
        self.rss_peak = status_bytes("VmHWM:");
    }
}

/// `count` of something, in words.
fn plural(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A field of Linux's `/proc/self/status`, which is in KiB.
fn status_bytes(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals {
            clients,
            rounds,
            frame_size,
            ref latency,
            ref forwarded,
            ..
        } = self.totals;
        let memory = &self.memory;
        let seconds = self.elapsed.as_secs_f64();
        let bytes = |count: u64| BinaryBytes(count).to_string();
        let rss = |value: Option<u64>| value.map_or_else(|| "n/a".to_owned(), bytes);
        let millis = |quantile: f64| latency.value_at_quantile(quantile) as f64 / 1e6;

        writeln!(
            f,
            "{}, {} x {} ({}) each, {} frames, one relay",
            plural(clients, "client"),
            rounds,
            self.file.display(),
            bytes(self.file_bytes),
            bytes(u64::from(frame_size)),
        )?;
        writeln!(f)?;
        let mut row = |name: &str, value: String, note: &str| {
            writeln!(
                f,
                "{}",
                format!("  {name:<22}{value:>12}  {note}").trim_end()
            )
        };
        row("payload delivered", bytes(self.totals.bytes), "")?;
        row("frames", HumanCount(self.totals.frames).to_string(), "")?;
        row("time", format!("{seconds:.2} s"), "")?;
        row(
            "throughput",
            format!("{:.0} MiB/s", self.totals.bytes as f64 / MIB / seconds),
            "all clients together",
        )?;
        row(
            "frame latency p50",
            format!("{:.2} ms", millis(0.50)),
            "header built -> payload checked;",
        )?;
        row(
            "frame latency p99",
            format!("{:.2} ms", millis(0.99)),
            "waiting in queues included",
        )?;
        row("resident at start", rss(memory.rss_start), "")?;
        row("resident at peak", rss(memory.rss_peak), "")?;
        row("resident at end", rss(memory.rss_end), "")?;
        let sampled = format!("sampled every {} ms", SAMPLE_EVERY.as_millis());
        row("pool in use, peak", bytes(memory.in_use_peak), &sampled)?;
        row(
            "pool in use, end",
            bytes(memory.in_use_end),
            "all views dropped",
        )?;
        row("pool cached, peak", bytes(memory.cached_peak), &sampled)?;
        row(
            "pool cached, end",
            bytes(memory.cached_end),
            "ready to be lent again",
        )?;
        row(
            "payload copied",
            bytes(forwarded.payload_copied),
            "by the relay, in user space",
        )?;
        row(
            "headers decoded",
            bytes(forwarded.header_decoded),
            "by the relay",
        )?;
        row(
            "digests",
            format!("{}/{clients} ok", self.totals.matching),
            "BLAKE3 of each whole stream",
        )
    }
}
