//! See `bytesbuf_fuzz::buffer_algebra`.
#![no_main]

use bytesbuf_fuzz::Program;

libfuzzer_sys::fuzz_target!(|program: bytesbuf_fuzz::buffer_algebra::Buffers| program.run());
