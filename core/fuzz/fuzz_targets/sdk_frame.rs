#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alongside::modes::fuzzing::frame(data));
