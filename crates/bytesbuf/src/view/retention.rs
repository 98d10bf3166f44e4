//! How much memory a view keeps in use, and letting go of it by copying.
//!
//! A view of ten bytes keeps the whole block that they lie in. A slice that is kept
//! for long (a key in a cache, a header in a log) is better copied; one that is soon
//! dropped is not. Only the user knows, and these are the figures.
//!
//! A block is asked for its size ([`BlockRefBatch::retained_bytes`]) and counted
//! once. Which blocks have been counted is known from a short list on the stack,
//! and from a tree once there are more than [`FEW`].

use alloc::collections::BTreeSet;
use core::mem;

use bytesbuf_core::{BlockRefBatch, ReserveError};

use super::BytesView;
use crate::BytesBuf;
use crate::mem::Memory;
use crate::span::Span;

/// How many bytes a view has, and how many it keeps in use: what
/// [`BytesView::detach_if`] decides by.
///
/// # Examples
/// ```
/// use bytesbuf::{BytesView, Retention};
///
/// /// Worth a copy: less than a quarter used, and enough in it to matter.
/// fn wasteful(figures: Retention) -> bool {
///     figures.retained > 4 * figures.len && figures.wasted() > 512
/// }
///
/// # #[cfg(feature = "std")]
/// # {
/// let memory = bytesbuf::mem::GlobalPool::new();
/// let mut key = BytesView::from(vec![7; 100_000]).range(..10);
/// assert!(key.detach_if(&memory, wasteful));
/// assert!(!key.detach_if(&memory, wasteful));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Retention {
    /// Bytes of the view.
    pub len: usize,
    /// Bytes that it keeps in use, see [`BytesView::retained_bytes`].
    pub retained: usize,
}

impl Retention {
    /// Bytes that the view keeps in use and does not have; 0 if it has as many or, since
    /// it may show a byte more than once, more.
    #[must_use]
    pub const fn wasted(&self) -> usize {
        self.retained.saturating_sub(self.len)
    }
}

impl BytesView {
    /// How many bytes of memory the view keeps in use: the sum of the sizes of the
    /// blocks that it covers any part of.
    ///
    /// * A block counts once, whatever the number of slices that lie in it.
    /// * It counts in full for each view that covers it. Clones and other views of a block
    ///   say the same, and the sum over several views may be more than there is.
    /// * Of a block whose provider does not tell its size, only the bytes that the view
    ///   covers are counted. The figure is then a lower bound.
    /// * A `Vec` or other owner counts with the length of the slice that it gave, not with
    ///   spare capacity.
    /// * Static bytes count nothing.
    /// * Overhead (reference counts, the list of the view's slices) is not included.
    ///
    /// O(slices), times the logarithm of the number of blocks if there are more than
    /// sixteen of them; then it allocates as well. One indirect call a slice, no atomics.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let message = BytesView::from(vec![0; 100_000]);
    /// let header = message.range(..10);
    /// drop(message);
    /// assert_eq!((header.len(), header.retained_bytes()), (10, 100_000));
    /// ```
    #[must_use]
    pub fn retained_bytes(&self) -> usize {
        let mut tally = Tally::default();
        let Some(list) = self.list() else {
            tally.add(self.first_owner(), self.len());
            return tally.bytes;
        };
        let mut spans = list.iter();
        // The view may have consumed a part of the first span.
        let first_len = self.first_slice().len();
        tally.add(spans.next().and_then(Span::owner), first_len);
        for span in spans {
            tally.add(span.owner(), span.len());
        }
        tally.bytes
    }

    /// Copies the bytes into memory of the given provider and lets go of the blocks that
    /// they were in. Always copies, whatever that gains; see
    /// [`detach_if`](Self::detach_if). Only a view that keeps no block (an empty one, or
    /// one of static bytes) is left as it is, and the provider is not asked.
    ///
    /// Other views of the old blocks, clones of this one included, are not affected, and
    /// go on keeping them. Metadata stays with the old blocks too.
    ///
    /// O(bytes). Old and new memory are in use side by side for a moment.
    ///
    /// # Panics
    /// If the provider has no memory, see [`BytesBuf::reserve`]; the view is unchanged
    /// then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let memory = GlobalPool::new();
    /// let mut key = BytesView::from(vec![b'k'; 100_000]).range(..3);
    /// key.detach(&memory); // the vector is freed here
    /// assert_eq!(key, b"kkk");
    /// assert!(key.retained_bytes() < 100_000);
    /// ```
    #[track_caller]
    pub fn detach<M: Memory + ?Sized>(&mut self, memory_provider: &M) {
        if self.keeps_blocks() {
            let mut fresh = BytesBuf::new();
            fresh.reserve(self.len(), memory_provider);
            self.copy_to(fresh);
        }
    }

    /// Like [`detach`](Self::detach), or an error.
    ///
    /// # Errors
    /// If the provider has no memory or breaks its contract, see
    /// [`BytesBuf::try_reserve`]. The view is unchanged then. (A copy in several blocks
    /// needs a list of its slices as well: if the allocator refuses those few bytes, the
    /// process ends, as with a `Vec`.)
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    /// use bytesbuf::mem::{GlobalPool, ReserveError};
    ///
    /// let mut view = BytesView::from(vec![1, 2, 3]);
    /// view.try_detach(&GlobalPool::new())?;
    /// assert_eq!(view, [1, 2, 3]);
    /// # Ok::<(), ReserveError>(())
    /// ```
    pub fn try_detach<M: Memory + ?Sized>(
        &mut self,
        memory_provider: &M,
    ) -> Result<(), ReserveError> {
        if self.keeps_blocks() {
            let mut fresh = BytesBuf::new();
            fresh.try_reserve(self.len(), memory_provider)?;
            self.copy_to(fresh);
        }
        Ok(())
    }

    /// [Detaches](Self::detach) the view if that gains something and `worthwhile` says
    /// so. Returns whether it did.
    ///
    /// `worthwhile` is asked only if the view keeps more bytes in use than it has. The
    /// copy must then keep less in use than the view does now: blocks of the new memory
    /// are whole blocks too, and ten bytes of a block of 1 KiB are not worth copying to
    /// another block of 1 KiB. That is known once memory is reserved, so a provider may
    /// be asked for memory that goes back to it unused.
    ///
    /// Views in blocks whose providers do not tell their size are left alone, see
    /// [`retained_bytes`](Self::retained_bytes). Nothing is gained either, but a copy made,
    /// if other views keep the same blocks; that is not looked at.
    ///
    /// # Panics
    /// If the provider has no memory, see [`BytesBuf::reserve`]; the view is unchanged
    /// then.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let memory = GlobalPool::new();
    /// let received = BytesView::from(vec![b'x'; 100_000]);
    ///
    /// let mut small = received.range(..10);
    /// assert!(small.detach_if(&memory, |figures| figures.retained > 4 * figures.len));
    /// assert_eq!(small.len(), 10);
    ///
    /// let mut most = received.range(..60_000);
    /// assert!(!most.detach_if(&memory, |figures| figures.retained > 4 * figures.len));
    /// assert_eq!(most.retained_bytes(), 100_000);
    /// ```
    #[track_caller]
    pub fn detach_if<M, F>(&mut self, memory_provider: &M, worthwhile: F) -> bool
    where
        M: Memory + ?Sized,
        F: FnOnce(Retention) -> bool,
    {
        let Some(retained) = self.worthwhile(worthwhile) else {
            return false;
        };
        let mut fresh = BytesBuf::new();
        fresh.reserve(self.len(), memory_provider);
        self.copy_to_less(fresh, retained)
    }

    /// Like [`detach_if`](Self::detach_if), or an error.
    ///
    /// # Errors
    /// As of [`try_detach`](Self::try_detach). The view is unchanged then.
    pub fn try_detach_if<M, F>(
        &mut self,
        memory_provider: &M,
        worthwhile: F,
    ) -> Result<bool, ReserveError>
    where
        M: Memory + ?Sized,
        F: FnOnce(Retention) -> bool,
    {
        let Some(retained) = self.worthwhile(worthwhile) else {
            return Ok(false);
        };
        let mut fresh = BytesBuf::new();
        fresh.try_reserve(self.len(), memory_provider)?;
        Ok(self.copy_to_less(fresh, retained))
    }

    /// Whether any part of the view has an owner.
    fn keeps_blocks(&self) -> bool {
        match self.list() {
            None => self.first_owner().is_some(),
            Some(list) => list.iter().any(|span| span.owner().is_some()),
        }
    }

    /// Bytes that the view keeps in use, if a copy may keep fewer and is wanted.
    fn worthwhile(&self, wanted: impl FnOnce(Retention) -> bool) -> Option<usize> {
        let figures = Retention {
            len: self.len(),
            retained: self.retained_bytes(),
        };
        // No copy keeps fewer bytes in use than it has.
        (figures.wasted() > 0 && wanted(figures)).then_some(figures.retained)
    }

    /// `copy_to`, if the copy will keep less than `retained` bytes in use.
    fn copy_to_less(&mut self, fresh: BytesBuf, retained: usize) -> bool {
        let gains = retained_once_filled(&fresh, self.len()) < retained;
        if gains {
            self.copy_to(fresh);
        }
        gains
    }

    /// Replaces the view by a copy in `fresh`, which has room for it and no data.
    fn copy_to(&mut self, mut fresh: BytesBuf) {
        for (slice, _) in self.slices() {
            fresh.put_slice(slice);
        }
        // The view is what it should be before the destructor of an old owner runs.
        drop(mem::replace(self, fresh.consume_all()));
    }
}

/// Bytes that the first `len` bytes will keep in use which are going to be written to an
/// empty buffer with room for them.
fn retained_once_filled(buf: &BytesBuf, len: usize) -> usize {
    let mut tally = Tally::default();
    let first = len.min(buf.first_unfilled_len());
    tally.add(buf.current_owner(), first);
    let mut left = len - first;
    for block in buf.later().into_iter().flatten() {
        if left == 0 {
            break;
        }
        let covered = left.min(block.len);
        tally.add(Some(&block.owner), covered);
        left -= covered;
    }
    tally.bytes
}

/// Blocks that are found without allocating.
const FEW: usize = 16;

/// State and table of a block, see [`BlockRefBatch::identity`].
type Identity = (usize, usize);

/// Adds up the sizes of blocks, each of them once.
#[derive(Default)]
struct Tally {
    bytes: usize,
    few: [Identity; FEW],
    /// How many of `few` are in use.
    count: usize,
    /// The blocks that `few` has no room for.
    more: BTreeSet<Identity>,
}

impl Tally {
    /// Counts a block of which `covered` bytes are in view.
    fn add(&mut self, owner: Option<&BlockRefBatch>, covered: usize) {
        let Some(owner) = owner else { return };
        let bytes = match owner.retained_bytes() {
            None => covered,
            Some(_) if self.has_seen(owner.identity()) => return,
            Some(size) => size,
        };
        // Sizes are whatever providers say.
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether the block was here before.
    fn has_seen(&mut self, block: Identity) -> bool {
        // Slices of one block are often near each other.
        if self.few[..self.count]
            .iter()
            .rev()
            .any(|&seen| seen == block)
        {
            return true;
        }
        if self.count < FEW {
            self.few[self.count] = block;
            self.count += 1;
            return false;
        }
        !self.more.insert(block)
    }
}
