//! The hot paths, each as a loop over warm state.
//!
//! A [`Path`] is made outside what is counted; [`Path::run`] is what is counted. Every
//! path is counted twice, for [`SHORT`] and for [`LONG`] operations, and what one
//! operation takes is the difference over the difference: calls of the loop itself, the
//! first touch of a page and the like are in both and cancel out. What remains of the
//! harness is the loop and the hiding of values from the compiler, about eight instructions.

mod message;
mod pool;
mod read;
mod reserve;
mod views;
mod write;

pub use message::{ByValue, InPlace, LivingBuilder, Moved, NewAndReserve};
pub use pool::{Budgeted, PoolAlone};
pub use read::GetU64;
pub use reserve::{Contiguous, Reserve};
pub use views::{Append, CloneView, Consume, Lie, Range, SplitTo};
pub use write::{PutByte, PutSlice, PutU64};

/// Operations of the shorter count.
pub const SHORT: usize = 1024;

/// Operations of the longer one. `cargo xtask perf` divides by the difference of the two.
pub const LONG: usize = SHORT + 4096;

/// One hot path, warm.
pub trait Path {
    /// Runs it so many times.
    fn run(&mut self, times: usize);
}

/// A path and how often it is to be run.
#[derive(Debug)]
pub struct Task<P> {
    /// What is run.
    pub path: P,
    /// How often.
    pub times: usize,
}

impl<P: Path> Task<P> {
    /// What is counted. Gives itself back, so that what the path holds is dropped later.
    #[inline]
    #[must_use]
    pub fn run(mut self) -> Self {
        self.path.run(self.times);
        self
    }
}

/// A path that looks the same before every operation, run once to be warm.
pub fn warm<P: Path>(mut path: P, times: usize) -> Task<P> {
    path.run(SHORT);
    Task { path, times }
}

/// A path that is used up as it runs, made for so many operations.
pub fn once<P: Path>(make: impl FnOnce(usize) -> P, times: usize) -> Task<P> {
    Task {
        path: make(times),
        times,
    }
}

#[cfg(test)]
mod tests {
    use bytesbuf::BytesView;
    use bytesbuf::mem::GlobalPool;

    use super::*;

    /// Runs every path as the counts do, short.
    #[test]
    fn every_path_runs() {
        fn run<P: Path>(task: Task<P>) {
            drop(task.run());
        }
        run(warm(Reserve::new(1024), 3));
        run(warm(Contiguous::new(1 << 20), 3));
        run(warm(InPlace::new(), 3));
        run(warm(Moved::new(), 3));
        run(warm(ByValue::new(), 3));
        run(warm(NewAndReserve::new(), 3));
        run(warm(LivingBuilder::new(), 3));
        run(warm(CloneView::new(16), 3));
        run(warm(Range::new(), 3));
        run(once(GetU64::contiguous, 600));
        run(once(GetU64::spans, 600));
        run(once(PutU64::new, 600));
        run(once(PutByte::new, 600));
        run(warm(PutSlice::new(), 3));
        for lie in [Lie::OneBlock, Lie::Blocks] {
            run(once(|frames| Consume::new(frames, lie), 700));
            run(once(|frames| SplitTo::new(frames, lie), 700));
        }
        run(warm(Append::new(), 3));
        run(warm(PoolAlone::new(), 3));
        run(warm(Budgeted::new(), 3));
    }

    #[test]
    fn a_sequence_of_several_spans_has_them() {
        let pool = GlobalPool::new();
        let view: BytesView = views::of_spans(&pool, 16, 64);
        assert_eq!(view.slices().count(), 16);
        assert_eq!(view.len(), 16 * 64);
    }

    #[test]
    fn the_messages_are_128_bytes() {
        let mut builder = LivingBuilder::new();
        assert_eq!(builder.message().len(), 128);
    }
}
