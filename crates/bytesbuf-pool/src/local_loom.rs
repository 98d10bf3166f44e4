//! Under loom no thread has a cache: the models pass theirs in.

use std::ptr::NonNull;

use crate::shared::Shared;
use crate::thread_cache::ThreadCache;

pub(crate) fn with_hot<T, R>(
    _: NonNull<Shared>,
    input: T,
    _: impl FnOnce(&ThreadCache, T) -> Result<R, T>,
) -> Result<R, T> {
    Err(input)
}

/// # Safety
/// None; the real one has conditions.
#[expect(unsafe_code, reason = "the signature of the real one")]
pub(crate) unsafe fn with_cache<T, R>(
    _: NonNull<Shared>,
    input: T,
    _: impl FnOnce(&ThreadCache, T) -> R,
) -> Result<R, T> {
    Err(input)
}

pub(crate) fn pool_closed() {}
