//! What a pool was told when it was made, checked.

use std::time::Duration;

use crate::ledger::Sampling;
use crate::size_class::ClassTable;

/// Aligned so that what is read on every rent shares no cache line with counts
/// that change.
#[repr(align(128))]
pub(crate) struct Settings {
    pub(crate) classes: ClassTable,
    /// Of payloads, in bytes.
    pub(crate) alignment: usize,
    /// Bound on the bytes in the depot.
    pub(crate) max_cached_bytes: usize,
    /// How long free blocks stay unused in a pool that is in use.
    pub(crate) idle_decay: Option<Duration>,
    /// Every block an allocation of its own, and no caches.
    pub(crate) pass_through: bool,
    pub(crate) wipe: Wipe,
    pub(crate) sampling: Sampling,
    pub(crate) name: Option<Box<str>>,
}

/// When the content of blocks is overwritten with zeroes: see
/// [`GlobalPoolBuilder::wipe`](crate::GlobalPoolBuilder::wipe).
///
/// Overwritten is what was filled, as far as whoever filled the block reports it (the
/// buffers of `bytesbuf` do), and all of the block otherwise. Bytes that were written to
/// an unfilled slice and never declared as data are not looked for.
///
/// # Examples
/// ```
/// use bytesbuf_pool::{GlobalPool, Wipe};
///
/// let keys = GlobalPool::builder().wipe(Wipe::OnRelease).build()?;
/// # Ok::<(), bytesbuf_pool::InvalidSettings>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wipe {
    /// Never: a block holds what it last held.
    #[default]
    Never,
    /// When the last reference to it is gone, before anybody can rent it again.
    OnRelease,
    /// When it is rented again. Free blocks keep their content until then, and
    /// slabs that go back to the allocator take it along.
    OnReuse,
}
