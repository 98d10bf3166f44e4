//! W1: reserve a buffer and drop it, warm, on one thread.
#![expect(missing_docs, reason = "criterion_group! makes public functions")]

use bytes::BytesMut;
use bytesbuf::mem::GlobalPool;
use bytesbuf_benches::SIZES;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use parking_lot::Mutex;
use std::hint::black_box;

fn reserve_drop(c: &mut Criterion) {
    let pool = GlobalPool::new();
    let mut group = c.benchmark_group("reserve_drop");
    for size in SIZES {
        group.bench_with_input(BenchmarkId::new("bytesbuf", size), &size, |b, &size| {
            b.iter(|| black_box(pool.reserve(black_box(size))));
        });
        group.bench_with_input(BenchmarkId::new("bytes", size), &size, |b, &size| {
            b.iter(|| black_box(BytesMut::with_capacity(black_box(size))));
        });
        group.bench_with_input(BenchmarkId::new("vec", size), &size, |b, &size| {
            b.iter(|| black_box(Vec::<u8>::with_capacity(black_box(size))));
        });
        // The pool that everybody writes first.
        let free = Mutex::new(Vec::<Vec<u8>>::new());
        group.bench_with_input(BenchmarkId::new("locked_list", size), &size, |b, &size| {
            b.iter(|| {
                let taken = free.lock().pop();
                let buf = taken.unwrap_or_else(|| Vec::with_capacity(black_box(size)));
                free.lock().push(black_box(buf));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reserve_drop);
criterion_main!(benches);
