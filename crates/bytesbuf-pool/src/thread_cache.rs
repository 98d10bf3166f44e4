//! What one thread keeps of one pool: its magazines, its stock of references to
//! the shared object, and its counters.
//!
//! Knows nothing of thread-locals: `local` finds the cache of the current thread,
//! the models in `model_tests` pass one in.
//!
//! # Invariants
//! * **C1** A cache holds `stock` references to its pool, at least one, from
//!   [`create`](ThreadCache::create) to [`dispose`](ThreadCache::dispose), and one
//!   more for each block in its magazines (P1).
//! * **C2** The owning thread accesses the magazines while it is *inside* (between
//!   `enter` and the drop of what that returns), and nobody else does then. A
//!   trimming thread accesses them while it holds the registry's lock, has frozen
//!   the cache, and has seen the owner outside after a [`barrier`]; the owner does
//!   not get in before the thaw.
//! * **C3** The owner is inside for single stack operations only, none of which
//!   calls the allocator or takes a lock (M1). The allocator may use the pool that
//!   it serves: whatever is read before a call to it may have changed after.
//! * **C4** Everything else in a cache is the owning thread's, but for the links
//!   and `ticked` (the registry's), the orders, and what others read: `inside`, the
//!   counters, and `shared`, which does not change.
#![expect(
    unsafe_code,
    reason = "cells borrowed by the owning thread; raw lifetime"
)]

use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;

use bytesbuf_core::ReserveError;

use crate::alloc::{try_box, unbox};
use crate::barrier;
use crate::header::PoolBlock;
use crate::list::{Linked, Links};
use crate::magazine::{Magazine, Magazines};
use crate::shared::Shared;
use crate::size_class::{Class, MAX_CLASSES, STOCK};
use crate::slab_store::IdleSlabs;
use crate::sync::{AtomicBool, AtomicU8, Ordering};
use crate::tally::Counters;

pub(crate) struct ThreadCache {
    /// Whether the owner is inside (C2).
    inside: AtomicBool,
    /// What others want of the owner: the bits below.
    orders: AtomicU8,
    shared: NonNull<Shared>,
    stock: Cell<usize>,
    /// Slow paths of the owning thread that are under way (see `local`).
    busy: Cell<u32>,
    /// Visits to the depot, to look at the clock every so often.
    visits: Cell<u32>,
    /// The thread's next cache, of another pool (see `local`).
    next: Cell<Option<NonNull<Self>>>,
    links: Links<Self>,
    /// What `operations` was at the last tick. The registry's.
    ticked: Cell<usize>,
    classes: [PerClass; MAX_CLASSES],
}

/// The pool is closed: keep nothing.
const RETIRE: u8 = 1;
/// Give the magazines back at the next slow path.
const FLUSH: u8 = 2;
/// Stay outside until the registry's lock is free.
const FREEZE: u8 = 4;

/// Visits to the depot between two looks at the clock.
#[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle)))]
const VISITS_A_LOOK: u32 = 64;

/// The magazines and the counters of the fast path share a cache line.
#[repr(C, align(64))]
struct PerClass {
    magazines: UnsafeCell<Magazines>,
    counters: Counters,
    /// Stands for `magazines` before loom: two accesses that C2 does not keep apart
    /// are a race.
    #[cfg(bytesbuf_loom)]
    probe: loom::cell::UnsafeCell<()>,
}

impl PerClass {
    #[inline]
    fn access(&self) -> *mut Magazines {
        #[cfg(bytesbuf_loom)]
        self.probe.with_mut(|_| ());
        self.magazines.get()
    }
}

impl Linked for ThreadCache {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The owning thread is inside (C2), until this is dropped.
struct Inside<'a>(&'a ThreadCache);

impl Inside<'_> {
    #[inline]
    fn magazines(&mut self, class: Class) -> &mut Magazines {
        let magazines = self.0.of(class).access();
        // SAFETY: C2: inside, so nobody else has access; C3: this value, of which
        // there is one at a time, is borrowed for as long.
        unsafe { &mut *magazines }
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release: partner of the Acquire load in `is_inside`: who sees the owner
        // outside sees what it did inside.
        self.0.inside.store(false, Ordering::Release);
    }
}

impl ThreadCache {
    /// A cache for a pool; `None` if the pool is closed or the allocator refuses.
    ///
    /// # Safety
    /// The caller holds a reference to `shared` (P1) during the call, and gives the
    /// cache to [`dispose`](Self::dispose) in the end.
    pub(crate) unsafe fn create(shared: NonNull<Shared>) -> Option<NonNull<Self>> {
        let cache = try_box(Self {
            inside: AtomicBool::new(false),
            orders: AtomicU8::new(0),
            shared,
            stock: Cell::new(STOCK),
            busy: Cell::new(0),
            visits: Cell::new(0),
            next: Cell::new(None),
            links: Links::new(),
            ticked: Cell::new(0),
            classes: std::array::from_fn(|_| PerClass {
                magazines: UnsafeCell::new(Magazines::new()),
                counters: Counters::new(),
                #[cfg(bytesbuf_loom)]
                probe: loom::cell::UnsafeCell::new(()),
            }),
        })?;
        // SAFETY: the caller holds a reference (P1).
        let pool = unsafe { shared.as_ref() };
        pool.retain(STOCK);
        // SAFETY: I1: fresh, and it leaves in `dispose` before it is freed.
        if unsafe { pool.registry().join(cache) } {
            return Some(cache);
        }
        pool.release_some(STOCK);
        // SAFETY: A2: made above, and known to nobody.
        unsafe { unbox(cache) };
        None
    }

    /// Gives blocks, figures and references back, and frees the cache.
    ///
    /// # Safety
    /// `cache` came from [`create`](Self::create), on this thread. Nothing finds it
    /// any more, and no reference to it is in use.
    pub(crate) unsafe fn dispose(cache: NonNull<Self>) {
        // SAFETY: alive until `unbox` below.
        let this = unsafe { cache.as_ref() };
        let pool = this.shared;
        for class in this.shared().classes().used() {
            let taken = this.enter().magazines(class).take();
            for magazine in taken {
                this.leave(class, magazine);
            }
        }
        // SAFETY: on the list since `create`.
        if unsafe { this.shared().registry().leave(cache) } {
            // P3: what this cache has stored after the pool was closed.
            this.shared().drain();
        }
        let stock = this.stock.get();
        // SAFETY: A2: made by `create`, off every list, and used by nobody.
        unsafe { unbox(cache) };
        // SAFETY: C1: the references of the stock, which is gone.
        unsafe { Shared::release(pool, stock) };
    }

    /// Takes a free block from the loaded magazine: the fast path of renting.
    /// `None` if there is none, or if somebody wants something of this thread.
    #[inline]
    pub(crate) fn pop(&self, class: Class) -> Option<PoolBlock> {
        let block = self.try_enter()?.magazines(class).pop()?;
        self.of(class).counters.rented();
        Some(block)
    }

    /// Puts a block of this pool into the loaded magazine: the fast path of
    /// releasing. Gives it back if that is full, or if somebody wants something of
    /// this thread.
    #[inline]
    pub(crate) fn push(&self, block: PoolBlock) -> Result<(), PoolBlock> {
        let class = block.class();
        match self.try_enter() {
            Some(mut inside) => inside.magazines(class).push(block)?,
            None => return Err(block),
        }
        self.of(class).counters.released();
        Ok(())
    }

    /// Rents a block from the loaded magazine, the other one, the depot, the slabs
    /// or the allocator, in that order.
    pub(crate) fn rent(&self, class: Class) -> Result<PoolBlock, ReserveError> {
        self.obey();
        let at_hand = self.enter().magazines(class).pop_either();
        let block = match at_hand {
            Some(block) => block,
            None => {
                let block = self.fetch(class)?;
                self.of(class).counters.missed();
                block
            }
        };
        self.of(class).counters.rented();
        Ok(block)
    }

    /// A block from elsewhere, and with it, if possible, a magazine of them.
    fn fetch(&self, class: Class) -> Result<PoolBlock, ReserveError> {
        self.look_at_the_clock();
        if let Some(filled) = self.fetch_magazine(class) {
            self.take(filled.len());
            let (block, displaced) = self.enter().magazines(class).load_and_pop(filled);
            self.leave(class, displaced);
            if let Some(block) = block {
                return Ok(block);
            }
        }
        let store = self.shared().slabs(class);
        let plan = &self.shared().classes().plan(class).slab;
        let name = self.shared().settings().name.as_deref();
        let block = store.take(plan, self.shared, name)?;
        self.take(1);
        self.of(class).counters.fetched(1);
        Ok(block)
    }

    /// A magazine with blocks that were used before.
    fn fetch_magazine(&self, class: Class) -> Option<Magazine> {
        let depot = self.shared().depot();
        if let Some(filled) = depot.take_filled(class) {
            return Some(filled);
        }
        let mut magazine = self.empty_magazine(class)?;
        self.shared().slabs(class).refill(&mut magazine);
        self.of(class).counters.fetched(magazine.len());
        if magazine.is_empty() {
            drop(depot.give_empty(class, magazine));
            return None;
        }
        Some(magazine)
    }

    fn empty_magazine(&self, class: Class) -> Option<Magazine> {
        let empty = self.shared().depot().take_empty(class);
        empty.or_else(|| Magazine::try_new(self.shared().classes().plan(class).magazine_blocks))
    }

    /// Releases a block of this pool: to the loaded magazine, or the other one, or
    /// a new one while the depot gets a full one, or to the slabs if there is
    /// no magazine to be had or the pool is closed.
    pub(crate) fn release(&self, block: PoolBlock) {
        self.obey();
        let class = block.class();
        self.of(class).counters.released();
        if self.is_retired() {
            return self.put_back(class, block);
        }
        let pushed = self.enter().magazines(class).push_either(block);
        let Err(block) = pushed else {
            return;
        };
        self.look_at_the_clock();
        let Some(empty) = self.empty_magazine(class) else {
            return self.put_back(class, block);
        };
        let (pushed, displaced) = self.enter().magazines(class).load_and_push(empty, block);
        self.leave(class, displaced);
        if let Err(block) = pushed {
            self.put_back(class, block);
        }
    }

    /// Gives a magazine of this cache to the depot; what does not fit there goes to
    /// the slabs. The blocks' references go to the stock (P1, P2).
    fn leave(&self, class: Class, magazine: Magazine) {
        let mut magazine = magazine;
        if !magazine.is_empty() && !self.is_retired() {
            let blocks = magazine.len();
            match self.shared().depot().give_filled(class, magazine) {
                Ok(()) => return self.put(blocks),
                Err(refused) => magazine = refused,
            }
        }
        self.empty(class, &mut magazine);
        drop(self.shared().depot().give_empty(class, magazine));
    }

    /// Gives the blocks of a magazine of this cache to the slabs.
    fn empty(&self, class: Class, magazine: &mut Magazine) {
        let blocks = magazine.len();
        if blocks > 0 {
            let mut idle = IdleSlabs::none();
            self.shared().slabs(class).put_all(magazine, &mut idle);
            self.of(class).counters.put_back(blocks);
            idle.free();
            self.put(blocks);
        }
    }

    fn put_back(&self, class: Class, block: PoolBlock) {
        self.of(class).counters.put_back(1);
        self.shared().slabs(class).put(block);
        self.put(1);
    }

    /// Takes `n` references from the stock, for blocks (C1).
    fn take(&self, n: usize) {
        let stock = self.stock.get();
        if stock > n {
            self.stock.set(stock - n);
            return;
        }
        self.shared().retain(n + STOCK);
        self.stock.set(stock + STOCK);
    }

    /// Puts `n` references of blocks into the stock (C1).
    fn put(&self, n: usize) {
        let stock = self.stock.get() + n;
        if stock <= 2 * STOCK {
            self.stock.set(stock);
            return;
        }
        self.stock.set(STOCK);
        self.shared().release_some(stock - STOCK);
    }

    /// Does what a trimming thread could not do itself.
    fn obey(&self) {
        // Relaxed: partner of the bit set in `order_flush`; nothing is handed over.
        if self.orders.load(Ordering::Relaxed) & FLUSH == 0 {
            return;
        }
        // Relaxed: partner of the bit set in `order_flush`. One set after this is
        // obeyed the next time.
        self.orders.fetch_and(!FLUSH, Ordering::Relaxed);
        for class in self.shared().classes().used() {
            let taken = self.enter().magazines(class).take();
            for mut magazine in taken {
                self.empty(class, &mut magazine);
                drop(self.shared().depot().give_empty(class, magazine));
            }
        }
    }

    /// Every so often, lets a pool in use give back what it has not used.
    fn look_at_the_clock(&self) {
        #[cfg(not(any(bytesbuf_loom, bytesbuf_shuttle)))]
        {
            let visits = self.visits.get().wrapping_add(1);
            self.visits.set(visits);
            if visits % VISITS_A_LOOK == 0 {
                self.shared().tick_if_due();
            }
        }
    }

    /// Tells the cache that its pool is closed. By the registry.
    pub(crate) fn retire(&self) {
        // Relaxed: partner of the loads in `is_retired` and `enter_if`. Nothing is
        // handed over; a cache that learns late stores blocks that it drains when
        // it goes (P3).
        self.orders.fetch_or(RETIRE, Ordering::Relaxed);
    }

    /// Whether the pool is closed, as far as this thread has heard.
    pub(crate) fn is_retired(&self) -> bool {
        // Relaxed: partner of the bit set in `retire`, a hint.
        self.orders.load(Ordering::Relaxed) & RETIRE != 0
    }

    /// Tells the owner to give its magazines back when it next gets here. By the
    /// registry.
    pub(crate) fn order_flush(&self) {
        // Relaxed: partner of the loads in `obey` and `enter_if`, a hint.
        self.orders.fetch_or(FLUSH, Ordering::Relaxed);
    }

    /// Keeps the owner out from now on, once a heavy barrier has passed, and unless
    /// it is inside. By the registry, under its lock.
    pub(crate) fn freeze(&self) {
        // Relaxed: partner of the load in `enter_if`. The heavy barrier that comes
        // next puts it before the load of `inside`.
        self.orders.fetch_or(FREEZE, Ordering::Relaxed);
    }

    /// Lets the owner in again. By the registry, under its lock.
    pub(crate) fn thaw(&self) {
        // Release: partner of the Acquire load in `enter_if`: the owner sees what
        // was done to its magazines.
        self.orders.fetch_and(!FREEZE, Ordering::Release);
    }

    /// Whether the owner is inside. By the registry, after a freeze and a heavy
    /// barrier: if it is not, it stays out.
    pub(crate) fn is_inside(&self) -> bool {
        // Acquire: partner of the Release store when the owner left: what it did
        // inside is done.
        self.inside.load(Ordering::Acquire)
    }

    /// The magazines of a class, for who trims.
    ///
    /// # Safety
    /// The caller meets the second half of C2 for as long as it uses them.
    #[expect(clippy::mut_from_ref, reason = "exclusive by C2")]
    pub(crate) unsafe fn frozen_magazines(&self, class: Class) -> &mut Magazines {
        // SAFETY: C2: the owner is out and stays out; the registry's lock keeps
        // others from trimming.
        unsafe { &mut *self.of(class).access() }
    }

    /// Whether the owner has used the cache since this was last asked. By the
    /// registry, under its lock.
    pub(crate) fn was_used(&self) -> bool {
        let operations = self.counters().fold(0, |sum: usize, counters| {
            sum.wrapping_add(counters.operations())
        });
        self.ticked.replace(operations) != operations
    }

    /// Whether this is a cache of that pool.
    #[inline]
    pub(crate) fn is_of(&self, shared: NonNull<Shared>) -> bool {
        self.shared == shared
    }

    pub(crate) const fn busy(&self) -> &Cell<u32> {
        &self.busy
    }

    pub(crate) const fn next(&self) -> &Cell<Option<NonNull<Self>>> {
        &self.next
    }

    pub(crate) fn counters(&self) -> impl Iterator<Item = &Counters> {
        self.classes.iter().map(|class| &class.counters)
    }

    #[inline]
    fn shared(&self) -> &Shared {
        // SAFETY: C1: the stock keeps it alive for as long as the cache exists.
        unsafe { self.shared.as_ref() }
    }

    #[inline]
    const fn of(&self, class: Class) -> &PerClass {
        &self.classes[class.index()]
    }

    /// Does something while the owner is inside, where it never stays so long (C3).
    #[cfg(test)]
    pub(crate) fn while_inside<R>(&self, work: impl FnOnce() -> R) -> R {
        let _inside = self.enter();
        work()
    }

    /// Goes inside, unless there are orders of any kind.
    #[inline]
    fn try_enter(&self) -> Option<Inside<'_>> {
        self.enter_if(|orders| orders == 0)
    }

    /// Goes inside, after a trimming thread that has the magazines.
    fn enter(&self) -> Inside<'_> {
        loop {
            if let Some(inside) = self.enter_if(|orders| orders & FREEZE == 0) {
                return inside;
            }
            // The thaw comes before that thread lets go of the lock.
            self.shared().registry().wait();
        }
    }

    #[inline]
    fn enter_if(&self, allowed: impl FnOnce(u8) -> bool) -> Option<Inside<'_>> {
        // Relaxed: partner of the load in `is_inside`. The light barrier puts it
        // before the load of the orders.
        self.inside.store(true, Ordering::Relaxed);
        let inside = Inside(self);
        barrier::light();
        // Acquire: partner of the Release in `thaw`: the magazines are as the
        // trimming thread left them.
        if allowed(self.orders.load(Ordering::Acquire)) {
            return Some(inside);
        }
        None
    }
}
