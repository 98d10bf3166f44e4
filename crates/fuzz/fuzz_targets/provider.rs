//! See `bytesbuf_fuzz::provider`.
#![no_main]

use bytesbuf_fuzz::Program;

libfuzzer_sys::fuzz_target!(|program: bytesbuf_fuzz::provider::Hostile| program.run());
