//! The frozen spans: data in front of the current block.

use core::mem;
use core::ops::{Deref, DerefMut};

use super::BytesBuf;
use crate::BytesView;

/// What is frozen where nothing is.
const EMPTY: &BytesView = &BytesView::new();

/// The frozen view, to be changed at will: B6 is restored when this is dropped, also if
/// a change panics.
pub(crate) struct FrozenMut<'a> {
    view: &'a mut BytesView,
    len: &'a mut usize,
}

impl Deref for FrozenMut<'_> {
    type Target = BytesView;

    #[inline]
    fn deref(&self) -> &BytesView {
        self.view
    }
}

impl DerefMut for FrozenMut<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut BytesView {
        self.view
    }
}

impl Drop for FrozenMut<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.len = self.view.len();
    }
}

impl BytesBuf {
    /// Bytes that are frozen.
    #[inline]
    pub(crate) fn frozen_len(&self) -> usize {
        self.held.frozen_len
    }

    #[inline]
    pub(crate) fn frozen(&self) -> &BytesView {
        self.held
            .elsewhere
            .get()
            .map_or(EMPTY, |parts| &parts.frozen)
    }

    /// The frozen view for changing. An allocation if there is nothing elsewhere, and
    /// the thread has no memory for that at hand.
    #[inline]
    pub(crate) fn frozen_mut(&mut self) -> FrozenMut<'_> {
        let held = &mut *self.held;
        FrozenMut {
            view: &mut held.elsewhere.make().frozen,
            len: &mut held.frozen_len,
        }
    }

    /// Takes all that is frozen.
    #[inline]
    pub(crate) fn take_frozen(&mut self) -> BytesView {
        self.held.frozen_len = 0;
        match self.held.elsewhere.get_mut() {
            Some(parts) => mem::take(&mut parts.frozen),
            None => BytesView::new(),
        }
    }
}

/// A buffer that holds the bytes of a view, without copying them, and no further
/// capacity.
impl From<BytesView> for BytesBuf {
    fn from(view: BytesView) -> Self {
        let mut buf = Self::new();
        if !view.is_empty() {
            *buf.frozen_mut() = view;
        }
        buf
    }
}
