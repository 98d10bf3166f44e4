//! W2: build a 128-byte message in a new builder, freeze it and drop it.
#![expect(missing_docs, reason = "criterion_group! makes public functions")]

use bytes::BytesMut;
use bytesbuf::mem::GlobalPool;
use bytesbuf_benches::{
    MESSAGE_LEN, assert_same_message, fill_bytes, fill_ours, fill_vec, payload,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn build_message(c: &mut Criterion) {
    let pool = GlobalPool::new();
    assert_same_message(&pool);
    let payload = payload();
    let mut group = c.benchmark_group("build_message");
    group.throughput(Throughput::Bytes(MESSAGE_LEN as u64));
    group.bench_function("bytesbuf", |b| {
        b.iter(|| {
            let mut buf = pool.reserve(MESSAGE_LEN);
            fill_ours(&mut buf, black_box(&payload));
            black_box(buf.consume_all())
        });
    });
    group.bench_function("bytes", |b| {
        b.iter(|| {
            let mut buf = BytesMut::with_capacity(MESSAGE_LEN);
            fill_bytes(&mut buf, black_box(&payload));
            black_box(buf.freeze())
        });
    });
    group.bench_function("vec", |b| {
        b.iter(|| {
            let mut buf = Vec::with_capacity(MESSAGE_LEN);
            fill_vec(&mut buf, black_box(&payload));
            black_box(buf)
        });
    });
    group.finish();
}

criterion_group!(benches, build_message);
criterion_main!(benches);
