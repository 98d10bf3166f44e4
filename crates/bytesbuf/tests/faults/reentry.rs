//! User code that comes back: owners whose destructor uses the pool and the views
//! that are being dropped around it, memories that reserve from themselves.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytesbuf::mem::{CallbackMemory, GlobalPool, Memory, OpaqueMemory};
use bytesbuf::{BytesBuf, BytesView};

use crate::states::{VIEWS, memory};

/// More than one block of the pool has.
const LARGE: usize = if cfg!(miri) { 66_000 } else { 70_000 };

/// When it goes, rents, writes, shares and releases blocks of the pool that is just
/// taking some back, and builds and drops lists of spans.
struct Busy {
    pool: GlobalPool,
    kept: BytesView,
    /// Views that live longer, and one that it leaves there.
    outside: Arc<Mutex<Vec<BytesView>>>,
}

impl AsRef<[u8]> for Busy {
    fn as_ref(&self) -> &[u8] {
        b"busy"
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut buf = self.pool.reserve(3 * LARGE);
        buf.put_slice(vec![9; LARGE]);
        buf.put_bytes(std::mem::take(&mut self.kept));
        let mut view = buf.consume_all();
        view.append(BytesView::from(b"tail".to_vec()));
        drop(view.split_to(65_900));
        drop(buf);
        let mut outside = self.outside.lock().unwrap();
        outside.push(view);
        if outside.len() > 3 {
            let first = outside.remove(0);
            drop(outside);
            drop(first);
        }
        self.pool.trim();
    }
}

#[test]
fn an_owner_whose_destructor_uses_the_pool() {
    let pool = GlobalPool::new();
    let outside = Arc::default();
    let busy = || {
        BytesView::from_owner(Busy {
            pool: pool.clone(),
            kept: BytesView::copied_from_slice(b"kept", &pool),
            outside: Arc::clone(&outside),
        })
    };
    for (_, make) in VIEWS {
        let memory = memory();
        let mut view = make(&memory);
        view.append(busy());
        view.append(BytesView::copied_from_slice(b"pooled", &pool));
        view.append(busy());
        view.append(make(&memory));
        let bytes = view.to_vec();
        let mut copies = vec![view.clone(), view.clone(), view.range(1..)];
        copies[0].advance(bytes.len() / 2);
        copies[1].truncate(bytes.len() / 2);
        // The last reference goes in one of the clones, in a buffer, or here.
        let mut buf = BytesBuf::from(view);
        drop(copies);
        let front = buf.consume(bytes.len() - 3);
        drop(buf);
        assert_eq!(front, bytes[..bytes.len() - 3]);
        drop(front);
        assert_eq!(memory.out(), 0);
    }
    // Each of those drops leaves another; none of them has an owner left.
    let left = std::mem::take(&mut *outside.lock().unwrap());
    assert!(left.iter().all(|view| view.len() > 4));
    drop(left);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// The destructor drops a clone of the list that is being taken apart.
#[test]
fn an_owner_that_holds_views_of_its_neighbours() {
    struct Holder(Rc<RefCell<Vec<BytesView>>>);
    // SAFETY: the test has one thread.
    unsafe impl Send for Holder {}
    impl AsRef<[u8]> for Holder {
        fn as_ref(&self) -> &[u8] {
            b"holder"
        }
    }
    impl Drop for Holder {
        fn drop(&mut self) {
            let held = self.0.take();
            drop(held);
        }
    }
    for taken in 0..=20 {
        let memory = memory();
        let held = Rc::default();
        let mut view = BytesView::copied_from_slice(b"before", &memory);
        view.append(BytesView::from_owner(Holder(Rc::clone(&held))));
        view.append(BytesView::copied_from_slice(b"behind", &memory));
        // All but the holder's own bytes, or it would hold itself.
        held.borrow_mut()
            .extend([view.range(..5), view.range(13..)]);
        view.advance(taken.min(view.len()));
        drop(view);
        assert!(held.borrow().is_empty());
        assert_eq!(memory.out(), 0);
    }
}

/// A memory whose answer is put together from its own smaller answers.
#[derive(Debug, Clone)]
struct Recursive(Arc<Mutex<Vec<usize>>>, GlobalPool);

impl Memory for Recursive {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.0.lock().unwrap().push(min_bytes);
        if min_bytes <= 1000 {
            return self.1.reserve(min_bytes);
        }
        let mut buf = self.reserve(min_bytes / 2);
        buf.reserve(min_bytes, self);
        buf
    }
}

#[test]
fn a_memory_that_reserves_from_itself() {
    let memory = Recursive(Arc::default(), GlobalPool::new());
    let mut buf = OpaqueMemory::new(memory.clone()).reserve(100_000);
    assert!(buf.remaining_capacity() >= 100_000);
    assert!(memory.0.lock().unwrap().len() > 60);
    buf.put_slice(vec![3; 100_000]);
    assert_eq!(buf.consume_all(), vec![3; 100_000]);
    drop(buf);
    assert_eq!(memory.1.stats().bytes_in_use(), 0);
}

/// The buffer that asks is borrowed, but views of it are not.
#[test]
fn a_memory_that_uses_the_views_of_the_one_who_asks() {
    let pool = GlobalPool::new();
    let views = Arc::new(Mutex::new(Vec::new()));
    let memory = CallbackMemory::new({
        let (pool, views) = (pool.clone(), Arc::clone(&views));
        move |bytes| {
            let mut views: Vec<BytesView> = std::mem::take(&mut *views.lock().unwrap());
            let all: BytesView = views.drain(..).collect();
            assert_eq!(all.range(..2), b"ab");
            pool.reserve(bytes)
        }
    });
    let mut buf = pool.reserve(10);
    for round in 0..50 {
        buf.put_slice(*b"abcdef");
        *views.lock().unwrap() = vec![buf.consume(2), buf.peek(), buf.consume(2)];
        let more = buf.remaining_capacity() + 1;
        buf.reserve(more, &memory);
        assert_eq!(buf.consume_all(), b"ef", "round {round}");
    }
    drop(buf);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}
