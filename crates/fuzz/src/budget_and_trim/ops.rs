//! The operations.

use std::num::NonZero;
use std::sync::Arc;

use arbitrary::Arbitrary;
use bytesbuf::mem::testing::FixedBlockMemory;
use bytesbuf::mem::{BudgetedMemory, Memory, ReserveError};

use super::{CLASSES, Handle, Held, LARGEST, Lease, Machine, Request, Reserving, Value, Woken};
use crate::amount::Amount;

/// The first number says which handle, level, lease or request: one of those that there
/// are.
#[derive(Arbitrary, Debug)]
pub(super) enum Op {
    TryReserve(u8, Amount),
    Reserve(u8, Amount),
    Contiguous(u8, Amount),
    Timeout(u8, Amount),
    Async(u8, Amount),
    Charge(u8, Amount),
    ChargeAsync(u8, Amount),
    SplitCharge(u8, Amount),
    MergeCharges(u8, u8),
    Charged(u8, Amount),
    ChargedAsync(u8, u8),
    Poll(u8),
    Cancel(u8),
    Freeze(u8),
    Share(u8),
    SplitView(u8, u8),
    Release(u8),
    Trim(u8),
    TrimTo(u8, Amount),
    Maintain(u8),
    WithBudget(u8, u8),
    CloneHandle(u8),
    DropHandle(u8),
    Child(u8, u16),
    DropBudget(u8),
}

/// Larger requests that could be met are not made.
pub(super) const ENOUGH: usize = 9_000;
/// Bytes in a block of the memory under a `BudgetedMemory`.
const FIXED: usize = 16;
/// Handles, levels and leases beyond this number are not made.
pub(super) const MANY: usize = 24;

pub(super) fn index(number: u8, len: usize) -> Option<usize> {
    usize::from(number).checked_rem(len)
}

/// A request that is either small or impossible.
fn bounded(bytes: usize) -> usize {
    if bytes <= ENOUGH {
        bytes
    } else {
        bytes | 1 << (usize::BITS - 1)
    }
}

/// Size and number of the blocks for a request.
pub(super) fn pooled(bytes: usize) -> (usize, usize) {
    match CLASSES
        .iter()
        .find(|&&size| bytes <= size && size <= LARGEST)
    {
        _ if bytes == 0 => (0, 0),
        Some(&size) => (size, 1),
        None => (LARGEST, bytes.div_ceil(LARGEST)),
    }
}

pub(super) fn blocks(
    bytes: usize,
    count: usize,
    level: Option<usize>,
    pool: Option<usize>,
) -> Vec<Held> {
    (0..count).map(|_| Held { bytes, level, pool }).collect()
}

impl Machine {
    pub(super) fn step(&mut self, op: Op) {
        match op {
            Op::TryReserve(handle, amount) => self.reserve(handle, amount, |handle, bytes| {
                handle.pool.try_reserve(bytes)
            }),
            Op::Reserve(handle, amount) => self.reserve_or_panic(handle, amount),
            Op::Contiguous(handle, amount) => self.contiguous(handle, amount),
            Op::Timeout(handle, amount) => self.timeout(handle, amount),
            Op::Async(handle, amount) => {
                let Some((handle, bytes)) = self.request(handle, amount) else {
                    return;
                };
                let Handle {
                    pool,
                    number,
                    level,
                } = &self.handles[handle];
                let (size, count) = pooled(bytes);
                let future = pool.reserve_async(bytes);
                let future: Reserving = Box::pin(async move { future.await.map(Value::Buf) });
                match *level {
                    _ if bytes > ENOUGH => {}
                    Some(level) => {
                        let blocks = blocks(size, count, Some(level), Some(*number));
                        self.start(future, level, size * count, blocks);
                    }
                    None => {
                        let blocks = blocks(size, count, None, Some(*number));
                        let value = now(future).expect("there is no limit");
                        self.lease(value, blocks);
                    }
                }
            }
            Op::Charge(level, amount) => {
                let Some((level, bytes)) = self.charge(level, amount) else {
                    return;
                };
                let budget = self.budgets[level].as_ref().expect("it is there");
                let outcome = budget.try_charge(bytes);
                let expected = self.levels.try_charge(level, bytes);
                assert_eq!(outcome.is_ok(), expected, "{outcome:?} for {bytes}");
                if let Ok(charge) = outcome {
                    assert_eq!(charge.bytes(), bytes);
                    self.lease(Value::Charge(charge), blocks(bytes, 1, Some(level), None));
                }
            }
            Op::ChargeAsync(level, amount) => {
                let Some((level, bytes)) = self.charge(level, amount) else {
                    return;
                };
                let budget = self.budgets[level].as_ref().expect("it is there");
                let future = budget.charge_async(bytes);
                let future = Box::pin(async move { future.await.map(Value::Charge) });
                self.start(future, level, bytes, blocks(bytes, 1, Some(level), None));
            }
            Op::SplitCharge(lease, amount) => self.split_charge(lease, amount),
            Op::MergeCharges(lease, other) => self.merge_charges(lease, other),
            Op::Charged(level, amount) => {
                let Some((level, bytes)) = self.charge(level, amount) else {
                    return;
                };
                let Some(memory) = self.charged(level) else {
                    return;
                };
                let outcome = memory.try_reserve(bytes);
                let count = bytes.min(ENOUGH).div_ceil(FIXED);
                let more = count * FIXED - bytes.min(ENOUGH);
                // What was asked for first, and then what is more than that.
                let charged =
                    isize::try_from(bytes).is_ok() && self.levels.try_charge(level, bytes);
                let done = charged && self.levels.try_charge(level, more);
                if charged && !done {
                    let chain = self.levels.chain(level);
                    self.levels.credit(&chain, bytes);
                }
                assert_eq!(outcome.is_ok(), done, "{outcome:?} for {bytes}");
                if let Ok(buf) = outcome {
                    self.lease(Value::Buf(buf), blocks(FIXED, count, Some(level), None));
                }
            }
            Op::ChargedAsync(level, count) => {
                let Some(level) = self.level(level) else {
                    return;
                };
                let Some(memory) = self.charged(level) else {
                    return;
                };
                let count = usize::from(count) % 40;
                let bytes = count * FIXED;
                let future =
                    Box::pin(async move { memory.reserve_async(bytes).await.map(Value::Buf) });
                self.start(
                    future,
                    level,
                    bytes,
                    blocks(FIXED, count, Some(level), None),
                );
            }
            Op::Poll(request) => {
                if let Some(request) = index(request, self.requests.len()) {
                    let request = self.requests.swap_remove(request);
                    self.poll(request, false);
                }
            }
            Op::Cancel(request) => {
                if let Some(request) = index(request, self.requests.len()) {
                    let request = self.requests.swap_remove(request);
                    self.cancel(request);
                }
            }
            Op::Freeze(lease) => {
                let Some(lease) = index(lease, self.leases.len()) else {
                    return;
                };
                if let Value::Buf(buf) = &mut self.leases[lease].value {
                    buf.put_byte_repeated(0xC5, buf.remaining_capacity());
                    let view = buf.consume_all();
                    self.leases[lease].value = Value::View(view);
                }
            }
            Op::Share(lease) => {
                let Some(lease) = index(lease, self.leases.len()) else {
                    return;
                };
                if let Lease {
                    value: Value::View(view),
                    held,
                } = &self.leases[lease]
                {
                    let lease = Lease {
                        value: Value::View(view.clone()),
                        held: held.clone(),
                    };
                    self.leases.push(lease);
                }
            }
            Op::SplitView(lease, at) => self.split_view(lease, at),
            Op::Release(lease) => {
                if let Some(lease) = index(lease, self.leases.len()) {
                    let lease = self.leases.swap_remove(lease);
                    self.release(lease);
                }
            }
            Op::Trim(handle) => self.give_back(handle, |handle| {
                let freed = handle.pool.trim();
                (freed, 0)
            }),
            Op::TrimTo(handle, amount) => self.give_back(handle, |handle| {
                let bytes = amount.of(handle.pool.stats().bytes_cached());
                (handle.pool.trim_to(bytes), bytes)
            }),
            Op::Maintain(handle) => self.give_back(handle, |handle| {
                // Twice for everything to go.
                (handle.pool.maintain() + handle.pool.maintain(), 0)
            }),
            Op::WithBudget(handle, level) => self.with_budget(handle, level),
            Op::CloneHandle(handle) => {
                let Some(handle) = index(handle, self.handles.len()) else {
                    return;
                };
                if self.handles.len() < MANY {
                    let Handle {
                        ref pool,
                        number,
                        level,
                    } = self.handles[handle];
                    let pool = pool.clone();
                    self.handles.push(Handle {
                        pool,
                        number,
                        level,
                    });
                }
            }
            Op::DropHandle(handle) => {
                if let Some(handle) = index(handle, self.handles.len()) {
                    drop(self.handles.swap_remove(handle));
                }
            }
            Op::Child(level, limit) => {
                let Some(level) = self.level(level) else {
                    return;
                };
                if self.budgets.len() < MANY {
                    self.add_level(level, usize::from(limit) % 9000);
                }
            }
            Op::DropBudget(level) => {
                if let Some(level) = self.level(level) {
                    self.budgets[level] = None;
                }
            }
        }
    }

    /// A level that a handle is left of.
    pub(super) fn level(&self, number: u8) -> Option<usize> {
        let there: Vec<_> = (0..self.budgets.len())
            .filter(|&level| self.budgets[level].is_some())
            .collect();
        Some(there[index(number, there.len())?])
    }

    /// A level, and bytes to charge to it.
    fn charge(&self, level: u8, amount: Amount) -> Option<(usize, usize)> {
        let level = self.level(level)?;
        Some((level, amount.of(self.levels.available(level))))
    }

    /// A handle, and bytes to reserve with it.
    pub(super) fn request(&self, handle: u8, amount: Amount) -> Option<(usize, usize)> {
        let handle = index(handle, self.handles.len()).filter(|_| self.leases.len() < MANY)?;
        let limit = self.handles[handle]
            .level
            .map_or(1500, |level| self.levels.available(level));
        Some((handle, bounded(amount.of(limit))))
    }

    fn charged(&self, level: usize) -> Option<BudgetedMemory<FixedBlockMemory>> {
        let size = NonZero::new(FIXED as u32).expect("not zero");
        let budget = self.budgets[level]
            .as_ref()
            .filter(|_| self.leases.len() < MANY)?;
        Some(BudgetedMemory::new(FixedBlockMemory::new(size), budget))
    }

    fn start(&mut self, future: Reserving, level: usize, bytes: usize, blocks: Vec<Held>) {
        let (woken, id) = (Arc::new(Woken::default()), self.next);
        self.next += 1;
        self.poll(
            Request {
                id,
                future,
                woken,
                seen: 0,
                level,
                bytes,
                charged: 0,
                blocks,
            },
            true,
        );
    }
}

/// A future that is ready at once.
fn now(mut future: Reserving) -> Result<Value, ReserveError> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(outcome) => outcome,
        std::task::Poll::Pending => panic!("has nothing to wait for"),
    }
}
