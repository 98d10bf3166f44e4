//! Blocks as users have them: lent with a count of references, charged, wiped. They go
//! by handles and futures; where threads have no caches (loom), straight to the slabs.

use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use super::door::{model, thread};
use crate::sync::{Arc, AtomicUsize, Ordering};
use crate::{GlobalPool, Wipe};

/// A pool with room for one block.
fn pool_of_one() -> GlobalPool {
    let builder = GlobalPool::builder().max_bytes(1024);
    builder.build().expect("valid")
}

/// Asserts conservation on a pool that nobody uses at the moment.
#[track_caller]
fn assert_idle(pool: &GlobalPool) {
    assert_eq!(pool.stats().bytes_in_use(), 0, "each block comes back once");
    if let Some(budget) = pool.budget() {
        let left = (budget.in_use(), budget.waiting());
        assert_eq!(left, (0, 0), "each byte is credited once");
    }
}

/// Two handles of one block go at once; it is lent again, with a fresh count, and goes
/// from a third thread.
#[test]
fn lent_again_after_two_references_went_at_once() {
    model(|| {
        let pool = GlobalPool::new();
        let (_, _, mut here) = pool.rent(1).unwrap().open();
        // So that the slab is not idle, and stays.
        let neighbour = pool.rent(1).unwrap();
        let there = here.split();
        let other = thread::spawn(move || drop(there));
        drop(here);
        let (_, _, again) = pool.rent(1).unwrap().open();
        other.join().unwrap();
        assert_eq!(again.is_sole(), Some(true), "lent with a count of its own");
        drop(neighbour);
        thread::spawn(move || drop(again)).join().unwrap();
        assert_idle(&pool);
    });
}

/// What is written through one reference is wiped by who drops the last one.
#[test]
#[cfg_attr(
    any(bytesbuf_pass_through, bytesbuf_sanitize = "memory"),
    ignore = "reads what the block had when it was lent before"
)]
fn written_there_wiped_here() {
    const END: usize = 16;
    model(|| {
        let pool = GlobalPool::builder().wipe(Wipe::OnRelease).build().unwrap();
        let (memory, _, mut here) = pool.rent(1).unwrap().open();
        // So that the slab is not idle, and stays.
        let neighbour = pool.rent(1).unwrap();
        let start = memory.addr().get();
        here.report_written(start);
        // SAFETY: an opened block is ours to write, and has 1024 bytes.
        unsafe { memory.cast::<[u8; END]>().write([0xA5; END]) };
        let there = here.split();
        let other = thread::spawn(move || there.report_written(start + END));
        here.report_written(start + END / 2);
        drop(here);
        other.join().unwrap();
        let (again, _, batch) = pool.rent(1).unwrap().open();
        assert_eq!(again, memory, "the block that was used before");
        // SAFETY: ours again, and written above.
        let content = unsafe { again.cast::<[u8; END]>().read() };
        assert_eq!(content, [0; END], "wiped as far as it was written");
        drop((batch, neighbour));
        assert_idle(&pool);
    });
}

/// Whoever waits for the bytes of a block finds the block, and sees what was done with
/// it.
#[test]
fn wait_here_release_there() {
    model(|| {
        let pool = pool_of_one();
        let data = Arc::new(AtomicUsize::new(0));
        let block = pool.rent(1).unwrap();
        let other = {
            let data = Arc::clone(&data);
            thread::spawn(move || {
                // Relaxed: partner of the load below; ordered by the budget, which is what is
                // tested.
                data.store(1, Ordering::Relaxed);
                drop(block);
            })
        };
        let permit = pool.permit_timeout(1, Duration::MAX).unwrap();
        // Relaxed: partner of the store above; as there.
        assert_eq!(data.load(Ordering::Relaxed), 1, "granted after the release");
        permit.provide(&mut drop).unwrap();
        other.join().unwrap();
        let stats = pool.stats();
        let most = stats
            .classes()
            .map(|class| class.high_water())
            .sum::<usize>();
        // With caches, the block may be in the other thread's.
        assert!(
            most == 1 || !cfg!(bytesbuf_loom),
            "the block was back already"
        );
        assert_idle(&pool);
    });
}

/// A future that waits, and has the last handle of its pool, is dropped while it is
/// granted.
#[test]
fn drop_the_future_here_release_there() {
    model(|| {
        let pool = pool_of_one();
        let budget = pool.budget().unwrap().clone();
        let block = pool.rent(1).unwrap();
        let mut request = Box::pin(pool.permit_async(1));
        drop(pool);
        let mut context = Context::from_waker(Waker::noop());
        assert!(request.as_mut().poll(&mut context).is_pending());
        let other = thread::spawn(move || drop(block));
        drop(request);
        other.join().unwrap();
        assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
    });
}
