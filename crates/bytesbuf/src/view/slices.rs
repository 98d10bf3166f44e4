//! The contiguous pieces of a view.

use core::fmt;

use bytesbuf_core::{BlockMeta, BlockRefBatch};

use super::BytesView;
use crate::span_list::{SpanIter, SpanList};

impl BytesView {
    /// The bytes as contiguous slices in content order, each with the metadata of
    /// its block. No slice is empty. No atomics.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from(b"one".to_vec());
    /// view.append(BytesView::from(b"two".to_vec()));
    /// let slices: Vec<&[u8]> = view.slices().map(|(slice, _meta)| slice).collect();
    /// assert_eq!(slices, [b"one", b"two"]);
    /// ```
    #[inline]
    pub fn slices(&self) -> BytesViewSlices<'_> {
        // The first span of a list may be consumed in part: `first` has the rest.
        let (owner, rest) = match self.list().and_then(SpanList::split_first) {
            None => (self.first_owner(), SpanIter::empty()),
            Some((first, rest)) => (first.owner(), rest),
        };
        let first = self.first_slice();
        BytesViewSlices {
            first: (!first.is_empty()).then_some((first, owner)),
            rest,
        }
    }

    /// Metadata of the block that the first slice lies in; `None` if the view is
    /// empty or the block has none.
    #[must_use]
    #[inline]
    pub fn first_slice_meta(&self) -> Option<&dyn BlockMeta> {
        self.first_owner()?.meta()
    }

    /// Visits every slice and consumes it; the view is empty afterwards, also if
    /// `f` panics.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let mut sum = 0_u32;
    /// let mut view = BytesView::from_static(&[1, 2, 3]);
    /// view.consume_all_slices(|slice| sum += slice.iter().map(|&b| u32::from(b)).sum::<u32>());
    /// assert_eq!(sum, 6);
    /// assert!(view.is_empty());
    /// ```
    pub fn consume_all_slices<F: FnMut(&[u8])>(&mut self, mut f: F) {
        let view = core::mem::take(self);
        for (slice, _) in view.slices() {
            f(slice);
        }
    }

    /// The bytes as `IoSlice`s in content order, for vectored writes. (On Windows, the
    /// standard library's slices hold at most `u32::MAX` bytes, and making a longer one
    /// panics.)
    ///
    /// # Examples
    /// ```
    /// use std::io::{IoSlice, Write};
    /// use bytesbuf::BytesView;
    ///
    /// let mut view = BytesView::from_static(b"head");
    /// view.append(BytesView::from(b"body".to_vec()));
    /// let slices: Vec<IoSlice<'_>> = view.io_slices().collect();
    /// let mut out = Vec::new();
    /// let written = out.write_vectored(&slices)?;
    /// view.advance(written);
    /// assert!(view.is_empty());
    /// assert_eq!(out, b"headbody");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "std")]
    #[inline]
    pub fn io_slices(&self) -> BytesViewIoSlices<'_> {
        BytesViewIoSlices(self.slices())
    }
}

/// Iterator over the slices of a view, made by [`BytesView::slices`].
///
/// # Examples
/// ```
/// use bytesbuf::BytesView;
///
/// let view = BytesView::from_static(b"abc");
/// let mut slices = view.slices();
/// assert_eq!(slices.len(), 1);
/// let (slice, meta) = slices.next().unwrap();
/// assert_eq!(slice, b"abc");
/// assert!(meta.is_none());
/// assert!(slices.next().is_none());
/// ```
#[must_use = "iterators do nothing unless consumed"]
#[derive(Clone)]
pub struct BytesViewSlices<'s> {
    first: Option<(&'s [u8], Option<&'s BlockRefBatch>)>,
    rest: SpanIter<'s>,
}

impl<'s> Iterator for BytesViewSlices<'s> {
    type Item = (&'s [u8], Option<&'s dyn BlockMeta>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some((slice, owner)) = self.first.take() {
            return Some((slice, owner.and_then(BlockRefBatch::meta)));
        }
        let span = self.rest.next()?;
        Some((span.as_slice(), span.meta()))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = usize::from(self.first.is_some()) + self.rest.len();
        (count, Some(count))
    }
}

impl ExactSizeIterator for BytesViewSlices<'_> {}

impl core::iter::FusedIterator for BytesViewSlices<'_> {}

impl fmt::Debug for BytesViewSlices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesViewSlices")
            .field("remaining", &self.len())
            .finish_non_exhaustive()
    }
}

/// Iterator over the slices of a view as `IoSlice`s, made by
/// [`BytesView::io_slices`].
///
/// # Examples
/// ```
/// use bytesbuf::BytesView;
///
/// let view = BytesView::from_static(b"abc");
/// assert_eq!(&*view.io_slices().next().unwrap(), b"abc");
/// ```
#[cfg(feature = "std")]
#[must_use = "iterators do nothing unless consumed"]
#[derive(Clone, Debug)]
pub struct BytesViewIoSlices<'s>(BytesViewSlices<'s>);

#[cfg(feature = "std")]
impl<'s> Iterator for BytesViewIoSlices<'s> {
    type Item = std::io::IoSlice<'s>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(slice, _)| std::io::IoSlice::new(slice))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

#[cfg(feature = "std")]
impl ExactSizeIterator for BytesViewIoSlices<'_> {}

#[cfg(feature = "std")]
impl core::iter::FusedIterator for BytesViewIoSlices<'_> {}
