//! Under a global allocator that refuses on demand, and that comes back: a refusal is an
//! error and loses nothing, no allocation is made while the arena is locked, and in the
//! end all is given back.
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::num::NonZero;
use std::ptr;
use std::sync::OnceLock;

use bytesbuf_arena::Arena;
use bytesbuf_core::{Block, BlockProvider, ReserveError};

/// The arena that the allocator uses.
static ARENA: OnceLock<Arena> = OnceLock::new();

thread_local! {
    /// Allocations of this thread that still succeed.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Whether the allocator comes back on this thread; how often it has.
    static COMES_BACK: Cell<bool> = const { Cell::new(false) };
    static VISITS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread has allocated, less those that it has freed.
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

struct Hostile;

// SAFETY: forwards to `System`, or returns null, and never unwinds: locks and counts alone
// come before that.
unsafe impl GlobalAlloc for Hostile {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COMES_BACK.replace(false) {
            if let Some(arena) = ARENA.get() {
                // Waits for ever if this thread has locked it. Only visits that see what
                // can be are counted: an allocator must not unwind.
                let free = arena.slots_free();
                VISITS.set(VISITS.get() + usize::from(free <= arena.slots()));
            }
            COMES_BACK.set(true);
        }
        let left = LEFT.get();
        if left == 0 {
            return ptr::null_mut();
        }
        if left != usize::MAX {
            LEFT.set(left - 1);
        }
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Hostile = Hostile;

fn arena(slots: u32) -> Result<Arena, ReserveError> {
    Arena::new(0, NonZero::new(slots).unwrap(), NonZero::new(8).unwrap())
}

/// Runs `action` with so many allocations to go.
fn with_allocations<R>(left: usize, action: impl FnOnce() -> R) -> R {
    LEFT.set(left);
    let result = action();
    LEFT.set(usize::MAX);
    result
}

#[track_caller]
fn assert_refused(outcome: Result<impl Sized, ReserveError>, expected: usize) {
    match outcome.err() {
        Some(ReserveError::OutOfMemory { requested }) => assert_eq!(requested, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_arena() {
    assert_refused(with_allocations(0, || arena(100)), 800);
    let states = match with_allocations(1, || arena(100)) {
        Err(ReserveError::OutOfMemory { requested }) => requested,
        other => panic!("{other:?}"),
    };
    assert!(states > 100 * 16, "{states} bytes of states");
    assert_refused(with_allocations(2, || arena(100)), 400);
    let arena = with_allocations(4, || arena(100)).unwrap();
    assert_eq!(arena.slots_free(), 100);
}

#[test]
fn lending() {
    let arena = arena(10).unwrap();
    let mut lent = Vec::with_capacity(10);
    let lists = [3 * size_of::<u32>(), 3 * size_of::<Block>()];
    for (left, list) in lists.into_iter().enumerate() {
        let outcome = with_allocations(left, || arena.provide(24, &mut |block| lent.push(block)));
        assert_refused(outcome, list);
        assert_eq!((arena.slots_free(), lent.len()), (10, 0));
    }
    with_allocations(2, || arena.provide(24, &mut |block| lent.push(block))).unwrap();
    assert_eq!((arena.slots_free(), lent.len()), (7, 3));
    with_allocations(0, || lent.clear());
    assert_eq!(arena.slots_free(), 10, "a release needs no memory");
}

#[test]
fn an_allocator_that_comes_back() {
    let arena = ARENA.get_or_init(|| arena(10).unwrap());
    let mut lent = Vec::with_capacity(10);
    COMES_BACK.set(true);
    let outcome = arena.provide(80, &mut |block| lent.push(block));
    lent.clear();
    COMES_BACK.set(false);
    outcome.unwrap();
    assert_eq!(VISITS.get(), 2, "a list of numbers and one of blocks");
    assert_eq!(arena.slots_free(), 10);
}

#[test]
fn the_last_to_go_frees_everything() {
    let before = LIVE.get();
    let arena = arena(10).unwrap();
    let mut lent = Vec::with_capacity(1);
    arena.provide(8, &mut |block| lent.push(block)).unwrap();
    drop(arena);
    assert!(
        LIVE.get().wrapping_sub(before) >= 80,
        "a block keeps the region"
    );
    drop(lent);
    assert_eq!(LIVE.get(), before);
}
