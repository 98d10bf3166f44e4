//! Where threads run, for the workloads that are about two cores.
//!
//! Left alone, the system wakes a thread on the core of the one that woke it: then two
//! threads take turns on one core, and nothing crosses between caches.

use std::sync::OnceLock;

use core_affinity::CoreId;

/// The cores of the process. Asked for once, by the first thread that is about to be
/// bound: threads inherit the binding of the one that started them, and one that is bound sees
/// one core only.
static CORES: OnceLock<Vec<CoreId>> = OnceLock::new();

/// Keeps the calling thread on one core; equal indices are the same core, and there are
/// as many as the machine has. Does nothing where the system does not allow it.
pub(crate) fn stay_on(index: usize) {
    let cores = CORES.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default());
    if let Some(core) = cores.get(index % cores.len().max(1)) {
        core_affinity::set_for_current(*core);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_thread_can_bind_its_child_to_another_core() {
        let seen = std::thread::spawn(|| {
            stay_on(0);
            let child = std::thread::spawn(|| {
                stay_on(1);
                core_affinity::get_core_ids()
            });
            (core_affinity::get_core_ids(), child.join().unwrap())
        });
        let (parent, child) = seen.join().unwrap();
        let cores = CORES.get().map_or(0, Vec::len);
        // Where the system has one core, or none of its business to say.
        if cores > 1 {
            assert_ne!(parent, child);
        }
    }
}
