//! What happens to the network while a session runs, and where its packets go then.

use crate::{
    ground::Outage,
    house::{House, still_works, takes},
    is_lab,
    world::meet,
};

#[test]
fn a_session_moves_from_direct_to_the_relay_to_tls_and_back_and_loses_nothing() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let ground = &house.ground;
    let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
    meet(&mut operator, &mut device);
    takes(&mut device, "direct");

    ground.outage(Outage::Direct);
    takes(&mut device, "relay-quic");
    still_works(&mut operator, &mut device, 100);

    ground.outage(Outage::Udp);
    takes(&mut device, "relay-tls");
    still_works(&mut operator, &mut device, 200);

    ground.outage(Outage::None);
    takes(&mut device, "direct");
    still_works(&mut operator, &mut device, 300);
    assert!(!device.told.iter().any(|line| line["event"] == "ended"));
}

#[test]
fn a_session_follows_a_site_that_gets_another_address() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
    meet(&mut operator, &mut device);
    takes(&mut device, "direct");
    house.ground.device.move_to(9);
    still_works(&mut operator, &mut device, 100);
    still_works(&mut operator, &mut device, 200);
    assert!(!device.told.iter().any(|line| line["event"] == "ended"));
}
