//! Who holds it: tags, the snapshot, its table, `assert_no_outstanding!`.
//!
//! Under a global allocator that, where a test asks for it, uses the pool itself,
//! counts what a thread allocates, or refuses.
#![cfg(not(bytesbuf_loom))]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use bytesbuf_core::{Block, BlockProvider};
use bytesbuf_pool::{Budget, GlobalPool, Holders, Wipe, assert_no_outstanding};

struct Odd;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Refuses allocations of up to so many bytes.
    static REFUSED: Cell<usize> = const { Cell::new(0) };
    /// Whether the allocator looks who holds what.
    static LOOK: Cell<bool> = const { Cell::new(false) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static POOL: RefCell<Option<GlobalPool>> = const { RefCell::new(None) };
}

/// Rents and releases on behalf of the allocator, and looks who holds what.
fn come_back() {
    let Ok(false) = INSIDE.try_with(Cell::get) else {
        return;
    };
    let Ok(Some(pool)) = POOL.try_with(|pool| pool.try_borrow().ok()?.clone()) else {
        return;
    };
    INSIDE.set(true);
    drop(pool.rent(1000));
    if LOOK.get() {
        // Takes every lock of the ledger.
        let _ = pool.holders();
    }
    drop(pool);
    INSIDE.set(false);
}

// SAFETY: forwards to `System`, or refuses.
unsafe impl GlobalAlloc for Odd {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        come_back();
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        if layout.size() <= REFUSED.try_with(Cell::get).unwrap_or(0) {
            return ptr::null_mut();
        }
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        come_back();
        // SAFETY: forwarded.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Odd = Odd;

/// Tag, blocks and bytes of each group.
fn groups(holders: &Holders) -> Vec<(Option<&str>, usize, usize)> {
    let groups = holders.groups().iter();
    groups
        .map(|group| (group.tag(), group.blocks(), group.bytes()))
        .collect()
}

#[track_caller]
fn check(pool: &GlobalPool, expected: &[(Option<&str>, usize, usize)]) {
    let holders = pool.holders();
    assert_eq!(groups(&holders), expected);
    let blocks = expected.iter().map(|group| group.1).sum::<usize>();
    let bytes = expected.iter().map(|group| group.2).sum::<usize>();
    assert_eq!((holders.blocks(), holders.bytes()), (blocks, bytes));
    assert_eq!(holders.is_empty(), expected.is_empty());
    assert_eq!(pool.stats().bytes_in_use(), bytes, "as the pool counts");
    assert_eq!(holders.unrecorded(), 0);
}

#[test]
fn blocks_are_listed_by_tag_until_their_last_release() {
    let pool = GlobalPool::new();
    let (parser, writer) = (pool.tagged("parser"), pool.tagged(String::from("writer")));
    check(&pool, &[]);
    let one = parser.rent(1).unwrap();
    let two = parser.rent(2).unwrap();
    let three = writer.rent(5000).unwrap();
    let four = pool.rent(1).unwrap();
    check(
        &pool,
        &[
            (Some("writer"), 1, 16_384),
            (Some("parser"), 2, 2048),
            (None, 1, 1024),
        ],
    );
    assert_eq!(
        groups(&writer.holders()),
        groups(&pool.holders()),
        "one pool"
    );
    drop(three);
    let (_, _, one) = one.open();
    let shared = one.clone();
    drop(one);
    check(&pool, &[(Some("parser"), 2, 2048), (None, 1, 1024)]);
    drop((shared, four));
    check(&pool, &[(Some("parser"), 1, 1024)]);
    drop(two);
    check(&pool, &[]);
}

#[test]
fn every_way_to_rent_is_recorded() {
    let budget = Budget::new(1 << 30);
    let plain = GlobalPool::new();
    let limited = GlobalPool::builder().max_bytes(1 << 30).build().unwrap();
    let wiped = GlobalPool::builder().wipe(Wipe::OnReuse).build().unwrap();
    let passed = GlobalPool::builder().pass_through(true).build().unwrap();
    for pool in [
        plain.clone(),
        limited,
        wiped,
        passed,
        plain.with_budget(&budget),
    ] {
        let pool = pool.tagged("all");
        let mut blocks = Vec::new();
        let mut bytes = 0;
        let mut expect = |pool: &GlobalPool, count: usize, more: usize| {
            bytes += more;
            check(pool, &[(Some("all"), count, bytes)]);
        };
        blocks.push(pool.rent(100).unwrap());
        expect(&pool, 1, 1024);
        // Of a class for contiguous requests, and an allocation of its own.
        blocks.push(pool.rent_contiguous(100_000).unwrap());
        expect(&pool, 2, 1 << 18);
        blocks.push(pool.rent_contiguous((1 << 20) + 5).unwrap());
        expect(&pool, 3, (1 << 20) + 5);
        pool.provide(3 * 65_536, &mut |block| blocks.push(block))
            .unwrap();
        expect(&pool, 6, 3 * 65_536);
        let permit = pool.permit_timeout(100, std::time::Duration::ZERO).unwrap();
        permit.provide(&mut |block| blocks.push(block)).unwrap();
        expect(&pool, 7, 1024);
        drop(blocks);
        check(&pool, &[]);
        assert_no_outstanding!(pool);
    }
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_tag_stays_with_the_handle_and_its_clones() {
    let pool = GlobalPool::new();
    let name: Arc<str> = "first".into();
    let first = pool.tagged(name.clone());
    assert_eq!(pool.tag(), None);
    let clone = first.clone();
    assert_eq!((clone.tag(), first.tag()), (Some("first"), Some("first")));
    drop(clone);
    assert_eq!(first.tagged("second").tag(), Some("second"));
    assert_eq!(first.with_budget(&Budget::new(1)).tag(), Some("first"));
    assert_eq!(Arc::strong_count(&name), 2);
    let block = first.rent(1).unwrap();
    drop(first);
    assert_eq!(Arc::strong_count(&name), 2, "the block's");
    check(&pool, &[(Some("first"), 1, 1024)]);
    drop(block);
    assert_eq!(Arc::strong_count(&name), 1);
}

#[test]
fn the_macro_panics_with_the_table() {
    let pool = GlobalPool::builder().name("frames").build().unwrap();
    assert_no_outstanding!(pool);
    assert_no_outstanding!(&pool,);
    let block = pool.tagged("peer 7").rent(5000).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| assert_no_outstanding!(pool))).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "blocks of the pool frames are outstanding:");
    let words = |line: &str| -> Vec<String> { line.split_whitespace().map(Into::into).collect() };
    assert_eq!(words(lines[1]), ["tag", "blocks", "bytes", "oldest"]);
    assert_eq!(words(lines[2])[..4], ["peer", "7", "1", "16384"]);
    assert_eq!(words(lines[3])[..3], ["total", "1", "16384"]);
    assert_eq!(lines.len(), 4, "no samples: {text}");
    drop(block);
    assert_no_outstanding!(pool);
}

#[inline(never)]
fn a_place_to_rent(pool: &GlobalPool) -> Block {
    pool.rent(1).unwrap()
}

#[test]
fn one_in_so_many_has_a_backtrace() {
    let (every, rounds) = (3, if cfg!(miri) { 4 } else { 30 });
    let pool = GlobalPool::builder().backtraces(every).build().unwrap();
    let mut blocks: Vec<_> = (0..rounds).map(|_| a_place_to_rent(&pool)).collect();
    let holders = pool.holders();
    let [group] = holders.groups() else { panic!() };
    assert_eq!(group.blocks(), rounds);
    // The first and then each third one; the oldest three are kept.
    assert_eq!(group.samples().len(), if cfg!(miri) { 2 } else { 3 });
    let ages: Vec<_> = group.samples().iter().map(|sample| sample.age()).collect();
    assert!(ages.is_sorted_by(|a, b| a >= b), "oldest first: {ages:?}");
    assert_eq!(group.samples()[0].bytes(), 1024);
    assert_eq!(ages[0], group.oldest(), "the first one was sampled");
    assert!(!holders.to_string().contains("rented at"));
    if !cfg!(miri) {
        let text = format!("{holders:#}");
        assert_eq!(text.matches("rented at").count(), 3);
        assert!(text.contains("a_place_to_rent"), "{text}");
    }
    drop(blocks.drain(..every));
    assert!(!pool.holders().groups()[0].samples().is_empty(), "the next");
    drop(blocks);
    let off = GlobalPool::new();
    let _block = off.rent(1).unwrap();
    assert!(off.holders().groups()[0].samples().is_empty());
}

#[test]
fn the_oldest_is_the_oldest() {
    let pool = GlobalPool::new();
    let first = pool.rent(1).unwrap();
    let before = pool.holders().groups()[0].oldest();
    let second = pool.rent(1).unwrap();
    let both = pool.holders().groups()[0].oldest();
    drop(first);
    let younger = pool.holders().groups()[0].oldest();
    assert!(both >= before && younger <= pool.holders().groups()[0].oldest());
    drop(second);
}

/// A thread-local that is torn down after the pool's: releases there.
#[test]
fn released_without_handles_on_other_threads_and_in_teardown() {
    thread_local! {
        static LATE: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
    }
    let name: Arc<str> = "late".into();
    let pool = GlobalPool::new().tagged(name.clone());
    let (send, receive) = mpsc::channel();
    let sent: Vec<_> = (0..4).map(|_| pool.rent(1).unwrap()).collect();
    send.send(sent).unwrap();
    let handle = pool.clone();
    thread::spawn(move || {
        LATE.with(|late| late.borrow_mut().extend(receive.recv().unwrap()));
        LATE.with(|late| late.borrow_mut().push(handle.rent(1).unwrap()));
    })
    .join()
    .unwrap();
    assert_no_outstanding!(pool);

    let last = pool.rent_contiguous(2 << 20).unwrap();
    drop(pool);
    assert_eq!(Arc::strong_count(&name), 2);
    thread::spawn(move || drop(last)).join().unwrap();
    assert_eq!(Arc::strong_count(&name), 1, "struck out and freed");
}

#[test]
fn many_blocks_on_many_threads() {
    let (threads, blocks) = if cfg!(miri) { (2, 20) } else { (4, 20_000) };
    let pool = GlobalPool::new();
    let held: Vec<Vec<Block>> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|n| {
                let pool = pool.tagged(format!("thread {n}"));
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for n in 0..2 * blocks {
                        held.push(pool.rent(1).unwrap());
                        if n % 2 == 0 {
                            drop(held.swap_remove(n * 7 % held.len()));
                        }
                    }
                    held
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    });
    let names: Vec<_> = (0..threads).map(|n| format!("thread {n}")).collect();
    let expected: Vec<_> = names
        .iter()
        .map(|name| (Some(name.as_str()), blocks, blocks * 1024))
        .collect();
    check(&pool, &expected);
    thread::scope(|scope| {
        for held in held {
            scope.spawn(move || drop(held));
        }
    });
    check(&pool, &[]);
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "every rental allocates there")]
fn a_release_does_not_allocate_and_neither_does_a_steady_state() {
    let pool = GlobalPool::new().tagged("steady");
    // Few enough for the magazines, which are small under miri.
    const BLOCKS: usize = if cfg!(miri) { 1 } else { 8 };
    let rent = || -> [Block; BLOCKS] { std::array::from_fn(|_| pool.rent(1).unwrap()) };
    for _ in 0..4 {
        let blocks = rent();
        let before = ALLOCATIONS.get();
        drop(blocks);
        assert_eq!(ALLOCATIONS.get(), before, "by a release");
    }
    let before = ALLOCATIONS.get();
    for _ in 0..4 {
        drop(rent());
    }
    assert_eq!(ALLOCATIONS.get(), before, "by rentals of the same blocks");
}

#[test]
#[cfg_attr(bytesbuf_pass_through, ignore = "every rental allocates there")]
fn without_memory_for_a_record_a_block_is_lent_and_counted() {
    let pool = GlobalPool::new();
    let warm: Vec<_> = (0..4).map(|_| pool.rent(1).unwrap()).collect();
    drop(warm);
    // Blocks are at hand. The maps are small: they have to grow soon.
    let many = if cfg!(miri) { 4 } else { 128 };
    REFUSED.set(1 << 16);
    let blocks: [Option<Block>; 128] =
        std::array::from_fn(|n| (n < many).then(|| pool.rent(1).ok()).flatten());
    REFUSED.set(0);
    let holders = pool.holders();
    let lent = blocks.iter().flatten().count();
    assert_eq!(holders.blocks() + holders.unrecorded(), lent);
    assert!(cfg!(miri) || holders.unrecorded() > 0, "{holders}");
    drop(blocks);
    assert_no_outstanding!(pool);
    let one = pool.rent(1).unwrap();
    check(&pool, &[(None, 1, 1024)]);
    drop(one);
}

#[test]
fn the_allocator_may_use_the_pool() {
    // None under miri: it is slow to make them, and does not tell the working directory,
    // which printing them asks for.
    let every = if cfg!(miri) { 0 } else { 2 };
    let pool = GlobalPool::builder().backtraces(every).build().unwrap();
    POOL.set(Some(pool.tagged("allocator")));
    LOOK.set(true);
    let blocks: Vec<_> = (0..if cfg!(miri) { 8 } else { 100 })
        .map(|_| pool.rent(1).unwrap())
        .collect();
    // A copy of all records, made while the allocator makes copies of its own.
    assert_eq!(pool.holders().blocks(), blocks.len());
    // Printing a backtrace allocates a great many times.
    LOOK.set(false);
    let printed = format!("{:#}", pool.holders());
    LOOK.set(true);
    drop(blocks);
    let handle = POOL.take();
    drop(handle);
    assert_eq!(printed.contains("rented at"), every > 0, "{printed}");
    assert_no_outstanding!(pool);
}
