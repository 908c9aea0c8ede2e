#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alongside_panel::fuzzing::model(data));
