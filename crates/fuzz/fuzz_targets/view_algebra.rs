//! See `bytesbuf_fuzz::view_algebra`.
#![no_main]

use bytesbuf_fuzz::Program;

libfuzzer_sys::fuzz_target!(|program: bytesbuf_fuzz::view_algebra::Views| program.run());
