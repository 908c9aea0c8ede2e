use alongside_mode::{HostEvent, Side, StopReason};
use alongside_protocol::{
    control::{Control, End, HelloOperator},
    frame::Channel,
    input::KeyMotion,
    reason::{EndReason, Party},
};
use alongside_session::{
    Cause, Record, SessionError,
    device::{self, CustomerAction},
    operator::{self, OperatorAction},
};

use crate::{
    pair::{Pair, Wire, millis, secs, stroke},
    proof::{device_end, operator_end},
};

#[test]
fn the_stop_key_held_five_seconds_ends_it() {
    let mut pair = Pair::active();
    pair.customer(CustomerAction::StopKey(KeyMotion::Down));
    pair.run_for(millis(4_999));
    assert_eq!(device_end(&pair), None);
    pair.run_for(millis(1));
    assert_eq!(
        device_end(&pair),
        Some((Party::Customer, EndReason::StopKey))
    );
    pair.run_for(secs(1));
    assert_eq!(
        operator_end(&pair),
        Some((Party::Customer, EndReason::StopKey))
    );
}

#[test]
fn the_stop_key_held_4_9_seconds_does_not() {
    let mut pair = Pair::active();
    pair.customer(CustomerAction::StopKey(KeyMotion::Down));
    pair.run_for(millis(4_900));
    pair.customer(CustomerAction::StopKey(KeyMotion::Up));
    pair.run_for(secs(60));
    assert_eq!((device_end(&pair), operator_end(&pair)), (None, None));
}

#[test]
fn a_stop_key_that_repeats_while_held_does_not_start_again() {
    let mut pair = Pair::active();
    for _ in 0..6 {
        pair.customer(CustomerAction::StopKey(KeyMotion::Down));
        pair.run_for(secs(1));
    }
    assert_eq!(
        device_end(&pair),
        Some((Party::Customer, EndReason::StopKey))
    );
}

#[test]
fn a_release_that_is_told_too_late_does_not_save_the_session() {
    let mut pair = Pair::active();
    pair.customer(CustomerAction::StopKey(KeyMotion::Down));
    pair.now += secs(5);
    pair.customer(CustomerAction::StopKey(KeyMotion::Up));
    assert_eq!(
        device_end(&pair),
        Some((Party::Customer, EndReason::StopKey))
    );
}

#[test]
fn the_stop_key_needs_no_network_and_no_operator() {
    let mut pair = Pair::active();
    pair.wire = Wire::Cut;
    pair.run_for(secs(30));
    pair.customer(CustomerAction::StopKey(KeyMotion::Down));
    pair.run_for(secs(5));
    assert_eq!(
        device_end(&pair),
        Some((Party::Customer, EndReason::StopKey))
    );
}

#[test]
fn exit_ends_it_at_once_in_the_order_record_farewell_event() {
    let mut pair = Pair::active();
    pair.customer(CustomerAction::Exit);
    let tail: Vec<_> = pair
        .device_log
        .iter()
        .rev()
        .take(5)
        .rev()
        .map(|line| &line[..12])
        .collect();
    assert_eq!(
        tail,
        [
            "Record(ModeE",
            "Record(Sessi",
            "Send(Outboun",
            "ModeEvent { ",
            "Event(Ended "
        ]
    );
    pair.run_for(secs(1));
    assert_eq!(
        operator_end(&pair),
        Some((Party::Customer, EndReason::Exit))
    );
    assert!(
        pair.mode_events
            .contains(&(Side::Operator, HostEvent::Stop(StopReason::SessionEnded)))
    );
}

#[test]
fn exit_drops_strokes_already_on_their_way_and_wipes_the_panel() {
    let mut pair = Pair::active();
    pair.draw();
    pair.run_for(millis(100));
    assert_eq!(pair.annotations(), [stroke()]);
    pair.draw(); // sent, not yet delivered
    pair.customer(CustomerAction::Exit);
    pair.run_for(secs(1));
    use alongside_protocol::annotation::Annotation::{Clear, PointerGone};
    assert_eq!(pair.annotations(), [stroke(), Clear, PointerGone]);
}

#[test]
fn what_is_queued_when_the_customer_exits_never_happens() {
    let mut pair = Pair::active();
    pair.halves_answer = false;
    pair.draw();
    pair.run_for(millis(100));
    // The mode's answer is taken in, and EXIT comes before the driver has polled.
    let seq = pair.device_seq.unwrap();
    let effects = vec![alongside_mode::Effect::Annotate(stroke())];
    pair.device
        .handle_input(pair.now, device::Input::ModeEffects { seq, effects })
        .unwrap();
    pair.customer(CustomerAction::Exit);
    assert!(!pair.annotations().contains(&stroke()));
    assert!(
        !pair
            .device_records
            .iter()
            .any(|record| matches!(record, Record::Released { .. }))
    );
}

#[test]
fn the_operator_s_end_ends_both() {
    let mut pair = Pair::active();
    pair.ask(OperatorAction::End);
    assert_eq!(
        operator_end(&pair),
        Some((Party::Operator, EndReason::OperatorEnded))
    );
    pair.run_for(secs(1));
    assert_eq!(
        device_end(&pair),
        Some((Party::Operator, EndReason::OperatorEnded))
    );
}

#[test]
fn the_operator_cannot_say_that_the_customer_ended_it() {
    let mut pair = Pair::active();
    let lie = End {
        by: Party::Customer,
        reason: EndReason::StopKey,
    };
    pair.deliver_to_device(Channel::Control, &Control::from(lie).to_frame());
    assert_eq!(
        device_end(&pair),
        Some((Party::Operator, EndReason::PeerClosed))
    );
}

#[test]
fn a_broken_protocol_ends_it_on_both_sides() {
    let mut pair = Pair::active();
    pair.deliver_to_device(
        Channel::Control,
        &Control::from(HelloOperator { name: None }).to_frame(),
    );
    assert_eq!(
        pair.faults,
        [(Side::Device, SessionError::Unexpected { kind: 0x11 })]
    );
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
    pair.run_for(secs(1));
    assert_eq!(
        operator_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
}

#[test]
fn a_picture_that_cannot_be_ends_it() {
    let mut pair = Pair::active();
    pair.deliver_to_operator(Channel::Panel, &[0, 0, 1, 0x31, 0xff]);
    assert_eq!(
        operator_end(&pair),
        Some((Party::Policy, EndReason::Protocol))
    );
}

#[test]
fn the_embedder_s_reasons_reach_the_other_side() {
    let cases = [
        (Cause::Shutdown, Party::Device, EndReason::Shutdown),
        (Cause::PanelFailed, Party::Device, EndReason::PanelFailed),
        (Cause::RecordFailed, Party::Device, EndReason::RecordFailed),
        (Cause::RelayClosed, Party::Relay, EndReason::RelayClosed),
        (Cause::PeerFault, Party::Policy, EndReason::Protocol),
    ];
    for (cause, by, reason) in cases {
        let mut pair = Pair::active();
        pair.device(device::Input::Close(cause));
        pair.run_for(secs(1));
        assert_eq!(device_end(&pair), Some((by, reason)));
        assert_eq!(operator_end(&pair), Some((by, reason)));
    }
}

#[test]
fn a_lost_connection_ends_each_side_by_itself() {
    let mut pair = Pair::active();
    pair.device(device::Input::Disconnected);
    pair.operator(operator::Input::Disconnected);
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
fn inputs_after_the_end_do_nothing() {
    let mut pair = Pair::active();
    pair.customer(CustomerAction::Exit);
    pair.run_for(secs(1));
    let outputs = pair.device_log.len();
    pair.customer(CustomerAction::Exit);
    pair.device(device::Input::Disconnected);
    pair.device(device::Input::Timeout);
    assert_eq!(pair.device_log.len(), outputs);
}
