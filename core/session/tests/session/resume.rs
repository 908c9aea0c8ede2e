//! Sessions that lose their connection: what stops at once, who may go on, and how long it waits.

use alongside_mode::Side;
use alongside_protocol::{
    PublicKey,
    control::{Control, ModeState},
    frame::Channel,
    ids::ModeId,
    input::{KeyMotion, PointerPhase},
    proof::Proof,
    reason::{EndReason, ModePhase, Party, Refusal},
};
use alongside_session::{
    Action, Link, Record,
    device::{self, CustomerAction},
    operator::{self, OperatorAction},
};

use crate::pair::{OPERATOR_KEY, Pair, cut, millis, secs};

fn device_links(pair: &Pair) -> Vec<Link> {
    let link = |(_, event): &(_, device::Event)| match event {
        device::Event::Link(link) => Some(*link),
        _ => None,
    };
    pair.device_events.iter().filter_map(link).collect()
}

fn operator_links(pair: &Pair) -> Vec<Link> {
    let link = |(_, event): &(_, operator::Event)| match event {
        operator::Event::Link(link) => Some(*link),
        _ => None,
    };
    pair.operator_events.iter().filter_map(link).collect()
}

fn device_end(pair: &Pair) -> Option<(Party, EndReason)> {
    match pair.device_events.last() {
        Some((_, device::Event::Ended { by, reason })) => Some((*by, *reason)),
        _ => None,
    }
}

fn operator_end(pair: &Pair) -> Option<(Party, EndReason)> {
    match pair.operator_events.last() {
        Some((_, operator::Event::Ended { by, reason })) => Some((*by, *reason)),
        _ => None,
    }
}

/// The mode that the device was in last.
fn mode(pair: &Pair) -> (String, ModePhase) {
    let state = |(_, event): &(_, device::Event)| match event {
        device::Event::Mode(state) => Some((state.mode.to_string(), state.phase)),
        _ => None,
    };
    let states: Vec<_> = pair.device_events.iter().filter_map(state).collect();
    states.last().cloned().expect("a mode")
}

fn is_both_up(pair: &Pair) -> bool {
    device_links(pair).last() == Some(&Link::Ok) && operator_links(pair).last() == Some(&Link::Ok)
}

fn asks(pair: &Pair) -> usize {
    let is_ask = |(_, event): &&(_, device::Event)| matches!(event, device::Event::Asked(_));
    pair.device_events.iter().filter(is_ask).count()
}

const LOST: Option<(Party, EndReason)> = Some((Party::Network, EndReason::PeerLost));

#[test]
fn a_session_goes_on_over_another_connection_and_nobody_is_asked_again() {
    let mut pair = Pair::in_control();
    let asked = asks(&pair);
    for n in 1..6 {
        pair.interrupt();
        pair.run_for(secs(100));
        pair.reconnect(n);
        assert!(is_both_up(&pair), "connection {n}");
        assert_eq!(mode(&pair).0, ModeId::OPERATOR_CONTROL);
        // And it works.
        let before = pair.injected.len();
        pair.touch(3, PointerPhase::Down);
        pair.touch(3, PointerPhase::Up);
        pair.run_for(millis(200));
        assert_eq!(pair.injected.len(), before + 2, "connection {n}");
    }
    assert_eq!(asks(&pair), asked);
    assert!(pair.faults.is_empty(), "{:?}", pair.faults);
    assert!(pair.device_records.contains(&Record::WentOn { epoch: 5 }));
    assert!(pair.operator_records.contains(&Record::WentOn { epoch: 5 }));
}

#[test]
fn nothing_is_sent_and_nothing_happens_while_there_is_no_connection() {
    let mut pair = Pair::in_control();
    pair.touch(3, PointerPhase::Down);
    pair.press("Start", KeyMotion::Down);
    pair.run_for(millis(100));
    let held = pair.injected.len();
    pair.touch(4, PointerPhase::Move);
    pair.interrupt();
    // What is held is let go of at once.
    let freed: Vec<_> = pair.injected[held..].iter().map(|(_, act)| act).collect();
    assert!(
        matches!(
            freed[..],
            [Action::Pointer(_), Action::Key(_)] | [Action::Key(_), Action::Pointer(_)]
        ),
        "{freed:?}"
    );
    let (sent, injected) = (pair.sent.len(), pair.injected.len());
    pair.touch(5, PointerPhase::Down);
    pair.press("Stop", KeyMotion::Down);
    pair.change_panel();
    pair.run_for(secs(110));
    assert_eq!((pair.sent.len(), pair.injected.len()), (sent, injected));
    assert!(pair.faults.iter().all(|(side, _)| *side == Side::Operator));
    pair.reconnect(1);
    pair.run_for(secs(1));
    assert_eq!(
        pair.injected.len(),
        injected,
        "what was asked meanwhile is forgotten"
    );
}

#[test]
fn the_picture_goes_on_without_beginning_anew() {
    let mut pair = Pair::active();
    pair.change_panel();
    pair.run_for(secs(10));
    pair.interrupt();
    pair.run_for(secs(5));
    let before = pair.sizes(Side::Device, Channel::Panel).len();
    pair.reconnect(1);
    pair.run_for(secs(1));
    let resent = pair.sizes(Side::Device, Channel::Panel).split_off(before);
    let bytes: usize = resent.iter().map(|(_, len)| len).sum();
    assert!(bytes < 1_000, "{bytes} bytes for a picture that is there");
    pair.change_panel();
    pair.run_for(secs(10));
    assert_eq!(pair.operator.picture(), Some(&*pair.panel));
}

#[test]
fn both_screens_count_down_and_a_guide_ends_after_ten_minutes() {
    let mut pair = Pair::active();
    pair.interrupt();
    let ends_in = secs(600);
    assert_eq!(device_links(&pair).last(), Some(&Link::Lost { ends_in }));
    assert_eq!(operator_links(&pair).last(), Some(&Link::Lost { ends_in }));
    pair.run_for(secs(599));
    assert_eq!((device_end(&pair), operator_end(&pair)), (None, None));
    pair.run_for(secs(1));
    assert_eq!((device_end(&pair), operator_end(&pair)), (LOST, LOST));
    pair.reconnect(1);
    assert!(pair.sent.iter().all(|sent| sent.at < pair.now - secs(600)));
}

#[test]
fn control_outlasts_two_minutes_and_no_more() {
    for (outage, stays) in [(119, true), (120, false), (500, false)] {
        let mut pair = Pair::in_control();
        pair.interrupt();
        pair.run_for(secs(outage));
        pair.reconnect(1);
        assert!(is_both_up(&pair), "after {outage} s");
        let is_control = mode(&pair).0 == ModeId::OPERATOR_CONTROL;
        assert_eq!(is_control, stays, "after {outage} s");
        if !stays {
            pair.press("Start", KeyMotion::Down);
            pair.run_for(secs(1));
            assert_eq!(pair.injected, [], "the customer has to be asked again");
        }
    }
}

#[test]
fn settings_outlast_half_an_hour() {
    for (outage, stays) in [(1799, true), (1800, false)] {
        let mut pair = Pair::active();
        pair.ask_mode("example.silent");
        pair.run_for(millis(200));
        assert_eq!(mode(&pair).0, "example.silent");
        pair.interrupt();
        pair.run_for(secs(outage));
        pair.reconnect(1);
        assert_eq!(device_end(&pair).is_none(), stays, "after {outage} s");
        assert_eq!(
            mode(&pair).0 == "example.silent" && is_both_up(&pair),
            stays
        );
    }
}

#[test]
fn eight_hours_are_eight_hours_whatever_the_connection_does() {
    let mut pair = Pair::active();
    let start = pair.start;
    let mut n = 0;
    while pair.now < start + secs(8 * 3600 - 500) {
        pair.interrupt();
        pair.run_for(secs(400));
        n += 1;
        pair.reconnect(n);
        assert!(is_both_up(&pair), "connection {n}");
    }
    pair.interrupt();
    pair.run_until(start + secs(8 * 3600 + 1));
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::SessionCap))
    );
}

#[test]
fn silence_for_a_minute_is_a_lost_connection() {
    let mut pair = Pair::active();
    pair.wire = crate::pair::Wire::Cut;
    pair.run_for(secs(61));
    for links in [device_links(&pair), operator_links(&pair)] {
        assert!(
            matches!(links[..], [Link::Missing { .. }, Link::Lost { .. }]),
            "{links:?}"
        );
    }
    pair.wire = crate::pair::Wire::Whole;
    pair.reconnect(1);
    assert!(is_both_up(&pair));
}

#[test]
fn an_open_question_is_a_no_on_both_sides() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(200));
    assert_eq!(mode(&pair).1, ModePhase::Asked);
    pair.interrupt();
    let is_no = |state: &ModeState| {
        (state.phase, state.refusal) == (ModePhase::Refused, Some(Refusal::Interrupted))
    };
    let device = |(_, event): &(_, device::Event)| matches!(event, device::Event::Mode(state) if is_no(state));
    let operator = |(_, event): &(_, operator::Event)| matches!(event, operator::Event::Mode(state) if is_no(state));
    assert!(pair.device_events.iter().any(device));
    assert!(pair.operator_events.iter().any(operator));
    // The customer's late word means nothing.
    pair.verdict(device::AdminVerdict::Ok);
    pair.allow();
    pair.reconnect(1);
    assert_eq!(mode(&pair).0, ModeId::USER_GUIDE);
}

#[test]
fn what_the_customer_takes_back_meanwhile_stays_taken_back() {
    let mut pair = Pair::in_control();
    pair.interrupt();
    pair.customer(CustomerAction::TakeBack);
    pair.reconnect(1);
    assert!(is_both_up(&pair));
    assert_eq!(mode(&pair).0, ModeId::USER_GUIDE);
    pair.press("Start", KeyMotion::Down);
    pair.run_for(millis(200));
    assert_eq!(pair.injected, []);
}

#[test]
fn what_only_one_side_knows_to_be_granted_is_not() {
    let mut pair = Pair::active();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    // The operator never hears of it.
    pair.wire = crate::pair::Wire::Cut;
    pair.verdict(device::AdminVerdict::Ok);
    pair.allow();
    assert_eq!(mode(&pair).0, ModeId::OPERATOR_CONTROL);
    pair.interrupt();
    pair.wire = crate::pair::Wire::Whole;
    pair.reconnect(1);
    assert!(is_both_up(&pair));
    assert_eq!(mode(&pair).0, ModeId::USER_GUIDE);
}

#[test]
fn after_exit_or_the_stop_key_nobody_gets_back_in() {
    let mut pair = Pair::in_control();
    pair.interrupt();
    pair.customer(CustomerAction::Exit);
    assert_eq!(device_end(&pair), Some((Party::Customer, EndReason::Exit)));
    let sent = pair.sizes(Side::Device, Channel::Control).len();
    pair.reconnect(1);
    pair.run_for(secs(60));
    assert_eq!(pair.sizes(Side::Device, Channel::Control).len(), sent);
    assert!(!is_both_up(&pair));

    let mut pair = Pair::in_control();
    pair.interrupt();
    pair.customer(CustomerAction::StopKey(KeyMotion::Down));
    pair.run_for(secs(5));
    assert_eq!(
        device_end(&pair),
        Some((Party::Customer, EndReason::StopKey))
    );
}

#[test]
fn the_operator_may_end_it_and_is_told_that_nothing_else_can_be_done() {
    let mut pair = Pair::active();
    pair.interrupt();
    pair.draw();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    let interrupted = alongside_session::SessionError::Interrupted;
    let told = pair
        .faults
        .iter()
        .filter(|(_, error)| *error == interrupted);
    assert_eq!(told.count(), 2);
    pair.ask(OperatorAction::End);
    assert_eq!(
        operator_end(&pair),
        Some((Party::Operator, EndReason::OperatorEnded))
    );
}

/// Whoever comes with another key, in the middle, or late, gets nothing and costs the session nothing.
#[test]
fn attackers_get_no_word_in_and_the_session_goes_on_after_them() {
    let mut pair = Pair::in_control();
    pair.interrupt();
    // Another key.
    let thief = PublicKey([0x66; 32]);
    pair.connect_as([1; 48], OPERATOR_KEY, [1; 48], thief);
    // Both stolen keys, and a hand on each connection: what either side exports is not what the other does.
    pair.interrupt();
    pair.connect_as([2; 48], OPERATOR_KEY, [3; 48], OPERATOR_KEY);
    pair.run_for(millis(300));
    assert!(!is_both_up(&pair));
    assert!(pair.device_records.contains(&Record::ResumeRefused));
    // One that says nothing.
    pair.interrupt();
    pair.connect_as([4; 48], OPERATOR_KEY, [4; 48], OPERATOR_KEY);
    pair.interrupt();
    pair.device(device::Input::Connected {
        binding: alongside_session::Binding {
            exporter: [5; 48],
            local: crate::pair::DEVICE_KEY,
            peer: OPERATOR_KEY,
        },
        entropy: [9; 32],
    });
    pair.run_for(secs(10));
    let refused = |record: &&Record| **record == Record::ResumeRefused;
    assert!(pair.device_records.iter().filter(refused).count() >= 2);
    pair.reconnect(6);
    assert!(is_both_up(&pair));
    assert_eq!(mode(&pair).0, ModeId::OPERATOR_CONTROL);
}

#[test]
fn nothing_but_the_proof_is_heard_on_a_connection_that_is_not_proved() {
    for kind in 0..=u8::MAX {
        let mut pair = Pair::in_control();
        pair.interrupt();
        pair.device(device::Input::Connected {
            binding: alongside_session::Binding {
                exporter: [5; 48],
                local: crate::pair::DEVICE_KEY,
                peer: OPERATOR_KEY,
            },
            entropy: [9; 32],
        });
        assert!(!pair.device.admits());
        let (injected, events) = (pair.injected.len(), pair.annotations().len());
        let frame = alongside_protocol::frame::Frame {
            kind,
            body: vec![0; 68].into(),
        };
        let channel = Channel::Control;
        pair.device(device::Input::Message { channel, frame });
        assert!(!pair.device.admits(), "{kind:#04x}");
        assert_eq!(
            (pair.injected.len(), pair.annotations().len()),
            (injected, events)
        );
        assert_eq!(device_end(&pair), None, "{kind:#04x}");
    }
}

#[test]
fn a_recorded_proof_is_worth_nothing_on_another_connection() {
    let mut pair = Pair::in_control();
    pair.interrupt();
    pair.reconnect(1);
    assert!(is_both_up(&pair));
    let is_ask = |bytes: &[u8]| {
        let frame = cut(Channel::Control, bytes)?;
        let proof = Proof::from_frame(frame.kind, &frame.body).ok()?;
        matches!(proof, Proof::ResumeA { .. }).then_some(())
    };
    let recorded = (pair.sent.iter())
        .map(|sent| sent.outbound.bytes.clone())
        .find(|bytes| is_ask(bytes).is_some());
    let recorded = recorded.expect("a proof");
    for n in [1, 2] {
        pair.interrupt();
        pair.device(device::Input::Connected {
            binding: alongside_session::Binding {
                exporter: [n; 48],
                local: crate::pair::DEVICE_KEY,
                peer: OPERATOR_KEY,
            },
            entropy: [n; 32],
        });
        pair.deliver_to_device(Channel::Control, &recorded);
        assert!(!pair.device.admits(), "connection {n}");
    }
    pair.reconnect(3);
    assert!(is_both_up(&pair));
}

#[test]
fn both_sides_say_how_they_stand() {
    let mut pair = Pair::active();
    pair.interrupt();
    pair.reconnect(1);
    for side in [Side::Device, Side::Operator] {
        let of = |sent: &&crate::pair::Sent| {
            sent.by == side && sent.outbound.channel == Channel::Control
        };
        let is_said = (pair.sent.iter().filter(of)).any(|sent| {
            let frame = cut(Channel::Control, &sent.outbound.bytes).expect("whole");
            let control = Control::from_frame(frame.kind, &frame.body);
            matches!(control, Ok(Control::Resumed(resumed)) if resumed.mode.is_some())
        });
        assert!(is_said, "{side:?}");
    }
}
