use std::time::{Duration, Instant};

use alongside_mode::{Capabilities, Delivery, Effect, HostEvent, Line, Side, StopReason};
use alongside_protocol::{
    Bytes,
    annotation::Annotation,
    control::ModeState,
    frame::Channel,
    ids::ModeId,
    mode::{Latest, ModeMessage, Peer},
    reason::{ModePhase, Refusal},
};
use alongside_session::{
    Act, Delivery as Way, Record, SessionError, device,
    grant::Denial,
    operator::{self, OperatorAction},
};

use crate::pair::{Pair, Wire, millis, secs, stroke};

fn states(pair: &Pair) -> Vec<ModeState> {
    let of = |(_, event): &(Instant, operator::Event)| match event {
        operator::Event::Mode(state) => Some(state.clone()),
        _ => None,
    };
    pair.operator_events.iter().filter_map(of).collect()
}

fn answer(pair: &mut Pair, effects: Vec<Effect>) {
    let seq = pair.device_seq.unwrap();
    pair.device(device::Input::ModeEffects { seq, effects });
}

fn denials(pair: &Pair) -> Vec<(Act, Denial)> {
    let of = |record: &Record| match record {
        Record::Denied { act, why } => Some((*act, *why)),
        _ => None,
    };
    pair.device_records.iter().filter_map(of).collect()
}

fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

#[test]
fn the_user_guide_begins_on_both_sides_as_soon_as_the_code_is_proved() {
    let pair = Pair::active();
    let starts = pair
        .mode_events
        .iter()
        .filter_map(|(side, event)| match event {
            HostEvent::Start(start) => {
                Some((*side, start.side, start.granted, start.locale.as_str()))
            }
            _ => None,
        });
    let both = Capabilities::VIEW | Capabilities::ANNOTATE;
    assert_eq!(
        starts.collect::<Vec<_>>(),
        [
            (Side::Device, Side::Device, both, "de"),
            (Side::Operator, Side::Operator, both, "en")
        ]
    );
    let [state] = &states(&pair)[..] else {
        panic!()
    };
    assert_eq!((state.activation, state.phase), (1, ModePhase::Active));
}

#[test]
fn a_stroke_of_the_operator_is_recorded_and_then_drawn() {
    let mut pair = Pair::active();
    pair.draw();
    pair.run_for(secs(1));
    assert_eq!(pair.annotations(), [stroke()]);
    let drawn = pair
        .device_log
        .iter()
        .position(|line| line.contains("Annotate(Stroke"))
        .unwrap();
    assert!(
        pair.device_log[drawn - 1].contains("Record(Released { activation: 1, act: Annotate })")
    );
}

#[test]
fn the_pointer_goes_as_datagrams_and_strokes_on_the_stream() {
    let mut pair = Pair::active();
    pair.point(5);
    pair.draw();
    let ways = pair
        .sent
        .iter()
        .filter(|sent| sent.outbound.channel == Channel::Mode);
    let ways: Vec<_> = ways.map(|sent| sent.outbound.delivery).collect();
    assert_eq!(ways, [Way::Datagram, Way::Reliable]);
}

#[test]
fn an_older_pointer_that_arrives_late_is_dropped() {
    let mut pair = Pair::active();
    let latest = |n| {
        ModeMessage::from(Latest {
            activation: 1,
            n,
            body: Bytes::from_static(b"x"),
        })
        .to_datagram()
    };
    let before = pair.mode_events.len();
    for n in [2, 1, 3] {
        pair.device(device::Input::Datagram(latest(n).into()));
    }
    assert_eq!(pair.mode_events.len(), before + 2);
}

#[test]
fn messages_of_another_activation_are_dropped() {
    let mut pair = Pair::active();
    let before = pair.mode_events.len();
    for activation in [0, 2] {
        let peer = ModeMessage::from(Peer {
            activation,
            body: Bytes::from_static(b"x"),
        });
        pair.deliver_to_device(Channel::Mode, &peer.to_frame());
    }
    assert_eq!(pair.mode_events.len(), before);
    assert_eq!(pair.faults, []);
}

#[test]
fn effects_beyond_the_grant_are_recorded_and_dropped() {
    use alongside_protocol::input::{KeyEvent, KeyMotion, KeyName};
    let mut pair = Pair::active();
    let key = KeyEvent {
        key: KeyName::new("5").unwrap(),
        motion: KeyMotion::Down,
    };
    answer(
        &mut pair,
        vec![Effect::Key(key), Effect::Console(b"{}".to_vec())],
    );
    assert_eq!(
        denials(&pair),
        [
            (Act::Key, Denial::OutOfScope),
            (Act::Console, Denial::OutOfScope)
        ]
    );
}

#[test]
fn what_a_mode_shows_to_the_customer_or_writes_down_has_its_place() {
    let mut pair = Pair::active();
    answer(
        &mut pair,
        vec![Effect::Notice(line("look")), Effect::Audit(line("done"))],
    );
    assert!(
        pair.device_events
            .iter()
            .any(|(_, event)| *event == device::Event::Notice(line("look")))
    );
    assert!(
        pair.device_records
            .contains(&Record::ModeSays(line("done")))
    );
}

#[test]
fn a_mode_that_this_device_lacks_is_refused_by_policy() {
    for mode in [ModeId::ENGINEER_CONFIG, "example.other"] {
        let mut pair = Pair::active();
        pair.ask_mode(mode);
        pair.run_for(secs(1));
        let state = states(&pair).pop().unwrap();
        assert_eq!(
            (state.mode.as_str(), state.phase, state.refusal),
            (mode, ModePhase::Refused, Some(Refusal::Policy))
        );
        assert!(
            pair.device_records
                .iter()
                .any(|record| matches!(record, Record::ModeRefused { .. }))
        );
        // And the user guide goes on.
        pair.draw();
        pair.run_for(secs(1));
        assert_eq!(pair.annotations(), [stroke()]);
    }
}

#[test]
fn asking_faster_than_once_a_second_is_answered_busy() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.ask_mode(ModeId::ENGINEER_CONFIG);
    pair.run_for(secs(1));
    assert_eq!(states(&pair).pop().unwrap().refusal, Some(Refusal::Busy));
}

#[test]
fn asking_for_the_user_guide_again_begins_it_anew() {
    let mut pair = Pair::active();
    pair.draw();
    pair.run_for(secs(1));
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.draw(); // of the activation that is about to end
    pair.run_for(secs(1));
    assert_eq!(
        pair.annotations(),
        [stroke(), Annotation::Clear, Annotation::PointerGone]
    );
    let state = states(&pair).pop().unwrap();
    assert_eq!((state.activation, state.phase), (2, ModePhase::Active));
    assert!(
        pair.mode_events
            .contains(&(Side::Device, HostEvent::Stop(StopReason::Replaced)))
    );
    pair.draw();
    pair.point(9);
    pair.run_for(secs(1));
    assert_eq!(
        pair.annotations().len(),
        5,
        "pointers count from the beginning again"
    );
}

#[test]
fn a_half_that_breaks_down_ends_the_mode_and_not_the_session() {
    let mut pair = Pair::active();
    let seq = pair.device_seq.unwrap();
    pair.device(device::Input::ModeFailed { seq });
    answer(&mut pair, vec![Effect::Annotate(stroke())]);
    assert_eq!(pair.annotations(), []);
    assert_eq!(denials(&pair), [(Act::Annotate, Denial::Stale)]);
    pair.run_for(secs(2));
    assert_eq!(states(&pair).pop().unwrap().phase, ModePhase::Ended);
    assert!(
        pair.mode_events
            .contains(&(Side::Operator, HostEvent::Stop(StopReason::Finished)))
    );
    pair.draw();
    assert_eq!(pair.faults, [(Side::Operator, SessionError::NotNow)]);
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(secs(1));
    pair.draw();
    pair.run_for(secs(1));
    assert_eq!(pair.annotations(), [stroke()]);
}

#[test]
fn without_a_mode_nobody_sees_the_panel() {
    let mut pair = Pair::active();
    answer(&mut pair, vec![Effect::Finish(line("done"))]);
    pair.run_for(secs(1));
    let before = pair.sizes(Side::Device, Channel::Panel).len();
    for _ in 0..30 {
        pair.change_panel();
        pair.run_for(millis(33));
    }
    assert_eq!(pair.sizes(Side::Device, Channel::Panel).len(), before);
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(secs(30));
    assert_eq!(
        pair.operator.picture(),
        Some(&*pair.panel),
        "and then they do again"
    );
}

#[test]
fn effects_after_finish_do_not_count() {
    let mut pair = Pair::active();
    answer(
        &mut pair,
        vec![Effect::Finish(line("done")), Effect::Annotate(stroke())],
    );
    assert_eq!(pair.annotations(), []);
    assert_eq!(denials(&pair), [(Act::Annotate, Denial::Stale)]);
}

#[test]
fn a_timer_comes_back_once_and_on_time() {
    let mut pair = Pair::active();
    answer(
        &mut pair,
        vec![Effect::SetTimer {
            id: 7,
            after: millis(1_500),
        }],
    );
    pair.run_for(millis(1_499));
    assert!(
        !pair
            .mode_events
            .contains(&(Side::Device, HostEvent::Timer(7)))
    );
    pair.run_for(secs(10));
    let fired = pair
        .mode_events
        .iter()
        .filter(|(_, event)| *event == HostEvent::Timer(7));
    assert_eq!(fired.count(), 1);
}

#[test]
fn the_console_s_words_reach_the_console_and_nothing_else_does() {
    let mut pair = Pair::active();
    let seq = pair.operator_seq.unwrap();
    let effects = vec![
        Effect::Console(b"{}".to_vec()),
        Effect::Annotate(stroke()),
        Effect::Notice(line("hi")),
    ];
    pair.operator(operator::Input::ModeEffects { seq, effects });
    assert!(
        pair.operator_events
            .iter()
            .any(|(_, event)| *event == operator::Event::Console(b"{}".to_vec()))
    );
    let denied = pair
        .operator_records
        .iter()
        .filter(|record| matches!(record, Record::Denied { .. }));
    assert_eq!(denied.count(), 2);
}

#[test]
fn a_message_that_overtakes_the_word_of_its_activation_waits_for_it() {
    let mut pair = Pair::active();
    // The device's half speaks at once; its stream is faster than the control stream.
    let peer = ModeMessage::from(Peer {
        activation: 2,
        body: Bytes::from_static(b"early"),
    });
    pair.deliver_to_operator(Channel::Mode, &peer.to_frame());
    assert!(
        !pair
            .mode_events
            .iter()
            .any(|(_, event)| matches!(event, HostEvent::Peer(_)))
    );
    pair.run_for(secs(1));
    pair.ask_mode(ModeId::USER_GUIDE);
    pair.run_for(secs(1));
    assert!(pair.mode_events.contains(&(
        Side::Operator,
        HostEvent::Peer(Bytes::from_static(b"early"))
    )));
}

#[test]
fn a_picture_that_overtakes_the_device_s_hello_is_not_lost() {
    let mut pair = Pair::active();
    pair.change_panel();
    pair.run_for(millis(100));
    let frames = pair
        .sent
        .iter()
        .filter(|sent| sent.by == Side::Device)
        .map(|sent| sent.outbound.clone());
    let frames: Vec<_> = frames.collect();
    let hello = frames
        .iter()
        .find(|outbound| outbound.bytes[3] == 0x10)
        .unwrap();
    let picture = frames
        .iter()
        .find(|outbound| outbound.channel == Channel::Panel)
        .unwrap();
    let mut late = Pair::new(crate::pair::code(1), crate::pair::code(1));
    late.connect();
    late.run_for(millis(70)); // the operator has proved the device, and waits for its hello
    late.wire = Wire::Cut;
    late.deliver_to_operator(Channel::Panel, &picture.bytes);
    assert!(late.operator.picture().is_none());
    late.deliver_to_operator(Channel::Control, &hello.bytes);
    assert!(late.operator.picture().is_some());
}

#[test]
fn any_ten_seconds_of_drawing_stay_below_250_kbps() {
    let mut pair = Pair::active();
    pair.padding = 3_900;
    let mut refused = 0;
    for n in 0..6_000 {
        pair.faults.clear();
        pair.draw();
        pair.point(n % 300);
        refused += pair.faults.len();
        assert!(
            pair.faults
                .iter()
                .all(|(_, fault)| *fault == SessionError::Congested)
        );
        pair.run_for(millis(5));
    }
    assert!(refused > 0, "more was asked for than fits");
    let sent = pair.sent.iter().filter(|sent| sent.by == Side::Operator);
    let sent: Vec<_> = sent
        .map(|sent| (sent.at, sent.outbound.bytes.len()))
        .collect();
    assert!(sent.iter().all(|(_, bytes)| *bytes <= 4 + 4 * 1024));
    let most = most_in(secs(10), &sent);
    assert!(most <= 312_500, "{most} bytes");
    assert!(
        most > 280_000,
        "{most} bytes: the budget is there to be used"
    );
}

#[test]
fn a_stroke_too_long_for_the_wire_is_dropped_with_a_record() {
    let mut pair = Pair::active();
    let body = Bytes::from(vec![0; 4_001]);
    answer(
        &mut pair,
        vec![Effect::Peer {
            delivery: Delivery::Reliable,
            body,
        }],
    );
    assert_eq!(denials(&pair), [(Act::Peer, Denial::OverLimit)]);
}

#[test]
fn actions_without_a_session_are_refused_and_change_nothing() {
    let mut pair = Pair::new(crate::pair::code(1), crate::pair::code(1));
    pair.draw();
    assert_eq!(pair.faults, [(Side::Operator, SessionError::NotNow)]);
    pair.ask(OperatorAction::StillHere);
    pair.connect();
    pair.run_for(secs(1));
    assert!(pair.operator_is_connected());
}

/// Most bytes in any window that begins with a message.
pub(crate) fn most_in(window: Duration, sent: &[(Instant, usize)]) -> usize {
    let (mut most, mut sum, mut end) = (0, 0, 0);
    for begin in 0..sent.len() {
        while end < sent.len() && sent[end].0 < sent[begin].0 + window {
            sum += sent[end].1;
            end += 1;
        }
        most = most.max(sum);
        sum -= sent[begin].1;
    }
    most
}
