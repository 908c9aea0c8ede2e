//! 10,000 damaged messages through every decoder, the same ones each time; and what fuzzers start from.

use alongside_protocol::{
    AccessCode,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    cid,
    code::CodeSecret,
    fuzzing,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    units::{Color, PanelPoint, Pressure},
};

use crate::{
    golden::{self, nameplate},
    in_corpus::in_corpus,
};

const ROUNDS: usize = 10_000;

fn streams() -> Vec<Vec<u8>> {
    let mut streams = golden::frames(&golden::control());
    streams.push(streams.concat());
    // The first byte is how many bytes come at a time.
    streams.iter_mut().for_each(|stream| stream.insert(0, 3));
    streams
}

fn mode_messages() -> Vec<Vec<u8>> {
    let mut seeds = golden::frames(&golden::mode_messages());
    seeds.extend(
        golden::mode_messages()
            .iter()
            .map(|(message, _)| message.to_datagram()),
    );
    seeds
}

fn relay_messages() -> Vec<Vec<u8>> {
    [
        golden::frames(&golden::to_relay()),
        golden::frames(&golden::from_relay()),
    ]
    .concat()
}

fn codes() -> Vec<Vec<u8>> {
    let spoken = AccessCode::new(
        nameplate(4_217),
        CodeSecret::draw(&[1, 2, 3]).expect("draw"),
    )
    .reveal();
    let (first, rest) = spoken.split_at(4);
    [
        spoken.clone(),
        format!("{first} {rest}"),
        format!(" {first}-{rest}\n"),
    ]
    .map(String::into_bytes)
    .into()
}

fn packets() -> Vec<Vec<u8>> {
    let token = alongside_protocol::LegToken([0x4a; 8]);
    let long = [
        &[0xc0, 0, 0, 0, 1, 16][..],
        &cid::with_token(token, [9; 8]),
        &[0; 40],
    ]
    .concat();
    let short = [&[0x41][..], &cid::with_token(token, [9; 4]), &[0; 40]].concat();
    vec![long, short]
}

fn vocabulary() -> Vec<Vec<u8>> {
    let at = PanelPoint::from_pixels(512, 300);
    let point = StrokePoint {
        at,
        pressure: Pressure::FULL,
    };
    let color = Color::rgb(0xd0, 0x20, 0x20);
    let width = StrokeWidth::new(4).expect("width");
    let pointer = PointerEvent {
        at,
        phase: PointerPhase::Down,
        buttons: Buttons::LEFT,
        pressure: Pressure::FULL,
    };
    let key = KeyEvent {
        key: KeyName::new("Start").expect("key"),
        motion: KeyMotion::Down,
    };
    let stroke = Stroke {
        id: StrokeId(1),
        color,
        width,
        points: vec![point; 5],
        done: false,
    };
    let seeds = [
        postcard::to_allocvec(&pointer),
        postcard::to_allocvec(&key),
        postcard::to_allocvec(&Annotation::Pointer { at, color }),
        postcard::to_allocvec(&Annotation::PointerGone),
        postcard::to_allocvec(&Annotation::Stroke(stroke)),
        postcard::to_allocvec(&Annotation::Undo(Some(StrokeId(1)))),
        postcard::to_allocvec(&Annotation::Clear),
    ];
    seeds.map(|bytes| bytes.expect("encodes")).into()
}

#[test]
fn damaged_streams_are_cut_the_same_way_whatever_the_pieces() {
    fuzzing::mutations(&streams(), ROUNDS, fuzzing::frame);
}

#[test]
fn damaged_proofs_are_refused_or_read_exactly() {
    fuzzing::mutations(&golden::frames(&golden::proof()), ROUNDS, fuzzing::proof);
}

#[test]
fn damaged_control_messages_are_refused_or_read_exactly() {
    fuzzing::mutations(
        &golden::frames(&golden::control()),
        ROUNDS,
        fuzzing::control,
    );
}

#[test]
fn damaged_mode_messages_are_refused_or_read_exactly() {
    fuzzing::mutations(&mode_messages(), ROUNDS, fuzzing::mode);
}

#[test]
fn damaged_relay_messages_are_refused_or_read_exactly() {
    fuzzing::mutations(&relay_messages(), ROUNDS, fuzzing::relay);
}

#[test]
fn damaged_codes_are_refused_or_read_exactly() {
    fuzzing::mutations(&codes(), ROUNDS, fuzzing::code);
}

#[test]
fn damaged_packets_go_to_a_token_they_hold_or_nowhere() {
    fuzzing::mutations(&packets(), ROUNDS, fuzzing::cid);
}

#[test]
fn damaged_events_and_annotations_are_refused_or_within_bounds() {
    fuzzing::mutations(&vocabulary(), ROUNDS, fuzzing::vocabulary);
}

#[test]
fn fuzzers_start_from_the_same_messages() {
    in_corpus("protocol_frame", &streams());
    in_corpus("protocol_proof", &golden::frames(&golden::proof()));
    in_corpus("protocol_control", &golden::frames(&golden::control()));
    in_corpus("protocol_mode", &mode_messages());
    in_corpus("protocol_relay", &relay_messages());
    in_corpus("protocol_code", &codes());
    in_corpus("protocol_cid", &packets());
    in_corpus("protocol_vocabulary", &vocabulary());
}
