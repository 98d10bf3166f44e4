//! An asymmetric fence: nearly free for the threads that pass it all the time, a
//! system call for the one that comes by rarely.
//!
//! Two threads each store to one place and then load from the other's. With a
//! sequentially consistent fence between the store and the load on both sides, at
//! least one of them sees the other's store. [`light`] and [`heavy`] give the same
//! for a pair of one light and one heavy side: `heavy` makes every other thread of
//! the process pass a full fence (`membarrier` on Linux), so that the light side
//! needs to keep only the compiler from reordering.
//!
//! The technique is that of liburcu and folly; the language's memory model has no
//! word for it. Under loom and miri both sides are ordinary fences, so what is
//! checked there is the protocol on top.

/// Between the store and the load of a thread that is often here.
#[inline(always)]
pub(crate) fn light() {
    engine::light();
}

/// Between the store and the load of the other side. `false` means that the system
/// has no such thing: nothing follows then.
#[must_use]
pub(crate) fn heavy() -> bool {
    engine::heavy()
}

#[cfg(any(bytesbuf_loom, bytesbuf_shuttle, miri))]
mod engine {
    use crate::sync::{Ordering, fence};

    pub(super) fn light() {
        // SeqCst: partner of the fence in `heavy`.
        fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        // SeqCst: partner of the fence in `light`.
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(all(target_os = "linux", not(any(bytesbuf_loom, bytesbuf_shuttle, miri))))]
mod engine {
    use std::sync::OnceLock;

    use rustix::thread::{MembarrierCommand, membarrier};

    use crate::sync::{Ordering, compiler_fence};

    #[inline(always)]
    pub(super) fn light() {
        // SeqCst, for the compiler alone: partner of the system call in `heavy`.
        compiler_fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        /// Whether this process may use the command below. Asked once: a kernel or
        /// a sandbox without it says no for ever.
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        let registered = *REGISTERED
            .get_or_init(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok());
        // The call is a full fence on the calling thread and on every running
        // thread of the process; a thread that does not run passed one when it was
        // switched out.
        registered && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
}

#[cfg(not(any(target_os = "linux", bytesbuf_loom, bytesbuf_shuttle, miri)))]
mod engine {
    use crate::sync::{Ordering, compiler_fence};

    #[inline(always)]
    pub(super) fn light() {
        // SeqCst, for the compiler alone: partner of nothing, `heavy` says no.
        compiler_fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        false
    }
}
