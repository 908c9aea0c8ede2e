//! `kill -9` of each in turn: the others say what happened within 16 s and go on as they should, and the next session
//! works.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    agent::Agent,
    world::{World, code, meet},
};

/// Silence that must have been told by then: 15 s, looked at every second.
const MISSING: Duration = Duration::from_secs(16);

/// Both wait for most of their time, so they do it together.
#[test]
fn when_one_side_is_killed_the_other_is_told_and_may_leave() {
    thread::scope(|scope| {
        scope.spawn(when_the_device_is_killed_the_operator_may_end);
        scope.spawn(when_the_operator_is_killed_the_customer_may_leave);
    });
}

fn when_the_device_is_killed_the_operator_may_end() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    let since = Since::now();
    device.kill();
    is_missing(&mut operator, &since);
    // It may come back for a while, so the session stands until the operator gives it up.
    operator.ok(json!({"do": "end"}));
    assert_eq!(operator.event("ended")["by"], "operator");
    assert_eq!(operator.exit(), 0);

    let (mut operator, mut device) = world.session();
    end(&mut operator, &mut device);
}

fn when_the_operator_is_killed_the_customer_may_leave() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    // Another has given out a code that nobody has typed yet.
    let mut other = world.start(world.command("assist", "other"), "other");
    other.event("ready");
    let code = code(&mut other);
    let mut typing = world.start(world.command("device", "typing"), "typing");
    typing.event("ready");

    let since = Since::now();
    operator.kill();
    other.kill();
    // The relay does not know yet that the operator is gone.
    typing.ok(json!({"do": "enter-code", "code": code}));
    is_missing(&mut device, &since);
    device.ok(json!({"do": "exit"}));
    assert_eq!(device.event("ended")["reason"], "exit");
    let told = typing.problem("operator-unreachable");
    assert!(since.of(&told) <= MISSING, "{:?}", since.of(&told));

    // The same devices, another operator.
    for device in [&mut device, &mut typing] {
        let mut operator = world.operator();
        meet(&mut operator, device);
        end(&mut operator, device);
    }
}

#[test]
fn when_the_relay_is_killed_both_are_told_and_a_direct_session_outlives_even_its_return() {
    let mut world = World::new();
    let (mut operator, mut device) = world.session();
    are_direct(&mut operator, &mut device);
    let since = Since::now();
    world.relay.kill();
    for side in [&mut operator, &mut device] {
        let told = side.problem("relay-unreachable");
        assert!(since.of(&told) <= MISSING, "{:?}", since.of(&told));
    }
    goes_on(&mut operator, &mut device);

    // The relay that comes back knows nothing of them; they learn it with the next check, within 5 s.
    world.relay.restart();
    are_direct(&mut operator, &mut device);
    goes_on(&mut operator, &mut device);
    device.ok(json!({"do": "exit"}));
    for side in [&mut operator, &mut device] {
        assert_eq!(side.event("ended")["reason"], "exit");
    }
    assert_eq!(operator.exit(), 0);

    let mut operator = world.operator();
    meet(&mut operator, &mut device);
    end(&mut operator, &mut device);
}

#[test]
fn a_relay_that_is_told_to_stop_leaves_a_direct_session_alone_and_nobody_waiting() {
    let mut world = World::new();
    let (mut operator, mut device) = world.session();
    are_direct(&mut operator, &mut device);
    let mut waiting = world.start(world.command("assist", "waiting"), "waiting");
    waiting.event("ready");
    assert_eq!(world.relay.stop(), Some(0));
    // Without a session there is nothing that an operator could wait for.
    assert_eq!(waiting.event("ended")["by"], "relay");
    assert_eq!(waiting.exit(), 3);
    goes_on(&mut operator, &mut device);
    end(&mut operator, &mut device);
}

#[test]
fn a_relayed_session_outlives_the_relay_whether_it_was_killed_or_told_to_stop() {
    thread::scope(|scope| {
        for way in ["relay-quic", "relay-tls"] {
            scope.spawn(move || outlives_the_relay(way));
        }
    });
}

fn outlives_the_relay(way: &str) {
    let mut world = World::new();
    let start = |role: &str| {
        let mut command = world.command(role, role);
        command.args(["--paths", way]);
        let mut side = world.start(command, role);
        side.event("ready");
        side
    };
    let (mut operator, mut device) = (start("assist"), start("device"));
    meet(&mut operator, &mut device);
    let mut round = 0;
    for is_killed in [true, false, true] {
        if is_killed {
            world.relay.kill();
        } else {
            assert_eq!(world.relay.stop(), Some(0));
        }
        world.relay.restart();
        // Kept until it arrives, where a pointer that only hovers would be dropped.
        round += 1;
        operator.ok(json!({"do": "stroke", "id": round, "color": "#d02020", "width": 4, "points": [[1, 1, 1], [9, 9, 1]], "done": true}));
        device.until("the stroke", |line| {
            line["event"] == "annotation" && line["id"] == round
        });
    }
    let ways: Vec<_> = (operator.told.iter().chain(&device.told))
        .filter(|line| line["event"] == "path")
        .map(|line| line["kind"].clone())
        .collect();
    assert!(
        !ways.is_empty() && !ways.contains(&json!("direct")),
        "{ways:?}"
    );
    end(&mut operator, &mut device);
}

/// Waits until both sides say that their packets go direct.
fn are_direct(operator: &mut Agent, device: &mut Agent) {
    for side in [operator, device] {
        side.until("a direct path", |line| {
            line["event"] == "path" && line["kind"] == "direct"
        });
    }
}

/// What the operator does arrives.
fn goes_on(operator: &mut Agent, device: &mut Agent) {
    operator.ok(json!({"do": "pointer", "x": 1, "y": 1, "phase": "hover"}));
    device.event("annotation");
}

/// The other side is told to be missing within 16 s, and the side lives on.
fn is_missing(side: &mut Agent, since: &Since) {
    let link = side.until("a missing link", |line| {
        line["event"] == "link" && line["state"] == "missing"
    });
    assert!(
        link["silent_ms"]
            .as_u64()
            .is_some_and(|silent| silent >= 15_000),
        "{link}"
    );
    assert!(since.of(&link) <= MISSING, "{:?}", since.of(&link));
}

fn end(operator: &mut Agent, device: &mut Agent) {
    operator.ok(json!({"do": "end"}));
    device.event("ended");
    assert_eq!(operator.exit(), 0);
}

/// A moment.
struct Since {
    unix_ms: u64,
}

impl Since {
    fn now() -> Self {
        Self {
            unix_ms: alongside::unix_ms(),
        }
    }

    /// When an event was told.
    fn of(&self, event: &Value) -> Duration {
        let at = event["t"].as_u64().expect("a time");
        Duration::from_millis(at.saturating_sub(self.unix_ms))
    }
}
