//! Operator control: asked for, allowed, taken back, and what reaches the panel meanwhile.

use std::time::Instant;

use alongside_mode::{Effect, Side};
use alongside_protocol::{
    control::ModeState,
    frame::Channel,
    ids::ModeId,
    input::{KeyMotion, PointerPhase},
    reason::{EndReason, ModePhase, Party, Refusal},
    units::PanelRect,
};
use alongside_session::{
    Action, Deed, IssuedCode, Record, STOP_HOLD,
    device::{self, AdminVerdict, Banner, CustomerAction},
    grant::Denial,
    operator,
};

use crate::pair::{Pair, Wire, code, device_config, key, millis, pointer, secs, start};

/// How the modes stood, as the operator was told: name, state, refusal.
fn told(pair: &Pair) -> Vec<(String, ModePhase, Option<Refusal>)> {
    let of = |(_, event): &(Instant, operator::Event)| match event {
        operator::Event::Mode(state) => Some((state.mode.to_string(), state.phase, state.refusal)),
        _ => None,
    };
    pair.operator_events.iter().filter_map(of).collect()
}

fn last(pair: &Pair) -> (String, ModePhase, Option<Refusal>) {
    told(pair).pop().unwrap()
}

fn control(phase: ModePhase, refusal: Option<Refusal>) -> (String, ModePhase, Option<Refusal>) {
    (ModeId::OPERATOR_CONTROL.to_owned(), phase, refusal)
}

fn guide() -> (String, ModePhase, Option<Refusal>) {
    (ModeId::USER_GUIDE.to_owned(), ModePhase::Active, None)
}

fn denials(pair: &Pair) -> Vec<Denial> {
    let of = |record: &Record| match record {
        Record::Denied { why, .. } => Some(*why),
        _ => None,
    };
    pair.device_records.iter().filter_map(of).collect()
}

fn actions(pair: &Pair) -> Vec<Action> {
    pair.injected
        .iter()
        .map(|(_, action)| action.clone())
        .collect()
}

fn touch(x: u16, phase: PointerPhase) -> Action {
    Action::Pointer(pointer(x, phase))
}

fn press(name: &str, motion: KeyMotion) -> Action {
    Action::Key(key(name, motion))
}

fn has_event(pair: &Pair, wanted: &device::Event) -> bool {
    pair.device_events.iter().any(|(_, event)| event == wanted)
}

#[test]
fn the_customer_and_the_administrators_id_together_give_control() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    let ask = pair.last_ask().unwrap();
    assert!(ask.wants_admin_id && !ask.is_renewal);
    assert_eq!(ask.expires_in, secs(60));
    assert_eq!(last(&pair), control(ModePhase::Asked, None));

    pair.allow();
    pair.run_for(millis(100));
    assert!(has_event(&pair, &device::Event::AdminIdNeeded(ask.id)));
    assert_eq!(last(&pair), control(ModePhase::Asked, None), "nothing else");

    pair.verdict(AdminVerdict::Wrong {
        tries_left: 2,
        wait: secs(0),
    });
    pair.allow();
    pair.run_for(millis(100));
    assert_eq!(
        last(&pair),
        control(ModePhase::Asked, None),
        "the operator sees nothing of it"
    );

    pair.verdict(AdminVerdict::Ok);
    pair.allow();
    pair.run_for(millis(100));
    assert_eq!(last(&pair), control(ModePhase::Active, None));
    let records: Vec<_> = pair
        .device_records
        .iter()
        .map(|record| format!("{record:?}"))
        .collect();
    let at = |start: &str| {
        records
            .iter()
            .position(|record| record.starts_with(start))
            .unwrap()
    };
    assert!(at("ModeAsked") < at("AdminId(Wrong"));
    assert!(at("AdminId(Ok") < at("ModeAllowed"));
}

#[test]
fn an_id_that_was_right_for_one_question_does_not_answer_the_next() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    let first = pair.ask_id();
    pair.verdict(AdminVerdict::Ok);
    pair.customer(CustomerAction::Refuse(first));
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    assert_ne!(pair.ask_id(), first);
    // The verdict for the first question comes late, and so does the finger on its button.
    pair.device(device::Input::AdminId {
        ask: first,
        verdict: AdminVerdict::Ok,
    });
    pair.customer(CustomerAction::Allow(first));
    pair.allow();
    pair.run_for(millis(100));
    assert_eq!(last(&pair), control(ModePhase::Asked, None));
    assert!(has_event(
        &pair,
        &device::Event::AdminIdNeeded(pair.ask_id())
    ));
}

#[test]
fn the_customer_refuses_and_the_user_guide_goes_on() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    pair.customer(CustomerAction::Refuse(pair.ask_id()));
    pair.run_for(millis(100));
    let refused = control(ModePhase::Refused, Some(Refusal::Customer));
    assert_eq!(last(&pair), refused);
    pair.draw();
    pair.run_for(secs(1));
    assert_eq!(pair.annotations().len(), 1);
}

#[test]
fn silence_is_a_no_after_a_minute_and_each_key_starts_it_again() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(secs(40));
    pair.customer(CustomerAction::DialogKey);
    pair.run_for(secs(59));
    assert_eq!(last(&pair), control(ModePhase::Asked, None));
    pair.run_for(secs(2));
    let refused = control(ModePhase::Refused, Some(Refusal::Timeout));
    assert_eq!(last(&pair), refused);
    pair.allow();
    pair.run_for(secs(1));
    assert_eq!(last(&pair), refused, "too late");
}

#[test]
fn a_second_question_is_busy_and_the_first_stays_open() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(secs(2));
    pair.ask_mode("example.easy");
    pair.run_for(secs(1));
    let busy = (
        "example.easy".to_owned(),
        ModePhase::Refused,
        Some(Refusal::Busy),
    );
    assert_eq!(last(&pair), busy);
    pair.verdict(AdminVerdict::Ok);
    pair.allow();
    pair.run_for(secs(1));
    assert_eq!(last(&pair), control(ModePhase::Active, None));
}

#[test]
fn a_device_without_an_administrators_id_refuses_what_wants_one() {
    let config = device::Config {
        has_admin_id: false,
        ..device_config()
    };
    let now = start();
    let issued = IssuedCode::new(code(1), now + secs(600));
    let mut pair = Pair::with_config(now, issued, code(1), config);
    pair.connect();
    pair.run_for(secs(1));
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(secs(1));
    let refused = control(ModePhase::Refused, Some(Refusal::NoAdminId));
    assert_eq!(last(&pair), refused);
    assert!(pair.last_ask().is_none());
}

#[test]
fn too_many_wrong_ids_are_a_no() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    pair.verdict(AdminVerdict::Locked { wait: secs(30) });
    pair.run_for(millis(100));
    assert_eq!(last(&pair), control(ModePhase::Asked, None), "it can wait");
    pair.verdict(AdminVerdict::Locked { wait: secs(600) });
    pair.run_for(millis(100));
    let refused = control(ModePhase::Refused, Some(Refusal::Locked));
    assert_eq!(last(&pair), refused);
}

#[test]
fn in_control_the_operator_touches_presses_and_types_each_with_its_record() {
    let mut pair = Pair::in_control();
    pair.touch(5, PointerPhase::Down);
    pair.touch(6, PointerPhase::Move);
    pair.touch(7, PointerPhase::Move);
    pair.touch(7, PointerPhase::Up);
    pair.press("Start", KeyMotion::Down);
    pair.press("Start", KeyMotion::Up);
    pair.type_text("Meyer");
    pair.run_for(secs(1));
    assert_eq!(actions(&pair).len(), 7);
    assert_eq!(actions(&pair)[1], touch(6, PointerPhase::Move));
    let deed = |record: &Record| match record {
        Record::Input { n, deed, .. } => Some((*n, *deed)),
        _ => None,
    };
    let deeds: Vec<_> = pair.device_records.iter().filter_map(deed).collect();
    let expected = [
        (1, Deed::Press),
        // One record stands for the moves.
        (2, Deed::Motion),
        (4, Deed::Lift),
        (5, Deed::KeyDown),
        (6, Deed::KeyUp),
        (7, Deed::Text),
    ];
    assert_eq!(deeds, expected);
    for n in [1, 4, 5, 6, 7] {
        let done = Record::Performed { n, done: true };
        assert!(pair.device_records.contains(&done));
    }
    let shown = format!("{:?}{:?}", pair.device_records, pair.device_log);
    assert!(!shown.contains("Meyer") && !shown.contains("\"Start\""));
}

#[test]
fn the_customers_touch_ends_the_gesture_and_pauses_control_for_two_seconds() {
    let mut pair = Pair::in_control();
    pair.touch(5, PointerPhase::Down);
    pair.press("5", KeyMotion::Down);
    pair.run_for(millis(100));
    pair.customer(CustomerAction::Touched);
    let let_go = [touch(5, PointerPhase::Leave), press("5", KeyMotion::Up)];
    assert_eq!(actions(&pair)[2..], let_go);
    // What is on its way, and what comes without having gone down.
    pair.touch(6, PointerPhase::Move);
    pair.run_for(millis(500));
    assert_eq!(last(&pair), control(ModePhase::Paused, None));
    pair.touch(7, PointerPhase::Down);
    pair.run_for(millis(1_499));
    assert_eq!(last(&pair), control(ModePhase::Paused, None));
    pair.run_for(millis(40));
    assert_eq!(last(&pair), control(ModePhase::Active, None));
    assert_eq!(actions(&pair).len(), 4);
    pair.touch(6, PointerPhase::Up);
    pair.run_for(millis(100));
    assert_eq!(actions(&pair).len(), 4, "nothing went down since");
    pair.touch(6, PointerPhase::Down);
    pair.run_for(millis(100));
    assert_eq!(actions(&pair).len(), 5);
}

#[test]
fn a_hand_that_stays_on_the_panel_keeps_the_operators_off_it() {
    let mut pair = Pair::in_control();
    for _ in 0..30 {
        pair.customer(CustomerAction::Touched);
        pair.run_for(millis(100));
    }
    assert_eq!(last(&pair), control(ModePhase::Paused, None));
    let states = told(&pair);
    let paused = states.iter().filter(|state| state.1 == ModePhase::Paused);
    assert!(paused.count() <= 4, "not once for each move of a finger");
    pair.run_for(secs(2));
    assert_eq!(last(&pair), control(ModePhase::Active, None));
}

#[test]
fn control_taken_back_in_mid_gesture_lets_go_and_ends_at_once() {
    let mut pair = Pair::in_control();
    pair.press("Start", KeyMotion::Down);
    pair.run_for(millis(100));
    pair.press("Stop", KeyMotion::Down);
    pair.customer(CustomerAction::TakeBack);
    assert_eq!(
        actions(&pair),
        [
            press("Start", KeyMotion::Down),
            press("Start", KeyMotion::Up)
        ]
    );
    pair.run_for(secs(1));
    assert_eq!(actions(&pair).len(), 2, "what was on its way came too late");
    let told = told(&pair);
    assert_eq!(
        told[told.len() - 2..],
        [control(ModePhase::Ended, None), guide()]
    );
}

#[test]
fn the_operator_goes_down_without_asking_anybody() {
    let mut pair = Pair::in_control();
    pair.press("Start", KeyMotion::Down);
    pair.run_for(millis(100));
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(millis(100));
    assert_eq!(last(&pair), guide());
    assert_eq!(actions(&pair)[1], press("Start", KeyMotion::Up));
    pair.press("Start", KeyMotion::Down);
    pair.run_for(millis(100));
    assert_eq!(actions(&pair).len(), 2);
}

#[test]
fn after_half_an_hour_the_customer_is_asked_again_and_silence_lowers() {
    let mut pair = Pair::in_control();
    let still_here = |pair: &mut Pair, time| {
        for _ in 0..time / 600 {
            pair.run_for(secs(600));
            pair.ask(operator::OperatorAction::StillHere);
        }
    };
    still_here(&mut pair, 1_800);
    pair.run_for(secs(1));
    let again = pair.last_ask().unwrap();
    assert!(again.is_renewal && !again.wants_admin_id);
    pair.press("5", KeyMotion::Down);
    pair.run_for(secs(1));
    assert_eq!(actions(&pair), [], "no hand on the panel while it is asked");
    pair.allow();
    pair.run_for(secs(1));
    assert_eq!(last(&pair), control(ModePhase::Active, None));
    pair.press("5", KeyMotion::Down);
    pair.run_for(secs(1));
    assert_eq!(actions(&pair).len(), 1);

    still_here(&mut pair, 1_800);
    pair.run_for(secs(65));
    let told = told(&pair);
    let refused = control(ModePhase::Refused, Some(Refusal::Timeout));
    assert_eq!(
        told[told.len() - 3..],
        [refused, control(ModePhase::Ended, None), guide()]
    );
    assert_eq!(actions(&pair)[1], press("5", KeyMotion::Up));
}

#[test]
fn keys_go_up_when_the_operator_cannot_be_reached() {
    let mut pair = Pair::in_control();
    pair.press("Start", KeyMotion::Down);
    pair.run_for(millis(100));
    pair.wire = Wire::Cut;
    pair.run_for(secs(21));
    assert_eq!(actions(&pair)[1..], [press("Start", KeyMotion::Up)]);
    // A half that acts by itself is held off as well.
    let seq = pair.device_seq.unwrap();
    let effects = vec![Effect::Key(key("5", KeyMotion::Down))];
    pair.device(device::Input::ModeEffects { seq, effects });
    assert_eq!(denials(&pair).pop(), Some(Denial::LinkMissing));
    assert_eq!(actions(&pair).len(), 2);
}

#[test]
fn the_end_lets_go_before_it_is_told() {
    let mut pair = Pair::in_control();
    pair.touch(5, PointerPhase::Down);
    pair.run_for(millis(100));
    pair.customer(CustomerAction::Exit);
    assert_eq!(actions(&pair)[1..], [touch(5, PointerPhase::Leave)]);
    assert!(pair.device_log.last().unwrap().starts_with("Event(Ended"));
}

#[test]
fn what_is_masked_never_reaches_the_encoder_and_nothing_is_touched_meanwhile() {
    let mut pair = Pair::in_control();
    pair.change_panel();
    pair.run_for(secs(10));
    let mask = PanelRect {
        x: 40,
        y: 40,
        width: 100,
        height: 60,
    };
    pair.masked = vec![mask];
    pair.change_panel();
    pair.run_for(secs(10));
    let seen = pair.operator.picture().unwrap().clone();
    let inside = |x: usize, y: usize| (40..140).contains(&x) && (40..100).contains(&y);
    for (at, (seen, real)) in seen.pixels().iter().zip(pair.panel.pixels()).enumerate() {
        let (x, y) = (at % 320, at / 320);
        let expected = if inside(x, y) { 0x0080_8080 } else { *real };
        assert_eq!(*seen, expected, "at {x}, {y}");
    }
    pair.press("5", KeyMotion::Down);
    pair.run_for(millis(100));
    assert_eq!(actions(&pair), []);
    assert_eq!(denials(&pair), [Denial::Masked]);
    // Digits that come and go behind the mask send nothing.
    pair.run_for(secs(2));
    let sent = pair.sizes(Side::Device, Channel::Panel).len();
    let mut hidden = (*pair.panel).clone();
    hidden.pixels_mut()[50 * 320 + 60] = 0x00ff_00ff;
    pair.show(hidden);
    pair.run_for(secs(2));
    let later = pair.sizes(Side::Device, Channel::Panel).len();
    assert_eq!(sent, later);
}

#[test]
fn a_panel_that_names_no_mask_shows_nothing_while_an_id_may_be_typed() {
    let mut pair = Pair::active();
    pair.change_panel();
    pair.run_for(secs(10));
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    pair.change_panel();
    pair.run_for(secs(10));
    let seen = pair.operator.picture().unwrap();
    assert!(seen.pixels().iter().all(|pixel| *pixel == 0x0080_8080));
    pair.customer(CustomerAction::Refuse(pair.ask_id()));
    pair.change_panel();
    pair.run_for(secs(10));
    assert_eq!(pair.operator.picture(), Some(&*pair.panel));
}

#[test]
fn nothing_shows_of_a_silent_mode_until_the_panel_is_touched() {
    let mut pair = Pair::active();
    pair.ask_mode("example.silent");
    pair.run_for(secs(1));
    let silent = ("example.silent".to_owned(), ModePhase::Active, None);
    assert_eq!(last(&pair), silent);
    assert!(pair.last_ask().is_none());
    let banner = |pair: &Pair| {
        let of = |(_, event): &(Instant, device::Event)| match event {
            device::Event::Banner(banner) => Some(*banner),
            _ => None,
        };
        pair.device_events.iter().rev().find_map(of)
    };
    assert_eq!(banner(&pair), Some(Banner::Hidden));
    let seq = pair.device_seq.unwrap();
    let effects = vec![
        Effect::Notice("look".parse().unwrap()),
        Effect::Annotate(crate::pair::stroke()),
        Effect::Key(key("5", KeyMotion::Down)),
    ];
    pair.device(device::Input::ModeEffects { seq, effects });
    assert_eq!(denials(&pair).len(), 3);

    pair.customer(CustomerAction::Touched);
    assert_eq!(banner(&pair), Some(Banner::Shown));
    pair.run_for(secs(29));
    pair.customer(CustomerAction::Touched);
    pair.run_for(secs(29));
    assert_eq!(banner(&pair), Some(Banner::Shown));
    pair.run_for(secs(1));
    assert_eq!(banner(&pair), Some(Banner::Hidden));
    pair.customer(CustomerAction::TakeBack);
    pair.run_for(secs(1));
    assert_eq!(banner(&pair), Some(Banner::Shown));
    assert_eq!(last(&pair), guide());
}

#[test]
fn a_mode_that_breaks_down_above_the_user_guide_falls_back_to_it() {
    let mut pair = Pair::in_control();
    pair.press("5", KeyMotion::Down);
    pair.run_for(millis(100));
    let seq = pair.device_seq.unwrap();
    pair.device(device::Input::ModeFailed { seq });
    pair.run_for(millis(100));
    assert_eq!(last(&pair), guide());
    assert_eq!(actions(&pair)[1..], [press("5", KeyMotion::Up)]);
}

/// A session in each of the states there are between its beginning and its end.
fn everywhere() -> Vec<(&'static str, Pair)> {
    let mut asking = Pair::active();
    asking.ask_mode(ModeId::OPERATOR_CONTROL);
    asking.run_for(millis(100));
    let mut refused = Pair::active();
    refused.ask_mode(ModeId::OPERATOR_CONTROL);
    refused.run_for(secs(100));
    let mut silent = Pair::active();
    silent.ask_mode("example.silent");
    silent.run_for(secs(2));
    let mut paused = Pair::in_control();
    paused.customer(CustomerAction::Touched);
    let mut lowered = Pair::in_control();
    lowered.customer(CustomerAction::TakeBack);
    let mut masked = Pair::in_control();
    masked.masked = vec![PanelRect {
        x: 0,
        y: 0,
        width: 1,
        height: 1,
    }];
    masked.change_panel();
    masked.run_for(secs(5));
    let mut ended = Pair::in_control();
    ended.customer(CustomerAction::Exit);
    vec![
        ("guide", Pair::active()),
        ("asking", asking),
        ("refused", refused),
        ("silent", silent),
        ("paused", paused),
        ("lowered", lowered),
        ("masked", masked),
        ("ended", ended),
    ]
}

/// A client that sends every message of every mode, and a half of a mode that wants every effect, in every state: nothing
/// touches the panel but under a live grant.
#[test]
fn t_mode_escape() {
    use alongside_protocol::{
        Bytes,
        control::{Control, End, HelloOperator, ModeAsk},
        mode::{Latest, ModeMessage, Peer},
    };
    for (state, mut pair) in everywhere() {
        let before = pair.injected.len();
        for activation in 0..6 {
            for seq in 0..pair.device_seq.unwrap() + 3 {
                let effects = vec![
                    Effect::Pointer(pointer(5, PointerPhase::Down)),
                    Effect::Pointer(pointer(5, PointerPhase::Up)),
                    Effect::Key(key("#", KeyMotion::Down)),
                    Effect::Key(key("Start", KeyMotion::Down)),
                    Effect::Text(alongside_mode::TypedText::new("0000").unwrap()),
                ];
                pair.device(device::Input::ModeEffects { seq, effects });
            }
            for body in [&b""[..], b"\0", b"\x01\x02\x03", &[0xff; 64]] {
                let body = Bytes::copy_from_slice(body);
                let peer = ModeMessage::from(Peer {
                    activation,
                    body: body.clone(),
                });
                pair.deliver_to_device(Channel::Mode, &peer.to_frame());
                let latest = ModeMessage::from(Latest {
                    activation,
                    n: u32::from(activation) + 9,
                    body,
                });
                pair.device(device::Input::Datagram(latest.to_datagram().into()));
            }
        }
        assert_eq!(
            pair.injected.len(),
            before,
            "{state}: the panel was touched"
        );
        // Every message of the control channel, those included that only a device may send.
        let active = ModeState {
            mode: ModeId::new(ModeId::OPERATOR_CONTROL).unwrap(),
            activation: 2,
            phase: ModePhase::Active,
            refusal: None,
            expires_in_s: None,
        };
        let by = Party::Customer;
        let reason = EndReason::Exit;
        let messages: [Control; 5] = [
            ModeAsk {
                mode: ModeId::new(ModeId::ENGINEER_CONFIG).unwrap(),
            }
            .into(),
            ModeAsk {
                mode: ModeId::user_guide(),
            }
            .into(),
            HelloOperator { name: None }.into(),
            active.into(),
            End { by, reason }.into(),
        ];
        for message in messages {
            pair.deliver_to_device(Channel::Control, &message.to_frame());
            let seq = pair.device_seq.unwrap();
            let effects = vec![Effect::Key(key("Start", KeyMotion::Down))];
            pair.device(device::Input::ModeEffects { seq, effects });
        }
        let pressed = pair.injected[before..]
            .iter()
            .any(|(_, action)| *action == press("Start", KeyMotion::Down));
        assert!(!pressed, "{state}: the panel was touched");
    }
}

/// 10,000 input events a second and the stop key held for 5.0 s: nothing is touched after it, and 4.9 s do not stop.
#[test]
fn t_exit_storm() {
    for (held, stops) in [(STOP_HOLD, true), (STOP_HOLD - millis(100), false)] {
        let mut pair = Pair::in_control();
        pair.halves_answer = true;
        let down = pair.now;
        pair.customer(CustomerAction::StopKey(KeyMotion::Down));
        // The customer holds the key and does not touch the panel otherwise.
        let mut n = 0_u32;
        while pair.now < down + held {
            for _ in 0..10 {
                n += 1;
                // The operator presses the stop key too, and lets go of it: neither counts.
                let name = if n.is_multiple_of(3) { "#" } else { "5" };
                let motion = if n.is_multiple_of(2) {
                    KeyMotion::Up
                } else {
                    KeyMotion::Down
                };
                let seq = pair.device_seq.unwrap();
                let effects = vec![Effect::Key(key(name, motion))];
                pair.device(device::Input::ModeEffects { seq, effects });
            }
            pair.run_for(millis(1));
        }
        pair.customer(CustomerAction::StopKey(KeyMotion::Up));
        let stopped = device::Event::Ended {
            by: Party::Customer,
            reason: EndReason::StopKey,
        };
        assert_eq!(has_event(&pair, &stopped), stops);
        if stops {
            assert!(pair.injected.len() > 10_000);
            let count = pair.injected.len();
            let seq = pair.device_seq.unwrap();
            for _ in 0..1_000 {
                let effects = vec![Effect::Key(key("5", KeyMotion::Down))];
                pair.device(device::Input::ModeEffects { seq, effects });
            }
            pair.run_for(secs(5));
            assert_eq!(pair.injected.len(), count);
            let latest = pair.injected.last().unwrap().0;
            assert!(latest <= down + STOP_HOLD);
        }
    }
}

/// Letting go and pressing again are one step for a grant, and none for what was held.
#[test]
fn a_grant_of_another_mode_presses_nothing_that_was_held() {
    let mut pair = Pair::in_control();
    pair.press("5", KeyMotion::Down);
    pair.run_for(millis(100));
    pair.ask_mode("example.easy");
    pair.run_for(millis(100));
    assert_eq!(actions(&pair)[1..], [press("5", KeyMotion::Up)]);
    pair.allow();
    pair.run_for(millis(100));
    let easy = ("example.easy".to_owned(), ModePhase::Active, None);
    assert_eq!(last(&pair), easy);
    pair.press("5", KeyMotion::Up);
    pair.run_for(millis(100));
    assert_eq!(actions(&pair).len(), 2);
    assert_eq!(denials(&pair), [Denial::NotHeld]);
}
