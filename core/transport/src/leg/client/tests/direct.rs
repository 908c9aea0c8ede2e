//! Direct ways between hosts behind translators of all kinds.

use super::{
    moves::{Flow, Net, admit, meet},
    *,
};

/// Both ends of a session between an operator behind `operator` and a device behind `device`.
async fn session(
    operator: Nat,
    device: Nat,
) -> (
    Net,
    (Leg, LegEvents),
    (Leg, LegEvents),
    QuicConnection,
    QuicConnection,
) {
    let net = Net::with_nat(0, operator, device);
    let device = net.leg(Role::Device).await;
    let mut operator = net.leg(Role::Operator).await;
    let (at_operator, at_device) = meet(&mut operator, &device.0).await;
    admit(&at_operator, &at_device).await;
    (net, operator, device, at_operator, at_device)
}

async fn kinds_after(
    wait: Duration,
    operator: &QuicConnection,
    device: &QuicConnection,
) -> (PathKind, PathKind) {
    tokio::time::sleep(wait).await;
    (operator.path().borrow().kind, device.path().borrow().kind)
}

#[tokio::test(start_paused = true)]
async fn every_pair_of_translators_that_can_be_passed_is() {
    use Nat::{Cone, None, Symmetric};
    for (operator, device, expected) in [
        (None, None, PathKind::Direct),
        (None, Cone, PathKind::Direct),
        (Cone, None, PathKind::Direct),
        (Cone, Cone, PathKind::Direct),
        (None, Symmetric, PathKind::Direct),
        (Symmetric, None, PathKind::Direct),
        (Cone, Symmetric, PathKind::RelayQuic),
        (Symmetric, Cone, PathKind::RelayQuic),
        (Symmetric, Symmetric, PathKind::RelayQuic),
    ] {
        let (_net, _operator, _device, at_operator, at_device) = session(operator, device).await;
        let start = Instant::now();
        let kinds = kinds_after(ms(300), &at_operator, &at_device).await;
        println!(
            "{operator:?} and {device:?}: {kinds:?} after {:?}",
            start.elapsed()
        );
        assert_eq!(kinds, (expected, expected), "{operator:?} and {device:?}");
        let panel = Flow::start(&at_device, &at_operator).await;
        let start = Instant::now();
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(
            panel.longest_gap(start) < ms(150),
            "{:?}",
            panel.longest_gap(start)
        );
        assert_eq!(
            kinds_after(ms(1), &at_operator, &at_device).await,
            (expected, expected)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_way_that_dies_is_left_within_600_ms_and_found_again() {
    let (net, _operator, _device, at_operator, at_device) = session(Nat::Cone, Nat::Cone).await;
    let panel = Flow::start(&at_device, &at_operator).await;
    let input = Flow::start(&at_operator, &at_device).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let died = Instant::now();
    net.hosts
        .device
        .set_reachable(&net.hosts.operator, Reach::Blocked);
    let kinds = kinds_after(Duration::from_secs(10), &at_operator, &at_device).await;
    assert_eq!(kinds, (PathKind::RelayQuic, PathKind::RelayQuic));
    let gaps = (panel.longest_gap(died), input.longest_gap(died));
    println!(
        "direct dies: longest gap of the panel {:?}, of input {:?}",
        gaps.0, gaps.1
    );
    assert!(gaps.0.max(gaps.1) < ms(600), "{gaps:?}");

    let back = Instant::now();
    net.hosts
        .device
        .set_reachable(&net.hosts.operator, Reach::Open);
    let kinds = kinds_after(Duration::from_secs(10), &at_operator, &at_device).await;
    assert_eq!(kinds, (PathKind::Direct, PathKind::Direct));
    let gaps = (panel.longest_gap(back), input.longest_gap(back));
    println!(
        "direct again: longest gap of the panel {:?}, of input {:?}",
        gaps.0, gaps.1
    );
    assert!(gaps.0.max(gaps.1) < ms(150), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn the_relay_may_vanish_under_a_direct_session() {
    let (net, _operator, _device, at_operator, at_device) = session(Nat::Cone, Nat::Cone).await;
    let panel = Flow::start(&at_device, &at_operator).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let gone = Instant::now();
    for host in [&net.hosts.device, &net.hosts.operator] {
        host.set_reachable(&net.hosts.relay, Reach::Blocked);
    }
    let kinds = kinds_after(Duration::from_secs(30), &at_operator, &at_device).await;
    assert_eq!(kinds, (PathKind::Direct, PathKind::Direct));
    println!(
        "relay gone while direct: longest gap {:?}",
        panel.longest_gap(gone)
    );
    assert!(
        panel.longest_gap(gone) < ms(50),
        "{:?}",
        panel.longest_gap(gone)
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_changes_costs_little() {
    let (net, _operator, _device, at_operator, at_device) = session(Nat::None, Nat::Cone).await;
    let panel = Flow::start(&at_device, &at_operator).await;
    let input = Flow::start(&at_operator, &at_device).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let changed = Instant::now();
    net.hosts.device.forget_mappings();
    let kinds = kinds_after(Duration::from_secs(20), &at_operator, &at_device).await;
    println!(
        "address changes: longest gap of the panel {:?}, of input {:?}, then {kinds:?}",
        panel.longest_gap(changed),
        input.longest_gap(changed)
    );
    assert!(panel.longest_gap(changed).max(input.longest_gap(changed)) < ms(1000));
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_direct_keeps_packets_from_the_peer() {
    let net = Net::with_nat(0, Nat::None, Nat::None);
    let mut config = net.config(Role::Device);
    config.paths.direct = false;
    let device = Leg::connect_on(config, Arc::new(net.hosts.device.clone()))
        .await
        .unwrap();
    let mut operator = net.leg(Role::Operator).await;
    let (at_operator, at_device) = meet(&mut operator, &device.0).await;
    admit(&at_operator, &at_device).await;
    let kinds = kinds_after(Duration::from_secs(120), &at_operator, &at_device).await;
    assert_eq!(kinds, (PathKind::RelayQuic, PathKind::RelayQuic));
}

#[tokio::test(start_paused = true)]
async fn only_a_peer_that_is_admitted_is_looked_for() {
    for rash in [Role::Device, Role::Operator] {
        let net = Net::with_nat(0, Nat::None, Nat::None);
        let device = net.leg(Role::Device).await;
        let mut operator = net.leg(Role::Operator).await;
        let (at_operator, at_device) = meet(&mut operator, &device.0).await;
        // This one tells where it is and asks to be probed, and nothing has been proved to the other.
        let (first, second) = match rash {
            Role::Device => (&at_device, &at_operator),
            Role::Operator => (&at_operator, &at_device),
        };
        first.admit();
        let kinds = kinds_after(Duration::from_secs(30), &at_operator, &at_device).await;
        let relay = (PathKind::RelayQuic, PathKind::RelayQuic);
        assert_eq!(kinds, relay, "{rash:?} admits alone");

        second.admit();
        let kinds = kinds_after(ms(300), &at_operator, &at_device).await;
        let direct = (PathKind::Direct, PathKind::Direct);
        assert_eq!(kinds, direct, "{rash:?} admitted first");
    }
}
