//! Threads that come and go, with buffers and views in their hands when they end.
//!
//! `BYTESBUF_CHURN` sets how many: `cargo xtask churn` a million, which takes a minute or two.

use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

const CHURN: &str = "BYTESBUF_CHURN";

/// Threads of a run.
fn count() -> usize {
    let by_default = if cfg!(miri) { 6 } else { 3000 };
    std::env::var(CHURN).map_or(by_default, |text| text.parse().unwrap())
}

/// What a thread does not drop by itself. When it does go, it uses pool and views.
struct Estate {
    pool: GlobalPool,
    buf: BytesBuf,
    view: BytesView,
}

impl Drop for Estate {
    fn drop(&mut self) {
        let mut late = self.pool.reserve(100);
        late.put_slice(*b"late");
        self.buf.put_bytes(late.consume_all());
        self.view.append(self.buf.consume_all());
        // A list, shared and dropped where the thread has no memory of its own any more.
        let twin = self.view.clone();
        self.view.advance(1);
        assert_eq!(twin.len(), self.view.len() + 1);
    }
}

thread_local! {
    static ESTATE: RefCell<Option<Estate>> = const { RefCell::new(None) };
}

/// Each thread builds a message, adds what the one before has left, hands some of it
/// on, and ends with the rest in a thread-local.
fn live(pool: &GlobalPool, inherited: BytesView, number: usize) -> BytesView {
    // Before or after the pool's own thread-local is set up.
    if number % 2 == 0 {
        drop(pool.reserve(1));
    }
    ESTATE.with_borrow(|estate| assert!(estate.is_none()));
    let mut buf = pool.reserve([100, 3000, 70_000][number % 3]);
    buf.put_u64_le(number as u64);
    buf.put_bytes(inherited);
    buf.put_slice(*b"message");
    let mut view = buf.consume_all();
    let handed = view.split_off(view.len() - 5);
    view.append(BytesView::from(vec![1; 10]));
    ESTATE.set(Some(Estate {
        pool: pool.clone(),
        buf,
        view,
    }));
    handed
}

#[test]
fn any_number_of_threads_strand_nothing() {
    let pool = GlobalPool::builder().max_bytes(64 << 20).build().unwrap();
    let at_a_time = 4;
    let rounds = count().div_ceil(at_a_time);
    let mut handed: Vec<BytesView> = vec![BytesView::new(); at_a_time];
    let mut early = None;
    for round in 0..rounds {
        let threads: Vec<_> = handed
            .drain(..)
            .enumerate()
            .map(|(index, inherited)| {
                let pool = pool.clone();
                thread::spawn(move || live(&pool, inherited, round * at_a_time + index))
            })
            .collect();
        for thread in threads {
            let view = thread.join().unwrap();
            assert_eq!(view, b"ssage");
            handed.push(view);
        }
        if round == rounds / 10 {
            early = resident();
        }
    }
    drop(handed);
    let stats = pool.stats();
    assert_eq!(stats.bytes_in_use(), 0, "{stats}");
    assert_eq!(pool.budget().unwrap().in_use(), 0);
    assert!(stats.thread_caches() <= 1, "{stats}");
    // All threads together cached no more than a few of them would at once.
    assert!(stats.bytes_allocated() <= 32 << 20, "{stats}");
    if let (Some(early), Some(late)) = (early, resident()) {
        assert!(
            late < early + (32 << 20),
            "{early} bytes at first, then {late}"
        );
    }
    // For `cargo xtask churn`, which looks for it.
    println!("{} threads came and went", rounds * at_a_time);
}

/// Bytes of the process that are in memory. Asked for in the long run alone, which has the
/// process to itself: otherwise they are those of the other tests too.
fn resident() -> Option<usize> {
    std::env::var_os(CHURN)?;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// A thread that ends while another one uses what it rented.
#[test]
fn blocks_of_a_dead_thread_are_used_and_released() {
    let pool = GlobalPool::new();
    let (send, receive) = mpsc::channel();
    let lender = {
        let pool = pool.clone();
        thread::spawn(move || {
            for number in 0..20_u8 {
                let mut buf = pool.reserve(1000);
                buf.put_slice([number]);
                send.send((buf.peek(), buf)).unwrap();
            }
        })
    };
    lender.join().unwrap();
    for (number, (view, mut buf)) in receive.iter().enumerate() {
        buf.put_slice(*b"written by another thread");
        assert_eq!(view, [number as u8]);
        assert_eq!(buf.len(), 26);
    }
    assert_eq!(pool.stats().bytes_in_use(), 0);
}
