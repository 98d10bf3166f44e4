//! Keeping memory in use without its view or buffer.

use alloc::vec::Vec;

use bytesbuf_core::BlockRefBatch;

use crate::BytesView;

/// Keeps the memory of a view or buffer in use until it is dropped.
///
/// For operations that go on after the call that started them, by the hand of a
/// device or an operating system.
///
/// # Examples
/// ```
/// use bytesbuf::{BytesView, MemoryGuard};
///
/// let view = BytesView::from(vec![1, 2, 3]);
/// let guard: MemoryGuard = view.extend_lifetime();
/// drop(view);
/// drop(guard); // the vector is freed here
/// ```
#[derive(Debug, Default)]
#[must_use = "dropping the guard lets go of the memory"]
pub struct MemoryGuard {
    _view: BytesView,
    _blocks: Vec<BlockRefBatch>,
}

impl MemoryGuard {
    pub(crate) fn of_view(view: BytesView) -> Self {
        Self {
            _view: view,
            _blocks: Vec::new(),
        }
    }

    pub(crate) fn of_buffer(frozen: BytesView, blocks: Vec<BlockRefBatch>) -> Self {
        Self {
            _view: frozen,
            _blocks: blocks,
        }
    }
}
