//! Four views, against bytes each of which knows its block.
//!
//! After each operation: content, slices, metadata and retained bytes of all of them, and
//! what is out at each provider: exactly the blocks that some view covers.

mod detach;
mod model;
mod ops;
mod read;

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use bytesbuf::mem::{BlockMeta, Memory};
use bytesbuf::{BytesBuf, BytesView, MemoryGuard};

use self::model::{Cell, Model, Owners};
use self::ops::Op;
use crate::Program;
use crate::amount::content;
use crate::attempt::call;
use crate::lender::Size;
use crate::memory::{CANNOT, Memories, Room, Source};
use crate::model_buf::check_content;

/// A program for four views.
#[derive(Arbitrary, Debug)]
pub struct Views {
    pass_through: bool,
    #[arbitrary(with = crate::steps)]
    steps: Vec<Step>,
}

/// An operation on view `x`, and perhaps another, `y`.
#[derive(Arbitrary, Debug)]
struct Step {
    x: u8,
    y: u8,
    op: Op,
}

const VIEWS: usize = 4;
/// Content above this number of bytes is thrown away.
const LARGE: usize = 6_000;

struct Machine {
    memories: Memories,
    owners: Owners,
    views: [BytesView; VIEWS],
    models: [Model; VIEWS],
    guards: Vec<(MemoryGuard, Model)>,
}

impl Program for Views {
    fn run(self) {
        let mut machine = Machine {
            memories: Memories::new(self.pass_through),
            owners: Owners::default(),
            views: Default::default(),
            models: Default::default(),
            guards: Vec::new(),
        };
        for step in self.steps {
            let (x, y) = (usize::from(step.x) % VIEWS, usize::from(step.y) % VIEWS);
            machine.step(x, y, step.op);
            machine.check();
        }
        let Machine {
            memories,
            views,
            guards,
            ..
        } = machine;
        drop((views, guards));
        memories.end();
    }
}

impl Machine {
    fn check(&mut self) {
        for (view, model) in self.views.iter_mut().zip(&mut self.models) {
            check(view, model, &self.owners);
            if model.cells.len() > LARGE {
                *view = BytesView::new();
                model.cells.clear();
            }
        }
        let guarded = self.guards.iter().map(|(_, model)| model);
        let covered: BTreeSet<u32> = (self.models.iter().chain(guarded))
            .flat_map(|model| model.cells.iter().map(|cell| cell.owner))
            .collect();
        assert_eq!(
            self.memories.in_use(),
            self.owners.in_use(&covered),
            "in use"
        );
    }

    /// The cells of `bytes`, written to blocks that a source lends now for `capacity`
    /// bytes; `Err` if it lends none.
    fn cells(&mut self, source: Source, capacity: usize) -> Result<Vec<u32>, ()> {
        let rooms = self.memories.forecast(source, capacity).map_err(drop)?;
        Ok(self.owners.lent(source, &rooms))
    }

    /// A copy of `bytes` in memory of a source, or the panic that this ends with.
    fn copied(&mut self, bytes: &[u8], source: Source) -> Option<(BytesView, Model)> {
        let memory = self.memories.get(source);
        let places = if bytes.is_empty() {
            Ok(Vec::new())
        } else {
            self.cells(source, bytes.len())
        };
        let panic = places.is_err().then_some(CANNOT);
        let view = call(panic, || BytesView::copied_from_slice(bytes, &memory))?;
        Some((view, Model::of(bytes, &places.unwrap_or_default())))
    }

    /// Some bytes, the bytes of a view, some more bytes: through a buffer.
    fn built(
        &mut self,
        y: usize,
        source: Source,
        lens: [usize; 2],
        seed: u8,
    ) -> Option<(BytesView, Model)> {
        let [first, second] = lens.map(|len| content(seed, len));
        let memory: Box<dyn Memory> = self.memories.get(source);
        let mut buf = BytesBuf::new();
        let len = first.len() + second.len();
        let places = if len == 0 {
            Ok(Vec::new())
        } else {
            self.cells(source, len)
        };
        call(places.is_err().then_some(CANNOT), || {
            buf.reserve(len, &memory);
        })?;
        let places = places.unwrap_or_default();
        buf.put_slice(first.as_slice());
        buf.put_bytes(self.views[y].clone());
        buf.put_slice(second.as_slice());
        let mut model = Model::of(&first, &places);
        model.cells.extend_from_slice(&self.models[y].cells);
        model
            .cells
            .extend(Model::of(&second, &places[first.len()..]).cells);
        Some((buf.consume_all(), model))
    }
}

/// Everything that a view shows of itself.
#[track_caller]
fn check(view: &BytesView, model: &Model, owners: &Owners) {
    check_content(view, &model.bytes());
    let mut at = 0;
    for (slice, meta) in view.slices() {
        let cells = &model.cells[at..at + slice.len()];
        let owner = cells[0].owner;
        assert!(
            cells.iter().all(|cell| cell.owner == owner),
            "a slice of two blocks"
        );
        assert_eq!(size(meta), owners.meta(owner), "metadata");
        at += slice.len();
    }
    let first = model
        .cells
        .first()
        .and_then(|cell: &Cell| owners.meta(cell.owner));
    assert_eq!(size(view.first_slice_meta()), first, "first_slice_meta");
    assert_eq!(
        view.slices().len(),
        view.slices().count(),
        "length of the iterator"
    );
    assert_eq!(
        view.retained_bytes(),
        model.retained(owners),
        "retained_bytes"
    );
}

fn size(meta: Option<&dyn BlockMeta>) -> Option<usize> {
    Some(meta?.downcast_ref::<Size>()?.0)
}

/// The whole blocks that the first `len` bytes of some room lie in.
fn first_blocks(rooms: &[Room], len: usize) -> usize {
    let mut covered = 0;
    rooms
        .iter()
        .take_while(|room| {
            let needed = covered < len;
            covered += room.len;
            needed
        })
        .count()
}
