//! What one event costs a mode that is linked in, through its table and back:
//! `cargo bench -p alongside-user-guide`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use alongside_mode::protocol::{
    Bytes, PanelPoint, PanelSize,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    input::{Buttons, PointerEvent, PointerPhase},
    units::{Color, Pressure},
};
use alongside_mode::{Capabilities, Effect, HostEvent, Side, Start, host::Instance};
use alongside_user_guide::MODULE;

const EVENTS: u32 = 200_000;
const ROUNDS: usize = 9;

fn main() {
    let pointer = |x| {
        HostEvent::Pointer(PointerEvent {
            at: PanelPoint::from_pixels(x, 300),
            phase: PointerPhase::Hover,
            buttons: Buttons::NONE,
            pressure: Pressure::FULL,
        })
    };
    let event = pointer(500);
    let mut body = Vec::new();
    measure("encode a pointer event", || {
        body.clear();
        event.encode(&mut body);
        black_box(&body);
    });

    let mut operator = half(Side::Operator);
    measure("pointer, operator half: one message out", || {
        black_box(operator.on_event(Duration::ZERO, &event).unwrap());
    });

    let mut operator = half(Side::Operator);
    let mut device = half(Side::Device);
    measure("pointer, operator half, device half: drawn", || {
        let mut sent = operator.on_event(Duration::ZERO, &event).unwrap();
        let Some(Effect::Peer { body, .. }) = sent.pop() else {
            return;
        };
        black_box(
            device
                .on_event(Duration::ZERO, &HostEvent::Peer(body))
                .unwrap(),
        );
    });

    let mut device = half(Side::Device);
    let mut operator = half(Side::Operator);
    let mut id = 0;
    measure("stroke of 8 points, both halves: drawn, confirmed", || {
        id += 1;
        let sent = operator
            .on_event(Duration::ZERO, &HostEvent::Draw(stroke(id)))
            .unwrap();
        for body in peer(sent) {
            let effects = device
                .on_event(Duration::ZERO, &HostEvent::Peer(body))
                .unwrap();
            for body in peer(effects) {
                black_box(
                    operator
                        .on_event(Duration::ZERO, &HostEvent::Peer(body))
                        .unwrap(),
                );
            }
        }
    });
}

fn peer(effects: Vec<Effect>) -> impl Iterator<Item = Bytes> {
    effects.into_iter().filter_map(|effect| {
        if let Effect::Peer { body, .. } = effect {
            Some(body)
        } else {
            None
        }
    })
}

fn stroke(id: u32) -> Annotation {
    let point = StrokePoint {
        at: PanelPoint::from_pixels(700, 300),
        pressure: Pressure::FULL,
    };
    let width = StrokeWidth::new(4).unwrap();
    Annotation::Stroke(Stroke {
        id: StrokeId(id),
        color: Color::rgb(1, 2, 3),
        width,
        points: vec![point; 8],
        done: true,
    })
}

fn half(side: Side) -> Instance {
    let granted = Capabilities::VIEW | Capabilities::ANNOTATE;
    let mut instance = Instance::new(&MODULE, side, granted).unwrap();
    let panel = PanelSize::new(1024, 600).unwrap();
    let start = Start {
        side,
        granted,
        protocol: 1,
        panel,
        locale: "en".to_owned(),
    };
    instance
        .on_event(Duration::ZERO, &HostEvent::Start(start))
        .unwrap();
    instance
}

/// Prints the median and the best of some rounds.
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn measure(what: &str, mut call: impl FnMut()) {
    let mut costs: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            (0..EVENTS).for_each(|_| call());
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(EVENTS)
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    println!(
        "{what:<52} median {:7.1} ns  best {:7.1} ns",
        costs[ROUNDS / 2],
        costs[0]
    );
}
