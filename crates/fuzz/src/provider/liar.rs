//! Providers that do what a script says, whatever they are asked.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use arbitrary::Arbitrary;
use bytesbuf::BytesBuf;
use bytesbuf::mem::{
    Block, BlockProvider, CallbackMemory, Memory, OpaqueMemory, ProviderMemory, ReserveError,
};

use crate::lender::{Tally, lend};
use crate::memory::{CANNOT, Room};

/// An answer to a request.
#[derive(Arbitrary, Clone, Debug, Default)]
pub(super) struct Script {
    /// Size of each block, and where it begins.
    blocks: Vec<(u8, u8)>,
    /// Bytes of data in what should be empty.
    data: u8,
    /// Before which block there is a panic.
    panics_at: Option<u8>,
    end: End,
}

#[derive(Arbitrary, Clone, Copy, Debug, Default, PartialEq)]
enum End {
    #[default]
    Success,
    Failure,
    Panic,
}

/// What stands between the script and who asks.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// A `BlockProvider` in a `ProviderMemory`.
    Blocks,
    /// A `Memory` with nothing but `reserve`.
    Plain,
    /// A `Memory` with a `try_reserve` that checks nothing.
    Trying,
    /// A function.
    Callback,
    /// A `Memory` of the last kind but one, hidden.
    Opaque,
}

/// What whoever asks the memory gets.
pub(super) enum Reply {
    /// Bytes of data, and room. Perhaps not what was asked for.
    Buf(Vec<u8>, Vec<Room>),
    Error,
    Panic(&'static str),
}

const PURPOSE: &str = "on purpose";
const BLOCKS: usize = 6;

/// The script, and what became of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Liar {
    script: Script,
    tally: Tally,
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Script {
    fn sizes(&self) -> impl Iterator<Item = (u8, usize)> + '_ {
        self.blocks
            .iter()
            .take(BLOCKS)
            .map(|&(size, offset)| (size.max(1), usize::from(offset) % 64))
    }

    /// Whether it panics, half way or at the end.
    fn panics(&self) -> bool {
        let blocks = self.sizes().count();
        self.panics_at.is_some_and(|at| usize::from(at) < blocks) || self.end == End::Panic
    }

    fn rooms(&self) -> Vec<Room> {
        let sizes = self.sizes().map(|(size, _)| usize::from(size));
        sizes
            .map(|len| Room {
                len,
                meta: Some(len),
            })
            .collect()
    }

    fn capacity(&self) -> usize {
        self.rooms().iter().map(|room| room.len).sum()
    }

    /// The data of an answer that is a buffer.
    fn content(&self) -> Vec<u8> {
        vec![b'!'; usize::from(self.data / 2).min(self.capacity())]
    }
}

impl Liar {
    pub(super) fn new(script: Script, tally: &Tally) -> Self {
        let asked = Arc::default();
        Self {
            script,
            tally: tally.clone(),
            asked,
        }
    }

    /// What it was asked for, each time.
    pub(super) fn asked(&self) -> Vec<usize> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, min_bytes: usize) {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(min_bytes);
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        self.script.sizes().enumerate().map(|(at, (size, offset))| {
            let panics = self
                .script
                .panics_at
                .is_some_and(|nth| usize::from(nth) == at);
            assert!(!panics, "{PURPOSE}");
            lend(
                NonZero::new(size.into()).expect("not zero"),
                offset,
                &self.tally,
            )
        })
    }

    fn buf(&self, min_bytes: usize) -> BytesBuf {
        self.note(min_bytes);
        let mut blocks: Vec<Block> = self.blocks().collect();
        // The last one is filled first.
        blocks.reverse();
        let mut buf = BytesBuf::from_blocks(blocks);
        buf.put_slice(self.script.content());
        assert!(self.script.end != End::Panic, "{PURPOSE}");
        buf
    }

    pub(super) fn memory(&self, shape: Shape) -> Box<dyn Memory> {
        let liar = self.clone();
        match shape {
            Shape::Blocks => Box::new(ProviderMemory::new(liar)),
            Shape::Plain => Box::new(Plain(liar)),
            Shape::Trying => Box::new(Trying(liar)),
            Shape::Callback => Box::new(CallbackMemory::new(move |min_bytes| liar.buf(min_bytes))),
            Shape::Opaque => Box::new(OpaqueMemory::new(Trying(liar))),
        }
    }

    /// What the memory must answer to `try_reserve`, or else to `reserve`, and how often
    /// the script is asked.
    pub(super) fn reply(&self, shape: Shape, min_bytes: usize, tries: bool) -> (Reply, usize) {
        let script = &self.script;
        let is_checked = match shape {
            Shape::Blocks => true,
            Shape::Plain | Shape::Callback => tries,
            Shape::Trying | Shape::Opaque => false,
        };
        let failure = if tries {
            Reply::Error
        } else {
            Reply::Panic(CANNOT)
        };
        if is_checked && min_bytes > isize::MAX as usize {
            return (failure, 0);
        }
        let says_failure = match shape {
            Shape::Blocks => true,
            Shape::Trying | Shape::Opaque => tries,
            Shape::Plain | Shape::Callback => false,
        };
        if script.panics() {
            return (Reply::Panic(PURPOSE), 1);
        }
        if says_failure && script.end == End::Failure {
            return (failure, 1);
        }
        let data = if shape == Shape::Blocks {
            Vec::new()
        } else {
            script.content()
        };
        let broken = !data.is_empty() || script.capacity() < min_bytes;
        if is_checked && broken {
            return (failure, 1);
        }
        (Reply::Buf(data, script.rooms()), 1)
    }
}

impl BlockProvider for Liar {
    fn provide(&self, min_bytes: usize, sink: &mut dyn FnMut(Block)) -> Result<(), ReserveError> {
        self.note(min_bytes);
        self.blocks().for_each(sink);
        match self.script.end {
            End::Success => Ok(()),
            End::Failure => Err(ReserveError::Refused(PURPOSE)),
            End::Panic => panic!("{PURPOSE}"),
        }
    }
}

#[derive(Debug)]
struct Plain(Liar);

impl Memory for Plain {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.0.buf(min_bytes)
    }
}

#[derive(Debug)]
struct Trying(Liar);

impl Memory for Trying {
    fn reserve(&self, min_bytes: usize) -> BytesBuf {
        self.0.buf(min_bytes)
    }

    fn try_reserve(&self, min_bytes: usize) -> Result<BytesBuf, ReserveError> {
        let buf = self.0.buf(min_bytes);
        match self.0.script.end {
            End::Failure => Err(ReserveError::Refused(PURPOSE)),
            _ => Ok(buf),
        }
    }
}
