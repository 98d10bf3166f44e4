//! A slab: blocks of one class in one allocation, which is large enough for its
//! pages to go back to the system when it is freed.
//!
//! ```text
//!   ┌──────┬──────────┬──────────┬─────┬─────────┬───────────┬───────────┬─────┐
//!   │ Slab │ Header 0 │ Header 1 │ ... │ padding │ payload 0 │ payload 1 │ ... │
//!   └──────┴──────────┴──────────┴─────┴─────────┴───────────┴───────────┴─────┘
//!   64     64         64                         aligned as the pool says
//! ```
//!
//! Headers stand apart from the payloads, so that a payload of a page can be
//! aligned to a page without a page of padding, and free blocks touch no payload.
//! Blocks are *carved* one by one when they are first needed: memory that was
//! never used is never touched.
//!
//! # Invariants
//! * **S1** A slab is one live allocation with the layout of its plan, which does
//!   not change. Slabs are made and freed here only.
//! * **S2** Headers below `carved` are live, those behind are not. Block `i` has
//!   the `i`-th header and the `i`-th payload.
//! * **S3** Each carved block is either *out*, owned by a [`PoolBlock`] or by its
//!   references, or on the slab's list of free ones, and then owned by the slab.
//!   `out` counts the former.
//! * **S4** `free`, `carved`, `out` and the links are accessed by who has the slab
//!   alone, or under the lock of the store that has it.
#![expect(unsafe_code, reason = "lays out and hands out raw memory")]

use std::alloc::Layout;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;

use bytesbuf_core::ReserveError;

use crate::alloc::{allocate, deallocate};
use crate::header::{Header, PoolBlock};
use crate::list::{Linked, Links};
use crate::pages;
use crate::poison;
use crate::shared::Shared;
use crate::size_class::Class;
use crate::sync::MODEL;

/// What stands in front of the block headers.
#[repr(C, align(64))]
pub(crate) struct Slab {
    links: Links<Self>,
    plan: SlabPlan,
    pool: NonNull<Shared>,
    /// Index of the first free block, or `NONE`; each names the next.
    free: Cell<u32>,
    carved: Cell<u32>,
    out: Cell<u32>,
}

impl Linked for Slab {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The end of a list of free blocks.
const NONE: u32 = u32::MAX;

/// Smallest alignment of payloads, in bytes.
pub(crate) const MIN_ALIGNMENT: usize = 64;

const FIRST_HEADER: usize = size_of::<Slab>();

/// How slabs of a class are laid out.
#[derive(Copy, Clone)]
pub(crate) struct SlabPlan {
    layout: Layout,
    first_payload: usize,
    /// From one payload to the next, in bytes.
    stride: usize,
    block_size: NonZero<u32>,
    blocks: u32,
    class: Class,
    direct: bool,
}

impl SlabPlan {
    /// Stands where no class is.
    pub(crate) const NONE: Self = Self {
        layout: Layout::new::<Slab>(),
        first_payload: 0,
        stride: 0,
        block_size: NonZero::<u32>::MIN,
        blocks: 0,
        class: Class::FIRST,
        direct: false,
    };

    /// A slab of `blocks` blocks, at least one; `None` if it is more than the
    /// address space. `alignment` is a power of two.
    pub(crate) fn new(
        class: Class,
        block_size: NonZero<u32>,
        blocks: u32,
        alignment: usize,
    ) -> Option<Self> {
        let alignment = alignment.max(MIN_ALIGNMENT);
        let count = blocks as usize;
        let headers = FIRST_HEADER.checked_add(count.checked_mul(size_of::<Header>())?)?;
        let first_payload = headers.checked_next_multiple_of(alignment)?;
        let stride = (block_size.get() as usize).checked_next_multiple_of(alignment)?;
        let size = first_payload.checked_add(count.checked_mul(stride)?)?;
        Some(Self {
            layout: Layout::from_size_align(size, alignment).ok()?,
            first_payload,
            stride,
            block_size,
            blocks,
            class,
            direct: false,
        })
    }

    /// The same with another number of blocks, at least one; or as it is, if that
    /// does not fit the address space.
    pub(crate) fn with_blocks(&self, blocks: u32) -> Self {
        Self::new(self.class, self.block_size, blocks, self.layout.align()).unwrap_or(*self)
    }

    /// Bytes that one block of a slab takes, with header and gap.
    pub(crate) fn footprint(block_size: u32, alignment: usize) -> usize {
        let stride = (block_size as usize).checked_next_multiple_of(alignment.max(MIN_ALIGNMENT));
        stride
            .unwrap_or(usize::MAX)
            .saturating_add(size_of::<Header>())
    }

    pub(crate) const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// [`footprint`](Self::footprint) of a block of this plan.
    pub(crate) const fn stride_with_header(&self) -> usize {
        self.stride + size_of::<Header>()
    }

    /// Bytes of payload in a block.
    #[inline]
    pub(crate) const fn block_size(&self) -> NonZero<u32> {
        self.block_size
    }

    /// Whether slabs of this plan are in no store: one block, an allocation of its
    /// own.
    pub(crate) const fn is_direct(&self) -> bool {
        self.direct
    }

    /// A slab of one block that is in no store.
    pub(crate) fn direct(block_size: NonZero<u32>, alignment: usize) -> Option<Self> {
        let plan = Self::new(Class::FIRST, block_size, 1, alignment)?;
        Some(Self {
            direct: true,
            ..plan
        })
    }

    pub(crate) const fn class(&self) -> Class {
        self.class
    }

    /// Bytes that a slab takes from the allocator.
    pub(crate) const fn size(&self) -> usize {
        self.layout.size()
    }
}

impl Slab {
    /// A slab with nothing carved.
    pub(crate) fn allocate(
        plan: &SlabPlan,
        pool: NonNull<Shared>,
    ) -> Result<NonNull<Self>, ReserveError> {
        let slab = allocate(plan.layout)?.cast::<Self>();
        let fresh = Self {
            links: Links::new(),
            plan: *plan,
            pool,
            free: Cell::new(NONE),
            carved: Cell::new(0),
            out: Cell::new(0),
        };
        // SAFETY: fresh memory, large and aligned enough by its layout (S1).
        unsafe { slab.write(fresh) };
        // SAFETY: S1: payloads begin inside of the allocation.
        let payloads = unsafe { slab.byte_add(plan.first_payload) };
        poison::idle(payloads, plan.size() - plan.first_payload);
        Ok(slab)
    }

    /// Gives a slab back to the allocator.
    ///
    /// # Safety
    /// S1, and the caller has the slab alone: on no list, none of its blocks out.
    pub(crate) unsafe fn free(slab: NonNull<Self>) {
        // SAFETY: live, as the caller promises.
        let this = unsafe { slab.as_ref() };
        debug_assert_eq!(this.out.get(), 0, "S3: blocks in use");
        let (layout, carved) = (this.plan.layout, this.carved.get());
        for index in 0..carved {
            // SAFETY: S2: a header of this slab.
            let header = unsafe { Self::header(slab, index) };
            // SAFETY: S2 and S3: live, and the slab's.
            unsafe { header.drop_in_place() };
        }
        poison::in_use(slab, layout.size()); // X2: the allocator's from now on
        // SAFETY: S1, and the caller has it alone; its content is not needed.
        unsafe { pages::give_up(slab.cast(), layout.size()) };
        // SAFETY: S1, and the caller has it alone.
        unsafe { deallocate(slab.cast(), layout) };
    }

    /// A block that was used before, if one is free.
    ///
    /// # Safety
    /// The slab is live, and the caller's to change (S4).
    pub(crate) unsafe fn take_free(slab: NonNull<Self>) -> Option<PoolBlock> {
        // SAFETY: live, as the caller promises.
        let this = unsafe { slab.as_ref() };
        let index = this.free.get();
        if index == NONE {
            return None;
        }
        // SAFETY: S2 and S3: what is on the list has been carved.
        let header = unsafe { Self::header(slab, index) };
        // SAFETY: S3: live, and out from now on.
        let block = unsafe { PoolBlock::from_raw(header) };
        this.free.set(block.next_free());
        this.out.set(this.out.get() + 1);
        Some(block)
    }

    /// A block that was never used, if there is one left.
    ///
    /// # Safety
    /// As [`take_free`](Self::take_free).
    pub(crate) unsafe fn carve(slab: NonNull<Self>) -> Option<PoolBlock> {
        // SAFETY: live, as the caller promises.
        let this = unsafe { slab.as_ref() };
        let index = this.carved.get();
        if index == this.plan.blocks {
            return None;
        }
        let offset = this.plan.first_payload + index as usize * this.plan.stride;
        let base = slab.cast::<MaybeUninit<u8>>();
        // SAFETY: S1: the payload of block `index` is inside of the allocation.
        let payload = unsafe { base.add(offset) };
        // SAFETY: S1: so is its header.
        let header = unsafe { Self::header(slab, index) };
        let fresh = Header::new(this.pool, slab, payload, &this.plan);
        // SAFETY: S2: aligned memory of the slab that is nobody's yet.
        unsafe { header.write(fresh) };
        this.carved.set(index + 1);
        this.out.set(this.out.get() + 1);
        // SAFETY: B1 and B3 were just established; S3: it is out from now on.
        Some(unsafe { PoolBlock::from_raw(header) })
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// As [`take_free`](Self::take_free), and `block` is one of this slab's.
    pub(crate) unsafe fn put(slab: NonNull<Self>, block: PoolBlock) {
        // SAFETY: live, as the caller promises.
        let this = unsafe { slab.as_ref() };
        block.set_next_free(this.free.get());
        this.out.set(this.out.get() - 1);
        // S3: the slab owns it from now on.
        let header = block.into_raw();
        let distance = header.addr().get() - slab.addr().get() - FIRST_HEADER;
        this.free.set((distance / size_of::<Header>()) as u32); // S2: its index
    }

    /// Whether a block can be taken or carved (S4).
    pub(crate) fn has_room(&self) -> bool {
        self.free.get() != NONE || self.carved.get() < self.plan.blocks
    }

    /// Whether a block can be taken that was used before (S4).
    pub(crate) fn has_free(&self) -> bool {
        self.free.get() != NONE
    }

    /// Bytes taken from the allocator.
    pub(crate) const fn size(&self) -> usize {
        self.plan.size()
    }

    /// Whether no block is out (S4).
    pub(crate) fn is_idle(&self) -> bool {
        self.out.get() == 0
    }

    /// # Safety
    /// The slab is live and `index` below its number of blocks.
    unsafe fn header(slab: NonNull<Self>, index: u32) -> NonNull<Header> {
        let offset = FIRST_HEADER + index as usize * size_of::<Header>();
        // SAFETY: S1: inside of the allocation.
        unsafe { slab.byte_add(offset) }.cast()
    }
}

const _: () = assert!(FIRST_HEADER % align_of::<Header>() == 0);
const _: () = assert!(align_of::<Header>() <= align_of::<Slab>());
const _: () = assert!(align_of::<Slab>() == MIN_ALIGNMENT || MODEL);

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    fn plan(size: u32, blocks: u32, alignment: usize) -> SlabPlan {
        SlabPlan::new(Class::FIRST, NonZero::new(size).unwrap(), blocks, alignment).unwrap()
    }

    #[test]
    fn payloads_are_apart_aligned_and_inside() {
        for (size, blocks, alignment) in
            [(1024, 4, 64), (1000, 3, 64), (4096, 2, 4096), (100, 2, 256)]
        {
            let plan = plan(size, blocks, alignment);
            let slab = Slab::allocate(&plan, NonNull::dangling()).unwrap();
            let mut payloads = Vec::new();
            let mut taken = Vec::new();
            // SAFETY: live, and this test's alone.
            while let Some(block) = unsafe { Slab::carve(slab) } {
                payloads.push(block.payload().addr().get());
                assert_eq!(block.size().get(), size);
                block.touch();
                taken.push(block);
            }
            assert_eq!(payloads.len(), blocks as usize);
            let start = slab.addr().get();
            for pair in payloads.windows(2) {
                assert!(pair[1] - pair[0] >= size as usize);
            }
            for payload in payloads {
                assert_eq!(payload % alignment, 0);
                assert!(payload + size as usize <= start + plan.size());
            }
            for block in taken {
                // SAFETY: as above, and its own block.
                unsafe { Slab::put(slab, block) };
            }
            // SAFETY: nothing is out any more.
            unsafe { Slab::free(slab) };
        }
    }

    #[test]
    fn a_block_that_came_back_is_taken_before_one_is_carved_by_choice() {
        let slab = Slab::allocate(&plan(64, 2, 64), NonNull::dangling()).unwrap();
        // SAFETY: live, and this test's alone, here and below.
        let first = unsafe { Slab::carve(slab) }.unwrap();
        let address = first.payload();
        // SAFETY: as above.
        assert!(unsafe { Slab::take_free(slab) }.is_none());
        // SAFETY: as above.
        unsafe { Slab::put(slab, first) };
        // SAFETY: as above.
        let again = unsafe { Slab::take_free(slab) }.unwrap();
        assert_eq!(again.payload(), address);
        // SAFETY: as above.
        unsafe { Slab::put(slab, again) };
        // SAFETY: as above.
        assert!(unsafe { slab.as_ref() }.is_idle());
        // SAFETY: nothing is out.
        unsafe { Slab::free(slab) };
    }

    #[test]
    fn what_does_not_fit_the_address_space_is_no_plan() {
        let size = NonZero::new(u32::MAX).unwrap();
        let (large, largest) = (1 << (usize::BITS - 24), 1 << (usize::BITS - 2));
        assert!(SlabPlan::new(Class::FIRST, size, u32::MAX, large).is_none());
        assert!(SlabPlan::new(Class::FIRST, size, 1, largest).is_none());
        let four_gibibytes = SlabPlan::new(Class::FIRST, size, 1, 64);
        assert_eq!(four_gibibytes.is_some(), usize::BITS > 32);
    }
}
