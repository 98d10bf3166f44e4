//! User code panics at its n-th call, for every n up to the end of each scenario:
//! providers and their blocks' callbacks, owners, iterators, visitors, rules, numbers.
//!
//! What has been built up to then is valid and usable, nothing is lost and nothing is
//! dropped twice.

use std::borrow::Borrow;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::num::NonZero;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytesbuf::mem::{
    Block, BlockProvider, BlockRef, BlockRefCounted, BlockRefDynamic, BlockRefVTable, Budget,
    BudgetedMemory, CallbackMemory, Memory, OpaqueMemory, ProviderMemory, RefCount, ReserveError,
};
use bytesbuf::{BytesBuf, BytesView};
use num_traits::{FromBytes, ToBytes};

use crate::fuse;

const BLOCK: u32 = 8;

/// How many things are alive that panicking code owns.
type Alive = Arc<AtomicUsize>;

fn enter(alive: &Alive) -> Alive {
    // Relaxed: partner of nothing; one thread.
    alive.fetch_add(1, Ordering::Relaxed);
    Arc::clone(alive)
}

fn leave(alive: &Alive) {
    // Relaxed: partner of nothing; one thread.
    let before = alive.fetch_sub(1, Ordering::Relaxed);
    assert!(before > 0, "dropped twice");
}

/// A block that core counts. Its release panics after it has done its work.
#[repr(C)]
struct Counted {
    count: RefCount,
    alive: Alive,
    memory: [MaybeUninit<u8>; BLOCK as usize],
}

const COUNTED: BlockRefVTable<Counted> = BlockRefVTable::from_counted();

// SAFETY: repr(C) with the count first; the box lives until `release`.
unsafe impl BlockRefCounted for Counted {
    type State = Self;

    unsafe fn release(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Box::leak`; the last reference is gone.
        let state = unsafe { Box::from_raw(state_ptr.as_ptr()) };
        leave(&state.alive);
        drop(state);
        fuse::burn();
    }

    unsafe fn retained_bytes(_: NonNull<Self>) -> Option<usize> {
        fuse::burn();
        Some(BLOCK as usize)
    }
}

/// A block that counts by itself. Both of its callbacks panic.
struct Dynamic {
    alive: Alive,
    memory: NonNull<[MaybeUninit<u8>; BLOCK as usize]>,
}

// SAFETY: the memory is owned, and not touched through the state.
unsafe impl Send for Dynamic {}
// SAFETY: as above.
unsafe impl Sync for Dynamic {}

impl Drop for Dynamic {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak`, dropped once.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
        leave(&self.alive);
    }
}

const DYNAMIC: BlockRefVTable<Dynamic> = BlockRefVTable::from_trait();

// SAFETY: an Arc counts atomically and keeps the state alive. A clone that panics has
// not retained, a drop that panics has released.
unsafe impl BlockRefDynamic for Dynamic {
    type State = Self;

    unsafe fn clone(state_ptr: NonNull<Self>) -> NonNull<Self> {
        fuse::burn();
        // SAFETY: made by `Arc::into_raw`; the caller holds a reference.
        unsafe { Arc::increment_strong_count(state_ptr.as_ptr()) };
        state_ptr
    }

    unsafe fn drop(state_ptr: NonNull<Self>) {
        // SAFETY: made by `Arc::into_raw`; the caller gives its reference up.
        unsafe { Arc::decrement_strong_count(state_ptr.as_ptr()) };
        fuse::burn();
    }
}

/// Lends blocks of both kinds, in turn.
#[derive(Debug, Clone)]
struct Fragile {
    alive: Alive,
    lent: Arc<AtomicUsize>,
}

impl Fragile {
    fn block(&self) -> Block {
        fuse::burn();
        let alive = enter(&self.alive);
        let memory = [MaybeUninit::uninit(); BLOCK as usize];
        // Relaxed: partner of nothing; one thread.
        let (ptr, block_ref) = if self.lent.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
            let state = NonNull::from(Box::leak(Box::new(Counted {
                count: RefCount::new(1),
                alive,
                memory,
            })));
            // SAFETY: the state is alive.
            let memory = unsafe { &raw mut (*state.as_ptr()).memory };
            // SAFETY: the count of one is the reference made here.
            let block_ref = unsafe { BlockRef::new_counted(state, &COUNTED) };
            (NonNull::new(memory).unwrap(), block_ref)
        } else {
            let memory = NonNull::from(Box::leak(Box::new(memory)));
            let state = Arc::into_raw(Arc::new(Dynamic { alive, memory }));
            let state = NonNull::new(state.cast_mut()).unwrap();
            // SAFETY: the pointer stands for one reference of the Arc.
            (memory, unsafe { BlockRef::new(state, &DYNAMIC) })
        };
        // SAFETY: as many bytes, which nobody else touches.
        unsafe { Block::new(ptr.cast(), NonZero::new(BLOCK).unwrap(), block_ref) }
    }

    fn blocks(&self, min_bytes: usize) -> impl Iterator<Item = Block> + '_ {
        (0..min_bytes.div_ceil(BLOCK as usize)).map(|_| self.block())
    }
}

impl Memory for Fragile {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        fuse::burn();
        let buf = BytesBuf::from_blocks(self.blocks(min_bytes));
        fuse::burn();
        buf
    }
}

impl BlockProvider for Fragile {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        for _ in 0..min_bytes.div_ceil(BLOCK as usize) {
            sink(self.block());
        }
        fuse::burn();
        Ok(())
    }
}

/// An owner of bytes.
struct Owner(Alive, [u8; 3]);

impl Owner {
    fn view(alive: &Alive) -> BytesView {
        BytesView::from_owner(Self(enter(alive), *b"own"))
    }
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        fuse::burn();
        &self.1
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        leave(&self.0);
        fuse::burn();
    }
}

/// What survives the panic.
struct Stage {
    memory: Fragile,
    budget: Budget,
    view: BytesView,
    buf: BytesBuf,
}

impl Stage {
    fn alive(&self) -> &Alive {
        &self.memory.alive
    }

    /// Three spans of different owners.
    fn mixed(&self) -> BytesView {
        let mut view = BytesView::copied_from_slice(b"0123456789", &self.memory);
        view.append(Owner::view(self.alive()));
        view
    }
}

fn run(name: &str, scenario: fn(&mut Stage)) {
    for nth in 0.. {
        let memory = Fragile {
            alive: Alive::default(),
            lent: Arc::default(),
        };
        let mut stage = Stage {
            budget: Budget::new(1000),
            memory: memory.clone(),
            view: BytesView::new(),
            buf: BytesBuf::new(),
        };
        let burnt = fuse::light(nth, || scenario(&mut stage));
        check(&mut stage);
        let budget = stage.budget.clone();
        drop(stage);
        // Relaxed: partner of nothing; one thread.
        let left = memory.alive.load(Ordering::Relaxed);
        assert_eq!((left, budget.in_use()), (0, 0), "{name}, call {nth}");
        if !burnt {
            assert!(nth > 3, "{name} has {nth} calls only");
            return;
        }
    }
}

/// Valid, and good for more.
fn check(stage: &mut Stage) {
    let view = &mut stage.view;
    let bytes = view.to_vec();
    assert_eq!(bytes.len(), view.len());
    assert!(view.slices().all(|(slice, _)| !slice.is_empty()));
    view.append(BytesView::from_static(b"more"));
    assert_eq!(view.split_to(bytes.len()), bytes);
    assert_eq!(view, b"more");

    let buf = &mut stage.buf;
    let bytes = buf.peek().to_vec();
    assert_eq!(bytes.len(), buf.len());
    assert_eq!(buf.capacity(), buf.len() + buf.remaining_capacity());
    assert_eq!(
        buf.first_unfilled_slice().is_empty(),
        buf.remaining_capacity() == 0
    );
    buf.reserve(20, &stage.memory);
    let room = buf.remaining_capacity();
    buf.put_byte_repeated(b'+', room);
    assert_eq!(buf.consume(bytes.len()), bytes);
    assert_eq!(buf.consume_all(), vec![b'+'; room]);
}

#[test]
fn buffers_in_fragile_memory() {
    run("buffers", |stage| {
        let memory = stage.memory.clone();
        let buf = &mut stage.buf;
        buf.reserve(20, &memory);
        buf.put_slice(*b"0123456789abc");
        stage.view = buf.consume(3);
        buf.try_reserve(30, &memory).unwrap();
        let guard = buf.extend_lifetime();
        let mut rest = buf.split_off_remaining(11);
        rest.put_slice(*b"split");
        buf.put_bytes(rest.consume_all());
        buf.put_bytes(stage.view.clone());
        let peeked = buf.peek();
        stage.view.append(buf.consume(12));
        drop((guard, rest));
        stage.view.append(peeked);
        stage.view.append(buf.consume_checked(2).unwrap());
        buf.clear();
        drop(std::mem::take(buf));
    });
}

#[test]
fn views_of_fragile_blocks() {
    run("views", |stage| {
        stage.view = stage.mixed();
        let twin = stage.view.clone();
        stage.view.append(stage.mixed());
        stage.view.advance(2);
        let part = stage.view.range(3..17);
        stage.view.truncate(19);
        let back = stage.view.split_off(11);
        let front = stage.view.split_to(4);
        let guard = twin.extend_lifetime();
        stage.view.append(twin.concat(part));
        drop(guard);
        stage.view.append(back);
        let _ = stage.view.retained_bytes();
        let mut bytes = [0; 9];
        stage.view.copy_to_slice(&mut bytes);
        drop(front);
        stage.view.advance(stage.view.len());
    });
}

/// Something panics while a result is on its way to the caller: the result is dropped.
#[test]
fn results_on_their_way_out() {
    run("results", |stage| {
        let memory = stage.memory.clone();
        // A block that counts by itself between two that core counts; one of each is left over.
        stage.buf.reserve(20, &memory);
        stage.buf.put_slice(*b"abc");
        stage.view = BytesView::from(std::mem::take(&mut stage.buf));
        // The next one counts by itself again: buffer and view have each a reference.
        stage
            .view
            .append(BytesView::copied_from_slice(b"abcd", &memory));
        let blocks = Costly(Some(memory.block()));
        stage.buf = BytesBuf::from_blocks(blocks);
    });
}

/// Gives a block, and has a destructor.
struct Costly(Option<Block>);

impl Iterator for Costly {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        self.0.take()
    }
}

impl Drop for Costly {
    fn drop(&mut self) {
        fuse::burn();
    }
}

#[test]
fn visitors_and_rules() {
    run("visitors", |stage| {
        stage.view = stage.mixed();
        stage.view.detach(&stage.memory.clone());
        stage.view.append(stage.mixed());
        stage.view.advance(7);
        let memory = stage.memory.clone();
        stage.view.detach_if(&memory, |figures| {
            fuse::burn();
            figures.len > 0
        });
        stage.view.try_detach(&memory).unwrap();
        let mut seen = 0;
        stage.view.consume_all_slices(|slice| {
            fuse::burn();
            seen += slice.len();
        });
        assert_eq!(seen, 19);
    });
}

#[test]
fn iterators() {
    run("iterators", |stage| {
        let memory = stage.memory.clone();
        stage.buf = BytesBuf::from_blocks((0..4).map(|_| {
            fuse::burn();
            memory.block()
        }));
        stage.buf.put_slice(*b"in four blocks");
        let views = || {
            let alive = Arc::clone(&memory.alive);
            (0..4).map(move |_| Owner::view(&alive))
        };
        stage.view = BytesView::from_views(views());
        stage.view.extend(views());
        let collected: BytesView = views().collect();
        stage.view.append(collected);
        stage.view.append(stage.buf.consume_all());
    });
}

/// A number whose conversions panic.
#[derive(Debug)]
struct Number([u8; 4]);

impl FromBytes for Number {
    type Bytes = [u8; 4];

    fn from_be_bytes(bytes: &[u8; 4]) -> Self {
        fuse::burn();
        Self(*bytes)
    }

    fn from_le_bytes(bytes: &[u8; 4]) -> Self {
        Self::from_be_bytes(bytes)
    }
}

impl ToBytes for Number {
    type Bytes = [u8; 4];

    fn to_be_bytes(&self) -> [u8; 4] {
        fuse::burn();
        self.0
    }

    fn to_le_bytes(&self) -> [u8; 4] {
        self.to_be_bytes()
    }
}

/// Bytes that are not there the first time.
struct Bytes(Rc<Cell<u32>>);

impl Borrow<[u8]> for Bytes {
    fn borrow(&self) -> &[u8] {
        fuse::burn();
        self.0.set(self.0.get() + 1);
        b"borrowed"
    }
}

#[test]
fn conversions() {
    run("conversions", |stage| {
        stage.buf.reserve(30, &stage.memory);
        stage.buf.put_num_le(Number(*b"abcd"));
        stage.buf.put_num_be(Number(*b"efgh"));
        stage.buf.put_slice(Bytes(Rc::default()));
        stage.view = stage.buf.consume_all();
        stage.view.advance(1);
        assert_eq!(stage.view.get_num_le::<Number>().0, *b"bcde");
        assert_eq!(stage.view.try_get_num_be::<Number>().unwrap().0, *b"fghb");
    });
}

#[test]
fn memories_on_top_of_fragile_ones() {
    run("memories", |stage| {
        let provider = stage.memory.clone();
        let callback = CallbackMemory::new(move |bytes| {
            fuse::burn();
            provider.reserve(bytes)
        });
        let opaque = OpaqueMemory::new(callback);
        stage.buf.reserve(9, &opaque);
        let provided = ProviderMemory::new(stage.memory.clone());
        stage.buf.reserve(30, &provided);
        let budgeted = BudgetedMemory::new(provided, &stage.budget);
        stage.buf.reserve(60, &budgeted);
        stage.buf.put_byte_repeated(1, 50);
        stage.view = stage.buf.consume(45);
        let more = budgeted.try_reserve(100).unwrap();
        drop(more);
    });
}

#[test]
fn a_writer_over_fragile_memory() {
    use std::io::Write;
    run("writer", |stage| {
        let buf = BytesBuf::from(Owner::view(stage.alive()));
        let mut writer = buf.into_writer(Small(stage.memory.clone()));
        writer.write_all(b"written in many blocks").unwrap();
        stage.buf = writer.into_inner();
    });
}

/// Asks for less than the writer wants, and gives what was asked for in the end.
#[derive(Debug)]
struct Small(Fragile);

impl Drop for Small {
    fn drop(&mut self) {
        fuse::burn();
    }
}

impl Memory for Small {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        let mut buf = self.0.reserve(min_bytes.min(40));
        buf.reserve(min_bytes, &bytesbuf::mem::testing::TransparentMemory::new());
        buf
    }
}

#[cfg(feature = "bytes-compat")]
#[test]
fn conversions_to_bytes_and_back() {
    run("bytes", |stage| {
        let bytes = bytes::Bytes::from(stage.mixed());
        let one = bytes::Bytes::from(Owner::view(stage.alive()));
        stage.view = BytesView::from(bytes.slice(2..9));
        stage.view.append(BytesView::from(one.clone()));
        drop((bytes, one));
        stage.view.append(stage.mixed());
        drop(stage.view.to_bytes());
    });
}
