#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alongside_transport::fuzzing::certificate(data));
