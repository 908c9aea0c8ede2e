#![no_main]

use std::time::Instant;

libfuzzer_sys::fuzz_target!(|data: &[u8]| alongside_session::fuzzing::device(Instant::now(), data));
