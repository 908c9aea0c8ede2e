//! A session, from its code to its end.

use std::{collections::BTreeSet, fs, io::Write as _};

use alongside::{
    protocol::{PublicKey, SessionId, ids::ModeId, input::PointerPhase, reason::ModePhase},
    status::{Active, Banner, Link, OperatorIdentity, Status},
};
use alongside_agent::{
    panel::mfd::{Mfd, Place, Target},
    text::{Locale, Text},
};
use serde_json::{Value, json};

use crate::{
    agent::Agent,
    world::{World, code, meet, pixels},
};

#[test]
fn what_the_operator_sees_is_what_the_device_shows_to_the_pixel() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    let mut mirror = in_session();
    let mut pictures = BTreeSet::new();
    for step in [Place::Copy, Place::Home, Place::Settings].map(Target::Go) {
        let at = mirror.find(step).expect("a control on the screen");
        for phase in [PointerPhase::Down, PointerPhase::Up] {
            mirror.touch(at, phase);
        }
        let (x, y) = at.to_decimal();
        device.ok(json!({"do": "touch", "x": x, "y": y}));
        pictures.insert(same_picture(&world, &mut operator, &mut device));
    }
    assert_eq!(pictures.len(), 3, "each screen is another");
}

/// Waits until both sides' pictures are the same; its hash.
fn same_picture(world: &World, operator: &mut Agent, device: &mut Agent) -> String {
    loop {
        let (seen, shown) = world.snapshots(operator, device);
        assert_eq!(
            (&shown["width"], &shown["height"]),
            (&json!(1024), &json!(600))
        );
        if seen["sha256"] == shown["sha256"] {
            assert_eq!(
                pixels(&world.path("operator.png")),
                pixels(&world.path("device.png"))
            );
            return seen["sha256"].to_string();
        }
        // The next one is on its way.
        operator.event("panel");
    }
}

/// A panel like the device's, which tells where its controls are.
fn in_session() -> Mfd {
    let mut mfd = Mfd::new(Text::new(Locale::English));
    mfd.show(&Status::Active(Active {
        session: SessionId([0; 16]),
        operator: OperatorIdentity {
            key: PublicKey([0; 32]),
            name: None,
            organisation: None,
            confirmed_by: None,
        },
        mode: ModeId::user_guide(),
        phase: ModePhase::Active,
        link: Link::Ok,
        ask: None,
        refused: None,
        idle_ends_in: None,
        banner: Banner::Shown,
    }));
    mfd
}

#[test]
fn what_is_pointed_at_and_drawn_arrives_with_its_exact_coordinates() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    let points = json!([[10, 20, 0.5], [30.0625, 40.5, 1], [1023.9375, 599.9375, 0]]);
    operator.ok(json!({"do": "stroke", "id": 7, "color": "#ff3b30", "width": 4, "points": points, "done": true}));
    let drawn = device.event("annotation");
    assert_eq!(
        (&drawn["op"], &drawn["id"], &drawn["done"]),
        (&json!("stroke"), &json!(7), &json!(true))
    );
    assert_eq!(
        (&drawn["color"], &drawn["width"]),
        (&json!("#ff3b30"), &json!(4))
    );
    assert_eq!(
        drawn["points"].to_string(),
        "[[10.0,20.0,0.5],[30.0625,40.5,1.0],[1023.9375,599.9375,0.0]]"
    );

    operator.ok(json!({"do": "pointer", "x": 100.5, "y": 99.04, "phase": "hover"}));
    let shown = device.event("annotation");
    // Rounded to a sixteenth of a pixel.
    assert_eq!(
        (&shown["op"], &shown["points"]),
        (&json!("pointer"), &json!([[100.5, 99.0625, 1.0]]))
    );

    operator.ok(json!({"do": "undo"}));
    let undone = device.until("undo", |line| {
        line["op"] == "undo" || line["op"] == "stroke"
    });
    assert_eq!(
        (&undone["op"], &undone["id"]),
        (&json!("undo"), &drawn["id"])
    );
    operator.ok(json!({"do": "clear"}));
    device.until("clear", |line| line["op"] == "clear");

    let outside = operator.refused(
        json!({"do": "pointer", "x": 1024, "y": 0, "phase": "hover"}),
        "bad-request",
    );
    assert!(
        outside["message"].to_string().contains("1024x600"),
        "{outside}"
    );
    operator.refused(
        json!({"do": "key", "key": "1", "down": true}),
        "not-allowed",
    );
    operator.refused(json!({"do": "text", "text": "hello"}), "not-allowed");
}

#[test]
fn the_stop_key_ends_the_session_when_it_is_held_5_s_and_not_4_9_s() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    device.ok(json!({"do": "hold", "key": "#", "ms": 4900}));
    // Both still answer, so nothing has ended.
    operator.ok(json!({"do": "pointer", "x": 1, "y": 1, "phase": "hover"}));
    device.until("a pointer", |line| line["op"] == "pointer");
    device.refused(
        json!({"do": "enter-code", "code": code_of_nobody()}),
        "busy",
    );

    device.say(json!({"do": "hold", "key": "#", "ms": 5000}));
    ended(&mut operator, &mut device, "customer", "stop-key");
}

#[test]
fn exit_on_the_panel_ends_the_session() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    device.ok(json!({"do": "exit"}));
    ended(&mut operator, &mut device, "customer", "exit");
}

#[test]
fn the_operator_ends_the_session() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    operator.ok(json!({"do": "end"}));
    ended(&mut operator, &mut device, "operator", "operator-ended");
}

#[test]
fn an_operators_input_that_ends_ends_the_session() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    operator.close_input();
    ended(&mut operator, &mut device, "operator", "operator-ended");
}

#[test]
fn a_devices_input_that_ends_ends_the_session_and_the_device() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    device.close_input();
    ended(&mut operator, &mut device, "customer", "exit");
}

#[test]
fn an_output_that_nobody_reads_any_more_ends_the_session_and_the_side() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    operator.close_output();
    operator.write(b"{}");
    assert_eq!(device.event("ended")["reason"], "operator-ended");
    assert_eq!(operator.exit(), 1);
    let says = "standard output cannot be written";
    assert!(operator.log().contains(says), "{}", operator.log());

    let mut operator = world.operator();
    meet(&mut operator, &mut device);
    device.close_output();
    device.write(b"{}");
    assert_eq!(operator.event("ended")["reason"], "exit");
    assert_eq!((operator.exit(), device.exit()), (0, 1));
    assert!(device.log().contains(says), "{}", device.log());
}

#[test]
fn whoever_started_a_side_and_is_gone_leaves_no_session_behind() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    operator.close_output();
    operator.close_input();
    assert_eq!(device.event("ended")["reason"], "operator-ended");
    operator.exit();

    let mut operator = world.operator();
    meet(&mut operator, &mut device);
    device.close_output();
    device.close_input();
    assert_eq!(operator.event("ended")["reason"], "exit");
    assert_eq!(operator.exit(), 0);
    device.exit();
}

#[test]
fn a_program_is_told_the_consoles_address_as_an_event() {
    let world = World::new();
    let mut command = world.command("assist", "operator");
    command.arg("--console");
    let mut operator = world.start(command, "operator");
    let pages = operator.event("pages");
    let address = pages["operator"].as_str().expect("an address");
    assert!(address.starts_with("http://127.0.0.1:"), "{pages}");
    operator.close_input();
    assert_eq!(operator.exit(), 0);
}

#[test]
fn nothing_comes_between_the_parts_of_a_stroke() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    let points: Vec<_> = (0..1_000).map(|n| [n, 300]).collect();
    let stroke = json!({"do": "stroke", "id": 1, "color": "#ff0000", "width": 3, "points": points, "done": true});
    let lines = format!("{stroke}\n{}", json!({"do": "undo"}));
    operator.write(lines.as_bytes());
    let told: Vec<_> = (0..5)
        .map(|_| device.event("annotation")["op"].clone())
        .collect();
    assert_eq!(told, ["stroke", "stroke", "stroke", "stroke", "undo"]);
}

#[test]
fn no_core_file_of_a_side_is_written() {
    let world = World::new();
    for side in [world.operator(), world.device()] {
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", side.pid()));
        let limits = read("limits").expect("it runs");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let core: Vec<_> = core.expect("a limit").split_whitespace().skip(4).collect();
        assert_eq!(core, ["0", "0", "bytes"]);
        for name in ["stat", "status", "cmdline"] {
            assert!(read(name).is_ok(), "{name}");
        }
    }
}

#[test]
fn an_input_that_ends_before_there_is_a_session_ends_the_side() {
    let world = World::new();
    let (mut operator, mut device) = (world.operator(), world.device());
    operator.close_input();
    device.close_input();
    assert_eq!((operator.exit(), device.exit()), (0, 0));
    let last = operator.told.last().expect("a line");
    assert_eq!(
        (&last["event"], &last["by"]),
        (&json!("ended"), &json!("operator"))
    );
}

#[test]
fn sigterm_ends_the_session_and_both_sides_say_so() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    device.terminate();
    for side in [&mut operator, &mut device] {
        let end = side.event("ended");
        assert_eq!(
            (&end["by"], &end["reason"]),
            (&json!("device"), &json!("shutdown")),
            "{end}"
        );
        assert_eq!(side.exit(), 0);
    }

    let (mut operator, mut device) = world.session();
    operator.terminate();
    for side in [&mut operator, &mut device] {
        assert_eq!(side.event("ended")["by"], "operator");
    }
    assert_eq!(operator.exit(), 0);
}

#[test]
fn a_code_from_a_file_or_from_standard_input_leads_to_the_one_session_that_the_device_is_there_for()
{
    let world = World::new();
    for from_input in [false, true] {
        let mut operator = world.operator();
        let code = code(&mut operator);
        let mut spaced = format!("{} {} {}", &code[..4], &code[4..8], &code[8..]);
        let mut command = world.command("device", "device");
        if from_input {
            command.args(["--code-file", "-"]);
        } else {
            spaced.push('\n');
            fs::File::create(world.path("code"))
                .and_then(|mut file| file.write_all(spaced.as_bytes()))
                .expect("written");
            command.arg("--code-file").arg(world.path("code"));
        }
        let mut device = world.start(command, "device");
        if from_input {
            // One line is the code; what comes after it are commands.
            device.write(spaced.as_bytes());
        }
        device.event("connected");
        operator.event("connected");
        device.ok(json!({"do": "key", "key": "1", "down": true}));
        operator.ok(json!({"do": "end"}));
        let end = device.event("ended");
        assert_eq!(end["by"], "operator");
        // It does not wait for another code, nor for the end of its input.
        assert_eq!((device.exit(), operator.exit()), (0, 0));
        is_last_and_once(&device);
    }
}

#[test]
fn a_device_takes_one_session_after_the_other() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    device.ok(json!({"do": "exit"}));
    operator.event("ended");
    assert_eq!(operator.exit(), 0);
    device.event("ended");

    let mut next = world.operator();
    meet(&mut next, &mut device);
    let (seen, shown) = world.snapshots(&mut next, &mut device);
    assert_eq!(seen["sha256"], shown["sha256"]);
    ended_by_operator(&mut next, &mut device);
}

fn ended_by_operator(operator: &mut Agent, device: &mut Agent) {
    operator.ok(json!({"do": "end"}));
    ended(operator, device, "operator", "operator-ended");
}

/// Both sides tell this end, once and last, and then end themselves with 0.
fn ended(operator: &mut Agent, device: &mut Agent, by: &str, reason: &str) {
    for side in [&mut *operator, &mut *device] {
        let end = side.event("ended");
        assert_eq!(
            (&end["by"], &end["reason"]),
            (&json!(by), &json!(reason)),
            "{end}"
        );
    }
    assert_eq!(operator.exit(), 0);
    is_last_and_once(operator);
    device.close_input();
    assert_eq!(device.exit(), 0);
}

/// Whether `ended` is the last thing that was told but replies, and told once.
fn is_last_and_once(side: &Agent) {
    let events: Vec<&Value> = side
        .told
        .iter()
        .filter(|line| line.get("id").is_none())
        .collect();
    let ends = events
        .iter()
        .filter(|line| line["event"] == "ended")
        .count();
    assert_eq!(
        (ends, &events.last().expect("events")["event"]),
        (1, &json!("ended"))
    );
}

/// A code that nobody gave out; well formed.
fn code_of_nobody() -> String {
    crate::world::wrong("000000000000", 0)
}
