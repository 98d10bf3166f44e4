//! Making views.

use core::iter::FromIterator;

use super::BytesView;
use crate::mem::Memory;
use crate::{BytesBuf, MemoryGuard};

impl BytesView {
    /// The bytes of all `views` in order, without copying them.
    ///
    /// # Panics
    /// If the total length would exceed `usize::MAX`.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let parts = [BytesView::from_static(b"a"), BytesView::from_static(b"b")];
    /// assert_eq!(BytesView::from_views(parts), b"ab");
    /// ```
    #[must_use]
    pub fn from_views<I: IntoIterator<Item = Self>>(views: I) -> Self {
        let mut whole = Self::new();
        for view in views {
            whole.append(view);
        }
        whole
    }

    /// A copy of `bytes` in memory of the given provider. Empty input gives an
    /// empty view that holds no memory.
    ///
    /// # Panics
    /// If the provider has no memory, see [`Memory::reserve`].
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    /// use bytesbuf::mem::GlobalPool;
    ///
    /// let pool = GlobalPool::new();
    /// assert_eq!(BytesView::copied_from_slice(b"abc", &pool), b"abc");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn copied_from_slice(bytes: &[u8], memory: &impl Memory) -> Self {
        let mut buf = BytesBuf::new();
        buf.reserve(bytes.len(), memory);
        buf.put_slice(bytes);
        let view = buf.consume_all();
        // While the view is no result yet: a provider that panics here does not leak it.
        drop(buf);
        view
    }

    /// Keeps the memory of the view in use, whatever becomes of the view: one
    /// reference for all of it, as a clone would hold.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let view = BytesView::from(b"registered with the device".to_vec());
    /// let guard = view.extend_lifetime();
    /// drop(view); // the memory stays valid ...
    /// drop(guard); // ... until here
    /// ```
    pub fn extend_lifetime(&self) -> MemoryGuard {
        MemoryGuard::of_view(self.clone())
    }

    /// The bytes of both, without copying them; `self` stays as it is. O(spans): one
    /// atomic addition each.
    ///
    /// # Panics
    /// If the length would exceed `usize::MAX`.
    #[must_use]
    #[track_caller]
    pub fn concat(&self, other: Self) -> Self {
        let mut whole = self.clone();
        whole.append(other);
        whole
    }
}

/// Concatenation, without copying.
impl FromIterator<BytesView> for BytesView {
    fn from_iter<I: IntoIterator<Item = Self>>(views: I) -> Self {
        Self::from_views(views)
    }
}

/// Appends, without copying.
impl Extend<BytesView> for BytesView {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, views: I) {
        for view in views {
            self.append(view);
        }
    }
}
