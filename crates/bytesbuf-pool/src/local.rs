//! Which caches the current thread has, and what happens when it ends.
//!
//! Two thread-locals. [`LOCAL`] has no destructor: reading it is a plain load, and
//! it works at any time, also while the thread is being torn down. [`GUARD`] has
//! one, which hands the thread's caches back; it is touched only when a cache is
//! created. From then on that thread has no caches and gets none: its pool
//! operations go to the allocator, with atomic accounting.
//!
//! # Invariants
//! * **L1** The caches in `head`'s list, and the one in `hot`, are alive and of
//!   this thread; a cache is taken off before it is disposed of. `hot` and `hot_pool`
//!   are both null, or `hot` is on the list, and of the pool `hot_pool`.
//! * **L2** A cache is not disposed of while `busy`: while a slow path of this
//!   thread uses it, possibly with an allocator that has come back to the pool.
//! * **L3** On the fast path nothing calls out, so the cache cannot go meanwhile.
#![expect(unsafe_code, reason = "a list of raw pointers to this thread's caches")]

use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::closed_pools::ClosedPools;
use crate::shared::Shared;
use crate::thread_cache::ThreadCache;

struct Local {
    /// The pool used last; compared by address only. A cache holds references to
    /// its pool, so the address is not reused while it is here.
    hot_pool: Cell<*const Shared>,
    hot: Cell<*const ThreadCache>,
    /// All caches of this thread, the most recently looked up first.
    head: Cell<Option<NonNull<ThreadCache>>>,
    /// `CLOSED_POOLS` when this thread last looked for caches to retire.
    closed_pools: Cell<usize>,
}

impl Local {
    const fn new() -> Self {
        Self {
            hot_pool: Cell::new(ptr::null()),
            hot: Cell::new(ptr::null()),
            head: Cell::new(None),
            closed_pools: Cell::new(0),
        }
    }
}

struct Guard;

#[cfg(not(bytesbuf_shuttle))]
thread_local! {
    static LOCAL: Local = const { Local::new() };
    static GUARD: Guard = const { Guard };
}

/// The pools of this process.
#[cfg(not(bytesbuf_shuttle))]
static CLOSED_POOLS: ClosedPools = ClosedPools::new();

// Shuttle destroys thread-locals in the order in which they were first used, those
// without destructor too: the guard must be the first.
#[cfg(bytesbuf_shuttle)]
shuttle::thread_local! {
    static LOCAL: Local = {
        let _ = GUARD.try_with(|_| ());
        Local::new()
    };
    static GUARD: Guard = Guard;
}

// An execution is a process to itself.
#[cfg(bytesbuf_shuttle)]
shuttle::lazy_static! {
    static ref CLOSED_POOLS: ClosedPools = ClosedPools::new();
}

/// Runs a fast path with this thread's cache of `pool`, if that is the pool it
/// used last. Returns `input` otherwise.
#[inline]
pub(crate) fn with_hot<T, R>(
    pool: NonNull<Shared>,
    input: T,
    fast_path: impl FnOnce(&ThreadCache, T) -> Result<R, T>,
) -> Result<R, T> {
    let hot = LOCAL.try_with(|local| {
        let is_hot = ptr::eq(local.hot_pool.get(), pool.as_ptr());
        is_hot.then(|| local.hot.get())
    });
    match hot {
        Ok(Some(hot)) => {
            // SAFETY: L1 and L3: `hot_pool` is not null, so it is alive, this thread's,
            // and for as long as the fast path.
            fast_path(unsafe { &*hot }, input)
        }
        _ => Err(input),
    }
}

/// Runs a slow path with this thread's cache of `pool`, which is created if need
/// be and becomes the hot one. Returns `input` if there can be none: the thread is
/// ending, the pool is closed, or the allocator refuses.
///
/// # Safety
/// The caller holds a reference to `pool` (P1) that lasts for the search; the slow
/// path may give it up.
pub(crate) unsafe fn with_cache<T, R>(
    pool: NonNull<Shared>,
    input: T,
    slow_path: impl FnOnce(&ThreadCache, T) -> R,
) -> Result<R, T> {
    sweep();
    let found = find(pool).or_else(|| {
        // SAFETY: the caller holds a reference.
        unsafe { create(pool) }
    });
    let Some(cache) = found else {
        return Err(input);
    };
    // SAFETY: L1, and from here on L2.
    let this = unsafe { cache.as_ref() };
    this.busy().set(this.busy().get() + 1);
    let output = slow_path(this, input);
    this.busy().set(this.busy().get() - 1);
    if is_due(this) {
        unlink(cache);
        // SAFETY: of this thread, not in use by another frame (L2), and unlinked.
        unsafe { ThreadCache::dispose(cache) };
    }
    Ok(output)
}

/// A pool has been closed: tells all threads, and disposes of this thread's cache
/// of it.
pub(crate) fn pool_closed() {
    CLOSED_POOLS.announce();
    sweep();
}

/// Disposes of this thread's caches that have to retire. One load if no pool has
/// been closed since the last time.
fn sweep() {
    let grew = LOCAL.try_with(|local| CLOSED_POOLS.grew(&local.closed_pools));
    if grew.unwrap_or(false) {
        dispose_where(is_due);
    }
}

/// Whether a cache can and must go now (L2).
fn is_due(cache: &ThreadCache) -> bool {
    cache.is_retired() && cache.busy().get() == 0
}

#[cold]
fn dispose_where(condition: fn(&ThreadCache) -> bool) {
    // From the start after each: disposing of one may call a user's allocator,
    // which may change the list.
    while let Some(cache) = search(condition) {
        unlink(cache);
        // SAFETY: of this thread, not in use (L2 by the condition), unlinked.
        unsafe { ThreadCache::dispose(cache) };
    }
}

fn find(pool: NonNull<Shared>) -> Option<NonNull<ThreadCache>> {
    let cache = search(|cache| cache.is_of(pool))?;
    unlink(cache); // at once if it is the first
    link(pool, cache);
    Some(cache)
}

/// # Safety
/// The caller holds a reference to `pool` (P1).
#[cold]
unsafe fn create(pool: NonNull<Shared>) -> Option<NonNull<ThreadCache>> {
    // SAFETY: the caller holds a reference.
    let shared = unsafe { pool.as_ref() };
    if shared.is_closed() || shared.settings().pass_through {
        return None;
    }
    // Registers the destructor, or tells that it has run.
    GUARD.try_with(|_| ()).ok()?;
    // The allocator may come back and create one for the same pool: then there are
    // two, which does no harm. Both are on the list.
    // SAFETY: the caller holds a reference; list members are disposed of.
    let cache = unsafe { ThreadCache::create(pool) }?;
    link(pool, cache);
    Some(cache)
}

fn search(condition: impl Fn(&ThreadCache) -> bool) -> Option<NonNull<ThreadCache>> {
    let mut next = LOCAL.try_with(|local| local.head.get()).ok()?;
    while let Some(cache) = next {
        // SAFETY: L1: it is on the list.
        let this = unsafe { cache.as_ref() };
        if condition(this) {
            return Some(cache);
        }
        next = this.next().get();
    }
    None
}

/// Puts a cache of `pool` first, and makes it the hot one.
fn link(pool: NonNull<Shared>, cache: NonNull<ThreadCache>) {
    let _ = LOCAL.try_with(|local| {
        // SAFETY: L1: the caller just found or made it.
        unsafe { cache.as_ref() }.next().set(local.head.get());
        local.head.set(Some(cache));
        local.hot_pool.set(pool.as_ptr());
        local.hot.set(cache.as_ptr());
    });
}

/// Takes a cache off the list, so that nothing finds it.
fn unlink(cache: NonNull<ThreadCache>) {
    let _ = LOCAL.try_with(|local| {
        // SAFETY: L1: the caller found it on the list.
        let after = unsafe { cache.as_ref() }.next().get();
        if local.head.get() == Some(cache) {
            local.head.set(after);
        } else if let Some(before) = search(|other| other.next().get() == Some(cache)) {
            // SAFETY: L1: it is on the list.
            unsafe { before.as_ref() }.next().set(after);
        }
        if ptr::eq(local.hot.get(), cache.as_ptr()) {
            local.hot_pool.set(ptr::null());
            local.hot.set(ptr::null());
        }
    });
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The thread is at its end: no slow path is under way (L2).
        dispose_where(|_| true);
    }
}
