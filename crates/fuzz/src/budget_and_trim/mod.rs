//! Nested budgets, two pools with handles that charge them, futures that wait, and giving
//! memory back, against levels with queues.
//!
//! After each operation: all figures of all budgets and of the pools, and which futures
//! have been woken. At the end, in one of two orders: nothing is charged.

mod leases;
mod model;
mod ops;
mod pools;

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use arbitrary::Arbitrary;
use bytesbuf::mem::{Budget, Charge, GlobalPool, Pressure, ReserveError, Wipe};
use bytesbuf::{BytesBuf, BytesView};

use self::model::{Levels, Progress};
use self::ops::Op;
use crate::Program;

/// A program for budgets and pools.
#[derive(Arbitrary, Debug)]
pub struct Budgets {
    pass_through: [bool; 2],
    wipe: bool,
    pools_first: bool,
    limits: [u16; 2],
    #[arbitrary(with = crate::steps)]
    steps: Vec<Op>,
}

/// Sizes of the pools' blocks in bytes; the last is for contiguous requests alone.
const CLASSES: [usize; 4] = [64, 256, 1024, 4096];
const LARGEST: usize = 1024;

/// What is out.
enum Value {
    Buf(BytesBuf),
    View(BytesView),
    Charge(Charge),
}

/// A block, or a charge without one.
#[derive(Debug)]
struct Held {
    bytes: usize,
    level: Option<usize>,
    /// Whose, if it is a pool's.
    pool: Option<usize>,
}

/// Something that is out, and what it holds. Shared blocks are held more than once.
struct Lease {
    value: Value,
    held: Vec<Rc<Held>>,
}

/// A handle of a pool, charging a level.
struct Handle {
    pool: GlobalPool,
    number: usize,
    level: Option<usize>,
}

type Reserving = Pin<Box<dyn Future<Output = Result<Value, ReserveError>>>>;

/// A request that waits.
struct Request {
    id: usize,
    future: Reserving,
    woken: Arc<Woken>,
    seen: usize,
    level: usize,
    bytes: usize,
    charged: usize,
    /// What it holds when it is done.
    blocks: Vec<Held>,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Woken {
    fn count(&self) -> usize {
        // Relaxed: partner of nothing; programs have one thread.
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // Relaxed: partner of nothing; programs have one thread.
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Machine {
    levels: Levels,
    /// A handle of each level, unless it was dropped.
    budgets: Vec<Option<Budget>>,
    handles: Vec<Handle>,
    leases: Vec<Lease>,
    requests: Vec<Request>,
    next: usize,
    pass_through: [bool; 2],
}

impl Program for Budgets {
    fn run(self) {
        let mut machine = Machine {
            pass_through: self.pass_through,
            ..Machine::default()
        };
        let root = Budget::new(8192);
        machine.levels.add(8192, None);
        machine.budgets.push(Some(root.clone()));
        for limit in self.limits {
            machine.add_level(0, usize::from(limit) % 9000);
        }
        for (number, pass_through) in self.pass_through.into_iter().enumerate() {
            let builder = GlobalPool::builder()
                .size_classes([64, 256, 1024])
                .max_pooled_contiguous(4096)
                .magazine_blocks(3)
                .idle_decay(None)
                .pass_through(pass_through);
            let builder = match number {
                0 => builder,
                _ => builder.budget(&root).wipe(if self.wipe {
                    Wipe::OnRelease
                } else {
                    Wipe::Never
                }),
            };
            let pool = builder.build().expect("valid settings");
            let level = (number == 1).then_some(0);
            machine.handles.push(Handle {
                pool,
                number,
                level,
            });
        }
        drop(root);
        for op in self.steps {
            machine.step(op);
            machine.check();
        }
        machine.end(self.pools_first);
    }
}

impl Machine {
    fn add_level(&mut self, parent: usize, limit: usize) {
        if let Some(Some(budget)) = self.budgets.get(parent) {
            let child = budget.child(limit);
            self.budgets.push(Some(child));
            self.levels.add(limit, Some(parent));
        }
    }

    /// All figures.
    fn check(&self) {
        for (number, (budget, level)) in self.budgets.iter().zip(&self.levels.all).enumerate() {
            let Some(budget) = budget else { continue };
            let stats = budget.stats();
            assert_eq!(
                (
                    stats.limit,
                    stats.in_use,
                    stats.peak,
                    stats.waiting,
                    stats.waits,
                    stats.refusals
                ),
                (
                    level.limit,
                    level.in_use,
                    level.peak,
                    level.queue.len(),
                    level.waits,
                    level.refusals
                ),
                "level {number}: limit, in use, peak, waiting, waits, refusals"
            );
            assert_eq!(
                budget.available(),
                self.levels.available(number),
                "level {number}: available"
            );
            let is_hard = budget.pressure() == Pressure::Hard;
            assert!(
                is_hard || !self.levels.waits(number),
                "level {number}: pressure while others wait"
            );
        }
        for handle in &self.handles {
            let stats = handle.pool.stats();
            let of_pool = |held: &&Rc<Held>| held.pool == Some(handle.number);
            let mut blocks: Vec<_> = self
                .leases
                .iter()
                .flat_map(|lease| &lease.held)
                .filter(of_pool)
                .collect();
            blocks.sort_by_key(|held| Rc::as_ptr(held));
            blocks.dedup_by_key(|held| Rc::as_ptr(held));
            let in_use: usize = blocks.iter().map(|held| held.bytes).sum();
            assert_eq!(
                stats.bytes_in_use(),
                in_use,
                "pool {}: in use",
                handle.number
            );
            assert!(stats.bytes_allocated() >= in_use + stats.bytes_cached());
            assert!(stats.bytes_cached() == 0 || !self.pass_through[handle.number]);
        }
        for request in &self.requests {
            let woken = request.woken.count() > request.seen;
            assert_eq!(
                woken,
                self.levels.granted.contains(&request.id),
                "request {} is woken",
                request.id
            );
        }
    }

    fn lease(&mut self, value: Value, held: impl IntoIterator<Item = Held>) {
        let held = held.into_iter().map(Rc::new).collect();
        self.leases.push(Lease { value, held });
    }

    /// Drops what is out; what nobody else holds is credited.
    fn release(&mut self, lease: Lease) {
        let Lease { value, held } = lease;
        drop(value);
        for held in held.into_iter().filter_map(Rc::into_inner) {
            if let Some(level) = held.level.filter(|_| held.bytes > 0) {
                let chain = self.levels.chain(level);
                self.levels.credit(&chain, held.bytes);
            }
        }
    }

    /// Polls a request for the first time, or another time.
    fn poll(&mut self, mut request: Request, first: bool) {
        let Request {
            id,
            level,
            bytes,
            charged,
            ..
        } = &mut request;
        let progress = if first {
            self.levels.begin(*id, *level, *bytes, charged)
        } else {
            self.levels.poll(*id, *level, *bytes, charged)
        };
        request.seen = request.woken.count();
        let waker = Waker::from(Arc::clone(&request.woken));
        match request
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
        {
            Poll::Pending => {
                assert_eq!(progress, Progress::Waits, "a request is late");
                self.requests.push(request);
            }
            Poll::Ready(Ok(value)) => {
                assert_eq!(progress, Progress::Done, "a request is early");
                self.lease(value, request.blocks);
            }
            Poll::Ready(Err(error)) => {
                assert!(matches!(error, ReserveError::OverBudget { .. }), "{error}");
                assert_eq!(progress, Progress::Never, "{error}");
            }
        }
    }

    fn cancel(&mut self, request: Request) {
        let Request {
            id,
            level,
            bytes,
            charged,
            future,
            ..
        } = request;
        drop(future);
        self.levels.cancel(id, level, bytes, charged);
    }

    fn end(mut self, pools_first: bool) {
        if pools_first {
            self.handles.clear();
        }
        while let Some(request) = self.requests.pop() {
            self.cancel(request);
            self.check();
        }
        while let Some(lease) = self.leases.pop() {
            self.release(lease);
            self.check();
        }
        for budget in self.budgets.iter().flatten() {
            assert_eq!((budget.in_use(), budget.waiting()), (0, 0), "at the end");
        }
        for handle in &self.handles {
            handle.pool.trim();
            let stats = handle.pool.stats();
            assert_eq!(
                (stats.bytes_in_use(), stats.bytes_allocated()),
                (0, 0),
                "at the end"
            );
        }
    }
}
