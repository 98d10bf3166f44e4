//! The n-th allocation is refused, for every n up to the end of each scenario; once
//! alone, and once with all that follow. Renting reports it, releasing and trimming
//! need no memory, nothing is lost, and in the end nothing is left.
#![cfg(not(bytesbuf_loom))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bytesbuf_core::{Block, BlockProvider, ReserveError};
use bytesbuf_pool::{GlobalPool, GlobalPoolBuilder, Wipe};

struct Refusing;

/// Allocations that still succeed, whether one alone is refused, and how many were.
#[derive(Clone, Copy)]
struct Plan {
    left: usize,
    once: bool,
    refused: usize,
}

const NONE: Plan = Plan {
    left: usize::MAX,
    once: false,
    refused: 0,
};

thread_local! {
    static PLAN: Cell<Plan> = const { Cell::new(NONE) };
}

/// Bytes in allocations aligned to 64 or more: slabs, thread caches and shared
/// objects, nothing else here.
static ALIGNED_BYTES: AtomicUsize = AtomicUsize::new(0);

fn refuses() -> bool {
    PLAN.try_with(|cell| {
        let mut plan = cell.get();
        let refuse = plan.left == 0 && !(plan.once && plan.refused > 0);
        plan.refused += usize::from(refuse);
        if plan.left != usize::MAX {
            plan.left = plan.left.saturating_sub(1);
        }
        cell.set(plan);
        refuse
    })
    .unwrap_or(false)
}

// SAFETY: forwards to `System`, or returns null.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        // SAFETY: forwarded.
        let memory = unsafe { System.alloc(layout) };
        if !memory.is_null() && layout.align() >= 64 {
            // Relaxed: partner of nothing; read when the threads are joined.
            ALIGNED_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        memory
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if layout.align() >= 64 {
            // Relaxed: partner of nothing; read when the threads are joined.
            ALIGNED_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: forwarded.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// What a scenario does without enough memory: rents, and returns how many of its
/// requests were refused. There is room for the blocks.
type Scenario = fn(&GlobalPool, &mut Vec<Block>) -> usize;

fn note<T>(refusals: &mut usize, result: Result<T, ReserveError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(ReserveError::OutOfMemory { .. }) => {
            *refusals += 1;
            None
        }
        Err(other) => panic!("{other}"),
    }
}

const SCENARIOS: &[(&str, Scenario)] = &[
    ("one block of each size", |pool, blocks| {
        let mut refusals = 0;
        for bytes in [1024, 4096, 16_384, 65_536] {
            blocks.extend(note(&mut refusals, pool.rent(bytes)));
        }
        refusals
    }),
    ("contiguous blocks", |pool, blocks| {
        let mut refusals = 0;
        for bytes in [100_000, 1 << 20, 2 << 20, 100_000] {
            blocks.extend(note(&mut refusals, pool.rent_contiguous(bytes)));
        }
        refusals
    }),
    ("requests for many", |pool, blocks| {
        let mut refusals = 0;
        for bytes in [20 * 65_536, 5000, 7 * 65_536] {
            let before = blocks.len();
            let provided = pool.provide(bytes, &mut |block| blocks.push(block));
            if note(&mut refusals, provided).is_none() {
                // What was handed over before it was refused goes back.
                blocks.truncate(before);
            }
        }
        refusals
    }),
    ("blocks that go through the depot", |pool, blocks| {
        let mut refusals = 0;
        let count = if cfg!(miri) { 12 } else { 150 };
        for _ in 0..2 {
            for _ in 0..count {
                blocks.extend(note(&mut refusals, pool.rent(1024)));
            }
            // Two magazines are full then, and a third goes.
            blocks.clear();
        }
        refusals
    }),
    ("permits", |pool, blocks| {
        let mut refusals = 0;
        let permit = pool.permit_timeout(200_000, Duration::ZERO);
        let provided = permit.and_then(|permit| permit.provide(&mut |block| blocks.push(block)));
        note(&mut refusals, provided);
        let mut future = pin!(pool.permit_async(3000));
        let Poll::Ready(permit) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("there is room");
        };
        let provided = permit.and_then(|permit| permit.provide(&mut |block| blocks.push(block)));
        note(&mut refusals, provided);
        refusals
    }),
    ("trims between", |pool, blocks| {
        let mut refusals = 0;
        for round in 0..4 {
            for bytes in [1024, 65_536, 100_000] {
                blocks.extend(note(&mut refusals, pool.rent_contiguous(bytes)));
            }
            blocks.truncate(round);
            pool.trim_to(70_000);
            // With metrics it publishes, which allocates.
            #[cfg(not(feature = "metrics"))]
            pool.maintain();
            pool.trim();
        }
        refusals
    }),
];

fn pools() -> [(&'static str, GlobalPoolBuilder); 4] {
    [
        ("plain", GlobalPool::builder()),
        ("with a budget", GlobalPool::builder().max_bytes(64 << 20)),
        ("that wipes", GlobalPool::builder().wipe(Wipe::OnReuse)),
        (
            "that passes through",
            GlobalPool::builder().pass_through(true),
        ),
    ]
}

/// Runs a scenario on a thread of its own, and returns how many allocations were
/// refused in it.
fn run(name: &str, builder: GlobalPoolBuilder, scenario: Scenario, plan: Plan) -> usize {
    // Relaxed: partner of nothing; no other thread is at work.
    let before = ALIGNED_BYTES.load(Ordering::Relaxed);
    let pool = builder.build().unwrap();
    let worker = thread::spawn({
        let pool = pool.clone();
        move || {
            let mut blocks = Vec::with_capacity(400);
            PLAN.set(plan);
            let reported = scenario(&pool, &mut blocks);
            let refused = PLAN.get().refused;
            PLAN.set(NONE);
            let in_use: usize = blocks.iter().map(|block| block.len().get() as usize).sum();
            assert_eq!(pool.stats().bytes_in_use(), in_use);
            assert_eq!(pool.stats().out_of_memory(), reported);
            // Releasing needs no memory, not even for this thread's first magazine.
            PLAN.set(Plan { left: 0, ..NONE });
            blocks.clear();
            PLAN.set(NONE);
            refused
        }
    });
    let refused = worker.join().unwrap();
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0, "{name}: {stats}");
    assert_eq!(
        pool.budget().map_or(0, |budget| budget.in_use()),
        0,
        "{name}"
    );
    // It is as good as new.
    pool.provide(200_000, &mut |_| ()).unwrap();
    drop(pool);
    // Relaxed: partner of nothing; the other thread is joined.
    let after = ALIGNED_BYTES.load(Ordering::Relaxed);
    assert_eq!(after, before, "{name}: memory was left");
    refused
}

/// One test: the counter is shared by the whole process.
#[test]
fn every_allocation_is_refused_once() {
    let mut sweeps = 0;
    for (name, scenario) in SCENARIOS {
        // All of them, and more of each, would take miri an hour.
        for (kind, builder) in pools().into_iter().step_by(if cfg!(miri) { 3 } else { 1 }) {
            let name = format!("{name}, pool {kind}");
            let (modes, step): (&[bool], _) = if cfg!(miri) {
                (&[true], 4)
            } else {
                (&[true, false], 1)
            };
            for &once in modes {
                for left in (0..).step_by(step) {
                    let plan = Plan { left, once, ..NONE };
                    if run(&name, builder.clone(), *scenario, plan) == 0 {
                        assert!(left > 1, "{name}: {left} allocations only");
                        break;
                    }
                    sweeps += 1;
                }
            }
        }
    }
    assert!(sweeps > if cfg!(miri) { 12 } else { 60 }, "{sweeps}");
}
