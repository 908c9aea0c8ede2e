//! Networks with one way out, the proxy.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::{
    capture::Capture,
    ground::{Firewall, Unasked},
    house::{House, refusal, rung, still_works, takes},
    is_lab,
    proxies::{CREDENTIALS, Proxy, answering},
    world::meet,
};

/// What [`CREDENTIALS`] are in a request.
const BASIC: &str = "bGFiOnMzY3JldCsveD8=";

/// The same as they may stand in a URL.
const IN_URL: &str = "http://lab:s3cret%2B%2Fx%3F@proxy.lab:3128";

fn closed() -> House {
    let house = House::new();
    let site = &house.ground.device;
    site.shield(Firewall::Closed, Unasked::Drop);
    house
}

#[test]
fn a_session_runs_through_squid_and_what_it_carries_is_seen_nowhere() {
    if !is_lab() {
        return;
    }
    let house = closed();
    let _squid = Proxy::squid(&house.ground.device.router, &house.path(""), 900);
    let credentials = house.secret("credentials", CREDENTIALS);
    let wire = Capture::start(&house.ground.relay);
    let (mut operator, mut device) = (
        house.operator(|_| ()),
        house.device(|command| {
            command.args([
                "--proxy",
                "http://proxy.lab:3128",
                "--proxy-credentials-file",
            ]);
            command.arg(&credentials);
            command.env("ALONGSIDE_LOG_FILTER", "trace");
        }),
    );
    let code = meet(&mut operator, &mut device);
    takes(&mut device, "relay-proxy");
    still_works(&mut operator, &mut device, 100);

    // What leaves the router holds neither credentials nor code nor who helps whom.
    assert!(wire.len() > 50);
    for canary in [CREDENTIALS, BASIC, "s3cret", &code, "Dana", "SN-1"] {
        assert_eq!(wire.count_of(canary.as_bytes()), 0, "{canary}");
    }
    // Nor does the log, at its most talkative.
    let log = device.log();
    assert!(log.contains("TRACE"));
    for canary in ["s3cret", BASIC, &code] {
        assert!(!log.contains(canary), "{canary}");
    }
    for line in log
        .lines()
        .filter(|line| line.contains(" INFO ") || line.contains(" WARN "))
    {
        assert!(
            !line.contains("203.0.113") && !line.contains("10.1.0"),
            "{line}"
        );
    }
}

#[test]
fn wrong_credentials_are_sent_once_and_never_again_until_their_file_changes() {
    if !is_lab() {
        return;
    }
    let house = closed();
    let squid = Proxy::squid(&house.ground.device.router, &house.path(""), 900);
    let credentials = house.secret("credentials", "lab:guess");
    let start = || {
        house.device(|command| {
            command.args(["--proxy", "proxy.lab:3128", "--proxy-credentials-file"]);
            command.arg(&credentials);
        })
    };
    let mut device = start();
    for restart in [false, false, true] {
        if restart {
            // One at a time in its folder.
            drop(device);
            device = start();
        }
        let told = refusal(&mut device);
        assert_eq!(
            (&told["code"], &told["ask"]),
            (&json!("proxy-credentials-wrong"), &json!("network")),
            "{told}"
        );
    }
    let denied = squid.access_log();
    assert_eq!(denied.matches("TCP_DENIED/407").count(), 1, "{denied}");

    // The right ones in the same file are taken without a restart.
    house.secret("credentials", CREDENTIALS);
    let told = refusal(&mut device);
    assert_eq!(told["code"], "code-unknown", "{told}");
}

#[test]
fn missing_credentials_are_asked_for_by_the_proxys_own_realm_and_taken_from_the_environment() {
    if !is_lab() {
        return;
    }
    let house = closed();
    let _squid = Proxy::squid(&house.ground.device.router, &house.path(""), 900);
    let mut device = house.device(|command| {
        command.args(["--proxy", "proxy.lab:3128"]);
    });
    let told = refusal(&mut device);
    assert_eq!(told["code"], "proxy-credentials-needed", "{told}");
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|words| words.contains("(Ward 7)")),
        "{told}"
    );

    let (said, exit) = house.doctor(|command| {
        command.env("HTTPS_PROXY", IN_URL);
    });
    assert_eq!(
        (exit, &rung(&said, "relay-proxy")["works"]),
        (Some(0), &json!(true)),
        "{said}"
    );
    let (said, exit) = house.doctor(|command| {
        command.env("HTTPS_PROXY", IN_URL).env("NO_PROXY", ".lab");
    });
    assert_eq!(
        (exit, &rung(&said, "relay-proxy")["reason"]),
        (Some(3), &json!("no-proxy")),
        "{said}"
    );
}

#[test]
fn a_proxy_that_only_knows_ntlm_gets_nothing_and_is_named() {
    if !is_lab() {
        return;
    }
    let house = closed();
    let asked = answering(
        &house.ground.device.router,
        "0.0.0.0:3128",
        "HTTP/1.1 407 Authentication Required\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\
         Connection: close\r\n\r\n",
    );
    let mut device = house.device(|command| {
        command.env("HTTPS_PROXY", "http://proxy.lab:3128");
    });
    let told = refusal(&mut device);
    assert_eq!(told["code"], "proxy-scheme", "{told}");
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|words| words.contains("(NTLM or Negotiate)")),
        "{told}"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_session_outlives_a_proxy_that_cuts_idle_tunnels_and_one_that_dies() {
    if !is_lab() {
        return;
    }
    let house = closed();
    let router = &house.ground.device.router;
    let mut squid = Proxy::squid(router, &house.path(""), 7);
    let (mut operator, mut device) = (
        house.operator(|_| ()),
        house.device(|command| {
            command.env("HTTPS_PROXY", IN_URL);
        }),
    );
    meet(&mut operator, &mut device);
    // Two reports, 5 s apart, of a session in which nobody does anything.
    takes(&mut device, "relay-proxy");
    takes(&mut device, "relay-proxy");
    takes(&mut device, "relay-proxy");
    let is_cut = device
        .told
        .iter()
        .any(|line| line["event"] == "path" && line["kind"] == "none");
    assert!(!is_cut, "the tunnel was kept");
    still_works(&mut operator, &mut device, 100);

    squid.kill();
    takes(&mut device, "none");
    std::fs::remove_dir_all(house.path("squid")).expect("its folder");
    let _again = Proxy::squid(router, &house.path(""), 900);
    takes(&mut device, "relay-proxy");
    still_works(&mut operator, &mut device, 200);
}

#[test]
fn tinyproxy_is_a_proxy_too_and_what_is_no_proxy_is_told_as_such() {
    if !is_lab() {
        return;
    }
    let house = closed();
    let router = &house.ground.device.router;
    // Its own passwords are of letters and digits.
    let _tinyproxy = Proxy::tinyproxy(router, &house.path(""), "lab:s3cret7");
    let credentials = house.secret("credentials", "lab:s3cret7\n");
    let through = |proxy: &str| {
        house.doctor(|command| {
            command.args(["--proxy", proxy, "--proxy-credentials-file"]);
            command.arg(&credentials);
        })
    };
    let (said, exit) = through("proxy.lab:8888");
    assert_eq!(
        (exit, &rung(&said, "relay-proxy")["works"]),
        (Some(0), &json!(true)),
        "{said}"
    );

    let _asked = answering(router, "0.0.0.0:22", "SSH-2.0-OpenSSH_9.2\r\n");
    for (proxy, reason) in [
        ("proxy.lab:22", "proxy-not"),
        ("proxy.lab:1", "proxy-unreachable"),
        ("nowhere.lab:8888", "proxy-name"),
    ] {
        let (said, exit) = through(proxy);
        assert_eq!(
            (exit, &rung(&said, "relay-proxy")["reason"]),
            (Some(3), &json!(reason)),
            "{said}"
        );
    }
}
