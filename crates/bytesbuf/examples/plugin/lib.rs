//! A shared library that brings a copy of `bytesbuf` of its own: code, statics and
//! thread-locals. It lends memory of its pool to whoever loads it, and takes memory of
//! theirs.
//!
//! Views and buffers cross the border by pointer. Both sides have to be built by the same
//! compiler from the same sources with the same settings: the layout of Rust types is
//! nothing to rely on otherwise. A library must not be unloaded while a block or a thread
//! cache of its pool exists, so it is best never unloaded.
#![expect(unsafe_code, reason = "exported functions")]

use std::sync::{Mutex, PoisonError};

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

static POOL: Mutex<Option<GlobalPool>> = Mutex::new(None);

/// Does something with this library's pool, and makes it first if need be.
fn with_pool<R>(action: impl FnOnce(&GlobalPool) -> R) -> R {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    action(pool.get_or_insert_with(GlobalPool::new))
}

/// Bytes in a view and a buffer, so that the other side may compare.
// SAFETY: no other library of the process has such a name.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_sizes() -> usize {
    size_of::<BytesView>() << 16 | size_of::<BytesBuf>()
}

/// A view of `bytes` times `value`, for the caller to free.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_view(bytes: usize, value: u8) -> *mut BytesView {
    let mut buf = with_pool(|pool| pool.reserve(bytes));
    buf.put_byte_repeated(value, bytes);
    Box::into_raw(Box::new(buf.consume_all()))
}

/// A buffer with room for `bytes`, for the caller to free.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_buffer(bytes: usize) -> *mut BytesBuf {
    Box::into_raw(Box::new(with_pool(|pool| pool.reserve(bytes))))
}

/// Takes a view, and returns the sum of its bytes. It lets go of it here, on a thread
/// that it starts for that.
///
/// # Safety
/// `view` is a boxed view, which the caller gives away.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_take(view: *mut BytesView) -> usize {
    // SAFETY: as promised.
    let view = unsafe { Box::from_raw(view) };
    let worker = std::thread::spawn(move || {
        let slices = view.slices();
        slices
            .flat_map(|(slice, _)| slice)
            .map(|&byte| usize::from(byte))
            .sum()
    });
    worker.join().unwrap_or(usize::MAX)
}

/// Bytes that this library has lent.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_in_use() -> usize {
    with_pool(|pool| pool.stats().bytes_in_use())
}

/// Thread caches of this library's pool.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_thread_caches() -> usize {
    with_pool(|pool| pool.stats().thread_caches())
}

/// Drops this library's handle of its pool. The next request makes another.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_close() {
    let pool = POOL.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(pool);
}
