//! Tells the system that pages are not needed, before an allocator gets them back.
//!
//! glibc maps large allocations on their own only until the first of them is
//! freed: then it raises the threshold, and later ones come from its heap, where
//! they stay resident for as long as anything behind them is in use. Whatever an
//! allocator does with the address range, its pages go back at once this way.
#![cfg_attr(
    all(target_os = "linux", not(any(bytesbuf_loom, miri))),
    expect(unsafe_code, reason = "gives up the content of memory")
)]

use std::ptr::NonNull;

/// Gives up the pages that lie entirely within `bytes` bytes of memory; what they
/// hold is unspecified afterwards. Does nothing where the system has no such call.
///
/// # Safety
/// The memory is one live allocation of the caller's, of at least that many bytes,
/// and nobody relies on its content any more.
#[cfg(all(target_os = "linux", not(any(bytesbuf_loom, miri))))]
pub(crate) unsafe fn give_up(memory: NonNull<u8>, bytes: usize) {
    use rustix::mm::{Advice, madvise};

    let page = rustix::param::page_size();
    let lead = memory.addr().get().next_multiple_of(page) - memory.addr().get();
    let whole = bytes.saturating_sub(lead) / page * page;
    if whole == 0 {
        return;
    }
    // SAFETY: in bounds: the allocation goes on for a page after `lead`, at least.
    let first = unsafe { memory.add(lead) };
    // A refusal (locked memory, say) leaves the pages as they are.
    // SAFETY: pages of the caller's allocation alone, whose content nobody needs;
    // private memory reads as zeroes or as what is under it afterwards.
    let _ = unsafe { madvise(first.as_ptr().cast(), whole, Advice::LinuxDontNeed) };
}

/// Gives up pages, if the system has a call for that.
///
/// # Safety
/// None here; the real one has conditions.
#[cfg(not(all(target_os = "linux", not(any(bytesbuf_loom, miri)))))]
#[expect(unsafe_code, reason = "the signature of the real one")]
pub(crate) unsafe fn give_up(_: NonNull<u8>, _: usize) {}

#[cfg(all(test, target_os = "linux", not(any(bytesbuf_loom, miri))))]
mod tests {
    use super::*;

    #[test]
    fn whole_pages_alone_are_given_up() {
        let page = rustix::param::page_size();
        let mut memory = vec![7_u8; 4 * page];
        // The second byte: the first may begin a page, which depends on the allocator.
        let start = NonNull::from(&mut memory[1..]).cast();
        // SAFETY: in bounds of a live vector of plain bytes.
        unsafe { give_up(start, 3 * page) };
        let zeroes = memory.iter().filter(|byte| **byte == 0).count();
        assert!(zeroes == 2 * page || zeroes == 3 * page, "{zeroes}");
        assert_eq!((memory[0], memory[4 * page - 1]), (7, 7));
    }
}
