//! A budget over any memory.
#![cfg(not(bytesbuf_loom))]

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{Budget, BudgetedMemory, CallbackMemory, GlobalPool, Memory, ReserveError};
use bytesbuf::{BytesBuf, BytesView};

fn fixed(block: u32, budget: &Budget) -> BudgetedMemory<FixedBlockMemory> {
    BudgetedMemory::new(FixedBlockMemory::new(block.try_into().unwrap()), budget)
}

#[test]
fn charged_is_what_is_delivered_until_its_last_reference() {
    let budget = Budget::new(1000);
    let memory = fixed(100, &budget);
    let mut buf = memory.reserve(250);
    assert_eq!((buf.capacity(), budget.in_use()), (300, 300));
    let content: Vec<u8> = (0..250).map(|n| n as u8).collect();
    buf.put_slice(content.as_slice());
    let view = buf.consume_all();
    drop(buf);
    assert_eq!(view, content.as_slice());
    assert_eq!(budget.in_use(), 300);
    // One block of the three.
    let part = view.range(120..150);
    drop(view);
    assert_eq!(budget.in_use(), 100);
    thread::spawn(move || drop(part)).join().unwrap();
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn refusals_have_numbers_and_change_nothing() {
    let budget = Budget::new(1000);
    let memory = fixed(100, &budget);
    let kept = memory.reserve(900);
    for request in [101, 1001, usize::MAX / 2] {
        match memory.try_reserve(request).unwrap_err() {
            ReserveError::OverBudget {
                requested,
                in_use,
                limit,
            } => assert_eq!((requested, in_use, limit), (request, 900, 1000)),
            other => panic!("{other}"),
        }
    }
    assert!(matches!(
        memory.try_reserve(usize::MAX).unwrap_err(),
        ReserveError::TooLarge { .. }
    ));
    assert_eq!(memory.reserve(0).capacity(), 0);
    drop(kept);
    assert_eq!(budget.in_use(), 0);
}

/// The memory gives more than was charged, and there is no room for that.
#[test]
fn an_answer_that_cannot_be_charged_goes_back() {
    let budget = Budget::new(150);
    let memory = fixed(100, &budget);
    let error = memory.try_reserve(101).unwrap_err();
    assert!(
        matches!(error, ReserveError::OverBudget { limit: 150, .. }),
        "{error}"
    );
    assert_eq!(budget.in_use(), 0);
    // Waiting for it fails at once: 200 bytes are more than the limit.
    memory
        .reserve_timeout(101, Duration::from_secs(3600))
        .unwrap_err();
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_memory_that_panics_or_refuses_leaves_no_charge() {
    let budget = Budget::new(10_000);
    let panics = CallbackMemory::new(|_| panic!("on purpose"));
    let memory = BudgetedMemory::new(panics, &budget);
    assert!(catch_unwind(AssertUnwindSafe(|| memory.try_reserve(10))).is_err());
    assert_eq!(budget.in_use(), 0);

    let small = CallbackMemory::new(|_| TransparentMemory::new().reserve(1));
    let memory = BudgetedMemory::new(small, &budget);
    assert!(matches!(
        memory.try_reserve(10).unwrap_err(),
        ReserveError::BrokenProvider { .. }
    ));
    assert_eq!(budget.in_use(), 0);

    let inner = Budget::new(5);
    let memory = BudgetedMemory::new(fixed(10, &inner), &budget);
    memory.try_reserve(10).unwrap_err();
    assert_eq!((budget.in_use(), inner.in_use()), (0, 0));
}

/// What is left of a block whose beginning is a view elsewhere.
#[test]
fn used_blocks_are_lent_on_too() {
    let pool = GlobalPool::new();
    let shared: Arc<std::sync::Mutex<RefCell<Vec<BytesView>>>> = Arc::default();
    let keep = Arc::clone(&shared);
    let used = CallbackMemory::new(move |min_bytes| {
        let mut buf = pool.reserve(min_bytes + 8);
        buf.put_slice(*b"elsewher");
        keep.lock().unwrap().get_mut().push(buf.consume_all());
        buf
    });
    let budget = Budget::new(2000);
    let memory = BudgetedMemory::new(used, &budget);
    let mut buf = memory.reserve(10);
    assert_eq!((buf.capacity(), budget.in_use()), (1016, 1016));
    buf.put_byte_repeated(7, 1016);
    let view = buf.consume_all();
    assert_eq!(shared.lock().unwrap().borrow()[0], b"elsewher");
    assert_eq!(view, [7; 1016].as_slice());
    assert_eq!(view.retained_bytes(), 1024);
    drop((buf, view));
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn who_waits_is_served_when_a_view_goes_elsewhere() {
    let budget = Budget::new(100);
    let memory = fixed(100, &budget);
    let mut buf = memory.reserve(100);
    buf.put_byte(1);
    let view = buf.consume_all();
    drop(buf);
    memory
        .reserve_timeout(1, Duration::from_millis(1))
        .unwrap_err();
    let other = thread::spawn(move || drop(view));
    let buf = memory
        .reserve_timeout(1, Duration::from_secs(3600))
        .unwrap();
    other.join().unwrap();
    assert_eq!(buf.capacity(), 100);
}

#[test]
fn a_future_that_is_dropped_gives_everything_back() {
    let budget = Budget::new(100);
    let memory = fixed(60, &budget);
    let first = memory.reserve(60);
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut waits = pin!(memory.reserve_async(50));
        assert!(waits.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(budget.in_use(), 60);
    let mut waits = pin!(memory.reserve_async(50));
    assert!(waits.as_mut().poll(&mut context).is_pending());
    drop(first);
    let Poll::Ready(buf) = waits.as_mut().poll(&mut context) else {
        panic!("there is room");
    };
    let buf: BytesBuf = buf.unwrap();
    assert_eq!((buf.capacity(), budget.in_use()), (60, 60));
}
