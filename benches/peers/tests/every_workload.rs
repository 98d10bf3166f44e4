//! Every workload, started twice: all peers produce the same bytes, and every row has a figure.

use std::time::Duration;

use bytesbuf_peers::peer::Peer;
use bytesbuf_peers::rounds::{self, Settings};
use bytesbuf_peers::workload;

const TWICE: Settings = Settings {
    rounds: 2,
    starts: 2,
    batch: Duration::from_nanos(1),
};

#[test]
fn every_workload_runs_and_every_peer_produces_the_same() {
    for workload in workload::all() {
        let rows = rounds::measure(&workload, TWICE).unwrap();
        assert_eq!(rows.len(), workload.rows.len());
        for row in rows {
            assert!(row.cell(Peer::Ours).is_some(), "{}", row.id);
            for cell in &row.cells {
                assert!(
                    cell.value.median.is_finite(),
                    "{}, {}: {:?}",
                    row.id,
                    cell.peer.label(),
                    cell.value
                );
            }
        }
    }
}

#[test]
fn every_floor_runs() {
    for floor in workload::floors() {
        rounds::measure(&floor, TWICE).unwrap();
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<String> = workload::all()
        .into_iter()
        .flat_map(|workload| workload.rows)
        .map(|row| row.id)
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}
