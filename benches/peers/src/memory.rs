//! W13: what a live buffer costs beside its bytes, and what stays resident after a burst.
//!
//! Each peer runs in a process of its own, on a thread that is not the first one:
//! fills 256 MiB of buffers, drops them one by one in the order in which they came, asks
//! for what is unused (where there is a way to ask), drops the pool. A small allocation
//! from the end of the burst stays alive, as in a service something always does: without
//! it glibc could give the whole heap back by chance.

use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};

use crate::inputs;
use crate::peer::{Bb04, Bb12, BytesCrate, Glibc, Mimalloc, Ntex, Ours, Peer, Reserve, ZeroPool};
use crate::results::{Cell, RowResult, Spread};
use crate::workload::Unit;

/// Bytes of all buffers together.
const BURST: usize = 256 * 1024 * 1024;

/// Sizes of a buffer, and what is added to the names of their rows.
const SIZES: [(usize, &str, &str); 2] = [(4096, "4 KiB", ""), (1024, "1 KiB", ", 1 KiB")];

const PEERS: [Peer; 8] = [
    Peer::Ours,
    Peer::Bb04,
    Peer::Bb12,
    Peer::Bytes,
    Peer::Vec,
    Peer::Mimalloc,
    Peer::ZeroPool,
    Peer::Ntex,
];

/// Resident memory in bytes along a burst, and the overhead of a live buffer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Resident bytes for each live buffer beyond its own and its handle's.
    pub overhead: f64,
    before: f64,
    dropped: f64,
    /// If the peer can be asked.
    trimmed: Option<f64>,
    ended: f64,
}

/// What a row takes from the figures.
type Pick = fn(&Figures) -> Option<f64>;

/// The rows: beginning of the name, unit, figure.
const ROWS: [(&str, Unit, Pick); 5] = [
    ("W13 overhead of a live", Unit::Bytes, |figures| {
        Some(figures.overhead)
    }),
    ("W13 RSS before", Unit::MiB, |figures| Some(figures.before)),
    ("W13 RSS after the burst", Unit::MiB, |figures| {
        Some(figures.dropped)
    }),
    ("W13 RSS after trim", Unit::MiB, |figures| figures.trimmed),
    ("W13 RSS after the pool", Unit::MiB, |figures| {
        Some(figures.ended)
    }),
];

fn row_id(start: &str, unit: Unit, size: &str, suffix: &str) -> String {
    match unit {
        Unit::Bytes => format!("{start} {size}"),
        _ => format!("{start}{suffix}"),
    }
}

/// Names of all rows.
pub fn row_ids() -> impl Iterator<Item = String> {
    SIZES.into_iter().flat_map(|(_, size, suffix)| {
        ROWS.iter()
            .map(move |(start, unit, _)| row_id(start, *unit, size, suffix))
    })
}

/// Runs this program once more for each peer and size that has a row for which `wanted`.
///
/// # Errors
/// A child fails, or says something else than figures.
pub fn measure(wanted: impl Fn(&str) -> bool) -> Result<Vec<RowResult>> {
    let mut rows = Vec::new();
    for (bytes, size, suffix) in SIZES {
        let ids: Vec<String> = ROWS
            .iter()
            .map(|(start, unit, _)| row_id(start, *unit, size, suffix))
            .collect();
        if !ids.iter().any(|id| wanted(id)) {
            continue;
        }
        eprintln!("W13 {size}, a process for each peer");
        let figures = PEERS
            .into_iter()
            .map(|peer| Ok((peer, ask(peer, bytes)?)))
            .collect::<Result<Vec<_>>>()?;
        for (id, (_, unit, pick)) in ids.into_iter().zip(ROWS) {
            let scale = if unit == Unit::MiB {
                1024.0 * 1024.0
            } else {
                1.0
            };
            rows.push(RowResult {
                id,
                what: format!("256 MiB of {size} buffers, a process for each peer"),
                unit,
                cells: figures
                    .iter()
                    .filter_map(|(peer, figures)| {
                        Some(Cell {
                            peer: *peer,
                            value: Spread::once(pick(figures)? / scale),
                            ratio: None,
                        })
                    })
                    .collect(),
                verdicts: Vec::new(),
            });
        }
    }
    Ok(rows)
}

fn ask(peer: Peer, bytes: usize) -> Result<Figures> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--memory-of", peer.label(), "--size", &bytes.to_string()])
        .output()?;
    ensure!(
        output.status.success(),
        "memory of {}: {}",
        peer.label(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("figures of a child process")
}

/// What the child process does: a burst, on a thread of its own.
///
/// # Errors
/// There is no such peer, or it has no capacity to measure, or it panics.
pub fn child(peer: &str, bytes: usize) -> Result<Figures> {
    let peer = PEERS
        .into_iter()
        .find(|known| known.label() == peer)
        .with_context(|| format!("no peer is called {peer}"))?;
    let buffers = BURST / bytes;
    let burst = match peer {
        Peer::Ours => burst::<Ours>,
        Peer::Bb04 => burst::<Bb04>,
        Peer::Bb12 => burst::<Bb12>,
        Peer::Bytes => burst::<BytesCrate>,
        Peer::Vec => burst::<Glibc>,
        Peer::Mimalloc => burst::<Mimalloc>,
        Peer::ZeroPool => burst::<ZeroPool>,
        Peer::Ntex => burst::<Ntex>,
        Peer::Raw | Peer::Floor => return Err(anyhow!("{} has no buffers", peer.label())),
    };
    thread::spawn(move || burst(buffers, bytes))
        .join()
        .map_err(|_| anyhow!("{} panicked", peer.label()))?
}

fn burst<P: Reserve>(buffers: usize, bytes: usize) -> Result<Figures> {
    let input = inputs::pattern(bytes);
    let pool = P::pool();
    drop(P::fill(P::reserve(&pool, bytes), &input));
    let before = resident()?;

    let mut live: Vec<P::Filled> = Vec::with_capacity(buffers);
    for _ in 0..buffers {
        live.push(P::fill(P::reserve(&pool, bytes), &input));
    }
    let survivor = Box::new([1_u8; 48]);
    let at_peak = resident()?;
    let last = live.last_mut().map(P::contents);
    ensure!(
        last.as_deref() == Some(&input),
        "other bytes than were written"
    );

    // In the order in which they came.
    for buffer in live.drain(..) {
        drop(buffer);
    }
    drop(live);
    let dropped = resident()?;
    let trimmed = if P::trim(&pool) {
        Some(resident()?)
    } else {
        None
    };
    drop(pool);
    let ended = resident()?;
    drop(survivor);

    let own = buffers * (bytes + size_of::<P::Filled>());
    Ok(Figures {
        overhead: (at_peak - before - own as f64) / buffers as f64,
        before,
        dropped,
        trimmed,
        ended,
    })
}

/// Resident bytes of this process.
fn resident() -> Result<f64> {
    let stats = memory_stats::memory_stats().context("this system does not tell")?;
    Ok(stats.physical_mem as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the burst of each peer, small.
    #[test]
    fn every_peer_holds_what_was_written() {
        fn check<P: Reserve>() {
            let figures = thread::spawn(|| burst::<P>(16, 4096))
                .join()
                .unwrap()
                .unwrap();
            assert!(figures.before > 0.0, "{figures:?}");
        }
        check::<Ours>();
        check::<Bb04>();
        check::<Bb12>();
        check::<BytesCrate>();
        check::<Glibc>();
        check::<Mimalloc>();
        check::<ZeroPool>();
        check::<Ntex>();
    }
}
