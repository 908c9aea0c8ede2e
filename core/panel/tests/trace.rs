//! A recorded panel arrives as it was recorded.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../benches/codec/trace.rs"]
mod trace;

use std::path::Path;

use alongside_panel::{Decoder, Encoder, Profile};
use alongside_protocol::{frame::HEADER_LEN, units::Millis};
use trace::Trace;

#[test]
fn every_picture_of_the_keyboard_arrives_exactly_and_cheaply() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/traces/keyboard.ptr.zst");
    let mut trace = Trace::open(&path).unwrap();
    let mut encoder = Encoder::new(trace.picture().size(), 1, Profile::default());
    let mut decoder = Decoder::new(Profile::default());
    let (mut pictures, mut bytes) = (0, 0);
    while let Some(at) = trace.advance().unwrap() {
        while let Some(step) = encoder.step(trace.picture(), Millis::new(at.into())) {
            decoder
                .apply(step.frame[3], &step.frame[HEADER_LEN..])
                .unwrap();
            bytes += step.frame.len();
        }
        assert!(
            decoder.picture() == Some(trace.picture()),
            "picture at {at} ms"
        );
        pictures += 1;
    }
    assert_eq!(pictures, 197);
    assert!(bytes < 72_000, "{bytes} bytes");
}
