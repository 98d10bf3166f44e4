//! Under a global allocator that looks at what it gets back: a block that is an
//! allocation of its own takes no content along if its pool wipes on release.
#![cfg(not(bytesbuf_loom))]
#![expect(unsafe_code, reason = "a global allocator; writes blocks")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::slice;
use std::thread;

use bytesbuf_pool::{GlobalPool, Wipe};

const SECRET: u8 = 0xC5;

/// More than any pooled block, and not whole pages: the first and the last page of
/// the allocation are not given up before it is freed. A multiple of 64, as what
/// follows the payload would be looked at otherwise.
const SIZE: usize = if cfg!(miri) {
    1094 * 64
} else {
    (1 << 20) + 3 * 64
};

thread_local! {
    /// Direct blocks that this thread has freed with anything but zeros in them.
    static SEEN: Cell<usize> = const { Cell::new(0) };
}

static ZEROS: [u8; SIZE] = [0; SIZE];

struct Nosy;

// SAFETY: forwards to `System`.
unsafe impl GlobalAlloc for Nosy {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // Header, then payload up to the end. Nothing else here is as large.
        if layout.size() > SIZE && layout.size() < SIZE + 4096 {
            // SAFETY: in bounds, by the condition.
            let payload = unsafe { ptr.add(layout.size() - SIZE) };
            // SAFETY: the payload, all of which the test has written.
            let payload = unsafe { slice::from_raw_parts(payload, SIZE) };
            let is_wiped = payload == ZEROS;
            let _ = SEEN.try_with(|seen| seen.set(seen.get() + usize::from(!is_wiped)));
        }
        // SAFETY: forwarded.
        unsafe { System.dealloc(ptr, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Nosy = Nosy;

/// How many blocks with content reach the allocator, of one that such a pool has lent.
fn leaked(wipe: Wipe) -> usize {
    let builder = GlobalPool::builder().wipe(wipe).max_pooled_contiguous(0);
    let pool = builder.build().unwrap();
    let (memory, len, batch) = pool.rent_contiguous(SIZE).unwrap().open();
    assert_eq!(len.get() as usize, SIZE);
    assert_eq!(pool.stats().direct_blocks_in_use(), 1);
    // SAFETY: in bounds; an opened block is the caller's to write.
    unsafe { memory.write_bytes(SECRET, SIZE) };
    drop(pool);
    // The last release on another thread.
    let freed = thread::spawn(move || {
        drop(batch);
        SEEN.get()
    });
    freed.join().unwrap()
}

#[test]
#[cfg_attr(
    bytesbuf_sanitize = "memory",
    ignore = "looks at what a block held before, as only a kept one can tell"
)]
fn a_direct_block_is_wiped_before_it_is_freed() {
    assert_eq!(leaked(Wipe::OnRelease), 0);
    // Who does not wipe leaves it to the allocator, also who wipes on reuse.
    assert_eq!(leaked(Wipe::Never), 1, "or the test sees nothing");
    assert_eq!(leaked(Wipe::OnReuse), 1);
}
