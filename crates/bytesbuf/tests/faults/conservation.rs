//! Every way to make a buffer or a view, then every way to make something else of it:
//! each block comes back, each owner is dropped once, every byte is freed.

use std::io::{Read, Write};
use std::sync::Arc;

use bytesbuf::mem::testing::TransparentMemory;
use bytesbuf::mem::{Budget, BudgetedMemory, GlobalPool, Memory, OpaqueMemory, ProviderMemory};
use bytesbuf::{BytesBuf, BytesView, MemoryGuard};

use crate::allocator::live_bytes;
use crate::counting::Counting;
use crate::states::{BUFFERS, VIEWS};

/// Counts as an owner. Its clones are owners too.
struct Owned(Arc<[u8]>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

const BYTES: &[u8] = b"conserved";

/// Every source of a view, each of which has [`BYTES`] in it. The owner and the memory
/// are watched.
fn sources(memory: &Counting, pool: &GlobalPool, owner: &Arc<[u8]>) -> Vec<BytesView> {
    let mut buf = memory.reserve(BYTES.len());
    buf.put_slice(BYTES);
    let mut writer = BytesBuf::new().into_writer(pool.clone());
    writer.write_all(BYTES).unwrap();
    let views = vec![
        BytesView::from_static(BYTES),
        BytesView::from(BYTES.to_vec()),
        BytesView::from(BYTES.to_vec().into_boxed_slice()),
        BytesView::from(String::from_utf8(BYTES.to_vec()).unwrap()),
        BytesView::from_owner(Owned(Arc::clone(owner))),
        BytesView::from_owner(BytesView::from_owner(Owned(Arc::clone(owner))).to_vec()),
        BytesView::copied_from_slice(BYTES, memory),
        BytesView::copied_from_slice(BYTES, pool),
        BytesView::copied_from_slice(BYTES, &OpaqueMemory::new(memory.clone())),
        BytesView::copied_from_slice(BYTES, &BudgetedMemory::new(memory, &Budget::new(100))),
        BytesView::copied_from_slice(BYTES, &ProviderMemory::new(PoolBlocks(pool.clone()))),
        BytesView::from(buf),
        writer.into_inner().consume_all(),
        BytesView::from_views(BYTES.iter().map(|&byte| BytesView::from(vec![byte]))),
    ];
    #[cfg(feature = "bytes-compat")]
    let views = {
        let mut views = views;
        let bytes = bytes::Bytes::from_owner(Owned(Arc::clone(owner)));
        views.push(BytesView::from(bytes.slice(..4)).concat(bytes.slice(4..).into()));
        views.push(BytesView::from(bytes));
        views
    };
    views
}

/// The pool below, as a provider of core.
#[derive(Debug)]
struct PoolBlocks(GlobalPool);

impl bytesbuf::mem::BlockProvider for PoolBlocks {
    fn provide(
        &self,
        min_bytes: usize,
        sink: &mut dyn FnMut(bytesbuf::mem::Block),
    ) -> Result<(), bytesbuf::mem::ReserveError> {
        let pool: bytesbuf_pool::GlobalPool = bytesbuf_pool::GlobalPool::new();
        bytesbuf_core::BlockProvider::provide(&pool, min_bytes, sink)?;
        drop(self.0.try_reserve(min_bytes)?);
        Ok(())
    }
}

type Conversion = fn(BytesView) -> BytesView;

/// What can be made of a view, as a view again.
const CONVERSIONS: &[(&str, Conversion)] = &[
    ("itself", |view| view),
    ("a clone", |view| {
        let twin = view.clone();
        drop(view);
        twin
    }),
    ("a buffer", |view| BytesBuf::from(view).consume_all()),
    ("a peek", |view| BytesBuf::from(view).peek()),
    ("a buffer and back", |view| {
        BytesView::from(BytesBuf::from(view))
    }),
    ("put into a buffer", |view| {
        let mut buf = TransparentMemory::new().reserve(3);
        buf.put_byte(b'>');
        buf.put_bytes(view);
        let mut whole = buf.consume_all();
        whole.advance(1);
        whole
    }),
    ("a range", |view| view.range(..)),
    ("in two, and together", |mut view| {
        let back = view.split_off(view.len() / 2);
        view.append(back);
        view
    }),
    ("in pieces, and together", |mut view| {
        let pieces: Vec<_> = (0..view.len()).map(|_| view.split_to(1)).collect();
        pieces.into_iter().collect()
    }),
    ("a vector", |view| BytesView::from(view.to_vec())),
    ("an owner of itself", |view| {
        BytesView::from_owner(view.to_vec())
    }),
    ("detached", |mut view| {
        view.detach(&TransparentMemory::new());
        view
    }),
    ("twice, and once", |view| {
        let len = view.len();
        let mut twice = view.concat(view.clone());
        twice.truncate(len);
        twice
    }),
    ("read out", |mut view| {
        let mut bytes = Vec::new();
        view.read_to_end(&mut bytes).unwrap();
        assert!(view.is_empty());
        bytes.into()
    }),
    ("under a guard", |view| {
        let guards = [view.extend_lifetime(), MemoryGuard::default()];
        let again = view.clone();
        drop((view, guards));
        again
    }),
    #[cfg(feature = "bytes-compat")]
    ("Bytes and back", |view| {
        BytesView::from(bytes::Bytes::from(view))
    }),
    #[cfg(feature = "bytes-compat")]
    ("shared Bytes", |view| {
        let bytes = view.to_bytes();
        let part = bytes.slice(1..);
        drop(view);
        BytesView::from(bytes.slice(..1)).concat(part.into())
    }),
];

#[test]
fn every_source_and_every_two_conversions_conserve() {
    let pool = GlobalPool::new();
    let owner: Arc<[u8]> = BYTES.into();
    let memory = Counting::new(4, false);
    for (index, (first, convert)) in CONVERSIONS.iter().enumerate() {
        // All pairs would take miri an hour: one after each.
        let second = if cfg!(miri) {
            let next = (index + 1) % CONVERSIONS.len();
            &CONVERSIONS[next..=next]
        } else {
            CONVERSIONS
        };
        for (second, convert_again) in second {
            for (number, view) in sources(&memory, &pool, &owner).into_iter().enumerate() {
                let view = convert_again(convert(view));
                assert_eq!(view, BYTES, "source {number}, {first}, {second}");
            }
            assert_eq!(memory.out(), 0, "{first}, {second}");
            assert_eq!(Arc::strong_count(&owner), 1, "{first}, {second}");
            assert_eq!(pool.stats().bytes_in_use(), 0, "{first}, {second}");
        }
    }
}

/// Under the allocator's eyes: no byte stays.
#[test]
fn no_byte_of_any_state_stays_allocated() {
    let run = || {
        for memory in Counting::both(8) {
            for (_, make) in BUFFERS {
                let buf = make(&memory);
                let guard = buf.extend_lifetime();
                drop(BytesView::from(buf));
                drop(guard);
            }
            for (number, (_, make)) in VIEWS.iter().enumerate() {
                // All of them would take miri half an hour.
                let every = if cfg!(miri) { 9 } else { 1 };
                for (_, convert) in CONVERSIONS.iter().skip(number % every).step_by(every) {
                    let view = make(&memory);
                    if !view.is_empty() {
                        drop(convert(view));
                    }
                }
            }
            assert_eq!(memory.out(), 0);
        }
        let pool = GlobalPool::new();
        let mut buf = pool.reserve(200_000);
        buf.put_slice(vec![1; 140_000]);
        let view = buf.consume(100_000);
        drop(pool);
        drop(buf);
        drop(view);
    };
    // What a thread keeps for later is there after the first time.
    run();
    let before = live_bytes();
    run();
    assert_eq!(live_bytes(), before);
}
