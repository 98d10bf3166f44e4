//! Every item of the reference, with its signature. Mostly a question to the
//! compiler: each function item is given the type that clients may rely on.
#![expect(unsafe_code, reason = "calls the unsafe methods under test")]

use std::any::Any;
use std::fmt::Debug;
use std::io::{BufRead, Read, Write};
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ops::RangeFrom;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

use bytes::{Buf, BufMut, Bytes};
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{
    Block, BlockMeta, BlockRef, BlockRefDynamic, BlockRefDynamicWithMeta, BlockRefVTable,
    BlockSize, CallbackMemory, GlobalPool, HasMemory, Memory, MemoryShared, OpaqueMemory,
};
use bytesbuf::{
    BytesBuf, BytesBufRemaining, BytesBufVectoredWrite, BytesBufWriter, BytesView, BytesViewSlices,
    MAX_INLINE_SPANS, MemoryGuard,
};
use bytesbuf_oracle::planks::ours::{Carpenter, Plank};
use static_assertions::{
    assert_eq_size, assert_impl_all, assert_not_impl_any, assert_obj_safe, const_assert,
    const_assert_eq,
};

type Callback = fn(usize) -> BytesBuf;

// Auto traits: at least those of the reference.
assert_impl_all!(BytesBuf: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BytesView: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(MemoryGuard: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BytesViewSlices<'static>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BytesBufVectoredWrite<'static>: Send, Sync, Unpin, RefUnwindSafe);
assert_impl_all!(BytesBufRemaining<'static>: Send, Sync, Unpin, RefUnwindSafe);
assert_impl_all!(BytesBufWriter<GlobalPool>: Send, Sync, Unpin);
assert_impl_all!(Block: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BlockRef: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BlockRefVTable<*mut u8>: Send, Sync, Unpin);
assert_impl_all!(GlobalPool: Send, Sync, Unpin);
assert_impl_all!(OpaqueMemory: Send, Sync, Unpin);
assert_impl_all!(CallbackMemory<Callback>: Send, Sync, Unpin);
assert_impl_all!(TransparentMemory: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(FixedBlockMemory: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(dyn BlockMeta: Send, Sync);

// Traits.
assert_impl_all!(BytesBuf: Debug, Default, From<BytesView>, BufMut);
assert_impl_all!(BytesView: Clone, Debug, Default, Eq, Read, BufRead, Buf, From<Vec<u8>>, From<Bytes>);
assert_impl_all!(BytesView: PartialEq<&'static [u8]>, PartialEq<&'static [u8; 3]>, Ord, std::hash::Hash);
assert_impl_all!(&'static [u8]: PartialEq<BytesView>);
assert_impl_all!(&'static [u8; 3]: PartialEq<BytesView>);
assert_impl_all!(Bytes: From<BytesView>);
assert_impl_all!(MemoryGuard: Debug, Default);
assert_impl_all!(BytesBufWriter<GlobalPool>: Debug, Write);
assert_impl_all!(BytesBufWriter<&'static dyn Memory>: Debug, Write);
assert_impl_all!(BytesBufVectoredWrite<'static>: Debug);
assert_impl_all!(
    BytesBufRemaining<'static>: Debug,
    Iterator<Item = (&'static mut [MaybeUninit<u8>], Option<&'static dyn BlockMeta>)>
);
assert_impl_all!(
    BytesViewSlices<'static>: Debug,
    Iterator<Item = (&'static [u8], Option<&'static dyn BlockMeta>)>
);
assert_impl_all!(Block: Debug);
assert_impl_all!(BlockRef: Debug, Clone);
assert_impl_all!(BlockRefVTable<u8>: Debug);
assert_impl_all!(GlobalPool: Clone, Debug, Memory, MemoryShared);
assert_impl_all!(OpaqueMemory: Clone, Debug, Memory, MemoryShared);
assert_impl_all!(CallbackMemory<Callback>: Clone, Debug, Memory, MemoryShared);
assert_impl_all!(TransparentMemory: Clone, Debug, Default, Memory, MemoryShared);
assert_impl_all!(FixedBlockMemory: Clone, Debug, Memory, MemoryShared);
assert_impl_all!(&'static dyn Memory: Memory);
assert_impl_all!(Box<dyn MemoryShared>: Memory, MemoryShared);
assert_impl_all!(std::sync::Arc<dyn MemoryShared>: Memory, MemoryShared);
assert_obj_safe!(Memory, MemoryShared, BlockMeta);

// On purpose not: a buffer has one owner, a guard one end; which pool to use is a
// decision to be seen; bytes that look static may not be.
assert_not_impl_any!(BytesBuf: Clone, PartialEq);
assert_not_impl_any!(MemoryGuard: Clone);
assert_not_impl_any!(GlobalPool: Default);
assert_not_impl_any!(BytesView: From<&'static [u8]>);

// Sizes.
const_assert!(size_of::<BytesView>() <= 64);
const_assert!(size_of::<BytesBuf>() <= 128);
assert_eq_size!(Option<BytesView>, BytesView);
assert_eq_size!(Option<BlockRef>, BlockRef, [usize; 2]);
const_assert_eq!(MAX_INLINE_SPANS, 8);
const_assert_eq!(size_of::<BlockSize>(), 4);

/// Views may be made in constants.
const EMPTY: BytesView = BytesView::new();
const _: TransparentMemory = TransparentMemory::new();

#[test]
fn bytes_buf() {
    type Buf = BytesBuf;
    type Mem = GlobalPool;
    let _: fn() -> Buf = Buf::new;
    let _: fn(Vec<Block>) -> Buf = Buf::from_blocks::<Vec<Block>>;
    let _: fn(&mut Buf, usize, &Mem) = Buf::reserve::<Mem>;
    let _: fn(&mut Buf, usize, &dyn Memory) = |buf, n, memory| buf.reserve(n, memory);
    let _: fn(&Buf) -> BytesView = Buf::peek;
    let _: [fn(&Buf) -> usize; 3] = [Buf::len, Buf::capacity, Buf::remaining_capacity];
    let _: fn(&Buf) -> bool = Buf::is_empty;
    let _: fn(&mut Buf, usize) -> BytesView = Buf::consume;
    let _: fn(&mut Buf, usize) -> Option<BytesView> = Buf::consume_checked;
    let _: fn(&mut Buf) -> BytesView = Buf::consume_all;
    let _: fn(&mut Buf, usize) -> Buf = Buf::split_off_remaining;
    let _: fn(&mut Buf, usize) -> Option<Buf> = Buf::split_off_remaining_checked;
    let _: for<'a> fn(&'a mut Buf) -> &'a mut [MaybeUninit<u8>] = Buf::first_unfilled_slice;
    let _: for<'a> fn(&'a Buf) -> Option<&'a dyn BlockMeta> = Buf::first_unfilled_slice_meta;
    let _: unsafe fn(&mut Buf, usize) = Buf::advance;
    let _: for<'a> fn(&'a mut Buf, Option<usize>) -> BytesBufVectoredWrite<'a> =
        Buf::begin_vectored_write;
    let _: for<'a> fn(&'a mut Buf, Option<usize>) -> Option<BytesBufVectoredWrite<'a>> =
        Buf::begin_vectored_write_checked;
    let _: fn(&Buf) -> MemoryGuard = Buf::extend_lifetime;
    let _: fn(Buf, Mem) -> BytesBufWriter<Mem> = Buf::into_writer::<Mem>;
    let _: fn(&mut Buf, [u8; 3]) = |buf, src| buf.put_slice(src);
    let _: fn(&mut Buf, &[u8]) = |buf, src| buf.put_slice(src);
    let _: fn(&mut Buf, Vec<u8>) = |buf, src| buf.put_slice(src);
    let _: fn(&mut Buf, Box<[u8]>) = |buf, src| buf.put_slice(src);
    let _: fn(&mut Buf, BytesView) = Buf::put_bytes;
    let _: fn(&mut Buf, u8) = Buf::put_byte;
    let _: fn(&mut Buf, u8, usize) = Buf::put_byte_repeated;
    let _: [fn(&mut Buf, u64); 3] = [
        Buf::put_num_le::<u64>,
        Buf::put_num_be::<u64>,
        Buf::put_num_ne::<u64>,
    ];
    let _: [fn(&mut Buf, f32); 3] = [Buf::put_f32_le, Buf::put_f32_be, Buf::put_f32_ne];
}

#[test]
fn vectored_write_and_writer() {
    type Op<'a> = BytesBufVectoredWrite<'a>;
    type Writer = BytesBufWriter<GlobalPool>;
    let _: for<'a, 'b> fn(&'b mut Op<'a>) -> BytesBufRemaining<'b> = |op| op.slices_mut();
    let _: for<'a> fn(&Op<'a>) -> MemoryGuard = |op| op.extend_lifetime();
    let _: unsafe fn(Op<'static>, usize) = Op::commit;
    let _: fn(Writer) -> BytesBuf = Writer::into_inner;
}

#[test]
fn bytes_view() {
    type View = BytesView;
    assert!(EMPTY.is_empty());
    let _: fn([View; 2]) -> View = View::from_views::<[View; 2]>;
    let _: fn(&[u8], &GlobalPool) -> View = |bytes, memory| View::copied_from_slice(bytes, memory);
    let _: fn(&View) -> usize = View::len;
    let _: fn(&View) -> bool = View::is_empty;
    let _: fn(&View) -> MemoryGuard = View::extend_lifetime;
    let _: fn(&View, RangeFrom<usize>) -> View = View::range::<RangeFrom<usize>>;
    let _: fn(&View, RangeFrom<usize>) -> Option<View> = View::range_checked::<RangeFrom<usize>>;
    type Visit = fn(&[u8]);
    let _: fn(&mut View, Visit) = View::consume_all_slices::<Visit>;
    let _: for<'a> fn(&'a View) -> &'a [u8] = View::first_slice;
    let _: for<'a> fn(&'a View) -> BytesViewSlices<'a> = View::slices;
    let _: for<'a> fn(&'a View) -> Option<&'a dyn BlockMeta> = View::first_slice_meta;
    let _: fn(&mut View, usize) = View::advance;
    let _: fn(&mut View, View) = View::append;
    let _: fn(&View, View) -> View = View::concat;
    let _: fn(&mut View) -> u8 = View::get_byte;
    let _: fn(&mut View, &mut [u8]) = View::copy_to_slice;
    let _: fn(&mut View, &mut [MaybeUninit<u8>]) = View::copy_to_uninit_slice;
    let _: [fn(&mut View) -> i128; 3] = [
        View::get_num_le::<i128>,
        View::get_num_be::<i128>,
        View::get_num_ne::<i128>,
    ];
    let _: [fn(&mut View) -> f64; 3] = [View::get_f64_le, View::get_f64_be, View::get_f64_ne];
    let _: fn(&View) -> Vec<u8> = View::to_vec;
    let _: fn(&View) -> Bytes = View::to_bytes;
}

#[test]
fn providers() {
    let _: fn() -> GlobalPool = GlobalPool::new;
    let _: fn(&GlobalPool, usize) -> BytesBuf = GlobalPool::reserve;
    let _: fn(GlobalPool) -> OpaqueMemory = |memory| OpaqueMemory::new(memory);
    let _: fn(&OpaqueMemory, usize) -> BytesBuf = OpaqueMemory::reserve;
    let _: fn(Callback) -> CallbackMemory<Callback> = CallbackMemory::new;
    let _: fn(&CallbackMemory<Callback>, usize) -> BytesBuf = CallbackMemory::reserve;
    let _: fn(&TransparentMemory, usize) -> BytesBuf = TransparentMemory::reserve;
    let _: fn(NonZero<BlockSize>) -> FixedBlockMemory = FixedBlockMemory::new;
    let _: fn(&FixedBlockMemory, usize) -> BytesBuf = FixedBlockMemory::reserve;
    let _: fn(&dyn Memory, usize) -> BytesBuf = |memory, n| memory.reserve(n);

    let debug = format!("{:?}", CallbackMemory::new(|_| BytesBuf::new()));
    assert!(debug.contains("Fn(usize) -> BytesBuf"), "{debug}");
}

#[test]
fn block_abi() {
    let _: unsafe fn(NonNull<MaybeUninit<u8>>, NonZero<BlockSize>, BlockRef) -> Block = Block::new;
    let _: unsafe fn(NonNull<Plank>, &'static BlockRefVTable<Plank>) -> BlockRef =
        BlockRef::new::<Plank>;
    let _: for<'a> fn(&'a BlockRef) -> Option<&'a dyn BlockMeta> = BlockRef::meta;
    let _: fn(&dyn BlockMeta) -> bool = |meta| meta.is::<u8>();
    let _: for<'a> fn(&'a dyn BlockMeta) -> Option<&'a u8> = |meta| meta.downcast_ref::<u8>();

    /// Behind a generic parameter a constant table is promoted, too.
    fn table<T: BlockRefDynamicWithMeta>() -> [&'static BlockRefVTable<T>; 2] {
        [
            const { &BlockRefVTable::from_trait() },
            const { &BlockRefVTable::from_trait_with_meta() },
        ]
    }
    fn implicit<T: BlockRefDynamic>() -> &'static BlockRefVTable<T> {
        struct Of<T>(std::marker::PhantomData<T>);
        impl<T: BlockRefDynamic> Of<T> {
            const TABLE: BlockRefVTable<T> = BlockRefVTable::from_trait();
        }
        &Of::<T>::TABLE
    }
    let _ = (table::<Plank>(), implicit::<Plank>());
}

#[test]
fn has_memory_is_implemented_as_before() {
    #[derive(Debug)]
    struct Connection(GlobalPool);
    impl HasMemory for Connection {
        fn memory(&self) -> impl MemoryShared {
            self.0.clone()
        }
    }
    let connection = Connection(GlobalPool::new());
    let memory = connection.memory();
    assert_eq!(memory.reserve(10).capacity(), 1024);
    let erased: Box<dyn Any> = Box::new(OpaqueMemory::new(memory));
    assert!(erased.is::<OpaqueMemory>());
}

#[test]
fn slices_of_a_vectored_write_are_held_together() {
    let mut buf = FixedBlockMemory::new(NonZero::new(2).unwrap()).reserve(4);
    let mut write = buf.begin_vectored_write(None);
    let mut slices: Vec<_> = write.slices_mut().collect();
    for (slice, _) in &mut slices {
        slice.fill(MaybeUninit::new(b'x'));
    }
    // SAFETY: all four bytes have been written.
    unsafe { write.commit(4) };
    assert_eq!(buf.consume_all(), b"xxxx");
}

#[test]
fn a_limit_of_zero_yields_at_most_an_empty_slice() {
    let mut buf = TransparentMemory::new().reserve(4);
    let mut write = buf.begin_vectored_write(Some(0));
    assert!(write.slices_mut().all(|(slice, _)| slice.is_empty()));
    assert_eq!(
        BytesBuf::new()
            .begin_vectored_write(Some(0))
            .slices_mut()
            .count(),
        0
    );
}

#[test]
fn pool_classes_are_those_of_the_reference() {
    let pool = GlobalPool::new();
    for (request, capacity) in [
        (0, 0),
        (1, 1024),
        (1024, 1024),
        (1025, 4096),
        (4096, 4096),
        (4097, 16384),
        (16384, 16384),
        (16385, 65536),
        (65536, 65536),
        (65537, 131_072),
        (200_000, 262_144),
    ] {
        assert_eq!(pool.reserve(request).capacity(), capacity, "for {request}");
    }
}

#[test]
fn a_guard_keeps_every_block_and_nothing_else_changes() {
    let carpenter = Carpenter::default();
    let mut buf = BytesBuf::from_blocks([8, 4, 2].map(|size| carpenter.plank(size)));
    buf.put_slice(*b"abc");
    let guard = buf.extend_lifetime();
    let view = buf.consume_all();
    drop((buf, view));
    assert_eq!(carpenter.live(), 3);
    drop(guard);
    assert_eq!((carpenter.live(), carpenter.references()), (0, 0));

    let view = BytesView::copied_from_slice(&[0; 20], &carpenter);
    let blocks = carpenter.live();
    let guard = view.extend_lifetime();
    drop(view);
    assert_eq!(carpenter.live(), blocks);
    drop(guard);
    assert_eq!(carpenter.live(), 0);
}
