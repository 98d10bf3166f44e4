//! An allocator for models under shuttle, which has none: it knows what is allocated,
//! and keeps what is freed until the execution is over, overwritten, so that a lock
//! or an atomic in it panics when it is used.
//!
//! An execution, with all its threads, is on one thread of the system.
#![expect(unsafe_code, reason = "an allocator")]

use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::HashMap;
use std::mem;

/// What freed memory is filled with: no address, and for a `RefCell`, which shuttle's
/// locks and atomics are made of, "borrowed".
const FREED: u8 = 0xDD;

#[derive(Default)]
struct Memory {
    live: HashMap<usize, Layout>,
    freed: Vec<(*mut u8, Layout)>,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::new(Memory::default());
}

/// # Safety
/// As for the real one: the layout is not of zero bytes.
pub(crate) unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: forwarded from the caller.
    let memory = unsafe { std::alloc::alloc(layout) };
    MEMORY.with_borrow_mut(|all| all.live.insert(memory.addr(), layout));
    memory
}

/// # Panics
/// If this is not memory that `alloc` returned for this layout, or if it is freed
/// already.
///
/// # Safety
/// None beyond that: everything else that the real one asks for is checked.
pub(crate) unsafe fn dealloc(memory: *mut u8, layout: Layout) {
    let known = MEMORY.with_borrow_mut(|all| all.live.remove(&memory.addr()));
    assert_eq!(known, Some(layout), "freed twice, or never allocated");
    // SAFETY: allocated with this layout, as just seen, and not given back yet.
    unsafe { memory.write_bytes(FREED, layout.size()) };
    MEMORY.with_borrow_mut(|all| all.freed.push((memory, layout)));
}

/// Begins an execution: what the one before has freed goes back. (What it has leaked,
/// if it failed, stays.)
pub(crate) fn begin() {
    let former = MEMORY.with_borrow_mut(mem::take);
    for (memory, layout) in former.freed {
        // SAFETY: of `alloc`, with this layout; moved here once, when it was freed.
        unsafe { std::alloc::dealloc(memory, layout) };
    }
}

/// Asserts, at the end of an execution, that everything has been freed.
#[track_caller]
pub(crate) fn assert_all_freed() {
    let live = MEMORY.with_borrow(|all| all.live.len());
    assert_eq!(live, 0, "what is allocated is freed at the end");
}
