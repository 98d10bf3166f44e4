//! From any kind of range to checked offsets.

use core::ops::{Bound, RangeBounds};

/// `(start, end)` with `start <= end <= len`, or `None` if the range does not lie
/// within `0..len`.
pub(crate) fn resolve(range: &impl RangeBounds<usize>, len: usize) -> Option<(usize, usize)> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1)?,
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    (start <= end && end <= len).then_some((start, end))
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: impl RangeBounds<usize>, expected: Option<(usize, usize)>) {
        assert_eq!(resolve(&range, 10), expected);
    }

    #[test]
    fn every_kind_of_bound() {
        check(.., Some((0, 10)));
        check(3.., Some((3, 10)));
        check(..4, Some((0, 4)));
        check(..=4, Some((0, 5)));
        check(3..4, Some((3, 4)));
        check(3..=4, Some((3, 5)));
        check((Bound::Excluded(3), Bound::Excluded(5)), Some((4, 5)));
        check(10..10, Some((10, 10)));
        check(10.., Some((10, 10)));
        check(11..11, None);
        check(..11, None);
        check(..=10, None);
        check(..=usize::MAX, None);
        check((Bound::Excluded(usize::MAX), Bound::Unbounded), None);
        #[expect(clippy::reversed_empty_ranges, reason = "the point of the case")]
        check(5..4, None);
    }
}
