//! Bytes that know where they lie.

use std::collections::BTreeSet;

use crate::lender;
use crate::memory::{Room, Source};

/// One byte of a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) byte: u8,
    /// Which block, see [`Owners`].
    pub(super) owner: u32,
}

/// A view.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) cells: Vec<Cell>,
}

/// Number of the owner of bytes that live for ever.
pub(super) const STATIC: u32 = 0;

/// A block, or another owner of bytes.
#[derive(Clone, Copy, Debug)]
struct Owner {
    /// Whose block; `None` if it is not a provider's.
    source: Option<Source>,
    /// In bytes, all of it.
    len: usize,
    meta: Option<usize>,
}

/// All owners so far: the first has the number 1.
#[derive(Debug, Default)]
pub(super) struct Owners(Vec<Owner>);

impl Model {
    /// Bytes at the given places, of which there may be more.
    pub(super) fn of(bytes: &[u8], places: &[u32]) -> Self {
        let cells = bytes.iter().zip(places);
        let cells: Vec<_> = cells.map(|(&byte, &owner)| Cell { byte, owner }).collect();
        assert_eq!(cells.len(), bytes.len(), "room for all");
        Self { cells }
    }

    pub(super) fn of_owner(bytes: &[u8], owner: u32) -> Self {
        Self::of(bytes, &vec![owner; bytes.len()])
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.cells.iter().map(|cell| cell.byte).collect()
    }

    pub(super) fn owners(&self) -> BTreeSet<u32> {
        let owners = self.cells.iter().map(|cell| cell.owner);
        owners.filter(|&owner| owner != STATIC).collect()
    }

    /// What `retained_bytes` is documented to say.
    pub(super) fn retained(&self, owners: &Owners) -> usize {
        let size = |owner: u32| match owners.retained(owner) {
            Some(size) => size,
            None => self.cells.iter().filter(|cell| cell.owner == owner).count(),
        };
        self.owners().into_iter().map(size).sum()
    }
}

impl Owners {
    fn get(&self, owner: u32) -> Option<&Owner> {
        self.0.get((owner as usize).checked_sub(1)?)
    }

    fn add(&mut self, owner: Owner) -> u32 {
        self.0.push(owner);
        u32::try_from(self.0.len()).expect("few owners")
    }

    /// A vector or the like, of `len` bytes.
    pub(super) fn foreign(&mut self, len: usize) -> u32 {
        self.add(Owner {
            source: None,
            len,
            meta: None,
        })
    }

    /// Blocks of a provider. Returns the owner of each of their bytes.
    pub(super) fn lent(&mut self, source: Source, rooms: &[Room]) -> Vec<u32> {
        let mut places = Vec::new();
        for room in rooms {
            let owner = self.add(Owner {
                source: Some(source),
                len: room.len,
                meta: room.meta,
            });
            places.resize(places.len() + room.len, owner);
        }
        places
    }

    pub(super) fn meta(&self, owner: u32) -> Option<usize> {
        self.get(owner)?.meta
    }

    /// What a block says that it keeps in use; `None` if it does not say.
    pub(super) fn retained(&self, owner: u32) -> Option<usize> {
        let owner = self.get(owner).expect("not static");
        match owner.source {
            Some(Source::Uneven | Source::Refusing) => lender::retained(owner.len),
            _ => Some(owner.len),
        }
    }

    /// The figures of `Memories::in_use`, if these owners are all that is out.
    pub(super) fn in_use(&self, covered: &BTreeSet<u32>) -> [usize; 6] {
        let mut figures = [0; 6];
        for owner in covered.iter().filter_map(|&owner| self.get(owner)) {
            match owner.source {
                Some(Source::Pool) => figures[0] += owner.len,
                Some(Source::Limited) => {
                    figures[0] += owner.len;
                    figures[1] += owner.len;
                }
                Some(Source::Arena) => figures[2] += owner.len,
                Some(Source::Charged) => figures[3] += owner.len,
                Some(Source::Uneven) => figures[4] += 1,
                Some(Source::Refusing) => figures[5] += 1,
                Some(Source::Small(_) | Source::Transparent) | None => {}
            }
        }
        figures
    }
}
