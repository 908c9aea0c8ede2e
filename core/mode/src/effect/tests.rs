use alongside_protocol::{
    annotation::{MAX_POINTS, Stroke, StrokeId, StrokePoint, StrokeWidth},
    input::{Buttons, KeyMotion, KeyName, PointerPhase},
    setting::{SettingChange, SettingPath, SettingValue, SettingsVersion},
    units::{Color, PanelPoint, Pressure},
};

use super::*;
use crate::settings::SettingsWish;

fn settings(wants: SettingsWish) -> Effect {
    Effect::Settings(SettingsCall { request: 7, wants })
}

fn stroke(points: usize) -> Annotation {
    let point = StrokePoint {
        at: PanelPoint { x: 16, y: 32 },
        pressure: Pressure::FULL,
    };
    Annotation::Stroke(Stroke {
        id: StrokeId(1),
        color: Color::rgb(1, 2, 3),
        width: StrokeWidth::new(4).unwrap(),
        points: vec![point; points],
        done: false,
    })
}

fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

fn samples() -> Vec<Effect> {
    vec![
        Effect::Peer {
            delivery: Delivery::Latest,
            body: Bytes::from_static(b"zyx"),
        },
        Effect::Annotate(stroke(1)),
        Effect::Pointer(PointerEvent {
            at: PanelPoint { x: 160, y: 0 },
            phase: PointerPhase::Down,
            buttons: Buttons::LEFT,
            pressure: Pressure::FULL,
        }),
        Effect::Key(KeyEvent {
            key: KeyName::new("7").unwrap(),
            motion: KeyMotion::Up,
        }),
        Effect::Text(TypedText::new("hunter2").unwrap()),
        Effect::SetTimer {
            id: 1,
            after: Duration::from_secs(3),
        },
        Effect::Console(br#"{"a":1}"#.to_vec()),
        Effect::Notice(line("look here")),
        Effect::Audit(line("drew")),
        Effect::Finish(line("done")),
        settings(SettingsWish::Schema),
        settings(SettingsWish::Read(SettingPath::new("a.b").ok())),
        settings(SettingsWish::Propose {
            if_version: Some(SettingsVersion::from_bits(300)),
            changes: vec![SettingChange {
                path: SettingPath::new("a.b").unwrap(),
                value: SettingValue::text("hunter2"),
            }],
        }),
        settings(SettingsWish::Undo),
        settings(SettingsWish::Confirm),
    ]
}

fn body(effect: &Effect) -> Vec<u8> {
    let mut out = Vec::new();
    effect.encode(&mut out);
    out
}

#[test]
fn every_effect_comes_back_as_it_was() {
    for effect in samples() {
        assert_eq!(Effect::decode(effect.kind(), &body(&effect)), Ok(effect));
    }
}

#[test]
fn the_bytes_of_every_effect_are_pinned() {
    let golden: Vec<(u32, &[u8])> = vec![
        (1, b"\x01zyx"),
        (2, b"\x02\x01\x01\x02\x03\x04\x01\x20\x40\xff\x07\x00"),
        (3, b"\xc0\x02\x00\x01\x01\xff\x07"),
        (4, b"\x017\x01"),
        (5, b"\x07hunter2"),
        (6, b"\x01\xc0\x8d\xb7\x01"),
        (7, br#"{"a":1}"#),
        (8, b"\x09look here"),
        (9, b"\x04drew"),
        (10, b"\x04done"),
        (11, b"\x07"),
        (12, b"\x07\x01\x03a.b"),
        (13, b"\x07\x01\xac\x02\x01\x03a.b\x01\x03\x07hunter2"),
        (14, b"\x07"),
        (15, b"\x07"),
    ];
    let found: Vec<_> = samples()
        .iter()
        .map(|effect| (effect.kind(), body(effect)))
        .collect();
    let golden: Vec<_> = golden
        .into_iter()
        .map(|(kind, bytes)| (kind, bytes.to_vec()))
        .collect();
    assert_eq!(found, golden);
}

#[test]
fn a_shortened_or_lengthened_body_is_never_taken_for_whole() {
    for effect in samples()
        .into_iter()
        .filter(|effect| !matches!(effect, Effect::Peer { .. } | Effect::Console(_)))
    {
        let malformed = Err(BodyError::Malformed {
            kind: effect.kind(),
        });
        let mut whole = body(&effect);
        for length in 0..whole.len() {
            assert_eq!(
                Effect::decode(effect.kind(), &whole[..length]),
                malformed,
                "{effect:?} cut at {length}"
            );
        }
        whole.push(0);
        assert_eq!(
            Effect::decode(effect.kind(), &whole),
            malformed,
            "{effect:?} with a byte too many"
        );
    }
}

#[test]
fn messages_longer_than_their_way_allows_are_refused() {
    for (byte, max) in [(0, MAX_PEER_LEN), (1, MAX_LATEST_LEN)] {
        let mut body = vec![0; max + 1];
        body[0] = byte;
        assert!(Effect::decode(kind::PEER, &body).is_ok());
        body.push(0);
        assert_eq!(
            Effect::decode(kind::PEER, &body),
            Err(BodyError::Malformed { kind: kind::PEER })
        );
    }
    assert!(Effect::decode(kind::PEER, &[]).is_err());
    assert!(Effect::decode(kind::PEER, &[2]).is_err());
    assert!(Effect::decode(kind::CONSOLE, &vec![b' '; MAX_CONSOLE_LEN + 1]).is_err());
}

#[cfg_attr(miri, ignore = "long, and safe code")]
#[test]
fn the_longest_stroke_operation_fits_the_mode_channel() {
    assert!(body(&Effect::Annotate(stroke(MAX_POINTS))).len() < MAX_PEER_LEN);
    assert!(
        Effect::decode(
            kind::ANNOTATE,
            &body(&Effect::Annotate(stroke(MAX_POINTS + 1)))
        )
        .is_err()
    );
}

#[test]
fn only_taking_back_needs_no_permission_to_draw() {
    assert_eq!(Effect::Annotate(stroke(1)).needs(), Capabilities::ANNOTATE);
    for back in [
        Annotation::PointerGone,
        Annotation::Undo(None),
        Annotation::Clear,
    ] {
        assert_eq!(Effect::Annotate(back).needs(), Capabilities::NONE);
    }
}

#[test]
fn a_hand_on_the_panel_always_needs_input() {
    let hands = samples()
        .into_iter()
        .filter(|effect| effect.needs() == Capabilities::INPUT)
        .map(|effect| effect.kind());
    assert_eq!(
        hands.collect::<Vec<_>>(),
        [kind::POINTER, kind::KEY, kind::TEXT]
    );
}

#[test]
fn debug_shows_nothing_that_was_typed() {
    let shown = format!("{:?}", samples());
    for secret in ["hunter2", "\"7\"", "zyx"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
