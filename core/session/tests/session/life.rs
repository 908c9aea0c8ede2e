use std::time::Duration;

use alongside_mode::Side;
use alongside_protocol::{
    frame::Channel,
    reason::{EndReason, Party},
};
use alongside_session::{
    IssuedCode, Limits, Link,
    device::{self, CustomerAction},
    operator::{self, OperatorAction},
};

use crate::{
    pair::{Pair, Wire, code, device_config, millis, secs, start},
    proof::{device_end, operator_end},
};

/// Type byte of the accessible check.
const CHECK: u8 = 0x12;

fn links(pair: &Pair) -> (Vec<Link>, Vec<Link>) {
    let device = pair
        .device_events
        .iter()
        .filter_map(|(_, event)| match event {
            device::Event::Link(link) => Some(*link),
            _ => None,
        });
    let operator = pair
        .operator_events
        .iter()
        .filter_map(|(_, event)| match event {
            operator::Event::Link(link) => Some(*link),
            _ => None,
        });
    (device.collect(), operator.collect())
}

#[test]
fn an_hour_has_a_small_check_every_five_seconds_each_way() {
    let mut pair = Pair::active();
    for _ in 0..12 {
        pair.ask(OperatorAction::StillHere);
        pair.run_for(secs(300));
    }
    for side in [Side::Device, Side::Operator] {
        let checks: Vec<_> = pair
            .sent
            .iter()
            .filter(|sent| sent.by == side && sent.outbound.bytes[3] == CHECK)
            .collect();
        assert_eq!(checks.len(), 720, "{side:?}");
        assert!(checks.iter().all(|sent| sent.outbound.bytes.len() <= 125));
        assert!(
            checks
                .windows(2)
                .all(|two| two[1].at - two[0].at == secs(5))
        );
        assert!(
            checks
                .iter()
                .all(|sent| sent.outbound.channel == Channel::Control)
        );
    }
    assert_eq!((device_end(&pair), operator_end(&pair)), (None, None));
}

#[test]
fn an_hour_at_rest_costs_a_few_kilobytes() {
    let mut pair = Pair::active();
    pair.run_for(secs(1));
    let before = pair.sent.len();
    for _ in 0..6 {
        pair.ask(OperatorAction::StillHere);
        pair.run_for(secs(600));
    }
    let bytes: usize = pair.sent[before..]
        .iter()
        .map(|sent| sent.outbound.bytes.len())
        .sum();
    assert!(bytes < 20_000, "{bytes} bytes of messages");
}

#[test]
fn fifteen_seconds_of_silence_are_told_on_both_sides_and_taken_back() {
    let mut pair = Pair::active();
    pair.wire = Wire::Cut;
    pair.run_for(secs(21));
    let (device, operator) = links(&pair);
    assert!(
        matches!(device[..], [Link::Missing { silent }] if silent == secs(15)),
        "{device:?}"
    );
    assert!(
        matches!(operator[..], [Link::Missing { silent }] if silent == secs(15)),
        "{operator:?}"
    );
    pair.wire = Wire::Whole;
    pair.run_for(secs(6));
    let (device, operator) = links(&pair);
    assert_eq!(
        (device.last(), operator.last()),
        (Some(&Link::Ok), Some(&Link::Ok))
    );
    assert_eq!((device.len(), operator.len()), (2, 2));
}

#[test]
fn a_minute_of_silence_is_a_lost_connection_and_ten_more_end_it() {
    let mut pair = Pair::active();
    pair.wire = Wire::Cut;
    pair.run_for(secs(659));
    assert_eq!((device_end(&pair), operator_end(&pair)), (None, None));
    pair.run_for(secs(2));
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
fn any_message_counts_as_life() {
    let mut pair = Pair::active();
    // The operator's checks get lost, its strokes do not.
    pair.tamper = Some(Box::new(|sent| {
        if sent.by == Side::Operator && sent.outbound.bytes.get(3) == Some(&CHECK) {
            sent.outbound.bytes.truncate(1);
        }
    }));
    for _ in 0..10 {
        pair.draw();
        pair.run_for(secs(10));
    }
    assert_eq!(links(&pair).0, []);
}

#[test]
fn fifteen_minutes_without_an_action_ask_both_and_then_end_it() {
    let mut pair = Pair::active();
    pair.run_for(secs(15 * 60) + millis(100));
    let ends_in = secs(60);
    assert!(
        pair.device_events
            .iter()
            .any(|(_, event)| *event == device::Event::IdleWarning { ends_in })
    );
    assert!(
        pair.operator_events
            .iter()
            .any(|(_, event)| *event == operator::Event::IdleWarning { ends_in })
    );
    assert_eq!(device_end(&pair), None);
    pair.run_for(secs(60));
    assert_eq!(device_end(&pair), Some((Party::Policy, EndReason::Idle)));
    assert_eq!(operator_end(&pair), Some((Party::Policy, EndReason::Idle)));
}

#[test]
fn either_side_can_answer_the_warning() {
    let answers: [fn(&mut Pair); 3] = [
        |pair| pair.ask(OperatorAction::StillHere),
        |pair| pair.point(3),
        |pair| pair.customer(CustomerAction::Touched),
    ];
    for answer in answers {
        let mut pair = Pair::active();
        pair.run_for(secs(15 * 60 + 30));
        answer(&mut pair);
        pair.run_for(secs(14 * 60));
        assert_eq!((device_end(&pair), operator_end(&pair)), (None, None));
        assert!(
            pair.device_events
                .iter()
                .any(|(_, event)| *event == device::Event::IdleOver)
        );
        assert!(
            pair.operator_events
                .iter()
                .any(|(_, event)| *event == operator::Event::IdleOver)
        );
    }
}

#[test]
fn a_customer_who_uses_the_panel_does_not_keep_an_idle_operator_in() {
    let mut pair = Pair::active();
    for _ in 0..15 {
        pair.run_for(secs(59));
        pair.customer(CustomerAction::Touched);
    }
    pair.run_for(secs(30));
    assert!(
        pair.device_log
            .iter()
            .any(|line| line.contains("IdleWarning"))
    );
}

#[test]
fn no_session_outlives_its_cap() {
    let now = start();
    let mut config = device_config();
    config.limits = Limits::default()
        .with_cap(Duration::from_secs(600))
        .unwrap();
    let mut pair = Pair::with_config(
        now,
        IssuedCode::new(code(1), now + secs(600)),
        code(1),
        config,
    );
    pair.connect();
    pair.run_for(secs(599));
    assert_eq!(device_end(&pair), None);
    pair.run_for(secs(2));
    assert_eq!(
        device_end(&pair),
        Some((Party::Policy, EndReason::SessionCap))
    );
    assert_eq!(
        operator_end(&pair),
        Some((Party::Policy, EndReason::SessionCap))
    );
}
