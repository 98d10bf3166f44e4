//! Writing to the block that is being filled.
#![expect(unsafe_code, reason = "writes behind the data")]

use core::ptr::NonNull;

use super::BytesBuf;

/// Two of the borders, by value.
pub(crate) struct Unfilled {
    cur: NonNull<u8>,
    end: NonNull<u8>,
}

impl BytesBuf {
    /// Copies `bytes` to the front of the unfilled slice, if that leaves a part of it
    /// unfilled: the block stays the current one (B3). `false` if nothing was done.
    #[inline]
    pub(crate) fn put_before_end(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() >= self.first_unfilled_len() {
            return false;
        }
        let (from, to) = (bytes.as_ptr(), self.borders.cur.as_ptr());
        // SAFETY: there is room for more than that at `to`, writable and not shared
        // (B2), so it does not overlap `bytes`.
        unsafe { core::ptr::copy_nonoverlapping(from, to, bytes.len()) };
        // SAFETY: less than the distance to `end` (B1); the bytes have just been
        // initialised (B2).
        self.borders.cur = unsafe { self.borders.cur.add(bytes.len()) };
        true
    }

    /// [`put_before_end`](Self::put_before_end) of one byte. A loop of these keeps the
    /// address of the last byte of the block, and compares with that.
    #[inline]
    pub(crate) fn put_byte_before_end(&mut self, value: u8) -> bool {
        // Not zero, as it is not null: no overflow.
        let last = self.borders.end.addr().get() - 1;
        if self.borders.cur.addr().get() >= last {
            return false;
        }
        // SAFETY: B1: `cur` is at least two bytes before `end`, so it is in the block; the
        // byte is the buffer's to write (B2).
        unsafe { self.borders.cur.write(value) };
        // SAFETY: less than the distance to `end` (B1); the byte has just been initialised
        // (B2).
        self.borders.cur = unsafe { self.borders.cur.add(1) };
        true
    }

    /// Where the unfilled slice begins and ends.
    #[inline]
    pub(crate) fn unfilled(&self) -> Unfilled {
        Unfilled {
            cur: self.borders.cur,
            end: self.borders.end,
        }
    }

    /// Takes the borders from what [`unfilled`](Self::unfilled) has just returned.
    /// Nothing changes, but the compiler has them in registers: after a slow path that
    /// returns them, it need not read them again in a loop of puts.
    #[inline]
    pub(crate) fn reload(&mut self, unfilled: Unfilled) {
        let Unfilled { cur, end } = unfilled;
        debug_assert!(cur == self.borders.cur && end == self.borders.end, "B1");
        self.borders.cur = cur;
        self.borders.end = end;
    }

    /// Copies `bytes` to the front of the unfilled slice, which has room for them.
    #[inline]
    pub(crate) fn put_within_block(&mut self, bytes: &[u8]) {
        let available = self.first_unfilled_len();
        assert!(bytes.len() <= available, "room in the current block");
        let (from, to) = (bytes.as_ptr(), self.borders.cur.as_ptr());
        // SAFETY: `to` has room for `available` bytes, writable and not shared (B2), so
        // they do not overlap `bytes`.
        unsafe { core::ptr::copy_nonoverlapping(from, to, bytes.len()) };
        // SAFETY: the bytes have just been initialised.
        unsafe { self.advance(bytes.len()) };
    }

    /// Fills the front of the unfilled slice, which has room for `count` bytes.
    #[inline]
    pub(crate) fn fill_within_block(&mut self, value: u8, count: usize) {
        let available = self.first_unfilled_len();
        assert!(count <= available, "room in the current block");
        // SAFETY: `cur` has room for `available` bytes, writable and not shared (B2).
        unsafe { self.borders.cur.as_ptr().write_bytes(value, count) };
        // SAFETY: the bytes have just been initialised.
        unsafe { self.advance(count) };
    }
}
