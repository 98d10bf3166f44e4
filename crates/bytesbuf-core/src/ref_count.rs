//! The only place in the workspace that retains and releases.
//!
//! A [`RefCount`] counts *references* that its users hold in handles of any
//! *weight*: a handle of weight `n` stands for `n` references, and gives them
//! back in one operation. Handing out one reference of a handle that holds many
//! costs no atomic operation at all; that is how a buffer gives away views of
//! its block for free.
//!
//! # Invariants
//! * **R1** The value is the sum of the weights of all live handles.
//! * **R2** Only who holds a handle calls [`retain`](RefCount::retain) or
//!   [`release`](RefCount::release), and a handle is released at most once.
//! * **R3** Exactly one `release` returns `true`: the one whose weight
//!   is all that is left of the value (which it may leave as it is). Everything that any other handle did with
//!   the counted thing *happens before* that return.
//! * **R4** The value does not wrap around: a `retain` that takes it beyond
//!   [`RefCount::MAX`] ends the process, and the other half of the range is more
//!   than all threads that are inside `retain` at that moment can add.

use core::fmt;

use crate::sync::{AtomicUsize, Ordering, fence};

/// An atomic reference count that is retained and released `n` at a time.
///
/// Providers embed one in the state of their blocks (see
/// [`BlockRefCounted`](crate::BlockRefCounted)) and never touch it themselves
/// but to create it and to [`reset`](Self::reset) it when a block is lent again.
///
/// # Examples
/// ```
/// use bytesbuf_core::RefCount;
///
/// let count = RefCount::new(1);
/// count.retain(2); // a second handle, of weight two
/// assert!(!count.is_sole(1));
/// assert!(!count.release(2));
/// assert!(count.is_sole(1));
/// assert!(count.release(1)); // the last: clean up
/// ```
#[repr(transparent)]
pub struct RefCount(AtomicUsize);

impl RefCount {
    /// The largest number of references before [`retain`](Self::retain) aborts: half of
    /// what a `usize` can count.
    pub const MAX: usize = 1 << (usize::BITS - 1);

    /// A count of `references`, all held by the caller.
    #[cfg(not(bytesbuf_loom))]
    #[must_use]
    pub const fn new(references: usize) -> Self {
        Self(AtomicUsize::new(references))
    }

    /// A count of `references`, all held by the caller (loom's atomics are not
    /// const).
    #[cfg(bytesbuf_loom)]
    #[must_use]
    pub fn new(references: usize) -> Self {
        Self(AtomicUsize::new(references))
    }

    /// Adds `n` references on behalf of a caller who holds at least one.
    /// One relaxed read-modify-write.
    ///
    /// # Aborts
    /// Ends the process when the count passes [`MAX`](Self::MAX): handles are
    /// being leaked, and wrapping around would free memory in use.
    #[inline]
    pub fn retain(&self, n: usize) {
        // Relaxed: partner of nothing. The caller holds a reference (R2), so the
        // count cannot reach zero meanwhile, and the new handle travels to other
        // threads by whatever synchronises the caller with them.
        let before = self.0.fetch_add(n, Ordering::Relaxed);
        // Of one reference more (`n` is a constant where this is inlined), what is left of
        // this is the sign of the value before, and nothing else is done with that: x86
        // tells the sign in the flags of an addition that does not return a value.
        if before > Self::MAX || n > Self::MAX - before {
            self.overflow(n);
        }
    }

    #[cold]
    #[inline(never)]
    fn overflow(&self, n: usize) -> ! {
        // Relaxed: partner of nothing; a figure for people.
        abort_with(self.0.load(Ordering::Relaxed), n)
    }

    /// Gives `n` references back. `true` means that they were the last ones and
    /// that the counted thing is now the caller's alone.
    ///
    /// One acquire load if nobody else holds a reference, one release
    /// read-modify-write otherwise, and one acquire fence if it then turns out
    /// to have been the last.
    #[inline]
    #[must_use = "the last release has to clean up"]
    pub fn release(&self, n: usize) -> bool {
        if self.is_sole(n) {
            return true;
        }
        // Release: partner of the Acquire fence below and of the Acquire load in
        // `is_sole`, on whichever thread finds itself the last. What this thread
        // did with the counted thing happens before its clean-up (R3).
        if self.0.fetch_sub(n, Ordering::Release) != n {
            return false;
        }
        // Acquire: partner of every other handle's Release subtraction above. The
        // subtractions form one release sequence, so reading its end
        // synchronises with each of them.
        fence(Ordering::Acquire);
        // The thread sanitizer knows no fences, but it does know this Acquire load.
        #[cfg(bytesbuf_sanitize = "thread")]
        let _ = self.is_sole(n);
        true
    }

    /// Whether the caller's `n` references are all there are. If so, nobody else
    /// can retain, and the caller may treat the counted thing as its own.
    /// One acquire load.
    #[inline]
    #[must_use]
    pub fn is_sole(&self, n: usize) -> bool {
        // Acquire: partner of the Release subtraction in `release` of each handle
        // that is gone. A sole owner sees all that they did (R3).
        self.0.load(Ordering::Acquire) == n
    }

    /// Sets the count to `references`, all held by the caller, who must be the
    /// only one with access (a block fresh from its provider). One plain store.
    #[inline]
    pub fn reset(&self, references: usize) {
        // Relaxed: partner of nothing. The caller is alone; whoever gets a handle
        // later gets it through something that orders this store before it.
        self.0.store(references, Ordering::Relaxed);
    }
}

impl RefCount {
    /// As [`reset`](Self::reset), but writes only what is not there already: a count
    /// that another thread has just read need not come over to be written. One plain
    /// load, and perhaps a plain store.
    #[inline]
    pub fn restock(&self, references: usize) {
        // Relaxed: partner of nothing. The caller is alone, as in `reset`.
        if self.0.load(Ordering::Relaxed) != references {
            self.reset(references);
        }
    }
}

impl fmt::Debug for RefCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: partner of nothing; a figure for people.
        f.debug_tuple("RefCount")
            .field(&self.0.load(Ordering::Relaxed))
            .finish()
    }
}

/// Unwinding out of an `extern "C"` function ends the process: the abort of a
/// crate without `std`, message included.
extern "C" fn abort_with(references: usize, n: usize) -> ! {
    panic!(
        "reference count overflow: {references} references after {n} more; handles are being leaked"
    )
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up() {
        let count = RefCount::new(5);
        count.retain(3);
        assert!(!count.release(5));
        assert!(!count.release(2));
        assert!(count.is_sole(1));
        assert!(count.release(1));
    }

    #[test]
    fn reset_makes_the_caller_sole_owner_of_the_new_weight() {
        let count = RefCount::new(1);
        count.reset(1 << 20);
        assert!(!count.is_sole(1));
        assert!(count.is_sole(1 << 20));
    }

    #[test]
    fn retaining_up_to_the_limit_is_fine() {
        let count = RefCount::new(1);
        count.retain(RefCount::MAX - 1);
        assert!(count.is_sole(RefCount::MAX));
    }

    #[test]
    fn debug_shows_the_figure() {
        extern crate std;
        assert_eq!(std::format!("{:?}", RefCount::new(7)), "RefCount(7)");
    }
}
