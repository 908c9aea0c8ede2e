//! Translators of addresses on one side and on both, and a network without any.

use crate::{
    ground::{Firewall, Translator, Unasked},
    house::{House, closed, still_works, takes},
    is_lab,
    world::meet,
};

#[test]
fn two_translators_that_keep_ports_let_a_session_go_direct() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
    meet(&mut operator, &mut device);
    takes(&mut device, "direct");
    takes(&mut operator, "direct");
    still_works(&mut operator, &mut device, 100);
    // Neither side's user learns where the other is.
    for side in [&operator, &device] {
        for line in &side.told {
            let line = line.to_string();
            let is_told = ["198.51.100", "192.0.2.", "10.1.0", "10.2.0"]
                .iter()
                .any(|address| line.contains(address));
            assert!(!is_told, "{line}");
        }
    }
}

#[test]
fn a_translator_that_takes_strangers_for_its_own_does_no_harm() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    // Without any delay between the two, either side's first packet may be there before the other has asked: the
    // port is gone then, and the relay stays.
    house
        .ground
        .operator
        .shield(Firewall::Open, Unasked::Accept);
    let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
    meet(&mut operator, &mut device);
    still_works(&mut operator, &mut device, 100);
    device.event("path");
    still_works(&mut operator, &mut device, 200);
}

#[test]
fn a_translator_of_random_ports_on_one_side_or_on_both_leaves_the_relay() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let ground = &house.ground;
    ground.device.translate(Translator::Symmetric);
    for both in [false, true] {
        if both {
            ground.operator.translate(Translator::Symmetric);
        }
        let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
        meet(&mut operator, &mut device);
        takes(&mut device, "relay-quic");
        assert_eq!(closed(&mut device, "direct")["reason"], "no-direct");
        still_works(&mut operator, &mut device, 100);
        for side in [&operator, &device] {
            assert!(!side.told.iter().any(|line| line["kind"] == "direct"));
        }
    }
}

#[test]
fn a_session_runs_where_there_is_ipv6_alone() {
    if !is_lab() {
        return;
    }
    let house = House::with("2001:db8:f::2", "2001:db8:f::2", |ground| ground.go_ipv6());
    let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
    meet(&mut operator, &mut device);
    takes(&mut device, "direct");
    still_works(&mut operator, &mut device, 100);
}
