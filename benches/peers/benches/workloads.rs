//! The workloads of `compare` under criterion: a group for each, a peer for each name.
//!
//! Criterion runs the peers one after the other; `compare` interleaves them. For a
//! ratio, use that; for the statistics of one peer, this.
#![expect(missing_docs, reason = "criterion_group! makes public functions")]

use std::time::Duration;

use bytesbuf_peers::rounds;
use bytesbuf_peers::workload;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn workloads(criterion: &mut Criterion) {
    for workload in workload::all() {
        let mut group = criterion.benchmark_group(&workload.id);
        group.throughput(Throughput::Elements(workload.ops));
        let contenders = rounds::start(&workload).expect("the peers produce the same bytes");
        for contender in contenders {
            group.bench_function(contender.peer.label(), |bencher| {
                bencher.iter_custom(|iters| contender.run(iters).expect("the peer runs").time);
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = workloads
}
criterion_main!(benches);
