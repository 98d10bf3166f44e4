//! From filled bytes to spans and views.
#![expect(unsafe_code, reason = "makes spans of the filled part")]

use core::mem::ManuallyDrop;

use bytesbuf_core::BlockRefBatch;

use super::{Borders, BytesBuf};
use crate::BytesView;
use crate::span::Span;
use crate::view::Fields;

impl BytesBuf {
    /// Puts `view`, which is not empty, behind all data. The caller has checked B4.
    #[inline]
    pub(crate) fn put_view(&mut self, view: BytesView) {
        let filled = self.filled_len();
        if filled > 0 && self.frozen_len() == 0 && view.is_contiguous() {
            // What is behind the span is the buffer's alone (B2): no view begins there.
            if let Some(span) = self.take_front(filled) {
                return self.frozen_mut().fill_with(span, view);
            }
        }
        self.put_view_slow(view);
    }

    /// `put_view` where there is more in front than the filled part, or less.
    #[inline(never)]
    fn put_view_slow(&mut self, view: BytesView) {
        if self.filled_len() > 0 {
            self.freeze_filled();
        }
        self.frozen_mut().append(view);
    }

    /// Shares the filled part of the current block, as the last frozen span.
    pub(crate) fn freeze_filled(&mut self) {
        let filled = self.filled_len();
        if filled > 0 {
            let span = self.take_filled_span(filled);
            self.frozen_mut().append_span(span);
        } else if self.first_unfilled_len() == 0 {
            // Nothing of the block is left in here.
            self.close_current();
        }
    }

    /// The first `count` bytes of the filled part as a view. `0 < count <= filled`.
    /// No atomic operation while the references at hand suffice; a block of which
    /// nothing is left in the buffer is handed over whole.
    #[inline]
    pub(crate) fn take_filled(&mut self, count: usize) -> BytesView {
        match self.take_front(count) {
            Some(span) => BytesView::from_span(span),
            None => BytesView::from_fields(self.take_filled_slow(count)),
        }
    }

    #[cold]
    #[inline(never)]
    fn take_filled_slow(&mut self, count: usize) -> Fields {
        BytesView::from_span(self.take_last(count)).into_fields()
    }

    /// [`take_filled`](Self::take_filled), as a span.
    #[inline]
    pub(crate) fn take_filled_span(&mut self, count: usize) -> Span {
        match self.take_front(count) {
            Some(span) => span,
            None => self.take_last(count),
        }
    }

    /// The common case of `take_filled`: something of the block is left behind, and a
    /// reference is at hand.
    #[inline]
    fn take_front(&mut self, count: usize) -> Option<Span> {
        assert!(
            count > 0 && count <= self.filled_len(),
            "within the filled part"
        );
        let start = self.borders.start;
        // SAFETY: `count` is at most the distance to `cur` (B1).
        let rest = unsafe { start.add(count) };
        match &mut self.held.current {
            Some(current) if current.weight() > 1 && rest != self.borders.end => {
                self.borders.start = rest;
                let owner = Some(current.split());
                // SAFETY: the bytes are initialised (B2), and before `start` from now
                // on, so never written again (S1); not empty (S2).
                Some(unsafe { Span::new(start, count, owner) })
            }
            _ => None,
        }
    }

    /// What is left of `take_filled` after `take_front` declined.
    #[cold]
    #[inline(never)]
    fn take_last(&mut self, count: usize) -> Span {
        assert!(
            count > 0 && count <= self.filled_len(),
            "within the filled part"
        );
        let start = self.borders.start;
        // SAFETY: `count` is at most the distance to `cur` (B1).
        let rest = unsafe { start.add(count) };
        let owner = if rest == self.borders.end {
            self.report_written();
            self.borders = Borders::default();
            self.held.current.take()
        } else {
            let owner = self.held.current.as_mut().map(BlockRefBatch::split);
            self.borders.start = rest;
            owner
        };
        // SAFETY: as in `take_front`.
        unsafe { Span::new(start, count, owner) }
    }

    /// A view of the filled part, which stays in the buffer.
    pub(crate) fn peek_filled(&self) -> BytesView {
        let filled = self.filled_len();
        if filled == 0 {
            return BytesView::new();
        }
        let (start, owner) = (self.borders.start, self.held.current.clone());
        // SAFETY: the bytes are initialised and not written again (B2: only `cur..end`
        // is); not empty.
        BytesView::from_span(unsafe { Span::new(start, filled, owner) })
    }
}

/// All data of a buffer that is finished: as [`consume_all`](BytesBuf::consume_all), and
/// the remaining capacity is given back. The view takes over all references to the
/// block that the buffer has left, so that neither costs an atomic read-modify-write.
impl From<BytesBuf> for BytesView {
    #[inline]
    fn from(buf: BytesBuf) -> Self {
        let filled = buf.filled_len();
        if filled == 0 || !buf.held.elsewhere.is_none() {
            return Self::from_fields(finish(buf));
        }
        buf.report_written();
        let buf = ManuallyDrop::new(buf);
        let start = buf.borders.start;
        // SAFETY: B5: moved out as the last thing that is done with the buffer, which is
        // not dropped and has nothing else to drop.
        let owner = unsafe { core::ptr::read(&raw const buf.held.current) };
        // SAFETY: the bytes are initialised, and never written again as there is no buffer
        // any more (B2, S1); not empty (S2).
        Self::from_span(unsafe { Span::new(start, filled, owner) })
    }
}

/// What is in a buffer with data elsewhere, or without any.
#[cold]
#[inline(never)]
fn finish(mut buf: BytesBuf) -> Fields {
    let view = buf.consume_all();
    // Before the view is on its way out: if a provider panics here, it is dropped. A value
    // that is being returned is not (rust-lang/rust#47949).
    drop(buf);
    view.into_fields()
}
