//! Where a run took place, and what was compared.

use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// The machine and the versions. No names of hosts or users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Operating system and version of its kernel.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// Name and version of each crate that was compared.
    pub versions: Vec<(String, String)>,
}

/// The crates that are compared, ours among them.
const COMPARED: [&str; 6] = [
    "bytesbuf",
    "bytes",
    "mimalloc",
    "libmimalloc-sys",
    "ntex-bytes",
    "zeropool",
];

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let system =
            System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
        let cpu = system
            .cpus()
            .first()
            .map(|cpu| cpu.brand().trim().to_owned());
        let unknown = || "unknown".to_owned();
        Self {
            cpu: cpu.filter(|name| !name.is_empty()).unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: format!(
                "{} {}",
                System::name().unwrap_or_else(unknown),
                System::kernel_version().unwrap_or_else(unknown)
            ),
            rustc: env!("PEERS_RUSTC").to_owned(),
            versions: versions(include_str!("../Cargo.lock")),
        }
    }
}

/// Name and version of the compared crates, as the lock file has them.
fn versions(lock: &str) -> Vec<(String, String)> {
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        Some(rest.strip_suffix('"')?.to_owned())
    };
    let mut versions = Vec::new();
    let mut name = None;
    for line in lock.lines() {
        if let Some(found) = value(line, "name") {
            name = COMPARED.contains(&found.as_str()).then_some(found);
        } else if let Some(version) = value(line, "version") {
            versions.extend(name.take().map(|name| (name, version)));
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_peers_have_a_version() {
        let versions = Machine::this().versions;
        for name in COMPARED {
            assert!(versions.iter().any(|(found, _)| found == name), "{name}");
        }
        // Ours, 0.4.2 and 0.12.
        let bytesbufs = versions.iter().filter(|(name, _)| name == "bytesbuf");
        assert_eq!(bytesbufs.count(), 3, "{versions:?}");
    }
}
