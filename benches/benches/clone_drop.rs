//! W3: clone a view and drop the clone.
//!
//! `bytes` has no rope: its row clones one handle per span. `Vec` copies.
#![expect(missing_docs, reason = "criterion_group! makes public functions")]

use bytesbuf::mem::GlobalPool;
use bytesbuf_benches::{SPANS, bytes_of, view_of};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn clone_drop(c: &mut Criterion) {
    let pool = GlobalPool::new();
    let mut group = c.benchmark_group("clone_drop");
    for spans in SPANS {
        let view = view_of(spans, &pool);
        group.bench_with_input(BenchmarkId::new("bytesbuf", spans), &view, |b, view| {
            b.iter(|| black_box(black_box(view).clone()));
        });
        let handles = bytes_of(spans);
        group.bench_with_input(BenchmarkId::new("bytes", spans), &handles, |b, handles| {
            b.iter(|| {
                for handle in black_box(handles) {
                    black_box(handle.clone());
                }
            });
        });
        let vec = vec![0xA5_u8; 64 * spans];
        group.bench_with_input(BenchmarkId::new("vec", spans), &vec, |b, vec| {
            b.iter(|| black_box(black_box(vec).clone()));
        });
    }
    group.finish();
}

criterion_group!(benches, clone_drop);
criterion_main!(benches);
