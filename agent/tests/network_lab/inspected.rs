//! TLS that somebody opens on the way, and balancers that stand before the relay.

use std::fs;

use serde_json::json;

use crate::{
    authority::Authority,
    gateway::Gateway,
    ground::{Firewall, Unasked},
    house::{House, RELAY, refusal, rung, still_works, takes},
    is_lab,
    world::meet,
};

/// A site whose gateway looks into TLS; UDP does not get out.
fn inspected(house: &House) -> (Gateway, Authority) {
    let site = &house.ground.device;
    site.shield(Firewall::NoUdp, Unasked::Drop);
    let authority = Authority::new("Ward Web Gateway CA", house.path("gateway.pem"));
    let relay = format!("{RELAY}:443").parse().expect("an address");
    let gateway = Gateway::start(&site.router, 8443, &authority, relay, &house.ca);
    site.divert_443(8443);
    (gateway, authority)
}

#[test]
fn an_inspecting_gateway_that_is_not_trusted_is_named() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let (gateway, _) = inspected(&house);
    let told = refusal(&mut house.device(|_| ()));
    assert_eq!(
        (&told["code"], &told["reason"], &told["ask"]),
        (
            &json!("relay-untrusted"),
            &json!("tls-intercepted"),
            &json!("network")
        ),
        "{told}"
    );
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|words| words.contains("Ward Web Gateway CA")),
        "{told}"
    );
    assert!(!gateway.saw(b"GET /leg"), "nothing was said to it");
}

#[test]
fn an_inspecting_gateway_that_this_machine_trusts_carries_what_it_cannot_read() {
    if !is_lab() {
        return;
    }
    let house = House::new();
    let (gateway, authority) = inspected(&house);
    let (mut operator, mut device) = (
        house.operator(|_| ()),
        house.device(|command| {
            command.env("SSL_CERT_FILE", &authority.pem);
        }),
    );
    let code = meet(&mut operator, &mut device);
    takes(&mut device, "relay-tls");
    still_works(&mut operator, &mut device, 100);
    assert!(gateway.saw(b"GET /leg"), "it did look inside");
    for canary in [code.as_str(), "Dana", "SN-1"] {
        assert!(!gateway.saw(canary.as_bytes()), "{canary}");
    }

    let (said, exit) = house.doctor(|command| {
        command.env("SSL_CERT_FILE", &authority.pem);
    });
    assert_eq!(
        (exit, &rung(&said, "relay-tls")["works"]),
        (Some(0), &json!(true)),
        "{said}"
    );
    let remark = &said["remarks"][0];
    assert_eq!(remark["reason"], "tls-intercepted", "{said}");
    assert!(
        remark["message"]
            .as_str()
            .is_some_and(|words| words.contains("Ward Web Gateway CA")),
        "{said}"
    );
}

#[test]
fn nginx_may_stand_before_the_relay() {
    if !is_lab() {
        return;
    }
    let front = "203.0.113.66";
    let house = House::with(front, RELAY, |_| ());
    let authority = Authority::new("Balancer CA", house.path("balancer.pem"));
    let (certificate, key) = authority.for_relay();
    fs::write(house.path("front.pem"), certificate).expect("written");
    fs::write(house.path("front-key.pem"), key).expect("written");
    let at = house.path("");
    let at = at.display();
    let config = format!(
        "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/nginx.log;\n\
         events {{ }}\n\
         http {{ access_log off; client_body_temp_path {at}/nginx-body; proxy_temp_path {at}/nginx-proxy;\n\
           fastcgi_temp_path {at}/nginx-fastcgi; uwsgi_temp_path {at}/nginx-uwsgi; scgi_temp_path {at}/nginx-scgi;\n\
           server {{ listen {front}:443 ssl; server_name relay.lab; ssl_protocols TLSv1.3;\n\
             ssl_certificate {at}/front.pem; ssl_certificate_key {at}/front-key.pem;\n\
             location / {{ proxy_pass https://{RELAY}:443; proxy_http_version 1.1; proxy_ssl_protocols TLSv1.3;\n\
               proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;\n\
               proxy_set_header Host $host; proxy_read_timeout 60s; }} }} }}\n"
    );
    fs::write(house.path("nginx.conf"), config).expect("written");
    let mut nginx = house.ground.front.command("/usr/sbin/nginx");
    nginx.arg("-c").arg(house.path("nginx.conf"));
    let nginx = crate::house::Running::start(nginx, &house.ground.front, front, 443);

    let trusting = |command: &mut std::process::Command| {
        command.env("SSL_CERT_FILE", &authority.pem);
    };
    let (mut operator, mut device) = (house.operator(trusting), house.device(trusting));
    meet(&mut operator, &mut device);
    takes(&mut device, "relay-tls");
    takes(&mut operator, "relay-tls");
    still_works(&mut operator, &mut device, 100);
    drop(nginx);
}
