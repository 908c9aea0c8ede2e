use std::time::Duration;

use alongside_mode::Effect;
use alongside_protocol::{
    Bytes,
    frame::Channel,
    fuzzing::mutations,
    ids::ModeId,
    input::{KeyMotion, PointerPhase},
};
use alongside_session::{
    device::{AdminVerdict, CustomerAction},
    fuzzing::{self, DeviceWorld, OperatorWorld, Stage, Step},
    operator::OperatorAction,
};
use proptest::prelude::*;

use crate::{
    in_corpus::in_corpus,
    pair::{key, pointer, start, stroke},
};

/// Scripts of the fuzzers' that reach far: proofs, modes, effects, pictures, ends.
const SEEDS: [&[u8]; 8] = [
    &[
        0, 2, 0, 0x01, 34, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
        9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
    ],
    &[1, 7, 0, 2, 5, 0, 6, 1, 10, 9, 1, 200, 12, 1, 0, 20],
    &[
        1, 2, 0, 0x13, 11, 10, b'u', b's', b'e', b'r', b'-', b'g', b'u', b'i', b'd', b'e', 7, 0, 1,
        3, 0,
    ],
    &[
        1, 15, 3, 1, 1, 7, 6, 4, 2, 0x21, 1, 1, 7, 0, 3, 0, 0, 0, 1, 0, 9, 0,
    ],
    &[
        1, 13, 7, 1, 2, 8, 0, 2, 4, 3, 1, 2, 3, 5, 2, b'{', b'}', 0, 40,
    ],
    &[
        1, 2, 2, 0x38, 1, 1, 10, 7, 2, 2, 0x39, 2, 1, 1, 14, 0, 14, 2, 0,
    ],
    // Asked, checked, allowed; pressed and typed; touched by the customer; taken back.
    &[
        1, 13, 1, 0, 12, 14, 0, 12, 11, 7, 0, 3, 9, 2, 5, 1, 9, 11, 0, 9, 6, 14, 2, 0, 1, 12, 15,
        7, 0, 1, 9, 2, 5, 2, 0, 20, 7, 0, 1, 9, 2, 5, 1, 10, 7, 12, 10, 7, 0, 1, 9, 11, 1,
    ],
    // A silent mode, roused, and the easy one asked for from there.
    &[
        1, 13, 1, 1, 0, 20, 12, 15, 0, 40, 13, 1, 2, 12, 9, 12, 11, 7, 0, 2, 9, 11, 2, 9, 11, 0,
        12, 0,
    ],
];

#[test]
fn ten_thousand_scripts_break_no_promise_of_the_device() {
    let start = start();
    mutations(&SEEDS, 10_000, |script| fuzzing::device(start, script));
}

#[test]
fn ten_thousand_scripts_break_no_promise_of_the_operator() {
    let start = start();
    mutations(&SEEDS, 10_000, |script| fuzzing::operator(start, script));
}

#[test]
fn the_scripts_are_in_the_corpus() {
    in_corpus("session_device", &SEEDS);
    in_corpus("session_operator", &SEEDS);
}

fn any_channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(&Channel::ALL[..])
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn any_effects() -> impl Strategy<Value = Vec<Effect>> {
    let effect = prop_oneof![
        4 => Just(Effect::Annotate(stroke())),
        6 => any_phase().prop_map(|phase| Effect::Pointer(pointer(7, phase))),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(stop, up)| Effect::Key(key(
            if stop { "#" } else { "5" },
            if up { KeyMotion::Up } else { KeyMotion::Down },
        ))),
        1 => Just(Effect::SetTimer { id: 1, after: Duration::from_millis(20) }),
        1 => any_bytes().prop_map(|body| Effect::Peer { delivery: alongside_mode::Delivery::Latest, body }),
        1 => Just(Effect::Notice("look here".parse().unwrap())),
        1 => Just(Effect::Finish("done".parse().unwrap())),
    ];
    prop::collection::vec(effect, 0..4)
}

/// Something that takes a session up the ladder, if the rest of it has happened.
fn any_answer() -> impl Strategy<Value = Step> {
    let mode = prop::sample::select(&["operator-control", "example.easy", "engineer-config"][..]);
    let mode = mode.prop_map(|id| OperatorAction::Mode(ModeId::new(id).unwrap()));
    let wait = Duration::from_secs(30);
    let verdict = prop_oneof![
        3 => Just(AdminVerdict::Ok),
        1 => Just(AdminVerdict::Wrong { tries_left: 1, wait }),
        1 => Just(AdminVerdict::Locked { wait }),
    ];
    prop_oneof![
        3 => mode.prop_map(Step::Operator),
        2 => (0_u32..2, verdict).prop_map(|(back, verdict)| Step::AdminId { back, verdict }),
        4 => (0_u32..2).prop_map(|back| Step::Allow { back }),
        1 => (0_u32..2).prop_map(|back| Step::Refuse { back }),
    ]
}

fn any_phase() -> impl Strategy<Value = PointerPhase> {
    use PointerPhase::{Down, Hover, Leave, Move, Up};
    prop::sample::select(&[Down, Down, Move, Up, Hover, Leave][..])
}

fn any_step() -> impl Strategy<Value = Step> {
    use alongside_protocol::control::{Control, ModeAsk, StillHere};
    let control = prop_oneof![
        Just(Control::from(ModeAsk {
            mode: ModeId::user_guide()
        })),
        Just(Control::from(StillHere {})),
    ];
    let control = control.prop_map(|message| {
        let frame = crate::pair::cut(Channel::Control, &message.to_frame()).unwrap();
        Step::Message {
            channel: Channel::Control,
            kind: frame.kind,
            body: frame.body,
        }
    });
    prop_oneof![
        4 => (0_u64..3_000).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
        6 => (0_u64..3, any_effects()).prop_map(|(back, effects)| Step::Effects { back, effects }),
        4 => control,
        2 => (any::<u8>(), any::<bool>()).prop_map(|(shade, is_masked)| Step::Picture { shade, is_masked }),
        6 => any_answer(),
        3 => prop::sample::select(&[CustomerAction::Touched, CustomerAction::DialogKey, CustomerAction::TakeBack][..]).prop_map(Step::Customer),
        1 => (290_u64..2_000).prop_map(|s| Step::Wait(Duration::from_secs(s))),
        1 => (0_u64..3, any::<bool>()).prop_map(|(back, ok)| Step::Answer { back, ok }),
        1 => (any_channel(), any::<u8>(), any_bytes())
            .prop_map(|(channel, kind, body)| Step::Message { channel, kind, body }),
        1 => any_bytes().prop_map(Step::Datagram),
        1 => (0_u64..3).prop_map(|back| Step::Failed { back }),
        1 => Just(Step::Customer(CustomerAction::StopKey(KeyMotion::Down))),
        1 => Just(Step::Customer(CustomerAction::StopKey(KeyMotion::Up))),
        1 => Just(Step::Customer(CustomerAction::Exit)),
        1 => Just(Step::Operator(OperatorAction::Draw(stroke()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Whatever order inputs and time arrive in, nothing is drawn, shown, touched or sent without a live grant, and
    /// there is no grant that touches but by the customer's word.
    #[test]
    fn no_effect_without_a_live_grant(steps in prop::collection::vec(any_step(), 0..100)) {
        let mut world = DeviceWorld::new(start(), Stage::Active);
        steps.into_iter().for_each(|step| world.apply(step));
    }

    /// The same where the customer has allowed control before.
    #[test]
    fn no_touch_outside_a_grant(
        mode in prop::sample::select(&["operator-control", "example.easy"][..]),
        steps in prop::collection::vec(any_step(), 0..150),
    ) {
        let mut world = DeviceWorld::new(start(), Stage::Active);
        world.apply(Step::Operator(OperatorAction::Mode(ModeId::new(mode).unwrap())));
        world.apply(Step::AdminId { back: 0, verdict: AdminVerdict::Ok });
        world.apply(Step::Allow { back: 0 });
        prop_assert!(world.may_touch());
        steps.into_iter().for_each(|step| world.apply(step));
    }

    /// And nothing at all comes out of a session whose code is not proved.
    #[test]
    fn no_effect_before_the_proof(steps in prop::collection::vec(any_step(), 0..50)) {
        let mut device = DeviceWorld::new(start(), Stage::Proving);
        steps.iter().cloned().for_each(|step| device.apply(step));
        let mut operator = OperatorWorld::new(start(), Stage::Proving);
        steps.into_iter().for_each(|step| operator.apply(step));
    }
}
