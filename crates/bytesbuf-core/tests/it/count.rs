//! The count at its borders.

use bytesbuf_core::RefCount;

#[test]
fn restocking_writes_what_is_not_there() {
    let count = RefCount::new(1);
    count.restock(5);
    assert!(count.is_sole(5));
    count.restock(5);
    assert!(count.is_sole(5));
}

#[test]
fn retaining_nothing_at_the_limit_is_fine() {
    let count = RefCount::new(RefCount::MAX);
    count.retain(0);
    assert!(count.is_sole(RefCount::MAX));
}

/// Beyond the limit the process ends, which takes a process of its own to see.
#[cfg(not(miri))]
mod overflow {
    use std::env;
    use std::process::Command;

    use bytesbuf_core::RefCount;

    const BEFORE: &str = "BYTESBUF_TEST_REFERENCES";
    const MORE: &str = "BYTESBUF_TEST_MORE";

    fn figure(name: &str) -> Option<usize> {
        env::var(name).ok()?.parse().ok()
    }

    #[track_caller]
    fn check(before: usize, more: usize) {
        let output = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "count::overflow::the_process_ends_when_the_limit_is_passed",
            ])
            .args(["--nocapture", "--test-threads=1"])
            .env(BEFORE, before.to_string())
            .env(MORE, more.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{before} + {more}: {said}");
        let after = before + more;
        let expected = format!("reference count overflow: {after} references after {more} more");
        assert!(said.contains(&expected), "{before} + {more}: {said}");
        // A test that merely fails prints its result; a process that is gone does not.
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(!printed.contains("test result"), "{printed}");
    }

    #[test]
    fn the_process_ends_when_the_limit_is_passed() {
        if let (Some(before), Some(more)) = (figure(BEFORE), figure(MORE)) {
            // The child. It does not come back.
            return RefCount::new(before).retain(more);
        }
        check(RefCount::MAX, 1);
        check(1, RefCount::MAX);
        check(RefCount::MAX + 1, 1);
        check(RefCount::MAX / 2 + 1, RefCount::MAX / 2 + 1);
    }
}
