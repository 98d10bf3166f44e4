//! Any owner of bytes as a view, without copying.
#![expect(unsafe_code, reason = "makes a span of an owner's bytes")]

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytesbuf_core::OwnedMemory;

use crate::BytesView;
use crate::span::Span;

/// The bytes of `owner` as a span; `None` if there are none.
pub(crate) fn owner_span<O: AsRef<[u8]> + Send + 'static>(owner: O) -> Option<Span> {
    let (ptr, len, owner) = OwnedMemory::hold(owner).into_parts();
    if len == 0 {
        return None;
    }
    // SAFETY: `OwnedMemory` keeps the bytes valid and unchanged while a reference
    // of `owner` exists (S1); not empty (S2).
    Some(unsafe { Span::new(ptr, len, Some(owner)) })
}

impl BytesView {
    /// A view of the bytes of any owner: a memory map, an `Arc<[u8]>`, a foreign
    /// buffer. Zero copy, one allocation for the reference count.
    ///
    /// `owner` is asked for its bytes once. It is dropped together with the last
    /// view of them, on whatever thread that happens. Owners that wrap views that wrap
    /// owners are dropped one inside the other, on the stack.
    ///
    /// # Examples
    /// ```
    /// use bytesbuf::BytesView;
    ///
    /// let shared: std::sync::Arc<[u8]> = (*b"shared").into();
    /// assert_eq!(BytesView::from_owner(shared), b"shared");
    /// ```
    #[must_use]
    pub fn from_owner<O: AsRef<[u8]> + Send + 'static>(owner: O) -> Self {
        owner_span(owner).map_or_else(Self::new, Self::from_span)
    }
}

/// Zero copy, whatever the length. One allocation; none if the vector is empty.
impl From<Vec<u8>> for BytesView {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Self::new();
        }
        Self::from_owner(bytes)
    }
}

/// Zero copy. One allocation; none if the slice is empty.
impl From<Box<[u8]>> for BytesView {
    fn from(bytes: Box<[u8]>) -> Self {
        bytes.into_vec().into()
    }
}

/// Zero copy. One allocation; none if the string is empty.
impl From<String> for BytesView {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}
