//! Providers: right ones, wrong ones, and those that fail half way.
#![cfg(all(feature = "std", feature = "test-util", not(bytesbuf_loom)))]
#![expect(unsafe_code, reason = "makes the blocks of a counting provider")]

use std::error::Error;
use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesbuf::BytesBuf;
use bytesbuf::mem::testing::{FixedBlockMemory, TransparentMemory};
use bytesbuf::mem::{
    Block, BlockProvider, BlockRef, BlockRefDynamic, BlockRefVTable, CallbackMemory, GlobalPool,
    HasMemory, Memory, MemoryShared, OpaqueMemory, ProviderMemory, ReserveError,
};
use static_assertions::assert_impl_all;

assert_impl_all!(GlobalPool: Memory, MemoryShared, Clone, Unpin);
assert_impl_all!(OpaqueMemory: Memory, MemoryShared, Clone, Unpin);
assert_impl_all!(TransparentMemory: Memory, MemoryShared, Clone, Default);
assert_impl_all!(FixedBlockMemory: Memory, MemoryShared, Clone);
assert_impl_all!(Box<dyn Memory>: Memory);
assert_impl_all!(Arc<dyn MemoryShared>: Memory, MemoryShared);

/// A block that counts how many of its kind are out, by an `Arc`.
struct Tracked {
    memory: NonNull<MaybeUninit<u8>>,
    len: usize,
    out: Arc<AtomicUsize>,
}

// SAFETY: the memory is a leaked boxed slice that only `drop` touches.
unsafe impl Send for Tracked {}
// SAFETY: as above.
unsafe impl Sync for Tracked {}

impl Drop for Tracked {
    fn drop(&mut self) {
        let memory = NonNull::slice_from_raw_parts(self.memory, self.len);
        // SAFETY: made by `Box::into_raw` in `tracked`, freed here only.
        drop(unsafe { Box::from_raw(memory.as_ptr()) });
        // Relaxed: partner of nothing; a counter, read after a join or on one thread.
        self.out.fetch_sub(1, Ordering::Relaxed);
    }
}

// SAFETY: an Arc counts atomically, keeps the state until the last reference, and
// orders the last drop after the others.
unsafe impl BlockRefDynamic for Tracked {
    type State = Self;

    unsafe fn clone(state_ptr: NonNull<Self>) -> NonNull<Self> {
        // SAFETY: the pointer came from `Arc::into_raw`; the caller has a reference.
        unsafe { Arc::increment_strong_count(state_ptr.as_ptr()) };
        state_ptr
    }

    unsafe fn drop(state_ptr: NonNull<Self>) {
        // SAFETY: as above; the caller gives its reference up.
        unsafe { Arc::decrement_strong_count(state_ptr.as_ptr()) };
    }
}

const TABLE: BlockRefVTable<Tracked> = BlockRefVTable::from_trait();

fn tracked(len: u32, out: &Arc<AtomicUsize>) -> Block {
    // Relaxed: partner of nothing; a counter.
    out.fetch_add(1, Ordering::Relaxed);
    let memory = Box::into_raw(Box::<[u8]>::new_uninit_slice(len as usize));
    let memory = NonNull::new(memory.cast::<MaybeUninit<u8>>()).unwrap();
    let state = Arc::new(Tracked {
        memory,
        len: len as usize,
        out: Arc::clone(out),
    });
    let state = NonNull::new(Arc::into_raw(state).cast_mut()).unwrap();
    // SAFETY: the pointer stands for one reference, given away here.
    let block_ref = unsafe { BlockRef::new(state, &TABLE) };
    // SAFETY: nobody else touches the memory until `Tracked` is dropped.
    unsafe { Block::new(memory, NonZero::new(len).unwrap(), block_ref) }
}

/// What a [`Scripted`] provider does after its blocks.
#[derive(Debug, Clone, Copy)]
enum End {
    Success,
    Failure,
    Panic,
}

/// Hands over `blocks` blocks of 10 bytes, whatever is asked for, then ends.
#[derive(Debug)]
struct Scripted {
    blocks: usize,
    end: End,
    made: AtomicUsize,
    out: Arc<AtomicUsize>,
}

impl Scripted {
    fn new(blocks: usize, end: End) -> Self {
        Self {
            blocks,
            end,
            made: AtomicUsize::new(0),
            out: Arc::default(),
        }
    }

    fn out(&self) -> usize {
        // Relaxed: partner of nothing; read on the thread that wrote it.
        self.out.load(Ordering::Relaxed)
    }

    fn made(&self) -> usize {
        // Relaxed: partner of nothing; read on the thread that wrote it.
        self.made.load(Ordering::Relaxed)
    }
}

impl BlockProvider for Scripted {
    fn provide(&self, _: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        for _ in 0..self.blocks {
            // Relaxed: partner of nothing; a counter.
            self.made.fetch_add(1, Ordering::Relaxed);
            sink(tracked(10, &self.out));
        }
        match self.end {
            End::Success => Ok(()),
            End::Failure => Err(ReserveError::Refused("half way")),
            End::Panic => panic!("half way"),
        }
    }
}

#[test]
fn blocks_of_a_core_provider_are_filled_in_the_order_of_delivery() {
    #[derive(Debug)]
    struct Growing(Arc<AtomicUsize>);
    impl BlockProvider for Growing {
        fn provide(&self, _: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
            (1..=4).for_each(|len| sink(tracked(len, &self.0)));
            Ok(())
        }
    }
    let out = Arc::default();
    let mut buf = ProviderMemory::new(Growing(Arc::clone(&out))).reserve(10);
    assert_eq!(buf.capacity(), 10);
    buf.put_slice(*b"abbcccdddd");
    let view = buf.consume_all();
    let lens: Vec<_> = view.slices().map(|(slice, _)| slice.len()).collect();
    assert_eq!((view == b"abbcccdddd", lens), (true, vec![1, 2, 3, 4]));
    drop((buf, view));
    // Relaxed: partner of nothing; read on the thread that wrote it.
    assert_eq!(out.load(Ordering::Relaxed), 0);
}

#[test]
fn provider_memory_gives_its_provider_back() {
    let memory = ProviderMemory::new(Scripted::new(2, End::Success));
    let buf = memory.reserve(20);
    assert_eq!((memory.get_ref().out(), buf.capacity()), (2, 20));
    let provider = memory.into_inner();
    assert_eq!(provider.out(), 2, "blocks outlive the wrapper");
    drop(buf);
    assert_eq!((provider.out(), provider.made()), (0, 2));
}

#[test]
fn failing_half_way_brings_every_block_home() {
    for blocks in 0..5 {
        let provider = Scripted::new(blocks, End::Failure);
        let memory = ProviderMemory::new(&provider);
        let error = memory.try_reserve(1).unwrap_err();
        assert!(
            matches!(error, ReserveError::Refused("half way")),
            "{error}"
        );
        assert_eq!((provider.made(), provider.out()), (blocks, 0));
    }
}

#[test]
fn panicking_half_way_brings_every_block_home() {
    for blocks in 0..5 {
        let provider = Scripted::new(blocks, End::Panic);
        let memory = ProviderMemory::new(&provider);
        let outcome = catch_unwind(AssertUnwindSafe(|| memory.try_reserve(1)));
        assert!(outcome.is_err());
        assert_eq!((provider.made(), provider.out()), (blocks, 0));
    }
}

#[test]
fn failing_half_way_leaves_the_callers_buffer_as_it_was() {
    let provider = Scripted::new(3, End::Failure);
    let mut buf = TransparentMemory::new().reserve(4);
    buf.put_slice(*b"ab");
    buf.try_reserve(100, &ProviderMemory::new(&provider))
        .unwrap_err();
    assert_eq!((buf.len(), buf.capacity(), provider.out()), (2, 4, 0));
    buf.put_slice(*b"cd");
    assert_eq!(buf.consume_all(), b"abcd");
}

#[test]
fn delivering_too_little_is_an_error_with_numbers() {
    let provider = Scripted::new(2, End::Success);
    let error = ProviderMemory::new(&provider).try_reserve(21).unwrap_err();
    assert!(matches!(
        error,
        ReserveError::BrokenProvider {
            requested: 21,
            capacity: 20,
            len: 0
        }
    ));
    assert_eq!(provider.out(), 0);
}

#[test]
#[should_panic(expected = "the memory provider refused: half way")]
fn reserve_panics_with_the_text_of_the_error() {
    let _ = ProviderMemory::new(Scripted::new(1, End::Failure)).reserve(1);
}

/// Answers with `len` bytes of data and `capacity` bytes of room.
fn wrong(len: usize, capacity: usize) -> impl Memory {
    CallbackMemory::new(move |_| {
        let mut buf = TransparentMemory::new().reserve(len + capacity);
        buf.put_slice(vec![b'x'; len]);
        buf
    })
}

#[test]
fn wrong_answers_of_a_safe_memory_are_refused() {
    #[track_caller]
    fn check(len: usize, capacity: usize) {
        let memory = wrong(len, capacity);
        let direct = memory.try_reserve(10).unwrap_err();
        let mut buf = BytesBuf::new();
        let through_buf = buf.try_reserve(10, &memory).unwrap_err();
        for error in [direct, through_buf] {
            let ReserveError::BrokenProvider {
                requested,
                capacity: c,
                len: l,
            } = error
            else {
                panic!("{error}");
            };
            assert_eq!((requested, c, l), (10, capacity, len));
        }
        assert_eq!((buf.len(), buf.capacity()), (0, 0));
        let outcome = catch_unwind(AssertUnwindSafe(|| buf.reserve(10, &memory)));
        assert!(outcome.is_err(), "reserve accepted a wrong answer");
        assert_eq!((buf.len(), buf.capacity()), (0, 0));
    }
    check(0, 0);
    check(0, 9);
    check(1, 10);
    check(1, 0);
    check(10, 0);
}

/// Refuses in `try_reserve`, gives in `reserve`: tells which of them was called.
#[derive(Debug)]
struct TwoFaced;

impl Memory for TwoFaced {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        TransparentMemory::new().reserve(min_bytes)
    }

    fn try_reserve(&self, _: usize) -> Result<BytesBuf, ReserveError> {
        Err(ReserveError::Refused("asked by try_reserve"))
    }
}

#[test]
fn wrappers_forward_both_methods() {
    #[track_caller]
    fn check(memory: &dyn Memory) {
        assert_eq!(memory.reserve(5).capacity(), 5);
        let error = memory.try_reserve(5).unwrap_err();
        assert!(matches!(
            error,
            ReserveError::Refused("asked by try_reserve")
        ));
    }
    check(&TwoFaced);
    check(&&TwoFaced);
    check(&(&TwoFaced as &dyn Memory));
    check(&Box::new(TwoFaced));
    check(&(Box::new(TwoFaced) as Box<dyn Memory>));
    check(&Arc::new(TwoFaced));
    check(&(Arc::new(TwoFaced) as Arc<dyn MemoryShared>));
    check(&OpaqueMemory::new(TwoFaced));
    check(&OpaqueMemory::new(OpaqueMemory::new(Arc::new(TwoFaced))));
    let opaque = OpaqueMemory::new(TwoFaced);
    opaque.try_reserve(5).unwrap_err();
    assert_eq!(opaque.reserve(5).capacity(), 5);
}

#[test]
fn nobody_can_grant_more_than_the_largest_object() {
    #[track_caller]
    fn check(memory: &dyn Memory) {
        for requested in [usize::MAX, isize::MAX as usize + 1] {
            let error = memory.try_reserve(requested).unwrap_err();
            let ReserveError::TooLarge { requested: r, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(r, requested);
        }
    }
    let provider = Scripted::new(1, End::Success);
    check(&GlobalPool::new());
    check(&TransparentMemory::new());
    check(&FixedBlockMemory::new(NonZero::<u32>::MIN));
    check(&CallbackMemory::new(|_| panic!("not to be called")));
    check(&OpaqueMemory::new(GlobalPool::new()));
    check(&ProviderMemory::new(&provider));
    assert_eq!(provider.made(), 0, "the provider was not asked");
}

#[test]
#[cfg(target_pointer_width = "64")]
#[cfg_attr(miri, ignore = "miri does not refuse large allocations")]
fn requests_beyond_the_address_space_are_refused_without_trying_to_fill_it() {
    #[track_caller]
    fn check(memory: &dyn Memory) {
        let error = memory.try_reserve(isize::MAX as usize).unwrap_err();
        assert!(matches!(error, ReserveError::OutOfMemory { .. }), "{error}");
    }
    check(&GlobalPool::new());
    check(&TransparentMemory::new());
    check(&FixedBlockMemory::new(NonZero::<u32>::MIN));
}

#[test]
fn size_classes_of_the_pool() {
    let pool = GlobalPool::new();
    let check = |min_bytes: usize, capacity: usize, blocks: usize| {
        let mut buf = pool.reserve(min_bytes);
        assert_eq!(buf.capacity(), capacity, "for {min_bytes}");
        let mut operation = buf.begin_vectored_write(None);
        assert_eq!(operation.slices_mut().count(), blocks, "for {min_bytes}");
        assert_eq!(pool.try_reserve(min_bytes).unwrap().capacity(), capacity);
    };
    check(0, 0, 0);
    check(1, 1024, 1);
    check(1024, 1024, 1);
    check(1025, 4096, 1);
    check(4096, 4096, 1);
    check(4097, 16_384, 1);
    check(16_384, 16_384, 1);
    check(16_385, 65_536, 1);
    check(65_536, 65_536, 1);
    check(65_537, 131_072, 2);
    check(131_072, 131_072, 2);
    check(131_073, 196_608, 3);
    check(1_000_000, 1_048_576, 16);
}

#[test]
fn a_clone_is_the_same_pool_and_a_new_one_is_another() {
    let (pool, other) = (GlobalPool::new(), GlobalPool::new());
    let twin = pool.clone();
    let buf = twin.reserve(100_000);
    assert_eq!(twin.stats().bytes_in_use(), 131_072);
    assert_eq!(pool.stats().bytes_in_use(), 131_072);
    assert_eq!(other.stats().bytes_in_use(), 0);
    drop(buf);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn blocks_outlive_their_pool() {
    let mut buf = GlobalPool::new().reserve(100_000);
    buf.put_slice(vec![7; 100_000]);
    let view = buf.consume_all();
    drop(buf);
    std::thread::spawn(move || assert_eq!(view, vec![7_u8; 100_000].as_slice()))
        .join()
        .unwrap();
}

#[test]
fn test_memory_has_exactly_the_blocks_it_promises() {
    let blocks = |mut buf: BytesBuf| -> Vec<usize> {
        let mut operation = buf.begin_vectored_write(None);
        operation
            .slices_mut()
            .map(|(slice, _)| slice.len())
            .collect()
    };
    let transparent = TransparentMemory::new();
    let ten = FixedBlockMemory::new(NonZero::new(10).unwrap());
    let one = FixedBlockMemory::new(NonZero::<u32>::MIN);
    assert_eq!(blocks(transparent.reserve(0)), []);
    assert_eq!(blocks(transparent.reserve(1)), [1]);
    assert_eq!(blocks(transparent.try_reserve(12_345).unwrap()), [12_345]);
    assert_eq!(blocks(ten.reserve(0)), []);
    assert_eq!(blocks(ten.reserve(10)), [10]);
    assert_eq!(blocks(ten.try_reserve(21).unwrap()), [10, 10, 10]);
    assert_eq!(blocks(one.reserve(3)), [1, 1, 1]);
}

#[test]
fn debug_names_the_closure_and_says_nothing_of_content() {
    let callback = CallbackMemory::new(|_| BytesBuf::new());
    assert!(format!("{callback:?}").contains("Fn(usize) -> BytesBuf"));
    let twin = callback.clone();
    assert_eq!(format!("{callback:?}"), format!("{twin:?}"));
    assert!(format!("{:?}", OpaqueMemory::new(callback)).contains("OpaqueMemory"));
    let pool = format!("{:?}", GlobalPool::new());
    assert!(pool.contains("GlobalPool") && pool.len() < 500, "{pool}");
}

#[test]
fn memory_can_be_asked_of_an_object() {
    #[derive(Debug)]
    struct Device(OpaqueMemory);
    impl HasMemory for Device {
        fn memory(&self) -> impl MemoryShared {
            self.0.clone()
        }
    }
    let device = Device(OpaqueMemory::new(TransparentMemory::new()));
    let memory = device.memory();
    drop(device);
    assert_eq!(memory.reserve(3).capacity(), 3);
}

#[test]
fn growth_of_the_writer() {
    /// A buffer with `data` bytes in it and `room` bytes left, and a write of
    /// `write` bytes, lead to `capacity`.
    #[track_caller]
    fn check(data: usize, room: usize, write: usize, capacity: usize) {
        let memory = TransparentMemory::new();
        for vectored in [false, true] {
            let mut buf = memory.reserve(data + room);
            buf.put_slice(vec![1; data]);
            let mut writer = buf.into_writer(&memory);
            let bytes = vec![2; write];
            let written = if vectored {
                let (a, b) = bytes.split_at(write / 3);
                writer.write_vectored(&[IoSlice::new(a), IoSlice::new(&[]), IoSlice::new(b)])
            } else {
                writer.write(&bytes)
            };
            assert_eq!(written.unwrap(), write);
            assert_eq!(writer.get_ref().capacity(), capacity);
            assert_eq!(writer.get_ref().len(), data + write);
        }
    }
    check(0, 0, 0, 0);
    check(0, 0, 1, 4096);
    check(0, 0, 4096, 4096);
    check(0, 0, 4097, 65_536);
    check(0, 0, 65_536, 65_536);
    check(0, 0, 65_537, 65_537);
    check(0, 0, 100_000, 100_000);
    check(16, 0, 1, 16 + 65_536);
    check(16, 0, 0, 16);
    check(0, 10, 10, 10);
    check(0, 10, 11, 65_536);
    check(1, 4095, 4096, 1 + 4095 + 61_441);
    check(5, 5, 70_000, 5 + 70_000);
}

#[test]
fn writer_takes_all_slices_in_order() {
    let memory = FixedBlockMemory::new(NonZero::new(3).unwrap());
    let mut writer = BytesBuf::new().into_writer(memory);
    let slices = [
        IoSlice::new(b"one "),
        IoSlice::new(b""),
        IoSlice::new(b"two "),
        IoSlice::new(b"three"),
    ];
    assert_eq!(writer.write_vectored(&slices).unwrap(), 13);
    assert_eq!(writer.write_vectored(&[]).unwrap(), 0);
    writer.write_all(b"!").unwrap();
    writer.flush().unwrap();
    assert_eq!(writer.into_inner().consume_all(), b"one two three!");
}

#[test]
fn writer_reports_what_the_provider_says_and_writes_nothing() {
    #[track_caller]
    fn check(outcome: io::Result<usize>) {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        assert!(
            error.to_string().contains("asked by try_reserve"),
            "{error}"
        );
        let cause: &(dyn Error + Send + Sync) = error.get_ref().unwrap();
        assert!(matches!(
            cause.downcast_ref(),
            Some(ReserveError::Refused("asked by try_reserve"))
        ));
    }
    let mut buf = TransparentMemory::new().reserve(4);
    buf.put_slice(*b"ab");
    let mut writer = buf.into_writer(TwoFaced);
    check(writer.write(b"cde"));
    check(writer.write_vectored(&[IoSlice::new(b"c"), IoSlice::new(b"de")]));
    assert_eq!(writer.write(b"cd").unwrap(), 2);
    assert_eq!(writer.into_inner().consume_all(), b"abcd");
}

#[cfg(feature = "thread-aware")]
#[test]
fn relocated_pools_are_the_same_pool() {
    use thread_aware::ThreadAware;
    use thread_aware::affinity::pinned_affinities;

    let affinities = pinned_affinities(&[2]);
    let pool = GlobalPool::new();
    let there = pool.clone().relocated(affinities[0].into(), affinities[1]);
    let buf = there.reserve(1);
    assert_eq!(pool.stats().bytes_in_use(), 1024);
    drop((pool, buf));
    assert_eq!(there.stats().bytes_in_use(), 0);
}
