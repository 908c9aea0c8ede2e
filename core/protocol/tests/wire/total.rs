//! Whatever else arrives is refused, whole.

use alongside_protocol::{
    frame::{Channel, FrameReader, HEADER_LEN},
    wire::DecodeError,
};
use proptest::prelude::*;

use crate::golden::{self, Golden, Message};

#[test]
fn a_truncated_message_is_refused_at_every_length() {
    truncate(&golden::proof());
    truncate(&golden::control());
    truncate(&golden::mode_messages());
    truncate(&golden::to_relay());
    truncate(&golden::from_relay());
}

fn truncate<M: Message>(goldens: &[Golden<M>]) {
    for (message, frame) in goldens.iter().zip(golden::frames(goldens)) {
        let kind = frame[3];
        let body = &frame[HEADER_LEN..];
        for len in 0..body.len() {
            assert_eq!(
                M::from_frame(kind, &body[..len]),
                Err(DecodeError::Malformed { kind }),
                "{message:?} at {len}"
            );
        }
    }
}

#[test]
fn bytes_behind_a_message_are_refused() {
    trail(&golden::proof());
    trail(&golden::control());
    trail(&golden::mode_messages());
    trail(&golden::to_relay());
    trail(&golden::from_relay());
}

fn trail<M: Message>(goldens: &[Golden<M>]) {
    for (message, mut frame) in goldens.iter().zip(golden::frames(goldens)) {
        let kind = frame[3];
        frame.push(0);
        assert_eq!(
            M::from_frame(kind, &frame[HEADER_LEN..]),
            Err(DecodeError::Malformed { kind }),
            "{message:?}"
        );
    }
}

#[test]
fn unknown_types_are_refused_on_every_channel() {
    unknown(&golden::proof());
    unknown(&golden::control());
    unknown(&golden::mode_messages());
    unknown(&golden::to_relay());
    unknown(&golden::from_relay());
}

fn unknown<M: Message>(goldens: &[Golden<M>]) {
    for kind in (0..=u8::MAX).filter(|kind| !M::KINDS.contains(kind)) {
        assert_eq!(
            M::from_frame(kind, &[]),
            Err(DecodeError::UnknownType(kind))
        );
        for frame in golden::frames(goldens) {
            assert_eq!(
                M::from_frame(kind, &frame[HEADER_LEN..]),
                Err(DecodeError::UnknownType(kind))
            );
        }
    }
}

#[test]
fn type_bytes_are_used_once() {
    use alongside_protocol::{
        control::Control,
        mode::ModeMessage,
        proof::Proof,
        relay::{FromRelay, ToRelay},
    };
    let mut all = [
        Control::KINDS,
        ModeMessage::KINDS,
        ToRelay::KINDS,
        FromRelay::KINDS,
        Proof::KINDS,
    ]
    .concat();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn a_stream_fed_byte_by_byte_gives_every_frame() {
    let frames = golden::frames(&golden::control());
    let mut reader = FrameReader::for_channel(Channel::Control);
    let mut found = Vec::new();
    for byte in frames.concat() {
        reader.push(&[byte]);
        while let Some(frame) = reader.next_frame().expect("valid") {
            found.push(alongside_protocol::frame::to_frame(frame.kind, &frame.body));
        }
    }
    assert_eq!(found, frames);
    assert_eq!(reader.pending(), 0);
}

#[test]
fn a_frame_beyond_its_channels_cap_is_refused_by_its_header() {
    for channel in Channel::ALL {
        let max = channel.max_body();
        let mut reader = FrameReader::for_channel(channel);
        reader.push(&u32::try_from(max + 1).expect("u24").to_be_bytes()[1..]);
        assert_eq!(reader.next_frame(), Ok(None), "the type byte is missing");
        reader.push(&[0x10]);
        let refused = Err(DecodeError::TooLong { got: max + 1, max });
        assert_eq!(reader.next_frame(), refused);
        reader.push(&[0; 100]);
        assert_eq!(
            reader.next_frame(),
            refused,
            "a stream that broke stays broken"
        );

        let mut reader = FrameReader::for_channel(channel);
        reader.push(&alongside_protocol::frame::to_frame(0x10, &vec![0; max]));
        assert_eq!(
            reader.next_frame().map(|frame| frame.map(|f| f.body.len())),
            Ok(Some(max))
        );
    }
}

#[test]
fn neither_frames_nor_mode_messages_show_what_they_carry() {
    let secret = b"KP_7";
    let mut reader = FrameReader::new(100);
    reader.push(&alongside_protocol::frame::to_frame(0x20, secret));
    assert_eq!(format!("{reader:?}"), "FrameReader(8 of at most 104 bytes)");
    let frame = reader.next_frame().expect("valid").expect("whole");
    assert_eq!(format!("{frame:?}"), "Frame(0x20, 4 bytes)");
    let peer = alongside_protocol::mode::Peer {
        activation: 1,
        body: frame.body,
    };
    assert_eq!(format!("{peer:?}"), "Peer(activation 1, 4 bytes)");
}

proptest! {
    /// However a stream is cut, the same frames come out.
    #[test]
    fn frames_do_not_depend_on_how_the_stream_is_cut(cuts in prop::collection::vec(1usize..40, 1..60)) {
        let frames = golden::frames(&golden::from_relay());
        let stream = frames.concat();
        let mut rest = &stream[..];
        let mut reader = FrameReader::new(alongside_protocol::relay::MAX_BODY);
        let mut found = Vec::new();
        for cut in cuts.iter().cycle() {
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            rest = behind;
            reader.push(piece);
            while let Some(frame) = reader.next_frame().expect("valid") {
                found.push(alongside_protocol::frame::to_frame(frame.kind, &frame.body));
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, frames);
    }
}
