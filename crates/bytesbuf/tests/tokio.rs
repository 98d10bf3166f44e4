//! The pool on a work-stealing runtime: handles, buffers and views move between
//! tasks and threads as any value does.
#![cfg(not(any(bytesbuf_loom, miri)))]

use std::time::Duration;

use bytesbuf::mem::{Budget, GlobalPool, ReserveError};
use bytesbuf::{BytesBuf, BytesView};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const WORKERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_pool_for_all_tasks() {
    let pool = GlobalPool::new();
    let (to_sink, mut inbox) = mpsc::channel::<(u32, BytesView)>(16);
    let mut senders = JoinSet::new();
    for task in 0..WORKERS as u32 {
        let (pool, to_sink) = (pool.clone(), to_sink.clone());
        senders.spawn(async move {
            let mut stream = BytesBuf::new();
            for number in 0..500_u32 {
                stream.reserve(2000, &pool);
                stream.put_num_be(task);
                stream.put_num_be(number);
                stream.put_byte_repeated(task as u8, (number % 1900) as usize);
                to_sink.send((number, stream.consume_all())).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    drop(to_sink);
    let mut messages = 0;
    while let Some((number, mut view)) = inbox.recv().await {
        // Dropped on whatever thread this task is on.
        let task = view.get_num_be::<u32>();
        assert_eq!(view.get_num_be::<u32>(), number);
        assert_eq!(view.len(), (number % 1900) as usize);
        assert!(view.first_slice().iter().all(|byte| *byte == task as u8));
        messages += 1;
    }
    while let Some(done) = senders.join_next().await {
        done.unwrap();
    }
    assert_eq!(messages, WORKERS * 500);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// More tasks than the budget has room for: each gets its turn, in the order in
/// which they came.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_wait_for_budget() {
    let pool = GlobalPool::builder().max_bytes(8 << 10).build().unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let pool = pool.clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                let mut buf = pool.reserve_async(3000).await?;
                buf.put_byte_repeated(1, 3000);
                let view = buf.consume_all();
                drop(buf);
                tokio::task::yield_now().await;
                assert_eq!(view.len(), 3000);
            }
            Ok::<_, ReserveError>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    let budget = pool.budget().unwrap();
    assert_eq!((budget.in_use(), budget.waiting()), (0, 0));
    assert!(budget.peak() <= 8 << 10);
    assert!(pool.reserve_async(9 << 10).await.is_err(), "never possible");
}

/// Tasks are aborted and time out while they wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_gives_up_waiting_leaves_nothing() {
    let process = Budget::new(4 << 10);
    let pool = GlobalPool::new().with_budget(&process.child(4 << 10));
    let all = pool.reserve(4 << 10);
    let mut tasks = JoinSet::new();
    for number in 0..32_u64 {
        let pool = pool.clone();
        tasks.spawn(async move {
            let limit = Duration::from_millis(number % 5);
            let waited = tokio::time::timeout(limit, pool.reserve_async(1)).await;
            assert!(waited.is_err(), "there is no room");
        });
    }
    let aborted = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.reserve_async(1).await.map(drop) })
    };
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    drop(all);
    assert_eq!((process.in_use(), process.waiting()), (0, 0));
    assert_eq!(pool.reserve_async(1).await.unwrap().capacity(), 1024);
}
