//! Arguments: numbers near a limit more often than others, and content.

use arbitrary::Arbitrary;

/// A number of bytes, once it is known what it is held against.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Amount {
    /// Anything.
    Any(usize),
    /// A small number.
    Few(u8),
    /// The limit, or a little more or less, wrapping around.
    Near(i8),
    /// So many parts of 256 of the limit.
    Part(u8),
    /// The limit.
    All,
}

impl Amount {
    /// In bytes.
    pub(crate) fn of(self, limit: usize) -> usize {
        match self {
            Self::Any(bytes) => bytes,
            Self::Few(bytes) => bytes.into(),
            Self::Near(offset) => limit.wrapping_add_signed(offset.into()),
            Self::Part(parts) => {
                limit / 256 * usize::from(parts) + limit % 256 * usize::from(parts) / 256
            }
            Self::All => limit,
        }
    }

    /// As [`of`](Self::of), but not much above the limit: for what has to exist, such
    /// as a slice to copy from.
    pub(crate) fn about(self, limit: usize) -> usize {
        self.of(limit).min(limit.saturating_add(100))
    }
}

/// Content made of a seed: of few letters, so that different pieces are often equal or
/// one is the beginning of the other, or of all bytes.
pub(crate) fn content(seed: u8, len: usize) -> Vec<u8> {
    let mut state = u32::from(seed);
    (0..len)
        .map(|_| {
            // Numerical Recipes' generator.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let byte = state.to_be_bytes()[0];
            if seed < 128 { b'a' + byte / 128 } else { byte }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_relate_to_the_limit() {
        assert_eq!(Amount::Part(128).of(1000), 500);
        assert_eq!(Amount::Near(-1).of(0), usize::MAX);
        assert_eq!(Amount::Near(1).of(7), 8);
        assert_eq!(Amount::Any(usize::MAX).about(7), 107);
    }

    #[test]
    fn content_is_that_of_the_seed() {
        assert_eq!(content(200, 50), content(200, 50));
        assert_ne!(content(200, 50), content(201, 50));
        assert!(content(3, 50).iter().all(|byte| b"ab".contains(byte)));
    }
}
