//! Only what a filler has reported as written is wiped.
#![expect(unsafe_code, reason = "reads and writes blocks")]

use std::thread;

use bytesbuf_core::Block;
use bytesbuf_pool::{GlobalPool, Wipe};

use crate::util::SMALL;

const SECRET: u8 = 0xC5;

/// Writes all of a block, reports some ends, and returns what it holds when it is
/// rented again.
fn after(wipe: Wipe, reports: &[usize]) -> Vec<u8> {
    let pool = GlobalPool::builder().wipe(wipe).build().unwrap();
    let block: Block = pool.rent(SMALL).unwrap();
    let (memory, len, batch) = block.open();
    assert!(batch.watches_writes());
    // SAFETY: in bounds; an opened block is the caller's to write.
    unsafe { memory.write_bytes(SECRET, len.get() as usize) };
    let start = memory.as_ptr().cast::<u8>();
    thread::scope(|scope| {
        for &end in reports {
            let (end, batch) = (start.addr().saturating_add(end), batch.clone());
            scope.spawn(move || batch.report_written(end));
        }
    });
    drop(batch);
    let (again, _, batch) = pool.rent(SMALL).unwrap().open();
    assert_eq!(again, memory);
    // SAFETY: all of it was written above, and it is ours now.
    let content = unsafe { std::slice::from_raw_parts(start, SMALL) }.to_vec();
    drop(batch);
    content
}

#[track_caller]
fn check(reports: &[usize], wiped: usize) {
    for wipe in [Wipe::OnRelease, Wipe::OnReuse] {
        let content = after(wipe, reports);
        let zeroes = content.iter().take_while(|byte| **byte == 0).count();
        assert_eq!(zeroes, wiped, "{wipe:?} {reports:?}");
        assert!(content[zeroes..].iter().all(|byte| *byte == SECRET));
    }
}

#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn up_to_the_furthest_report() {
    check(&[], SMALL); // nobody promised anything
    check(&[0], 0);
    check(&[0, 100], 100);
    check(&[0, 300, 100, 200], 300);
    check(&[0, SMALL], SMALL);
    check(&[0, SMALL + 1], SMALL);
    check(&[0, usize::MAX / 2], SMALL);
}

#[test]
fn a_pool_that_does_not_wipe_does_not_ask() {
    let pool = GlobalPool::new();
    let (_, _, batch) = pool.rent(SMALL).unwrap().open();
    assert!(!batch.watches_writes());
    batch.report_written(0);
}
