//! The file, in pooled memory.
//!
//! A file of up to [`SHARED_MAX`] bytes is read once. All clients then send views
//! of the same blocks, at the same time, in all rounds. A larger one is read anew
//! by each client in each round, a piece at a time: memory stays bounded.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytesbuf::BytesView;
use bytesbuf::mem::GlobalPool;

use crate::failure::{During, Failure};

/// Bytes of the largest file that is held in memory.
const SHARED_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of a piece of a larger file, unless one frame is larger.
const PIECE: usize = 1024 * 1024;

/// A file to stream.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    bytes: u64,
    /// All of it, if it is small enough.
    shared: Option<BytesView>,
}

impl Source {
    /// Looks at the file, and reads it if it is small.
    pub(crate) fn open(path: &Path, pool: &GlobalPool) -> Result<Self, Failure> {
        let name = path.display();
        let cannot = |error: io::Error| Failure::unusable(format!("cannot read {name}: {error}"));
        // Asked before it is opened: opening a pipe waits for its other end.
        let meta = std::fs::metadata(path).map_err(cannot)?;
        if !meta.is_file() {
            return Err(Failure::unusable(format!(
                "cannot read {name}: not a regular file"
            )));
        }
        let mut file = File::open(path).map_err(cannot)?;
        if meta.len() > SHARED_MAX {
            return Ok(Self {
                path: path.to_owned(),
                bytes: meta.len(),
                shared: None,
            });
        }
        let content = read_piece(&mut file, SHARED_MAX as usize, pool, meta.len() as usize)
            .map_err(cannot)?;
        if content.is_empty() {
            return Err(Failure::unusable(format!(
                "cannot stream {name}: the file is empty"
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            bytes: content.len() as u64,
            shared: Some(content),
        })
    }

    /// Length of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Name for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins to read from the start, in pieces that are a multiple of
    /// `frame_size` long, but for the last one.
    pub(crate) fn round<'a>(
        &self,
        frame_size: usize,
        pool: &'a GlobalPool,
    ) -> Result<Round<'a>, Failure> {
        if let Some(content) = &self.shared {
            return Ok(Round::Shared(Some(content.clone())));
        }
        Ok(Round::Pieces {
            file: File::open(&self.path).during("opening the file again")?,
            piece: (PIECE / frame_size).max(1) * frame_size,
            pool,
        })
    }
}

/// One pass over the file.
#[derive(Debug)]
pub(crate) enum Round<'a> {
    Shared(Option<BytesView>),
    Pieces {
        file: File,
        piece: usize,
        pool: &'a GlobalPool,
    },
}

impl Round<'_> {
    /// The next piece; `None` at the end of the file.
    pub(crate) fn next_piece(&mut self) -> Result<Option<BytesView>, Failure> {
        match self {
            Self::Shared(content) => Ok(content.take()),
            Self::Pieces { file, piece, pool } => {
                let read = read_piece(file, *piece, pool, *piece).during("reading the file")?;
                Ok((!read.is_empty()).then_some(read))
            }
        }
    }
}

/// Reads up to `most` bytes into pooled memory; fewer only at the end of the file.
/// `expected` is how many it will be, a hint for the reservation.
///
/// The standard library has no stable read of a file into uninitialised memory,
/// so this goes through its small copy buffer: the one user-space copy of payload
/// bytes in the program, before the data path begins.
fn read_piece(
    file: &mut File,
    most: usize,
    pool: &GlobalPool,
    expected: usize,
) -> io::Result<BytesView> {
    let mut writer = pool.reserve(expected.min(most)).into_writer(pool);
    io::copy(&mut file.take(most as u64), &mut writer)?;
    Ok(writer.into_inner().consume_all())
}
