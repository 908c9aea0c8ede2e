use alongside_protocol::{
    input::{Buttons, KeyMotion, KeyName, PointerPhase},
    setting::{SettingPath, SettingValue, SettingsVersion, Shown},
    units::{Color, PanelPoint, Pressure},
};

use super::*;
use crate::settings::SettingsPart;

fn samples() -> Vec<HostEvent> {
    vec![
        HostEvent::Start(Start {
            side: Side::Operator,
            granted: Capabilities::VIEW | Capabilities::ANNOTATE,
            protocol: 1,
            panel: PanelSize::new(1024, 600).unwrap(),
            locale: "de".to_owned(),
        }),
        HostEvent::Stop(StopReason::Withdrawn),
        HostEvent::Peer(Bytes::from_static(b"zyx")),
        HostEvent::Grant(Grant {
            granted: Capabilities::VIEW,
        }),
        HostEvent::Pointer(PointerEvent {
            at: PanelPoint { x: 160, y: -1 },
            phase: PointerPhase::Move,
            buttons: Buttons::LEFT,
            pressure: Pressure::FULL,
        }),
        HostEvent::Key(KeyEvent {
            key: KeyName::new("Start").unwrap(),
            motion: KeyMotion::Down,
        }),
        HostEvent::Text(TypedText::new("hunter2").unwrap()),
        HostEvent::Draw(Annotation::Pointer {
            at: PanelPoint { x: 1, y: 2 },
            color: Color::rgb(255, 0, 1),
        }),
        HostEvent::Timer(300),
        HostEvent::Console(br#"{"a":1}"#.to_vec()),
        HostEvent::Link(LinkReport {
            rtt: Duration::from_millis(41),
            sending: Kbps::new(38),
            budget: Kbps::new(360),
        }),
        HostEvent::Settings(SettingsAnswer {
            request: 3,
            part: SettingsPart::Values {
                version: SettingsVersion::from_bits(300),
                values: vec![
                    (SettingPath::new("a").unwrap(), Shown::Secret),
                    (
                        SettingPath::new("b").unwrap(),
                        Shown::Value(SettingValue::text("hunter2").unwrap()),
                    ),
                ],
                is_last: true,
            },
        }),
    ]
}

fn body(event: &HostEvent) -> Vec<u8> {
    let mut out = Vec::new();
    event.encode(&mut out);
    out
}

#[test]
fn every_event_comes_back_as_it_was() {
    for event in samples() {
        assert_eq!(HostEvent::decode(event.kind(), &body(&event)), Ok(event));
    }
}

#[test]
fn the_bytes_of_every_event_are_pinned() {
    let golden: Vec<(u32, &[u8])> = vec![
        (1, b"\x01\x03\x01\x80\x08\xd8\x04\x02de"),
        (2, b"\x02"),
        (3, b"zyx"),
        (4, b"\x01"),
        (5, b"\xc0\x02\x01\x02\x01\xff\x07"),
        (6, b"\x05Start\x00"),
        (7, b"\x07hunter2"),
        (8, b"\x00\x02\x04\xff\x00\x01"),
        (9, b"\xac\x02"),
        (10, br#"{"a":1}"#),
        (11, b"\xa8\xc0\x02\x26\xe8\x02"),
        (
            12,
            b"\x03\x01\xac\x02\x02\x01a\x01\x01b\x02\x03\x07hunter2\x01",
        ),
    ];
    let found: Vec<_> = samples()
        .iter()
        .map(|event| (event.kind(), body(event)))
        .collect();
    let golden: Vec<_> = golden
        .into_iter()
        .map(|(kind, bytes)| (kind, bytes.to_vec()))
        .collect();
    assert_eq!(found, golden);
}

#[test]
fn a_shortened_or_lengthened_body_is_never_taken_for_whole() {
    for event in samples()
        .into_iter()
        .filter(|event| !matches!(event, HostEvent::Peer(_) | HostEvent::Console(_)))
    {
        let malformed = Err(BodyError::Malformed { kind: event.kind() });
        let mut whole = body(&event);
        for length in 0..whole.len() {
            assert_eq!(
                HostEvent::decode(event.kind(), &whole[..length]),
                malformed,
                "{event:?} cut at {length}"
            );
        }
        whole.push(0);
        assert_eq!(
            HostEvent::decode(event.kind(), &whole),
            malformed,
            "{event:?} with a byte too many"
        );
    }
}

#[test]
fn a_newer_kind_is_told_from_a_broken_body() {
    assert_eq!(
        HostEvent::decode(4_000, b""),
        Err(BodyError::UnknownKind(4_000))
    );
}

#[test]
fn debug_shows_nothing_that_was_typed() {
    let shown = format!("{:?}", samples());
    for secret in ["hunter2", "\"Start\"", "zyx", "a\\\""] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
