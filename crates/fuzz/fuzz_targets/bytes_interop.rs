//! See `bytesbuf_fuzz::bytes_interop`.
#![no_main]

use bytesbuf_fuzz::Program;

libfuzzer_sys::fuzz_target!(|program: bytesbuf_fuzz::bytes_interop::Interop| program.run());
