//! What a block holds when it is rented again.
#![expect(unsafe_code, reason = "reads and writes blocks")]

use std::ptr::NonNull;
use std::slice;
use std::thread;

use bytesbuf_core::{Block, BlockRefBatch};
use bytesbuf_pool::{Budget, GlobalPool, Wipe};

use crate::util::{LARGE, SMALL, class_stats};

const POLICIES: [Wipe; 3] = [Wipe::Never, Wipe::OnRelease, Wipe::OnReuse];
const SECRET: u8 = 0xC5;

fn pool(wipe: Wipe) -> GlobalPool {
    GlobalPool::builder().wipe(wipe).build().unwrap()
}

/// Writes all of a block.
fn fill(block: Block) -> (NonNull<u8>, BlockRefBatch) {
    let (memory, len, batch) = block.open();
    // SAFETY: in bounds; an opened block is the caller's to write.
    unsafe { memory.write_bytes(SECRET, len.get() as usize) };
    (memory.cast(), batch)
}

/// All of a block, every byte of which has been written once.
///
/// # Safety
/// Just that, and nobody writes it meanwhile.
unsafe fn content<'a>(memory: NonNull<u8>, len: usize) -> &'a [u8] {
    // SAFETY: written, and not being written, as the caller promises.
    unsafe { slice::from_raw_parts(memory.as_ptr(), len) }
}

/// What a block holds that was filled, given back, and rented again.
fn rented_again(pool: &GlobalPool, rent: impl Fn() -> Block) -> Vec<u8> {
    let (before, batch) = fill(rent());
    drop(batch);
    let (memory, len, batch) = rent().open();
    assert_eq!(memory.cast(), before, "the same block: {:?}", pool.stats());
    // SAFETY: all of it was written by `fill`, and it is ours now.
    let content = unsafe { content(memory.cast(), len.get() as usize) }.to_vec();
    drop(batch);
    content
}

#[track_caller]
fn check(wipe: Wipe, content: &[u8]) {
    let expected = if wipe == Wipe::Never { SECRET } else { 0 };
    // As a whole: miri is slow byte by byte.
    if content != vec![expected; content.len()] {
        let other = content.iter().position(|byte| *byte != expected);
        panic!("{wipe:?}: {other:?} of {} bytes", content.len());
    }
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn a_block_that_is_rented_again() {
    for wipe in POLICIES {
        let pool = pool(wipe);
        // Twice: the second time it comes from where wiped blocks go.
        for _ in 0..2 {
            check(wipe, &rented_again(&pool, || pool.rent(SMALL).unwrap()));
            check(wipe, &rented_again(&pool, || pool.rent(LARGE).unwrap()));
        }
        assert_eq!(class_stats(&pool, SMALL).high_water(), 1);
    }
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn a_contiguous_block_that_is_rented_again() {
    for wipe in POLICIES {
        let pool = pool(wipe);
        let rent = || pool.rent_contiguous(200_000).unwrap();
        check(wipe, &rented_again(&pool, rent));
    }
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn through_any_handle() {
    for wipe in POLICIES {
        let pool = pool(wipe);
        let budget = Budget::new(1 << 20);
        let handles = [pool.clone(), pool.with_budget(&budget), pool.clone()];
        for (gives, takes) in handles.iter().zip(&handles[1..]) {
            let (before, batch) = fill(gives.rent(SMALL).unwrap());
            drop(batch);
            let (memory, _, batch) = takes.rent(SMALL).unwrap().open();
            assert_eq!(memory.cast(), before);
            // SAFETY: all of it was written by `fill`, and it is ours now.
            check(wipe, unsafe { content(before, SMALL) });
            drop(batch);
        }
        assert_eq!(budget.in_use(), 0);
    }
}

/// The last reference is on another thread, and goes after the pool's handles.
#[test]
#[cfg_attr(
    any(
        bytesbuf_pass_through,
        bytesbuf_sanitize = "address",
        bytesbuf_sanitize = "memory"
    ),
    ignore = "reads a free block"
)]
fn on_release_is_at_the_last_reference() {
    let pool = pool(Wipe::OnRelease);
    let neighbour = pool.rent(SMALL).unwrap();
    let (memory, batch) = fill(pool.rent(SMALL).unwrap());
    let there = batch.clone();
    drop(batch);
    // SAFETY: written by `fill`, and kept by the other reference.
    assert_eq!(unsafe { content(memory, SMALL) }, [SECRET; SMALL]);
    drop(pool);
    thread::spawn(move || drop(there)).join().unwrap();
    // SAFETY: the neighbour keeps the slab, which nobody else uses any more.
    assert_eq!(unsafe { content(memory, SMALL) }, [0; SMALL]);
    drop(neighbour);
}

/// What is free and not wiped holds its content until it is rented: that is the
/// difference between the two.
#[test]
#[cfg_attr(
    any(
        bytesbuf_pass_through,
        bytesbuf_sanitize = "address",
        bytesbuf_sanitize = "memory"
    ),
    ignore = "reads a free block"
)]
fn on_reuse_is_not_on_release() {
    for (wipe, expected) in [(Wipe::OnReuse, SECRET), (Wipe::OnRelease, 0)] {
        let pool = pool(wipe);
        let neighbour = pool.rent(SMALL).unwrap();
        let (memory, batch) = fill(pool.rent(SMALL).unwrap());
        drop(batch);
        // SAFETY: free, and this thread alone uses the pool; the neighbour keeps
        // the slab.
        let held = unsafe { content(memory, SMALL) };
        assert_eq!(held, [expected; SMALL], "{wipe:?}");
        drop(neighbour);
    }
}

/// A block that went back to its slab, and was not in a magazine.
#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn from_a_slab_that_was_trimmed() {
    for wipe in POLICIES {
        let pool = pool(wipe);
        let neighbour = pool.rent(SMALL).unwrap();
        let (before, batch) = fill(pool.rent(SMALL).unwrap());
        drop(batch);
        pool.trim();
        let (memory, _, batch) = pool.rent(SMALL).unwrap().open();
        assert_eq!(memory.cast(), before);
        // SAFETY: all of it was written by `fill`, and it is ours now.
        check(wipe, unsafe { content(before, SMALL) });
        drop((batch, neighbour));
    }
}
