//! The last release happens once, and after every use of the block.

use super::door::{Watch, model, read, thread};
use crate::BlockRefBatch;

/// Weakening the Release of the subtraction, or the Acquire of the fence or of
/// the sole-owner load, lets the overwrite at release race with the read on the
/// other thread.
#[test]
fn read_here_while_released_there() {
    model(|| {
        let watch = Watch::new();
        let here = BlockRefBatch::from(watch.lend(7));
        let there = here.clone();
        let other = thread::spawn(move || {
            assert_eq!(read(&there), 7);
            drop(there);
        });
        assert_eq!(read(&here), 7);
        drop(here);
        other.join().unwrap();
        watch.assert_released(1);
    });
}

#[test]
fn three_owners_one_release() {
    model(|| {
        let watch = Watch::new();
        let here = BlockRefBatch::from(watch.lend(7));
        let others = [here.clone(), here.clone()].map(|there| {
            thread::spawn(move || {
                assert_eq!(read(&there), 7);
            })
        });
        drop(here);
        for other in others {
            other.join().unwrap();
        }
        watch.assert_released(1);
    });
}

#[test]
fn clone_there_while_released_here() {
    model(|| {
        let watch = Watch::new();
        let here = watch.lend(7);
        let there = here.clone();
        let other = thread::spawn(move || {
            let twin = BlockRefBatch::from(there.clone());
            drop(there);
            assert_eq!(read(&twin), 7);
        });
        drop(here);
        other.join().unwrap();
        watch.assert_released(1);
    });
}

/// Who is told to be the sole owner may recycle in place: nobody's earlier use may
/// race with that.
#[test]
fn sole_owner_sees_what_the_others_did() {
    model(|| {
        let watch = Watch::new();
        let here = BlockRefBatch::from(watch.lend(7));
        let there = here.clone();
        let other = thread::spawn(move || {
            assert_eq!(read(&there), 7);
        });
        // Without it loom never lets the other thread finish before the question.
        thread::yield_now();
        if here.is_sole() == Some(true) {
            // Released while the other thread may still be running: its read must
            // happen before the overwrite all the same.
            drop(here);
            watch.assert_released(1);
        }
        other.join().unwrap();
    });
}
