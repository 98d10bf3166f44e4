//! What a buffer looks like to people: its shape, never its content.

use core::fmt;

use super::BytesBuf;

impl fmt::Debug for BytesBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesBuf")
            .field("len", &self.len())
            .field("remaining_capacity", &self.remaining_capacity())
            .field("frozen_spans", &self.frozen().slices().len())
            .field("later_blocks", &self.later().map_or(0, |later| later.len()))
            .finish()
    }
}
