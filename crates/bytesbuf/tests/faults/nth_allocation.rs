//! The n-th allocation is refused, for every n up to the end of each scenario; once
//! alone, and once with all that follow. What can report it does, nothing has
//! changed then, and everything comes back.
//!
//! What cannot report it ends the process: see `aborts`.

use std::io::{Read, Write};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{Budget, BudgetedMemory, GlobalPool, Memory, ProviderMemory, ReserveError};
use bytesbuf::{BytesBuf, BytesView};

use crate::allocator::{Trial, live_bytes};

/// Runs a scenario until it gets by without a refusal. It says how many refusals were
/// reported to it.
#[track_caller]
fn sweep(least: usize, scenario: impl Fn(&Trial) -> usize) {
    sweep_with(&[true, false], least, scenario);
}

/// `modes`: whether one allocation alone is refused, or all that follow as well.
#[track_caller]
fn sweep_with(modes: &[bool], least: usize, scenario: impl Fn(&Trial) -> usize) {
    // What a thread keeps for later is there after the first times.
    for _ in 0..2 {
        assert_eq!(scenario(&Trial::begin(usize::MAX, false)), 0);
    }
    let before = live_bytes();
    // All of them would take miri half an hour.
    let step = if cfg!(miri) { 5 } else { 1 };
    for &once in modes {
        for allowed in (0..).step_by(step) {
            let trial = Trial::begin(allowed, once);
            let reported = scenario(&trial);
            assert_eq!(live_bytes(), before, "leaked after {allowed} allocations");
            if !trial.has_refused() {
                assert_eq!(reported, 0);
                assert!(allowed >= least, "only {allowed} allocations");
                break;
            }
        }
    }
}

/// Counts a refusal, and hands on what was not refused.
fn note<T>(refusals: &mut usize, result: Result<T, ReserveError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(ReserveError::OutOfMemory { .. }) => {
            *refusals += 1;
            None
        }
        Err(other) => panic!("{other}"),
    }
}

/// A pool, made while there is memory.
fn pool() -> GlobalPool {
    GlobalPool::builder().max_bytes(4 << 20).build().unwrap()
}

/// Nothing is lent or charged.
fn at_rest(pool: &GlobalPool) {
    assert_eq!(pool.stats().bytes_in_use(), 0);
    assert_eq!(pool.budget().unwrap().in_use(), 0);
}

#[test]
fn reservations_of_one_block() {
    sweep(4, |trial| {
        let pool = pool();
        let mut refusals = 0;
        let mut kept = Vec::with_capacity(8);
        for bytes in [1, 5000, 65_536, 1] {
            let reserved = trial.exposed(|| pool.try_reserve(bytes));
            kept.extend(note(&mut refusals, reserved));
        }
        for bytes in [100_000, 2 << 20] {
            let reserved = trial.exposed(|| pool.try_reserve_contiguous(bytes));
            kept.extend(note(&mut refusals, reserved));
        }
        let reserved = trial.exposed(|| pool.reserve_timeout(3000, Duration::ZERO));
        kept.extend(note(&mut refusals, reserved));
        // Giving back needs no memory.
        trial.exposed(|| drop(kept));
        at_rest(&pool);
        refusals
    });
}

#[test]
fn reservations_of_many_blocks() {
    sweep(4, |trial| {
        let pool = pool();
        let mut refusals = 0;
        let first = trial.exposed(|| pool.try_reserve(300_000));
        let mut buf = note(&mut refusals, first).unwrap_or_default();
        let before = buf.capacity();
        for more in [1000, 200_000, 500_000] {
            let wanted = buf.remaining_capacity() + more;
            let before = buf.capacity();
            let reserved = trial.exposed(|| buf.try_reserve(wanted, &pool));
            if note(&mut refusals, reserved).is_none() {
                assert_eq!(buf.capacity(), before, "refused, and changed");
            }
        }
        assert!(buf.capacity() >= before);
        // Good for its capacity, as whatever it was granted is there.
        let room = buf.remaining_capacity();
        assert_eq!(pool.budget().unwrap().in_use(), room);
        buf.put_byte_repeated(7, if cfg!(miri) { room / 1000 } else { room });
        drop(buf);
        at_rest(&pool);
        refusals
    });
}

#[test]
fn reservations_that_may_wait() {
    sweep(3, |trial| {
        let pool = pool();
        let mut refusals = 0;
        for bytes in [10, 400_000] {
            let timed = trial.exposed(|| pool.reserve_timeout(bytes, Duration::from_secs(1)));
            let timed = note(&mut refusals, timed);
            let reserved = trial.exposed(|| {
                let mut future = pin!(pool.reserve_async(bytes));
                match future
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                {
                    Poll::Ready(reserved) => reserved,
                    Poll::Pending => panic!("there is room"),
                }
            });
            let awaited = note(&mut refusals, reserved);
            trial.exposed(|| drop((timed, awaited)));
        }
        at_rest(&pool);
        refusals
    });
}

#[test]
fn views_that_are_detached() {
    sweep(1, |trial| {
        let pool = pool();
        let mut refusals = 0;
        // What is copied fits into one block: a list of slices cannot be refused.
        let mut view = BytesView::from(vec![3; 200_000]);
        view.append(BytesView::from(vec![4; 20]));
        view.advance(150_000);
        let expected = view.to_vec();
        for _ in 0..2 {
            let retained = view.retained_bytes();
            let detached = trial.exposed(|| view.try_detach(&pool));
            if note(&mut refusals, detached).is_none() {
                assert_eq!(view.retained_bytes(), retained, "refused, and changed");
            }
            assert_eq!(view, expected);
        }
        let weighed = trial.exposed(|| view.try_detach_if(&pool, |_| true));
        note(&mut refusals, weighed);
        assert_eq!(view, expected);
        drop(view);
        at_rest(&pool);
        refusals
    });
}

#[test]
fn memory_that_is_lent_on_and_charged() {
    sweep(8, |trial| {
        let (pool, budget) = (pool(), Budget::new(2 << 20));
        let memory = BudgetedMemory::new(pool.clone(), &budget);
        let mut refusals = 0;
        // One block, several, and several behind one.
        for sizes in [[10, 0], [200_000, 0], [10, 300_000]] {
            let mut buf = BytesBuf::new();
            for bytes in sizes {
                let before = (buf.remaining_capacity(), budget.in_use());
                assert_eq!(before.0, before.1, "all of it is charged, and nothing else");
                let wanted = before.0 + bytes;
                let reserved = trial.exposed(|| buf.try_reserve(wanted, &memory));
                if note(&mut refusals, reserved).is_none() {
                    let after = (buf.remaining_capacity(), budget.in_use());
                    assert_eq!(after, before, "refused, and changed");
                }
            }
            // Giving back needs no memory.
            trial.exposed(|| drop(buf));
            assert_eq!(budget.in_use(), 0);
            at_rest(&pool);
        }
        let reserved = trial.exposed(|| memory.reserve_timeout(3000, Duration::ZERO));
        drop(note(&mut refusals, reserved));
        assert_eq!(budget.in_use(), 0);
        at_rest(&pool);
        // So many blocks that the thread keeps no list of them: which list it keeps otherwise
        // depends on what was refused.
        drop(FixedBlockMemory::new(std::num::NonZero::<u32>::MIN).reserve(100));
        refusals
    });
}

#[test]
fn memories_for_tests_and_providers() {
    sweep(10, |trial| {
        let mut refusals = 0;
        let fixed = FixedBlockMemory::new(std::num::NonZero::new(10).unwrap());
        let provided = ProviderMemory::new(bytesbuf_pool::GlobalPool::new());
        let memories: [&dyn Memory; 3] = [&TransparentMemory::new(), &fixed, &provided];
        for memory in memories {
            for bytes in [5, 95] {
                let reserved = trial.exposed(|| memory.try_reserve(bytes));
                if let Some(mut buf) = note(&mut refusals, reserved) {
                    buf.put_byte_repeated(1, bytes);
                    assert_eq!(buf.len(), bytes);
                }
            }
        }
        let reserved = trial.exposed(|| provided.try_reserve(300_000));
        note(&mut refusals, reserved);
        refusals
    });
}

/// The error of std has a cause in it, for which a few bytes must be there.
#[test]
fn writers_say_so_and_have_written_nothing() {
    sweep_with(&[true], 1, |trial| {
        let pool = pool();
        let mut refusals = 0;
        let mut writer = BytesBuf::new().into_writer(&pool);
        let mut written = 0;
        for len in [10, 5000, 100_000] {
            let data = vec![5; len];
            match trial.exposed(|| writer.write_all(&data)) {
                Ok(()) => written += len,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
                    refusals += 1;
                }
            }
            assert_eq!(writer.get_ref().len(), written);
        }
        drop(writer);
        at_rest(&pool);
        refusals
    });
}

#[test]
fn readers_say_so_and_have_read_nothing() {
    sweep(1, |trial| {
        let mut refusals = 0;
        let mut view = BytesView::from(b"some text".to_vec());
        view.append(BytesView::from(b", and more".to_vec()));
        let (mut bytes, mut text) = (Vec::new(), String::new());
        let mut twin = view.clone();
        let read = trial.exposed(|| twin.read_to_end(&mut bytes));
        let mut check = |read: std::io::Result<usize>, left: usize| match read {
            Ok(read) => assert_eq!((read, left), (19, 0)),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
                assert_eq!(left, 19);
                refusals += 1;
            }
        };
        check(read, twin.len());
        let mut twin = view.clone();
        let read = trial.exposed(|| twin.read_to_string(&mut text));
        check(read, twin.len());
        refusals
    });
}
