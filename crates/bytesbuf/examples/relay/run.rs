//! Starts the threads, watches them, and stops them all when one fails.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use bytesbuf::mem::GlobalPool;
use indicatif::{ProgressBar, ProgressStyle};

use crate::Clock;
use crate::args::Args;
use crate::client::Client;
use crate::failure::Failure;
use crate::net::{self, Link};
use crate::relay::Lane;
use crate::report::{Memory, Report, Totals};
use crate::sink::Sink;
use crate::source::Source;

/// How often memory is looked at and progress drawn.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_millis(20);

/// Runs all of it and says what happened. An error is a transfer that broke; a
/// digest that differs is part of the report.
pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let pool = GlobalPool::new();
    let mut memory = Memory::start();
    let source = Source::open(&file(args)?, &pool)?;
    let relay = net::listen(args.port)?;
    let sinks = net::listen(0)?;
    let links = (0..args.clients)
        .map(|_| Link::connect(&relay, &sinks))
        .collect::<Result<Vec<_>, _>>()?;

    let started = Instant::now();
    let totals = transfer(args, &source, &links, &pool, &mut memory)?;
    let elapsed = started.elapsed();

    let file = source.path().to_owned();
    let file_bytes = source.bytes();
    drop(source);
    memory.end(&pool);
    Ok(Report {
        file,
        file_bytes,
        elapsed,
        totals,
        memory,
    })
}

fn file(args: &Args) -> Result<PathBuf, Failure> {
    match &args.file {
        Some(file) => Ok(file.clone()),
        None => std::env::current_exe()
            .map_err(|error| Failure::unusable(format!("cannot find this executable: {error}"))),
    }
}

/// Three threads per link; this one samples until they are through.
fn transfer(
    args: &Args,
    source: &Source,
    links: &[Link],
    pool: &GlobalPool,
    memory: &mut Memory,
) -> Result<Totals, Failure> {
    let clock = Clock::start();
    let stop = Stop::new(links);
    let corrupt = AtomicBool::new(args.corrupt);
    let progress = AtomicU64::new(0);
    let total = source
        .bytes()
        .saturating_mul(u64::from(args.rounds))
        .saturating_mul(u64::from(args.clients));
    let bar = progress_bar(total);

    let totals = thread::scope(|scope| {
        // Each thread holds a sender and sends nothing: when all are dropped, all
        // threads are through.
        let (running, all_done) = mpsc::channel::<()>();
        let spawner = Spawner {
            scope,
            stop: &stop,
            running,
        };
        let mut clients = Vec::new();
        let mut lanes = Vec::new();
        let mut receivers = Vec::new();
        for (index, link) in links.iter().enumerate() {
            let sink = Sink {
                socket: &link.sink,
                pool,
                clock,
                frame_size: args.frame_size,
                progress: &progress,
            };
            let lane = Lane {
                from: &link.relay_in,
                to: &link.relay_out,
                pool,
                corrupt: &corrupt,
            };
            let client = Client {
                socket: &link.client,
                source,
                pool,
                clock,
                frame_size: args.frame_size,
                rounds: args.rounds,
            };
            receivers.extend(spawner.spawn(format!("sink {index}"), move || sink.run()));
            lanes.extend(spawner.spawn(format!("lane {index}"), move || lane.run()));
            clients.extend(spawner.spawn(format!("client {index}"), move || client.run()));
        }
        drop(spawner);

        while all_done.recv_timeout(SAMPLE_EVERY) == Err(RecvTimeoutError::Timeout) {
            memory.sample(pool);
            // Relaxed: partner of the sinks' `fetch_add`; a number to look at.
            bar.set_position(progress.load(Ordering::Relaxed));
        }
        // A thread that failed has told `stop`, and left nothing here.
        let mut totals = Totals::new(args);
        clients.into_iter().for_each(|thread| drop(thread.join()));
        for lane in lanes.into_iter().flat_map(ScopedJoinHandle::join).flatten() {
            totals.add_lane(lane);
        }
        for sink in receivers
            .into_iter()
            .flat_map(ScopedJoinHandle::join)
            .flatten()
        {
            totals.add_sink(sink);
        }
        totals
    });
    bar.finish_and_clear();
    match stop.first.into_inner() {
        Some(failure) => Err(failure),
        None => Ok(totals),
    }
}

/// A bar on standard error; `indicatif` hides it where that is not a terminal.
fn progress_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style =
        "{wide_bar} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// The first failure ends the run: all sockets are shut down, so every thread that
/// waits for one comes back at once, and what those report does not count.
struct Stop<'a> {
    links: &'a [Link],
    first: OnceLock<Failure>,
}

impl<'a> Stop<'a> {
    fn new(links: &'a [Link]) -> Self {
        Self {
            links,
            first: OnceLock::new(),
        }
    }

    fn fail(&self, failure: Failure) {
        // Taken down before the sockets are, hence before anything that follows
        // from it: the cause wins.
        let _ = self.first.set(failure);
        self.links.iter().for_each(Link::shut_down);
    }
}

/// Starts threads that report to a [`Stop`].
struct Spawner<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    stop: &'scope Stop<'env>,
    running: mpsc::Sender<()>,
}

impl<'scope> Spawner<'scope, '_> {
    /// Starts a thread for `work`. It returns `None` if the work failed; there is
    /// no thread at all if the system has none left.
    fn spawn<T: Send + 'scope>(
        &self,
        name: String,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'scope,
    ) -> Option<ScopedJoinHandle<'scope, Option<T>>> {
        let stop = self.stop;
        let running = self.running.clone();
        let who = name.clone();
        let thread =
            thread::Builder::new()
                .name(name.clone())
                .spawn_scoped(self.scope, move || {
                    let _running = running;
                    let _watch = PanicWatch { stop, who: &who };
                    work().map_err(|failure| stop.fail(failure.of(&who))).ok()
                });
        thread
            .map_err(|error| {
                stop.fail(Failure::broken(format!("cannot start a thread: {error}")).of(&name));
            })
            .ok()
    }
}

/// Turns a panic into a failure like any other: nobody waits for that thread.
struct PanicWatch<'a> {
    stop: &'a Stop<'a>,
    who: &'a str,
}

impl Drop for PanicWatch<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.stop.fail(Failure::broken("panicked").of(self.who));
        }
    }
}
