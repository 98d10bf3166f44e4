//! A request that waits.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytesbuf_core::ReserveError;

use super::level::{Entry, Level};
use super::queue::Place;
use super::{Budget, Charge};
use crate::events::Wait;

/// Waits until bytes can be charged: see [`Budget::charge_async`].
///
/// Needs no particular runtime. Dropping it at any time gives back what it has.
/// Does nothing until polled: its place in the queue is taken by the first poll.
///
/// # Panics
/// When polled again after it has finished.
///
/// # Examples
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
/// use bytesbuf_pool::Budget;
///
/// let budget = Budget::new(1000);
/// let all = budget.try_charge(1000)?;
/// let mut waits = pin!(budget.charge_async(10));
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(waits.as_mut().poll(&mut context).is_pending());
/// drop(all);
/// let Poll::Ready(charge) = waits.as_mut().poll(&mut context) else { panic!() };
/// assert_eq!(charge?.bytes(), 10);
/// # Ok::<(), bytesbuf_core::ReserveError>(())
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct ChargeFuture {
    budget: Budget,
    bytes: usize,
    stage: Stage,
    /// Levels charged so far, from the lowest up.
    charged: usize,
    /// In the queue of the next level.
    place: Option<Place>,
    /// Of no size without the feature `tracing`.
    wait: Wait,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    New,
    Climbing,
    Done,
}

impl ChargeFuture {
    pub(super) const fn new(budget: Budget, bytes: usize) -> Self {
        Self {
            budget,
            bytes,
            stage: Stage::New,
            charged: 0,
            place: None,
            wait: Wait::NONE,
        }
    }

    /// Without a queue, if it is possible at once or never.
    fn begin(&mut self) -> Poll<Result<Charge, ReserveError>> {
        if self.bytes == 0 || self.budget.charge_levels(self.bytes).is_ok() {
            return Poll::Ready(Ok(Charge::new(self.budget.clone(), self.bytes)));
        }
        match self.budget.levels().find(|level| self.bytes > level.limit) {
            Some(level) => Poll::Ready(Err(level.refusal().into_error(self.bytes))),
            None => Poll::Pending,
        }
    }

    /// Goes up level by level. What is charged below is kept while it waits above.
    fn climb(&mut self, cx: &mut Context<'_>) -> Poll<Result<Charge, ReserveError>> {
        while let Some(level) = self.budget.levels().nth(self.charged) {
            if self.place.is_some() {
                if level.poll(&mut self.place, cx.waker()).is_pending() {
                    return Poll::Pending;
                }
                self.wait.granted(level.label(), self.bytes);
            } else if level.try_charge(self.bytes).is_err() {
                match level.enter(self.bytes, cx.waker()) {
                    Ok(Entry::Charged) => {}
                    Ok(Entry::Waits(place)) => {
                        self.place = Some(place);
                        self.wait.begins(level.label(), self.bytes, level.limit);
                        return Poll::Pending;
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            self.charged += 1;
        }
        // From here on the charge answers for them.
        self.charged = 0;
        Poll::Ready(Ok(Charge::new(self.budget.clone(), self.bytes)))
    }

    /// Why a request that waits has not got its bytes, for one whose time is up.
    pub(super) fn give_up(mut self) -> ReserveError {
        let waited_at = self.charged;
        // Out of the queue first: what others wait for counts as in use, what this
        // one waited for does not.
        self.give_back();
        let level = self.budget.levels().nth(waited_at);
        let level = level.unwrap_or(self.budget.level());
        level.refusal().into_error(self.bytes)
    }

    /// Gives up the place and credits what is charged.
    fn give_back(&mut self) {
        let next = self.budget.levels().nth(self.charged);
        if let (Some(level), Some(place)) = (next, self.place.take()) {
            self.charged += usize::from(Level::leave(level, place));
        }
        let levels = self.budget.levels().take(std::mem::take(&mut self.charged));
        Budget::credit(levels, self.bytes);
        self.wait.given_up(self.bytes);
    }
}

impl Future for ChargeFuture {
    type Output = Result<Charge, ReserveError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        assert!(this.stage != Stage::Done, "polled after it has finished");
        let mut outcome = Poll::Pending;
        if this.stage == Stage::New {
            outcome = this.begin();
            this.stage = Stage::Climbing;
        }
        if outcome.is_pending() {
            outcome = this.climb(cx);
        }
        if let Poll::Ready(outcome) = &outcome {
            this.stage = Stage::Done;
            if outcome.is_err() {
                this.give_back();
            }
        }
        outcome
    }
}

impl Drop for ChargeFuture {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl fmt::Debug for ChargeFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChargeFuture")
            .field("bytes", &self.bytes)
            .field("stage", &self.stage)
            .field("levels_charged", &self.charged)
            .field("budget", &self.budget)
            .finish()
    }
}
