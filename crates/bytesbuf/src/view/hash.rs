//! Hashing by content, however it is divided into spans.

use core::hash::{Hash, Hasher};

use super::BytesView;

/// Bytes given to the hasher at a time. A hasher may tell `write(ab)` from
/// `write(a); write(b)`, so pieces must not follow the spans.
const PIECE: usize = 64;

impl Hash for BytesView {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        let mut pending = [0; PIECE];
        let mut filled = 0;
        for (mut slice, _) in self.slices() {
            if filled > 0 {
                let count = slice.len().min(PIECE - filled);
                pending[filled..filled + count].copy_from_slice(&slice[..count]);
                filled += count;
                slice = &slice[count..];
                if filled < PIECE {
                    continue;
                }
                state.write(&pending);
            }
            let pieces = slice.chunks_exact(PIECE);
            let rest = pieces.remainder();
            pieces.for_each(|piece| state.write(piece));
            pending[..rest.len()].copy_from_slice(rest);
            filled = rest.len();
        }
        if filled > 0 {
            state.write(&pending[..filled]);
        }
    }
}
