use alongside_mode::Side;
use alongside_protocol::{
    PublicKey,
    code::CodeSecret,
    frame::Channel,
    proof::{KIND_A, KIND_B, KIND_C, KIND_FAIL, METHOD_CODE, PROOF_VERSION, Proof, ProofFailure},
    reason::{EndReason, Party},
};
use alongside_session::{IssuedCode, Record, SessionError, device, operator};

use crate::pair::{OPERATOR_KEY, Pair, Wire, code, millis, secs, start};

fn device_failure(pair: &Pair) -> Option<ProofFailure> {
    pair.device_events
        .iter()
        .find_map(|(_, event)| match event {
            device::Event::CodeFailed(failure) => Some(*failure),
            _ => None,
        })
}

fn operator_failure(pair: &Pair) -> Option<ProofFailure> {
    pair.operator_events
        .iter()
        .find_map(|(_, event)| match event {
            operator::Event::CodeFailed(failure) => Some(*failure),
            _ => None,
        })
}

pub(crate) fn device_end(pair: &Pair) -> Option<(Party, EndReason)> {
    pair.device_events
        .iter()
        .find_map(|(_, event)| match event {
            device::Event::Ended { by, reason } => Some((*by, *reason)),
            _ => None,
        })
}

pub(crate) fn operator_end(pair: &Pair) -> Option<(Party, EndReason)> {
    pair.operator_events
        .iter()
        .find_map(|(_, event)| match event {
            operator::Event::Ended { by, reason } => Some((*by, *reason)),
            _ => None,
        })
}

fn kinds(pair: &Pair, side: Side) -> Vec<u8> {
    pair.sent
        .iter()
        .filter(|sent| sent.by == side)
        .map(|sent| sent.outbound.bytes[3])
        .collect()
}

fn position(log: &[String], what: &str) -> usize {
    log.iter()
        .position(|line| line.contains(what))
        .unwrap_or_else(|| panic!("no {what} in {log:?}"))
}

#[test]
fn the_right_code_leads_to_the_user_guide_on_both_sides() {
    let mut pair = Pair::new(code(1), code(1));
    pair.connect();
    pair.run_for(millis(200));
    assert!(pair.device_is_connected() && pair.operator_is_connected());
    let device::Event::Connected { operator, session } = &pair.device_events[1].1 else {
        panic!("{:?}", pair.device_events)
    };
    assert_eq!(
        operator.name.as_ref().map(|name| name.as_str()),
        Some("Robin"),
        "as the operator says, unconfirmed"
    );
    let hello = pair
        .operator_events
        .iter()
        .find_map(|(_, event)| match event {
            operator::Event::Connected(hello) => Some(hello.clone()),
            _ => None,
        });
    let hello = hello.unwrap();
    assert_eq!(
        (&hello.session, hello.serial.as_str()),
        (session, "SN-0815")
    );
    assert!(
        pair.device_log
            .iter()
            .any(|line| line.contains("ModeActivated"))
    );
    assert!(
        pair.operator.into_issued().is_none(),
        "a code dies at its first success"
    );
}

#[test]
fn a_session_is_proved_within_two_round_trips() {
    let mut pair = Pair::new(code(1), code(1));
    pair.connect();
    pair.run_for(secs(1));
    let connected = pair
        .operator_events
        .iter()
        .find(|(_, event)| matches!(event, operator::Event::Connected(_)));
    assert_eq!(connected.unwrap().0 - pair.start, 4 * crate::pair::DELAY);
}

#[test]
fn a_relay_s_confirmed_name_wins_over_the_operator_s_own() {
    let now = start();
    let mut config = crate::pair::device_config();
    config.operator.name = Some("Confirmed".parse().unwrap());
    config.operator.confirmed_by = Some("relay.example".parse().unwrap());
    let mut pair = Pair::with_config(
        now,
        IssuedCode::new(code(1), now + secs(600)),
        code(1),
        config,
    );
    pair.connect();
    pair.run_for(millis(200));
    assert!(
        pair.device_log
            .iter()
            .any(|line| line.contains("Connected") && line.contains("Confirmed"))
    );
}

#[test]
fn a_wrong_code_tells_both_sides_what_is_left() {
    let mut pair = Pair::new(code(1), code(2));
    pair.connect();
    pair.run_for(secs(1));
    let wrong = ProofFailure::Wrong { tries_left: 2 };
    assert_eq!(device_failure(&pair), Some(wrong));
    assert_eq!(operator_failure(&pair), Some(wrong));
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::CodeNotProved))
    );
    assert_eq!(
        operator_end(&pair),
        Some((Party::Policy, EndReason::CodeNotProved))
    );
    assert_eq!(pair.operator.into_issued().unwrap().tries_left(), 2);
    assert!(
        !pair
            .device_log
            .iter()
            .any(|line| line.contains("Connected"))
    );
}

#[test]
fn the_third_wrong_code_burns_it() {
    let now = start();
    let mut issued = IssuedCode::new(code(1), now + secs(600));
    for expected in [2, 1] {
        let mut pair = Pair::with_issued(now, issued, code(2));
        pair.connect();
        pair.run_for(secs(1));
        assert_eq!(
            device_failure(&pair),
            Some(ProofFailure::Wrong {
                tries_left: expected
            })
        );
        issued = pair.operator.into_issued().unwrap();
    }
    let mut pair = Pair::with_issued(now, issued, code(2));
    pair.connect();
    pair.run_for(secs(1));
    assert_eq!(device_failure(&pair), Some(ProofFailure::Burnt));
    assert_eq!(operator_failure(&pair), Some(ProofFailure::Burnt));
    assert!(pair.operator.into_issued().is_none());
}

#[test]
fn an_expired_code_is_refused_before_anything_is_proved() {
    let now = start();
    let mut pair = Pair::with_issued(now, IssuedCode::new(code(1), now), code(1));
    pair.connect();
    pair.run_for(secs(1));
    assert_eq!(device_failure(&pair), Some(ProofFailure::Expired));
    assert_eq!(kinds(&pair, Side::Operator), [KIND_FAIL]);
    assert!(kinds(&pair, Side::Device).is_empty());
}

#[test]
fn a_code_that_expires_in_mid_proof_is_refused() {
    let now = start();
    let mut pair = Pair::with_issued(now, IssuedCode::new(code(1), now + millis(50)), code(1));
    pair.connect();
    pair.run_for(secs(1));
    assert_eq!(device_failure(&pair), Some(ProofFailure::Expired));
    assert!(!pair.operator_is_connected());
}

#[test]
fn each_side_charges_the_attempt_before_it_tells_the_other_anything() {
    let mut pair = Pair::new(code(1), code(1));
    pair.connect();
    pair.run_for(secs(1));
    let log = &pair.device_log;
    assert!(position(log, "Record(AttemptCharged)") < position(log, "Event(AttemptCharged)"));
    assert!(position(log, "Event(AttemptCharged)") < position(log, "Send"));
    let log = &pair.operator_log;
    let answer = log
        .iter()
        .rposition(|line| line == "Send(Outbound(Control, Reliable, 36 bytes))")
        .unwrap();
    assert!(position(log, "Record(AttemptCharged)") < answer);
}

#[test]
fn hanging_up_after_the_answer_is_never_refunded() {
    let mut pair = Pair::new(code(1), code(2));
    pair.connect();
    pair.run_for(millis(70)); // the answer has come
    pair.operator(operator::Input::Disconnected);
    assert_eq!(pair.operator.into_issued().unwrap().tries_left(), 2);
    assert!(pair.device_records.contains(&Record::AttemptCharged));
}

#[test]
fn hanging_up_before_the_answer_costs_nothing() {
    let mut pair = Pair::new(code(1), code(1));
    pair.connect();
    pair.operator(operator::Input::Disconnected);
    assert_eq!(
        operator_end(&pair),
        Some((Party::Network, EndReason::PeerLost))
    );
    assert_eq!(pair.operator.into_issued().unwrap().tries_left(), 3);
}

#[test]
fn ten_seconds_without_the_next_frame_end_the_proof() {
    let mut pair = Pair::new(code(1), code(1));
    pair.wire = Wire::Cut;
    pair.connect();
    pair.run_for(millis(9_999));
    assert_eq!((device_end(&pair), operator_end(&pair)), (None, None));
    pair.run_for(millis(1));
    assert_eq!(
        device_end(&pair),
        Some((Party::Network, EndReason::PeerLost))
    );
    assert_eq!(
        operator_end(&pair),
        Some((Party::Network, EndReason::PeerLost))
    );
}

#[test]
fn a_path_that_takes_seconds_each_way_is_slow_and_not_refused() {
    let mut pair = Pair::new(code(1), code(1));
    pair.delay = millis(4_500);
    pair.connect();
    pair.run_for(secs(19));
    assert!(pair.device_is_connected() && pair.operator_is_connected());
}

#[test]
fn a_relay_that_terminates_both_sides_and_passes_the_proof_on_is_refused() {
    let mut pair = Pair::new(code(1), code(1));
    pair.connect_as([7; 48], OPERATOR_KEY, [8; 48], OPERATOR_KEY);
    pair.run_for(secs(1));
    assert!(!pair.device_is_connected() && !pair.operator_is_connected());
    assert_eq!(
        operator_failure(&pair),
        Some(ProofFailure::Wrong { tries_left: 2 })
    );
}

#[test]
fn an_operator_with_another_key_than_the_relay_said_is_refused() {
    let mut pair = Pair::new(code(1), code(1));
    let middle = PublicKey([0xee; 32]);
    pair.connect_as([7; 48], OPERATOR_KEY, [7; 48], middle);
    assert_eq!(pair.faults, [(Side::Device, SessionError::OtherKey)]);
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
    assert!(kinds(&pair, Side::Device).is_empty());
}

#[test]
fn a_flipped_bit_in_any_frame_of_the_proof_is_refused() {
    for (kind, by, len) in [
        (KIND_A, Side::Operator, 38),
        (KIND_B, Side::Device, 68),
        (KIND_C, Side::Operator, 36),
    ] {
        for bit in 0..len * 8 {
            let mut pair = Pair::new(code(1), code(1));
            pair.tamper = Some(Box::new(move |sent| {
                if sent.by == by && sent.outbound.bytes[3] == kind {
                    assert_eq!(sent.outbound.bytes.len(), len);
                    sent.outbound.bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }));
            pair.connect();
            pair.run_for(secs(11));
            let context = format!("kind {kind} bit {bit}");
            assert!(
                !pair.device_is_connected() && !pair.operator_is_connected(),
                "{context}"
            );
            assert!(
                device_end(&pair).is_some() && operator_end(&pair).is_some(),
                "{context}"
            );
        }
    }
}

#[test]
fn the_operator_s_own_frames_sent_back_prove_nothing() {
    let mut pair = Pair::new(code(1), code(1));
    pair.wire = Wire::Cut;
    pair.connect();
    let first = pair.sent[0].outbound.bytes.clone();
    pair.deliver_to_operator(Channel::Control, &first);
    assert_eq!(
        pair.faults,
        [(Side::Operator, SessionError::Unexpected { kind: KIND_A })]
    );
    assert_eq!(
        operator_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
}

#[test]
fn a_device_s_share_sent_back_with_its_tag_proves_nothing() {
    let mut pair = Pair::new(code(1), code(1));
    pair.wire = Wire::Cut;
    pair.connect();
    let share = [0x11; 32];
    pair.deliver_to_device(
        Channel::Control,
        &Proof::A {
            version: PROOF_VERSION,
            method: METHOD_CODE,
            share,
        }
        .to_frame(),
    );
    assert!(!pair.device_is_connected());
    assert!(device_end(&pair).is_some());
}

#[test]
fn another_version_or_method_is_refused_and_not_talked_down() {
    for (version, method) in [
        (PROOF_VERSION + 1, METHOD_CODE),
        (PROOF_VERSION, METHOD_CODE + 1),
        (0, 0),
    ] {
        let mut pair = Pair::new(code(1), code(1));
        pair.wire = Wire::Cut;
        pair.connect();
        pair.deliver_to_device(
            Channel::Control,
            &Proof::A {
                version,
                method,
                share: [1; 32],
            }
            .to_frame(),
        );
        assert_eq!(device_failure(&pair), Some(ProofFailure::Unsupported));
        assert!(!pair.device_records.contains(&Record::AttemptCharged));
    }
}

#[test]
fn one_entry_is_one_guess() {
    let mut pair = Pair::new(code(1), code(1));
    pair.wire = Wire::Cut;
    pair.connect();
    let share = pair.sent[0].outbound.bytes.clone();
    pair.deliver_to_device(Channel::Control, &share);
    assert_eq!(kinds(&pair, Side::Device), [KIND_B]);
    pair.deliver_to_device(Channel::Control, &share);
    assert_eq!(kinds(&pair, Side::Device), [KIND_B], "no second answer");
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
}

#[test]
fn nothing_but_the_proof_is_heard_before_it() {
    for channel in [Channel::Mode, Channel::Panel, Channel::Bulk] {
        let mut pair = Pair::new(code(1), code(1));
        pair.wire = Wire::Cut;
        pair.connect();
        pair.deliver_to_device(channel, &[0, 0, 0, 0x20]);
        assert_eq!(
            device_end(&pair),
            Some((Party::Policy, EndReason::Protocol))
        );
    }
    let mut pair = Pair::new(code(1), code(1));
    pair.wire = Wire::Cut;
    pair.connect();
    pair.device(device::Input::Datagram(vec![2, 0x21, 1, 1, 0].into()));
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
}

#[test]
fn exit_works_in_the_middle_of_the_proof() {
    let mut pair = Pair::new(code(1), code(1));
    pair.connect();
    pair.run_for(millis(40));
    pair.customer(device::CustomerAction::Exit);
    assert_eq!(device_end(&pair), Some((Party::Customer, EndReason::Exit)));
    assert_eq!(
        kinds(&pair, Side::Device),
        [KIND_B],
        "nothing is said to somebody who proved nothing"
    );
}

#[test]
fn no_debug_output_holds_the_code_or_the_exporter() {
    let secret =
        String::from_utf8(CodeSecret::draw(&[1; 48]).unwrap().as_password().to_vec()).unwrap();
    let mut pair = Pair::new(code(1), code(1));
    pair.connect();
    pair.run_for(millis(200));
    let mut all = pair.device_log.concat() + &pair.operator_log.concat();
    let issued = IssuedCode::new(code(1), start());
    all += &format!(
        "{:?} {:?} {issued:?} {:?}",
        pair.device,
        pair.operator,
        code(1)
    );
    assert!(!all.contains(&secret));
    assert!(!all.contains("7, 7, 7, 7"));
}
