//! Codes that lead to no session: what both sides are told, and what it costs.

use std::fs;

use serde_json::json;

use crate::world::{World, code, meet, wrong};

/// Where a code's digits begin: five of the nameplate, six of the secret, one to check.
const NAMEPLATE: usize = 0;
const SECRET: usize = 7;

#[test]
fn a_wrong_code_is_told_on_both_sides_and_the_third_burns_it() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let code = code(&mut operator);
    let wrong = wrong(&code, SECRET);
    for left in [2, 1] {
        device.ok(json!({"do": "enter-code", "code": wrong}));
        for side in [&mut device, &mut operator] {
            let told = side.problem("code-wrong");
            assert_eq!(told["tries_left"], left, "{told}");
            let words = told["message"].to_string();
            assert!(
                words.contains(&left.to_string()) && words.contains("wrong"),
                "{words}"
            );
        }
    }
    device.ok(json!({"do": "enter-code", "code": wrong}));
    device.problem("code-burnt");
    operator.problem("code-burnt");
    let end = operator.event("ended");
    assert_eq!(
        (&end["by"], &end["reason"]),
        (&json!("policy"), &json!("code-not-proved"))
    );
    assert_eq!(operator.exit(), 5);

    // The right one comes too late, and the device is there for the next.
    device.refused(json!({"do": "enter-code", "code": code}), "code-unknown");
    let mut next = world.operator();
    meet(&mut next, &mut device);
}

#[test]
fn after_a_wrong_code_the_right_one_works() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let code = code(&mut operator);
    device.ok(json!({"do": "enter-code", "code": wrong(&code, SECRET)}));
    device.problem("code-wrong");
    device.ok(json!({"do": "enter-code", "code": code}));
    device.event("connected");
    operator.event("connected");
}

#[test]
fn a_code_that_nobody_gave_out_is_unknown_and_the_operator_hears_nothing_of_it() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let code = code(&mut operator);
    device.refused(
        json!({"do": "enter-code", "code": wrong(&code, NAMEPLATE)}),
        "code-unknown",
    );
    device.ok(json!({"do": "enter-code", "code": code}));
    operator.event("connected");
    assert!(
        !operator.told.iter().any(|line| line["event"] == "error"),
        "{:?}",
        operator.told
    );
}

#[test]
fn a_mistyped_code_costs_no_attempt_and_says_where_to_look() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let code = code(&mut operator);
    let with = |at: usize, digit: char| -> String {
        code.chars()
            .enumerate()
            .map(|(n, c)| if n == at { digit } else { c })
            .collect()
    };
    let other = |at: usize| char::from(b'0' + (code.as_bytes()[at] - b'0' + 1) % 10);

    for at in 0..12 {
        device.refused(
            json!({"do": "enter-code", "code": with(at, other(at))}),
            "code-check-digit",
        );
    }
    for (at, part) in [(0, "first"), (5, "second"), (11, "third")] {
        let told = device.refused(
            json!({"do": "enter-code", "code": with(at, 'x')}),
            "code-malformed",
        );
        assert_eq!(told["part"], part, "{told}");
    }
    device.refused(
        json!({"do": "enter-code", "code": code[..11]}),
        "code-malformed",
    );
    device.refused(
        json!({"do": "enter-code", "code": format!("{code}0")}),
        "code-malformed",
    );

    // All three attempts are left: the first that is spent leaves two.
    device.ok(json!({"do": "enter-code", "code": wrong(&code, SECRET)}));
    assert_eq!(device.problem("code-wrong")["tries_left"], 2);
}

#[test]
fn a_new_code_takes_the_place_of_the_old_one() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    let old = code(&mut operator);
    let new = code(&mut operator);
    device.refused(json!({"do": "enter-code", "code": old}), "code-unknown");
    device.ok(json!({"do": "enter-code", "code": new}));
    operator.event("connected");
    operator.refused(json!({"do": "code"}), "busy");
}

#[test]
fn a_code_lives_two_minutes_to_an_hour() {
    let world = World::new();
    let mut operator = world.operator();
    for (ttl_s, is_allowed) in [(119, false), (120, true), (3600, true), (3601, false)] {
        let reply = operator.ask(json!({"do": "code", "ttl_s": ttl_s}));
        if is_allowed {
            assert_eq!(operator.event("code")["expires_in_s"], ttl_s);
        } else {
            assert_eq!(reply["code"], "bad-request");
            assert!(reply["message"].to_string().contains("ttl_s"), "{reply}");
        }
    }
}

#[test]
fn whoever_guesses_codes_at_a_device_has_to_wait_even_after_a_restart() {
    let world = World::new();
    let mut device = world.device();
    for _ in 0..5 {
        device.refused(
            json!({"do": "enter-code", "code": nobodys()}),
            "code-unknown",
        );
    }
    let told = device.refused(
        json!({"do": "enter-code", "code": nobodys()}),
        "entry-locked",
    );
    assert!(
        told["wait_s"]
            .as_u64()
            .is_some_and(|wait| (1..=60).contains(&wait)),
        "{told}"
    );
    device.close_input();
    assert_eq!(device.exit(), 0);

    let mut device = world.device();
    device.refused(
        json!({"do": "enter-code", "code": nobodys()}),
        "entry-locked",
    );
}

#[test]
fn a_device_that_is_started_for_one_code_ends_with_5_when_it_is_wrong() {
    let world = World::new();
    let mut operator = world.operator();
    let code = code(&mut operator);
    for (typed, says) in [
        (wrong(&code, SECRET), "code-wrong"),
        (wrong(&code, NAMEPLATE), "code-unknown"),
    ] {
        fs::write(world.path("code"), typed).expect("written");
        let mut command = world.command("device", "device");
        command.arg("--code-file").arg(world.path("code"));
        let mut device = world.start(command, "device");
        device.problem(says);
        device.event("ended");
        assert_eq!(device.exit(), 5);
    }
    let check_digit = if code.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{check_digit}", &code[..11]);
    for (typed, says) in [
        ("0000 0000 000", "code-malformed"),
        (mistyped.as_str(), "code-check-digit"),
    ] {
        fs::write(world.path("code"), typed).expect("written");
        let mut command = world.command("device", "device");
        command.arg("--code-file").arg(world.path("code"));
        let mut device = world.start(command, "device");
        let told = device.problem(says);
        let end = device.event("ended");
        assert_eq!(end["reason"], "code-not-proved", "{end}");
        assert_eq!(device.exit(), 5);
        let sentence = told["message"].as_str().expect("words");
        assert!(device.log().contains(sentence), "{}", device.log());
    }
}

#[test]
fn a_code_whose_time_is_over_is_expired_on_both_sides() {
    // The relay shortens the life of every code.
    let world = World::with_config("[limits]\ncode_ttl_max_s = 2\n");
    let (mut operator, mut device) = (world.operator(), world.device());
    operator.ok(json!({"do": "code"}));
    let code = operator.event("code");
    assert_eq!(code["expires_in_s"], 2);
    operator.problem("code-expired");
    device.refused(
        json!({"do": "enter-code", "code": code["code"]}),
        "code-expired",
    );
}

/// A well-formed code that nobody gave out.
fn nobodys() -> String {
    wrong("000000000000", NAMEPLATE)
}
