//! What fuzzers run, over seeded mutations.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use alongside_mode::{
    Effect, HostEvent, Line, SettingsAnswer, SettingsCall, SettingsPart, SettingsWish, TypedText,
    fuzzing,
};
use alongside_protocol::{
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    fuzzing::mutations,
    input::{Buttons, PointerEvent, PointerPhase},
    setting::{ChangeStage, Fault, Problem, SettingChange, SettingPath, SettingValue},
    units::{Color, PanelPoint, Pressure},
};

#[path = "../../fuzz/in_corpus.rs"]
mod in_corpus;

const MANIFEST: &str = r#"{ "id": "example.marker", "name": "Marker", "version": "1.0.0", "vendor": "Example",
    "abi": 1, "wire": [1, 1], "peer": [1, 2], "capabilities": ["view"], "consent": "ask-each",
    "why": { "view": "To see what you see" }, "console": { "panel": "ui/panel.js", "element": "example-marker" } }"#;

fn seeds() -> Vec<Vec<u8>> {
    let stroke = Annotation::Stroke(Stroke {
        id: StrokeId(300),
        color: Color::rgb(1, 2, 3),
        width: StrokeWidth::new(4).unwrap(),
        points: vec![
            StrokePoint {
                at: PanelPoint::from_pixels(700, 400),
                pressure: Pressure::FULL
            };
            3
        ],
        done: true,
    });
    let pointer = PointerEvent {
        at: PanelPoint::from_pixels(1, 2),
        phase: PointerPhase::Up,
        buttons: Buttons::NONE,
        pressure: Pressure::FULL,
    };
    let line = Line::new("a line").unwrap();
    let path = SettingPath::new("tray.sheets").unwrap();
    let events = [
        HostEvent::Draw(stroke.clone()),
        HostEvent::Pointer(pointer),
        HostEvent::Text(TypedText::new("text").unwrap()),
        HostEvent::Timer(70_000),
        HostEvent::Peer(vec![1, 2, 3].into()),
        HostEvent::Settings(SettingsAnswer {
            request: 1,
            part: SettingsPart::Stage(ChangeStage::Invalid(vec![Problem::new(
                &path,
                Fault::Above(SettingValue::Integer(5)),
            )])),
        }),
    ];
    let effects = [
        Effect::Annotate(stroke),
        Effect::Annotate(Annotation::Undo(Some(StrokeId(4)))),
        Effect::SetTimer {
            id: 1,
            after: Duration::from_secs(3),
        },
        Effect::Notice(line.clone()),
        Effect::Finish(line),
        Effect::Settings(SettingsCall {
            request: 2,
            wants: SettingsWish::Propose {
                if_version: None,
                changes: vec![SettingChange {
                    path,
                    value: Some(SettingValue::Integer(5)),
                }],
            },
        }),
    ];
    let framed = |kind: u32, encode: &dyn Fn(&mut Vec<u8>)| {
        let mut seed = vec![u8::try_from(kind).unwrap()];
        encode(&mut seed);
        seed
    };
    let mut seeds: Vec<_> = events
        .iter()
        .map(|event| framed(event.kind(), &|out| event.encode(out)))
        .collect();
    seeds.extend(
        effects
            .iter()
            .map(|effect| framed(effect.kind(), &|out| effect.encode(out))),
    );
    seeds.push(framed(0, &|out| out.extend_from_slice(MANIFEST.as_bytes())));
    seeds
}

#[test]
fn no_bytes_break_a_decoder() {
    let seeds = seeds();
    seeds.iter().for_each(|seed| fuzzing::decode(seed));
    mutations(&seeds, 10_000, fuzzing::decode);
}

#[test]
fn fuzzers_start_from_the_same_bytes() {
    in_corpus::in_corpus("mode_decode", &seeds());
}
