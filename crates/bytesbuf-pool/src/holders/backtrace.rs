//! Backtraces, where the allocator may be one that uses the pool.
//!
//! The standard library allocates under a lock of its own when it captures or
//! prints a backtrace. An allocator that rents from the pool there, and is to be
//! sampled, would wait for that lock for ever. So nothing is sampled inside.

#[cfg(not(bytesbuf_loom))]
use std::backtrace::Backtrace;
use std::cell::Cell;
#[cfg(not(bytesbuf_loom))]
use std::sync::Arc;

thread_local! {
    /// Whether this thread is in the middle of it. Without destructor: usable at any
    /// time.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

struct Busy;

impl Busy {
    /// `None` if the thread is busy already.
    fn new() -> Option<Self> {
        let before = BUSY.try_with(|busy| busy.replace(true));
        // Lazily: one that is made and dropped here would end the outer one.
        matches!(before, Ok(false)).then(|| Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = BUSY.try_with(|busy| busy.set(false));
    }
}

/// A backtrace of here, unless this is inside of another.
#[cfg(not(bytesbuf_loom))]
pub(crate) fn capture() -> Option<Arc<Backtrace>> {
    let _busy = Busy::new()?;
    Some(Arc::new(Backtrace::force_capture()))
}

/// Runs something that prints backtraces.
pub(super) fn while_printing<R>(print: impl FnOnce() -> R) -> R {
    let _busy = Busy::new();
    print()
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_captured_inside() {
        while_printing(|| {
            assert!(capture().is_none());
            while_printing(|| assert!(capture().is_none()));
            assert!(
                capture().is_none(),
                "the inner one does not end the outer one"
            );
        });
        assert!(capture().is_some());
    }
}
