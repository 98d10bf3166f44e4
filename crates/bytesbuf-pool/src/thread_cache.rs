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
//! * **C2** Only the owning thread uses a cache, but for the links (G2), the
//!   retire flag and the counters, which others read.
//! * **C3** The magazines are borrowed for single stack operations only, none of
//!   which calls the allocator (M1). The allocator may use the pool that it
//!   serves: whatever is read before a call to it may have changed after.
#![expect(
    unsafe_code,
    reason = "cells borrowed by the owning thread; raw lifetime"
)]

use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;

use bytesbuf_core::ReserveError;

use crate::header::PoolBlock;
use crate::magazine::{Magazine, Magazines};
use crate::registry::Links;
use crate::shared::Shared;
use crate::size_class::{CLASSES, STOCK, SizeClass};
use crate::slab;
use crate::sync::{AtomicBool, Ordering};
use crate::tally::Counters;

pub(crate) struct ThreadCache {
    classes: [PerClass; CLASSES],
    shared: NonNull<Shared>,
    retired: AtomicBool,
    stock: Cell<usize>,
    /// Slow paths of the owning thread that are under way (see `local`).
    busy: Cell<u32>,
    /// The thread's next cache, of another pool (see `local`).
    next: Cell<Option<NonNull<Self>>>,
    links: Links,
}

/// The loaded magazine and the two counters of the fast path share a cache line.
#[repr(C, align(64))]
struct PerClass {
    magazines: UnsafeCell<Magazines>,
    counters: Counters,
}

impl ThreadCache {
    /// A cache for a pool; `None` if the pool is closed or the allocator refuses.
    ///
    /// # Safety
    /// The caller holds a reference to `shared` (P1) during the call, and gives the
    /// cache to [`dispose`](Self::dispose) in the end.
    pub(crate) unsafe fn create(shared: NonNull<Shared>) -> Option<NonNull<Self>> {
        let cache = slab::try_box(Self {
            classes: SizeClass::ALL.map(|_| PerClass {
                magazines: UnsafeCell::new(Magazines::new()),
                counters: Counters::new(),
            }),
            shared,
            retired: AtomicBool::new(false),
            stock: Cell::new(STOCK),
            busy: Cell::new(0),
            next: Cell::new(None),
            links: Links::new(),
        })?;
        // SAFETY: the caller holds a reference (P1).
        let pool = unsafe { shared.as_ref() };
        pool.retain(STOCK);
        // SAFETY: G1: fresh, and it leaves in `dispose` before it is freed.
        if unsafe { pool.registry().join(cache) } {
            return Some(cache);
        }
        pool.release_some(STOCK);
        // SAFETY: S2: made above, and known to nobody.
        unsafe { slab::unbox(cache) };
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
        for class in SizeClass::ALL {
            for magazine in this.with(class, Magazines::take) {
                this.store(class, magazine);
            }
        }
        // SAFETY: G1: `create` made it join.
        if unsafe { this.shared().registry().leave(cache) } {
            // P3: what this cache has stored after the pool was closed.
            this.shared().drain();
        }
        let stock = this.stock.get();
        // SAFETY: S2: made by `create`, off every list, and used by nobody.
        unsafe { slab::unbox(cache) };
        // SAFETY: C1: the references of the stock, which is gone.
        unsafe { Shared::release(pool, stock) };
    }

    /// Takes a free block from the loaded magazine: the fast path of renting.
    #[inline]
    pub(crate) fn pop(&self, class: SizeClass) -> Option<PoolBlock> {
        let block = self.with(class, Magazines::pop)?;
        self.of(class).counters.rented();
        Some(block)
    }

    /// Puts a block of this pool into the loaded magazine: the fast path of
    /// releasing. Gives it back if that is full or the cache has to retire.
    #[inline]
    pub(crate) fn push(&self, block: PoolBlock) -> Result<(), PoolBlock> {
        if self.is_retired() {
            return Err(block);
        }
        let class = block.class();
        self.with(class, |magazines| magazines.push(block))?;
        self.of(class).counters.released();
        Ok(())
    }

    /// Rents a block from the loaded magazine, the other one, the depot or the
    /// allocator, in that order.
    pub(crate) fn rent(&self, class: SizeClass) -> Result<PoolBlock, ReserveError> {
        if let Some(block) = self.pop(class) {
            return Ok(block);
        }
        let block = match self.refill(class) {
            Some(block) => block,
            None => {
                let block = slab::allocate(class, self.shared)?;
                self.take(1);
                self.of(class).counters.allocated();
                block
            }
        };
        self.of(class).counters.rented();
        Ok(block)
    }

    fn refill(&self, class: SizeClass) -> Option<PoolBlock> {
        if let Some(block) = self.with(class, Magazines::swap_and_pop) {
            return Some(block);
        }
        let filled = self.shared().depot().take_filled(class)?;
        self.take(filled.len());
        let (block, displaced) = self.with(class, |magazines| magazines.load_and_pop(filled));
        self.store(class, displaced);
        block
    }

    /// Releases a block of this pool: to the loaded magazine, or the other one, or
    /// a new one while the depot gets a full one, or to the allocator if there is
    /// no magazine to be had or the pool is closed.
    pub(crate) fn release(&self, block: PoolBlock) {
        let Err(block) = self.push(block) else {
            return;
        };
        let class = block.class();
        self.of(class).counters.released();
        if self.is_retired() {
            return self.free(class, block);
        }
        let Err(block) = self.with(class, |magazines| magazines.swap_and_push(block)) else {
            return;
        };
        let empty = self.shared().depot().take_empty(class);
        let Some(empty) = empty.or_else(|| Magazine::try_new(class)) else {
            return self.free(class, block);
        };
        let (pushed, displaced) =
            self.with(class, |magazines| magazines.load_and_push(empty, block));
        self.store(class, displaced);
        if let Err(block) = pushed {
            self.free(class, block);
        }
    }

    /// Gives a magazine of this cache to the depot; what does not fit there goes to
    /// the allocator. The blocks' references go to the stock (P1, P2).
    fn store(&self, class: SizeClass, magazine: Magazine) {
        let depot = self.shared().depot();
        let mut magazine = magazine;
        if !magazine.is_empty() && !self.is_retired() {
            let blocks = magazine.len();
            match depot.give_filled(class, magazine) {
                Ok(()) => return self.put(blocks),
                Err(refused) => magazine = refused,
            }
        }
        while let Some(block) = magazine.pop() {
            self.free(class, block);
        }
        drop(depot.give_empty(class, magazine));
    }

    fn free(&self, class: SizeClass, block: PoolBlock) {
        self.of(class).counters.freed();
        slab::free(block);
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

    /// Tells the cache that its pool is closed. By any thread.
    pub(crate) fn retire(&self) {
        // Relaxed: partner of the load in `is_retired`. Nothing is handed over; a
        // cache that learns late stores blocks that it drains when it goes (P3).
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Whether the pool is closed, as far as this thread has heard.
    #[inline]
    pub(crate) fn is_retired(&self) -> bool {
        // Relaxed: partner of the store in `retire`, a hint.
        self.retired.load(Ordering::Relaxed)
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

    pub(crate) const fn links(&self) -> &Links {
        &self.links
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
    const fn of(&self, class: SizeClass) -> &PerClass {
        &self.classes[class.index()]
    }

    /// Borrows the magazines of a class for one operation of theirs.
    #[inline]
    fn with<R>(&self, class: SizeClass, operation: impl FnOnce(&mut Magazines) -> R) -> R {
        // SAFETY: C2: this thread alone gets here. C3: the operations neither come
        // back here nor call out, so there is no second borrow.
        operation(unsafe { &mut *self.of(class).magazines.get() })
    }
}
