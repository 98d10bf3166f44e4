//! A forked process. What holds, and is tested here: the child may use and drop what it
//! has, and rent and release, as long as no other thread was inside the pool at
//! the moment of the fork. Its pool is a copy: nothing goes back to the parent's.
//!
//! What does not: free blocks that other threads of the parent had at hand are out of the
//! child's reach, and a lock that another thread held stays locked. So in general
//! the child of a process with many threads does what POSIX allows it: it execs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

/// Runs `action` in a forked child, and returns the child's status.
fn in_a_child(action: impl FnOnce()) -> i32 {
    // SAFETY: the child calls `_exit`, and takes no lock that another thread may hold
    // but the allocator's, which the C library sees to.
    let pid = unsafe { fork() };
    assert!(pid >= 0, "no fork");
    if pid == 0 {
        let outcome = catch_unwind(AssertUnwindSafe(action));
        // SAFETY: ends the child, without destructors.
        unsafe { _exit(i32::from(outcome.is_err())) };
    }
    let mut status = -1;
    // SAFETY: a child of this process, and a place for its status.
    let ended = unsafe { waitpid(pid, &raw mut status, 0) };
    assert_eq!(ended, pid);
    status
}

#[test]
fn a_forked_child_uses_and_drops_what_it_has() {
    let pool = GlobalPool::new();
    let mut buf = pool.reserve(100_000);
    buf.put_byte_repeated(b'x', 70_000);
    let mut view = buf.consume(65_540);
    view.append(BytesView::from(b"tail".to_vec()));
    // Another thread has free blocks, and rests.
    let (gate, wait) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let other = {
        let pool = pool.clone();
        thread::spawn(move || {
            drop((pool.reserve(1000), pool.reserve(1000)));
            ready.send(()).unwrap();
            let _ = wait.recv();
        })
    };
    is_ready.recv().unwrap();

    let in_use = pool.stats().bytes_in_use();
    // The child has a copy of everything, so the parent's goes on.
    let status = in_a_child(|| {
        // SAFETY: a bitwise copy that only the child drops; the originals are never
        // dropped there, as it ends by `_exit`.
        let view: BytesView = unsafe { std::ptr::read(&raw const view) };
        // SAFETY: as above.
        let mut buf: BytesBuf = unsafe { std::ptr::read(&raw const buf) };
        assert_eq!(view.range(65_540..), b"tail");
        buf.put_slice(*b"written in the child");
        drop((view, buf));
        assert_eq!(pool.stats().bytes_in_use(), 0);
        for bytes in [1, 4000, 70_000] {
            let mut more = pool.reserve(bytes);
            more.put_byte_repeated(1, bytes);
            drop(more.consume_all());
        }
        assert_eq!(pool.stats().bytes_in_use(), 0);
    });
    assert_eq!(status, 0, "the child failed");

    assert_eq!(pool.stats().bytes_in_use(), in_use);
    assert_eq!(buf.len(), 70_000 - 65_540);
    assert_eq!(view.range(65_540..), b"tail");
    drop((view, buf, gate));
    other.join().unwrap();
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

/// The child's exit status tells of a failure there.
#[test]
fn a_failure_in_the_child_is_seen() {
    assert_ne!(in_a_child(|| panic!("on purpose")), 0);
}
