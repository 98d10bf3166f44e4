//! See `bytesbuf_fuzz::budget_and_trim`.
#![no_main]

use bytesbuf_fuzz::Program;

libfuzzer_sys::fuzz_target!(|program: bytesbuf_fuzz::budget_and_trim::Budgets| program.run());
