//! What is asked of a pool.

use std::time::Duration;

use bytesbuf::BytesBuf;
use bytesbuf::mem::ReserveError;

use super::model::Progress;
use super::ops::{ENOUGH, MANY, blocks, index, pooled};
use super::{CLASSES, Handle, Machine, Value};
use crate::amount::Amount;
use crate::attempt::call;
use crate::memory::CANNOT;

impl Machine {
    /// Whether a request is met, at once or not at all.
    pub(super) fn is_met(&mut self, level: Option<usize>, bytes: usize, footprint: usize) -> bool {
        bytes <= ENOUGH && level.is_none_or(|level| self.levels.try_charge(level, footprint))
    }

    pub(super) fn reserve(
        &mut self,
        handle: u8,
        amount: Amount,
        reserve: impl FnOnce(&Handle, usize) -> Result<BytesBuf, ReserveError>,
    ) {
        let Some((at, bytes)) = self.request(handle, amount) else {
            return;
        };
        let (size, count) = pooled(bytes);
        let Handle { number, level, .. } = self.handles[at];
        let expected = self.is_met(level, bytes, size.saturating_mul(count));
        let outcome = reserve(&self.handles[at], bytes);
        assert_eq!(outcome.is_ok(), expected, "{outcome:?} for {bytes}");
        match outcome {
            Ok(buf) => {
                assert_eq!(
                    (buf.len(), buf.capacity()),
                    (0, size * count),
                    "for {bytes}"
                );
                self.lease(Value::Buf(buf), blocks(size, count, level, Some(number)));
            }
            Err(ReserveError::TooLarge { .. }) => assert!(bytes > ENOUGH),
            Err(error) => assert!(matches!(error, ReserveError::OverBudget { .. }), "{error}"),
        }
    }

    pub(super) fn reserve_or_panic(&mut self, handle: u8, amount: Amount) {
        let Some((at, bytes)) = self.request(handle, amount) else {
            return;
        };
        let (size, count) = pooled(bytes);
        let Handle { number, level, .. } = self.handles[at];
        let expected = self.is_met(level, bytes, size.saturating_mul(count));
        let pool = &self.handles[at].pool;
        let buf = call((!expected).then_some(CANNOT), || pool.reserve(bytes));
        if let Some(buf) = buf {
            self.lease(Value::Buf(buf), blocks(size, count, level, Some(number)));
        }
    }

    pub(super) fn contiguous(&mut self, handle: u8, amount: Amount) {
        let Some((at, bytes)) = self.request(handle, amount) else {
            return;
        };
        // Above the largest size that is kept, exactly what was asked for.
        let class = CLASSES.iter().copied().find(|&size| bytes <= size);
        let size = if bytes == 0 {
            0
        } else {
            class.unwrap_or(bytes)
        };
        let Handle { number, level, .. } = self.handles[at];
        let expected = bytes == 0 || self.is_met(level, bytes, size);
        let outcome = self.handles[at].pool.try_reserve_contiguous(bytes);
        assert_eq!(outcome.is_ok(), expected, "{outcome:?} for {bytes}");
        if let Ok(mut buf) = outcome {
            assert_eq!(buf.first_unfilled_slice().len(), size, "for {bytes}");
            let count = usize::from(size > 0);
            self.lease(Value::Buf(buf), blocks(size, count, level, Some(number)));
        }
    }

    /// Waits for no time at all: takes a place in the queue, and gives it up.
    pub(super) fn timeout(&mut self, handle: u8, amount: Amount) {
        let Some((at, bytes)) = self.request(handle, amount) else {
            return;
        };
        let (size, count) = pooled(bytes);
        let Handle { number, level, .. } = self.handles[at];
        let outcome = self.handles[at].pool.reserve_timeout(bytes, Duration::ZERO);
        let expected = match level {
            _ if bytes > ENOUGH => Progress::Never,
            None => Progress::Done,
            Some(level) => {
                let (id, mut charged) = (self.next, 0);
                self.next += 1;
                let progress = self.levels.begin(id, level, size * count, &mut charged);
                if progress == Progress::Waits {
                    let level = self.levels.cancel(id, level, size * count, charged);
                    self.levels.all[level].refusals += 1;
                }
                progress
            }
        };
        assert_eq!(
            outcome.is_ok(),
            expected == Progress::Done,
            "{outcome:?} for {bytes}"
        );
        if let Ok(buf) = outcome {
            self.lease(Value::Buf(buf), blocks(size, count, level, Some(number)));
        }
    }

    /// Gives memory back. `give_back` returns what it says, and what may be left.
    pub(super) fn give_back(
        &mut self,
        handle: u8,
        give_back: impl FnOnce(&Handle) -> (usize, usize),
    ) {
        let Some(handle) = index(handle, self.handles.len()) else {
            return;
        };
        let handle = &self.handles[handle];
        let before = handle.pool.stats().bytes_allocated();
        let (freed, left) = give_back(handle);
        let stats = handle.pool.stats();
        assert!(
            stats.bytes_cached() <= left,
            "{} of at most {left} bytes are left",
            stats.bytes_cached()
        );
        assert_eq!(
            before - stats.bytes_allocated(),
            freed,
            "what the allocator got"
        );
    }

    pub(super) fn with_budget(&mut self, handle: u8, level: u8) {
        let Some(handle) = index(handle, self.handles.len()).filter(|_| self.handles.len() < MANY)
        else {
            return;
        };
        let Some(level) = self.level(level) else {
            return;
        };
        let handle = &self.handles[handle];
        let budget = self.budgets[level].as_ref().expect("it is there");
        let is_below = handle
            .level
            .is_none_or(|above| self.levels.chain(level).contains(&above));
        let panic = (!is_below).then_some("is not below");
        if let Some(pool) = call(panic, || handle.pool.with_budget(budget)) {
            let number = handle.number;
            self.handles.push(Handle {
                pool,
                number,
                level: Some(level),
            });
        }
    }
}
