#![no_main]

use std::time::Instant;

libfuzzer_sys::fuzz_target!(|data: &[u8]| alongside_transport::fuzzing::received(data, Instant::now()));
