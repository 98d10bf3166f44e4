use alloc::vec::Vec;

use super::*;
use crate::convert::owner_span;

fn list(lens: &[usize]) -> SpanList {
    let mut list = SpanList::default();
    for &len in lens {
        list.push_back(owner_span(alloc::vec![0_u8; len]).unwrap());
    }
    list
}

#[track_caller]
fn check_find(list: &SpanList, offset: usize, expected: (usize, usize)) {
    assert_eq!(list.find(offset), expected, "offset {offset}");
}

#[test]
fn find_by_offset() {
    let list = list(&[3, 1, 4]);
    check_find(&list, 0, (0, 0));
    check_find(&list, 2, (0, 0));
    check_find(&list, 3, (1, 3));
    check_find(&list, 4, (2, 4));
    check_find(&list, 7, (2, 4));
    assert_eq!(list.len(), 8);
}

#[test]
fn offsets_survive_changes_at_both_ends() {
    let mut list = list(&[3, 1, 4]);
    list.push_front(owner_span(alloc::vec![0_u8; 2]).unwrap());
    check_find(&list, 1, (0, 0));
    check_find(&list, 2, (1, 2));
    assert_eq!(list.len(), 10);
    list.pop_front();
    list.trim_first_to(1);
    check_find(&list, 1, (1, 1));
    assert_eq!(list.len(), 6);
    list.pop_back();
    assert_eq!(list.len(), 2);
    assert_eq!(list.iter().map(Span::len).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn neighbours_of_one_block_merge() {
    let mut whole = owner_span(alloc::vec![1_u8, 2, 3, 4]).unwrap();
    let front = whole.split_front(1);
    let second = whole.split_front(1);
    let mut list = SpanList::default();
    list.push_back(second);
    list.push_back(whole);
    list.push_front(front);
    assert_eq!(list.count(), 1);
    assert_eq!(list.front().unwrap().as_slice(), [1, 2, 3, 4]);
}

#[test]
fn neighbours_of_different_blocks_do_not() {
    let list = list(&[3, 1, 4]);
    assert_eq!(list.count(), 3);
}

/// What the list says about itself, against a plain vector of lengths.
#[track_caller]
fn check_lens(list: &SpanList, lens: &[usize]) {
    assert_eq!(list.iter().map(Span::len).collect::<Vec<_>>(), lens);
    assert_eq!(list.count(), lens.len());
    assert_eq!(list.len(), lens.iter().sum::<usize>());
    let mut offset = 0;
    for (index, &len) in lens.iter().enumerate() {
        check_find(list, offset, (index, offset));
        check_find(list, offset + len - 1, (index, offset));
        let from: Vec<usize> = list.iter_from(index).map(Span::len).collect();
        assert_eq!(from, lens[index..]);
        offset += len;
    }
    assert_eq!(list.iter_from(lens.len()).len(), 0);
}

#[test]
fn few_become_many_at_the_back() {
    let mut list = list(&[1]);
    let mut lens = alloc::vec![1];
    for len in 2..3 * FEW {
        list.push_back(owner_span(alloc::vec![0_u8; len]).unwrap());
        lens.push(len);
        check_lens(&list, &lens);
    }
    while let Some(span) = list.pop_front() {
        assert_eq!(span.len(), lens.remove(0));
        check_lens(&list, &lens);
    }
}

#[test]
fn few_become_many_at_the_front() {
    let mut list = list(&[1]);
    let mut lens = alloc::vec![1];
    for len in 2..3 * FEW {
        list.push_front(owner_span(alloc::vec![0_u8; len]).unwrap());
        lens.insert(0, len);
        check_lens(&list, &lens);
    }
    while let Some(span) = list.pop_back() {
        assert_eq!(Some(span.len()), lens.pop());
        check_lens(&list, &lens);
    }
}
