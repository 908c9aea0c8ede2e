//! Networks that let little out, or nothing.

use std::{io::Write as _, thread};

use serde_json::json;

use crate::{
    capture::Capture,
    ground::{Firewall, Unasked},
    house::{House, closed, refusal, rung, still_works, takes},
    is_lab,
    world::meet,
};

#[test]
fn where_udp_is_blocked_a_session_runs_over_tls_on_443_alone() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let ground = &house.ground;
    ground.device.shield(Firewall::Only443, Unasked::Drop);
    ground.operator.shield(Firewall::NoUdp, Unasked::Drop);
    let (mut operator, mut device) = (house.operator(|_| ()), house.device(|_| ()));
    meet(&mut operator, &mut device);
    takes(&mut operator, "relay-tls");
    takes(&mut device, "relay-tls");
    still_works(&mut operator, &mut device, 100);
    let why = closed(&mut device, "relay-quic");
    assert_eq!(
        (&why["reason"], &why["ask"]),
        (&json!("udp-blocked"), &json!("network"))
    );

    let (said, exit) = house.doctor(|_| ());
    assert_eq!(exit, Some(0), "{said}");
    let (udp, tls) = (rung(&said, "relay-quic"), rung(&said, "relay-tls"));
    assert_eq!(
        (&udp["works"], &udp["reason"], &udp["ask"]),
        (&json!(false), &json!("udp-blocked"), &json!("network"))
    );
    assert_eq!(tls["works"], true, "{tls}");
    assert_eq!(rung(&said, "direct")["reason"], "udp-blocked");
    assert_eq!(rung(&said, "relay-proxy")["reason"], "no-proxy");
}

#[test]
fn where_policy_forbids_udp_none_is_sent_and_nothing_but_443() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let seen = Capture::start(&house.ground.device.host);
    let (mut operator, mut device) = (
        house.operator(|_| ()),
        house.device(|command| {
            command.args(["--paths", "relay-tls,relay-proxy"]);
        }),
    );
    meet(&mut operator, &mut device);
    takes(&mut device, "relay-tls");
    still_works(&mut operator, &mut device, 100);
    // Twice the pause between two looks for a direct way.
    takes(&mut device, "relay-tls");
    takes(&mut device, "relay-tls");
    assert_eq!(seen.kinds(), [("tcp", 443)].into(), "{}", seen.len());
}

#[test]
fn where_nothing_gets_out_the_device_says_so_and_whom_to_ask() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let site = &house.ground.device;
    site.shield(Firewall::Closed, Unasked::Drop);
    let mut device = house.device(|_| ());
    let told = refusal(&mut device);
    assert_eq!(
        (&told["code"], &told["reason"], &told["ask"]),
        (
            &json!("relay-unreachable"),
            &json!("relay-unreachable"),
            &json!("network")
        ),
        "{told}"
    );
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|words| words.contains("443")),
        "{told}"
    );
    let (said, exit) = house.doctor(|_| ());
    assert_eq!(exit, Some(3), "{said}");
    assert_eq!(rung(&said, "relay-tls")["reason"], "tcp-blocked");

    // A machine without any network knows that it is its own fault.
    site.host.ip("route del default\n");
    let (said, exit) = house.doctor(|_| ());
    assert_eq!(exit, Some(3), "{said}");
    assert_eq!(rung(&said, "relay-tls")["reason"], "no-network");
}

#[test]
fn a_relay_that_is_down_is_told_from_a_network_that_blocks() {
    if !is_lab() {
        return;
    }
    let mut house = House::new();
    house.kill_relay();
    let told = refusal(&mut house.device(|_| ()));
    assert_eq!(
        (&told["code"], &told["reason"], &told["ask"]),
        (
            &json!("relay-unreachable"),
            &json!("relay-down"),
            &json!("relay")
        ),
        "{told}"
    );
}

#[test]
fn a_name_that_no_server_knows_is_told_as_such() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let mut device = house.device(|command| {
        command.args(["--relay", "nowhere.lab"]);
    });
    let told = refusal(&mut device);
    assert_eq!(
        (&told["code"], &told["reason"]),
        (&json!("no-dns"), &json!("no-dns")),
        "{told}"
    );
}

#[test]
fn a_sign_in_page_in_the_relays_place_is_told_as_such() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let site = &house.ground.device;
    site.shield(Firewall::NoUdp, Unasked::Drop);
    let portal = site.router.listen("0.0.0.0:8080");
    thread::spawn(move || {
        for mut stream in portal.incoming().flatten() {
            let page = b"HTTP/1.1 302 Found\r\nLocation: http://portal.lab/\r\n\r\n";
            let _gone = stream.write_all(page);
        }
    });
    site.divert_443(8080);
    let told = refusal(&mut house.device(|_| ()));
    assert_eq!(
        (&told["code"], &told["reason"], &told["ask"]),
        (
            &json!("relay-unreachable"),
            &json!("captive-portal"),
            &json!("network")
        ),
        "{told}"
    );
}
