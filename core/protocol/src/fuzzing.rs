//! What fuzzers run: every decoder of this crate as a plain function that panics only where a promise is broken.
//!
//! The same functions serve coverage-guided fuzzing and the seeded [`mutations`] of ordinary tests. Each checks
//! more than "no panic": what was decoded must survive being encoded and decoded again, and its encoding is never
//! longer than what came in.

mod mutate;

use crate::{
    annotation::Annotation,
    cid,
    code::AccessCode,
    control::Control,
    frame::{Channel, Frame, FrameReader, HEADER_LEN},
    input::{KeyEvent, PointerEvent},
    mode::ModeMessage,
    proof::{self, Proof},
    relay::{self, FromRelay, ToRelay},
    setting::SettingChange,
};

pub use mutate::{mutations, mutations_of};

/// A byte stream cut into frames: in one piece and in pieces of the size that the first byte says.
pub fn frame(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else {
        return;
    };
    let max_body = Channel::Control.max_body();
    let mut whole = FrameReader::new(max_body);
    whole.push(stream);
    let expected = drain(&mut whole);
    let mut pieces = FrameReader::new(max_body);
    let mut found = Vec::new();
    for part in stream.chunks(usize::from(*piece).max(1)) {
        pieces.push(part);
        found.extend(drain(&mut pieces));
    }
    assert_eq!(expected, found, "frames depend on how the stream was cut");
    assert_eq!(whole.pending(), pieces.pending(), "bytes lost or invented");
}

/// A stream of frames of the proof.
pub fn proof(data: &[u8]) {
    for Frame { kind, body } in frames(data, proof::MAX_BODY) {
        if let Ok(message) = Proof::from_frame(kind, &body) {
            let frame = message.to_frame();
            assert_eq!(
                frame.get(HEADER_LEN..),
                Some(&*body),
                "fixed layout, so one encoding"
            );
        }
    }
}

/// A stream of frames of the control channel.
pub fn control(data: &[u8]) {
    for Frame { kind, body } in frames(data, Channel::Control.max_body()) {
        if let Ok(message) = Control::from_frame(kind, &body) {
            survives(&message, &message.to_frame(), &body, Control::from_frame);
        }
    }
}

/// Mode messages, both as a stream of frames and as one datagram.
pub fn mode(data: &[u8]) {
    for Frame { kind, body } in frames(data, Channel::Mode.max_body()) {
        if let Ok(message) = ModeMessage::from_frame(kind, &body) {
            survives(
                &message,
                &message.to_frame(),
                &body,
                ModeMessage::from_frame,
            );
        }
    }
    if let Ok(message) = ModeMessage::from_datagram(data) {
        assert_eq!(
            ModeMessage::from_datagram(&message.to_datagram()),
            Ok(message)
        );
    }
}

/// A stream of frames between leg and relay, read as each of the two.
pub fn relay(data: &[u8]) {
    for Frame { kind, body } in frames(data, relay::MAX_BODY) {
        if let Ok(message) = ToRelay::from_frame(kind, &body) {
            survives(&message, &message.to_frame(), &body, ToRelay::from_frame);
        }
        if let Ok(message) = FromRelay::from_frame(kind, &body) {
            survives(&message, &message.to_frame(), &body, FromRelay::from_frame);
        }
    }
}

/// An access code as somebody typed it.
pub fn code(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match AccessCode::parse(&text) {
        Ok(code) => {
            let spoken = code.reveal();
            assert!(
                AccessCode::parse(&spoken) == Ok(code),
                "a code reads back what it reveals"
            );
        }
        Err(error) => drop(error.to_string()),
    }
}

/// A packet, as the relay looks at it.
pub fn cid(data: &[u8]) {
    if let Some(token) = cid::destination(data) {
        let found = data.windows(cid::TOKEN_LEN).any(|window| window == token.0);
        assert!(found, "a token that is not in the packet");
    }
}

/// What modes put into their own messages: pointer, key, annotation and setting.
pub fn vocabulary(data: &[u8]) {
    if let Ok(event) = postcard::from_bytes::<PointerEvent>(data) {
        // Points are bounded, so arithmetic on them cannot overflow.
        let (x, y) = event.at.to_pixels();
        assert!(
            x.abs().max(y.abs()) <= crate::PanelPoint::MAX_PIXELS,
            "point out of bounds"
        );
    }
    drop(postcard::from_bytes::<KeyEvent>(data));
    if let Ok(annotation) = postcard::from_bytes::<Annotation>(data) {
        let again = crate::wire::to_body(&annotation);
        assert_eq!(postcard::from_bytes(&again), Ok(annotation));
    }
    if let Ok(change) = postcard::from_bytes::<SettingChange>(data) {
        let again = crate::wire::to_body(&change);
        assert_eq!(postcard::from_bytes(&again), Ok(change));
    }
}

fn drain(reader: &mut FrameReader) -> Vec<Frame> {
    std::iter::from_fn(|| reader.next_frame().ok().flatten()).collect()
}

fn frames(data: &[u8], max_body: usize) -> Vec<Frame> {
    let mut reader = FrameReader::new(max_body);
    reader.push(data);
    drain(&mut reader)
}

fn survives<M: PartialEq + std::fmt::Debug, E: PartialEq + std::fmt::Debug>(
    message: &M,
    encoded: &[u8],
    received: &[u8],
    decode: impl Fn(u8, &[u8]) -> Result<M, E>,
) {
    let Some(([_, _, _, kind], body)) = encoded.split_first_chunk::<HEADER_LEN>() else {
        panic!("a frame without a header");
    };
    assert!(
        body.len() <= received.len(),
        "grew from {} to {} bytes",
        received.len(),
        body.len()
    );
    assert_eq!(
        decode(*kind, body).as_ref(),
        Ok(message),
        "changed by being encoded again"
    );
}
