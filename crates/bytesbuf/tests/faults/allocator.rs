//! The global allocator of these tests.
//!
//! * It notes each allocation's layout in front of it and writes a border behind it.
//!   Memory that is freed with another layout, twice, or with a broken border ends
//!   the process at once. (Miri checks all that by itself, and boxes have no access
//!   to the note there.)
//! * What is fresh and what is freed is filled with patterns, so that nobody reads
//!   zeroes by luck.
//! * On demand it refuses this thread's n-th allocation, or that and all after it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

/// What a thread has been told to refuse.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Plan {
    armed: bool,
    /// Allocations that still succeed.
    left: usize,
    /// Whether only one is refused.
    once: bool,
    refused: usize,
}

thread_local! {
    static PLAN: Cell<Plan> = const {
        Cell::new(Plan { armed: false, left: usize::MAX, once: false, refused: 0 })
    };
    /// Bytes that this thread has allocated and not freed; less than none if it frees
    /// those of others.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// Whether the next allocation of this thread is to be refused.
fn refuses() -> bool {
    PLAN.try_with(|cell| {
        let mut plan = cell.get();
        if !plan.armed || plan.left == usize::MAX {
            return false;
        }
        if plan.left > 0 {
            plan.left -= 1;
            cell.set(plan);
            return false;
        }
        let refuse = !plan.once || plan.refused == 0;
        plan.refused += usize::from(refuse);
        cell.set(plan);
        refuse
    })
    .unwrap_or(false)
}

/// A sequence of allocations of which some are refused.
pub(crate) struct Trial {
    _private: (),
}

impl Trial {
    /// The allocation after `allowed` is refused, and all after it unless `once`.
    pub(crate) fn begin(allowed: usize, once: bool) -> Self {
        PLAN.set(Plan {
            armed: false,
            left: allowed,
            once,
            refused: 0,
        });
        Self { _private: () }
    }

    /// Runs `action` with refusals. Outside of it memory is plentiful.
    pub(crate) fn exposed<R>(&self, action: impl FnOnce() -> R) -> R {
        struct Disarm;
        impl Drop for Disarm {
            fn drop(&mut self) {
                PLAN.set(Plan {
                    armed: false,
                    ..PLAN.get()
                });
            }
        }
        PLAN.set(Plan {
            armed: true,
            ..PLAN.get()
        });
        let _disarm = Disarm;
        action()
    }

    /// Whether anything was refused so far.
    pub(crate) fn has_refused(&self) -> bool {
        PLAN.get().refused > 0
    }
}

/// Bytes that this thread has allocated and not freed.
pub(crate) fn live_bytes() -> isize {
    LIVE.get()
}

fn count(bytes: isize) {
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

/// In front of each allocation, as far as its alignment demands.
const fn lead(layout: Layout) -> usize {
    let least = if cfg!(miri) { 0 } else { 32 };
    if layout.align() > least && !cfg!(miri) {
        layout.align()
    } else {
        least
    }
}

/// Behind each allocation.
const BORDER: [u8; 8] = *b"\xB0RDERS!\xB0";
const TAIL: usize = if cfg!(miri) { 0 } else { BORDER.len() };

const LIVE_MARK: usize = 0x11FE_11FE;
const DEAD_MARK: usize = 0xDEAD_DEAD;

/// The allocation that holds note, payload and border.
fn outer(layout: Layout) -> Option<Layout> {
    let size = layout.size().checked_add(lead(layout) + TAIL)?;
    let align = if cfg!(miri) {
        layout.align()
    } else {
        lead(layout)
    };
    Layout::from_size_align(size, align).ok()
}

/// Larger ones are not filled: their pages may never be touched.
const FILLED: usize = 1 << 20;

#[cold]
fn stop(complaint: &str) -> ! {
    let _ = std::io::stderr().write_all(complaint.as_bytes());
    std::process::abort()
}

pub(crate) struct Strict;

// SAFETY: forwards to `System` with room in front and behind, or returns null.
unsafe impl GlobalAlloc for Strict {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        let Some(outer) = outer(layout) else {
            return std::ptr::null_mut();
        };
        // SAFETY: not of size zero, as the layout is not.
        let memory = unsafe { System.alloc(outer) };
        if memory.is_null() {
            return memory;
        }
        count(layout.size() as isize);
        // SAFETY: within the allocation.
        let payload = unsafe { memory.add(lead(layout)) };
        if !cfg!(miri) {
            // SAFETY: within the lead, which is 32 bytes at least, aligned to 32.
            unsafe {
                memory
                    .cast::<[usize; 3]>()
                    .write([LIVE_MARK, layout.size(), layout.align()]);
            };
            if layout.size() <= FILLED {
                // SAFETY: all of the payload.
                unsafe { payload.write_bytes(0xA5, layout.size()) };
            }
            // SAFETY: behind the payload there is room for the border.
            let border = unsafe { payload.add(layout.size()) };
            // SAFETY: as above; no alignment is needed.
            unsafe { border.cast::<[u8; 8]>().write_unaligned(BORDER) };
        }
        payload
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the start of the allocation, if the layout is the same.
        let memory = unsafe { ptr.sub(lead(layout)) };
        if !cfg!(miri) {
            // SAFETY: written by `alloc`.
            let noted = unsafe { memory.cast::<[usize; 3]>().read() };
            if noted[2] == DEAD_MARK {
                stop("memory is freed twice\n");
            }
            if noted != [LIVE_MARK, layout.size(), layout.align()] {
                stop("memory is freed with another layout, or its front was overwritten\n");
            }
            // SAFETY: the border is behind the payload.
            let border = unsafe { ptr.add(layout.size()) };
            // SAFETY: written by `alloc`.
            if unsafe { border.cast::<[u8; 8]>().read_unaligned() } != BORDER {
                stop("memory was written behind its end\n");
            }
            if layout.size() <= FILLED {
                // SAFETY: all of the payload, which is given up.
                unsafe { ptr.write_bytes(0xDB, layout.size()) };
            }
            // SAFETY: the third word of the note; read again if the memory is freed a second
            // time soon. In the first two, allocators keep their lists.
            let third = unsafe { memory.cast::<usize>().add(2) };
            // SAFETY: as above.
            unsafe { third.write(DEAD_MARK) };
        }
        let Some(outer) = outer(layout) else {
            stop("memory is freed with an impossible layout\n");
        };
        // SAFETY: allocated with this layout.
        unsafe { System.dealloc(memory, outer) };
    }
}

#[global_allocator]
static ALLOCATOR: Strict = Strict;

/// The checks can fail: the children break the rules, and are ended.
#[cfg(not(miri))]
mod tests {
    use std::alloc::{GlobalAlloc, Layout};

    use super::ALLOCATOR;
    use crate::child;

    /// By the allocator's own methods: what the compiler knows of `std::alloc::alloc`
    /// lets it leave out what these children do wrong.
    fn one() -> (*mut u8, Layout) {
        let layout = Layout::new::<[u64; 5]>();
        // SAFETY: not of size zero.
        let memory = unsafe { ALLOCATOR.alloc(layout) };
        (std::hint::black_box(memory), layout)
    }

    #[test]
    #[ignore = "aborts"]
    fn child_that_frees_with_another_layout() {
        let (memory, _) = one();
        // SAFETY: wrong, which the allocator is to notice.
        unsafe { ALLOCATOR.dealloc(memory, Layout::new::<[u64; 6]>()) };
    }

    #[test]
    #[ignore = "aborts"]
    fn child_that_writes_behind_the_end() {
        let (memory, layout) = one();
        // SAFETY: still in the allocation that the border is in.
        let border = unsafe { memory.add(layout.size()) };
        // SAFETY: wrong by the layout; the border is there.
        unsafe { border.write(0) };
        // SAFETY: allocated with this layout.
        unsafe { ALLOCATOR.dealloc(memory, layout) };
    }

    #[test]
    #[ignore = "aborts"]
    fn child_that_frees_twice() {
        let (memory, layout) = one();
        // SAFETY: allocated with this layout.
        unsafe { ALLOCATOR.dealloc(memory, layout) };
        // SAFETY: wrong, which the allocator is to notice.
        unsafe { ALLOCATOR.dealloc(memory, layout) };
    }

    #[test]
    fn the_allocator_notices() {
        for (name, complaint) in [
            ("frees_with_another_layout", "another layout"),
            ("writes_behind_the_end", "behind its end"),
            ("frees_twice", "freed twice"),
        ] {
            // A sanitizer is faster, and says so itself.
            let is_first = cfg!(any(
                bytesbuf_sanitize = "address",
                bytesbuf_sanitize = "thread",
                bytesbuf_sanitize = "memory"
            ));
            if name == "frees_twice" && is_first {
                continue;
            }
            let ended = child::run(&format!("allocator::tests::child_that_{name}"), &[]);
            assert!(ended.aborted, "{ended:?}");
            assert!(ended.stderr.contains(complaint), "{ended:?}");
        }
    }
}
