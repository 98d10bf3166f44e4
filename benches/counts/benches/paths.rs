//! The hot paths under callgrind: a function a path, each short and long.
//!
//! The names are those of `benches/counts/baselines.txt`. `cargo xtask perf` runs this,
//! and reads what callgrind wrote.
#![expect(missing_docs, reason = "the macros of gungraun make public items")]

use bytesbuf_counts::{
    Append, Budgeted, ByValue, CloneView, Consume, Contiguous, GetU64, InPlace, LONG, Lie,
    LivingBuilder, Moved, NewAndReserve, PoolAlone, PutByte, PutSlice, PutU64, Range, Reserve,
    SHORT, SplitTo, Task, once, warm,
};
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

/// Keeps the C library's copies the same everywhere: no `rep` (callgrind counts each of
/// its bytes as an instruction), and no instructions that only some processors have.
const TUNABLES: &str = "glibc.cpu.x86_rep_stosb_threshold=1000000000:\
                        glibc.cpu.x86_rep_movsb_threshold=1000000000:\
                        glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-AVX512F,-ERMS";

// Written out: the attribute cannot be used inside of a macro of ours.

#[library_benchmark]
#[bench::short(warm(Reserve::new(64), SHORT))]
#[bench::long(warm(Reserve::new(64), LONG))]
fn w1_64(task: Task<Reserve>) -> Task<Reserve> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Reserve::new(1024), SHORT))]
#[bench::long(warm(Reserve::new(1024), LONG))]
fn w1_1k(task: Task<Reserve>) -> Task<Reserve> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Reserve::new(64 * 1024), SHORT))]
#[bench::long(warm(Reserve::new(64 * 1024), LONG))]
fn w1_64k(task: Task<Reserve>) -> Task<Reserve> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Reserve::new(1024 * 1024), SHORT))]
#[bench::long(warm(Reserve::new(1024 * 1024), LONG))]
fn w1_1m(task: Task<Reserve>) -> Task<Reserve> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Contiguous::new(1024 * 1024), SHORT))]
#[bench::long(warm(Contiguous::new(1024 * 1024), LONG))]
fn w1_1m_contiguous(task: Task<Contiguous>) -> Task<Contiguous> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(InPlace::new(), SHORT))]
#[bench::long(warm(InPlace::new(), LONG))]
fn w2_in_place(task: Task<InPlace>) -> Task<InPlace> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Moved::new(), SHORT))]
#[bench::long(warm(Moved::new(), LONG))]
fn w2_moved(task: Task<Moved>) -> Task<Moved> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(ByValue::new(), SHORT))]
#[bench::long(warm(ByValue::new(), LONG))]
fn w2_by_value(task: Task<ByValue>) -> Task<ByValue> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(NewAndReserve::new(), SHORT))]
#[bench::long(warm(NewAndReserve::new(), LONG))]
fn w2_new_reserve(task: Task<NewAndReserve>) -> Task<NewAndReserve> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(LivingBuilder::new(), SHORT))]
#[bench::long(warm(LivingBuilder::new(), LONG))]
fn w2s(task: Task<LivingBuilder>) -> Task<LivingBuilder> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(CloneView::new(1), SHORT))]
#[bench::long(warm(CloneView::new(1), LONG))]
fn w3_1(task: Task<CloneView>) -> Task<CloneView> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(CloneView::new(16), SHORT))]
#[bench::long(warm(CloneView::new(16), LONG))]
fn w3_16(task: Task<CloneView>) -> Task<CloneView> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Range::new(), SHORT))]
#[bench::long(warm(Range::new(), LONG))]
fn w4(task: Task<Range>) -> Task<Range> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(GetU64::contiguous, SHORT))]
#[bench::long(once(GetU64::contiguous, LONG))]
fn w5_u64(task: Task<GetU64>) -> Task<GetU64> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(GetU64::spans, SHORT))]
#[bench::long(once(GetU64::spans, LONG))]
fn w5m_u64(task: Task<GetU64>) -> Task<GetU64> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(PutU64::new, SHORT))]
#[bench::long(once(PutU64::new, LONG))]
fn w6_u64(task: Task<PutU64>) -> Task<PutU64> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(PutByte::new, SHORT))]
#[bench::long(once(PutByte::new, LONG))]
fn w6_byte(task: Task<PutByte>) -> Task<PutByte> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(PutSlice::new(), SHORT))]
#[bench::long(warm(PutSlice::new(), LONG))]
fn w7(task: Task<PutSlice>) -> Task<PutSlice> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(|frames| Consume::new(frames, Lie::OneBlock), SHORT))]
#[bench::long(once(|frames| Consume::new(frames, Lie::OneBlock), LONG))]
fn w11(task: Task<Consume>) -> Task<Consume> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(|frames| Consume::new(frames, Lie::Blocks), SHORT))]
#[bench::long(once(|frames| Consume::new(frames, Lie::Blocks), LONG))]
fn w11_blocks(task: Task<Consume>) -> Task<Consume> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(|frames| SplitTo::new(frames, Lie::OneBlock), SHORT))]
#[bench::long(once(|frames| SplitTo::new(frames, Lie::OneBlock), LONG))]
fn w11v(task: Task<SplitTo>) -> Task<SplitTo> {
    task.run()
}

#[library_benchmark]
#[bench::short(once(|frames| SplitTo::new(frames, Lie::Blocks), SHORT))]
#[bench::long(once(|frames| SplitTo::new(frames, Lie::Blocks), LONG))]
fn w11v_blocks(task: Task<SplitTo>) -> Task<SplitTo> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Append::new(), SHORT))]
#[bench::long(warm(Append::new(), LONG))]
fn w12(task: Task<Append>) -> Task<Append> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(PoolAlone::new(), SHORT))]
#[bench::long(warm(PoolAlone::new(), LONG))]
fn pool(task: Task<PoolAlone>) -> Task<PoolAlone> {
    task.run()
}

#[library_benchmark]
#[bench::short(warm(Budgeted::new(), SHORT))]
#[bench::long(warm(Budgeted::new(), LONG))]
fn pool_budgeted(task: Task<Budgeted>) -> Task<Budgeted> {
    task.run()
}

library_benchmark_group!(
    name = paths,
    benchmarks = [
        w1_64,
        w1_1k,
        w1_64k,
        w1_1m,
        w1_1m_contiguous,
        w2_in_place,
        w2_moved,
        w2_by_value,
        w2_new_reserve,
        w2s,
        w3_1,
        w3_16,
        w4,
        w5_u64,
        w5m_u64,
        w6_u64,
        w6_byte,
        w7,
        w11,
        w11_blocks,
        w11v,
        w11v_blocks,
        w12,
        pool,
        pool_budgeted,
    ]
);

main!(
    config = LibraryBenchmarkConfig::default()
        .env("GLIBC_TUNABLES", TUNABLES)
        .tool(Callgrind::with_args(["--cache-sim=no", "--dump-instr=yes"])),
    library_benchmark_groups = paths
);
