//! The system administrator's ID: set from the command line, typed on the panel, seen by nobody.

use std::{
    io::Write as _,
    process::{Output, Stdio},
    time::Duration,
};

use alongside::{
    Compartment,
    admin_id::AdminIdStore,
    ports::{AdminChange, AdminId as _, AdminVerdict},
    protocol::{
        PublicKey, SessionId, ids::ModeId, input::PointerPhase, label::Name, reason::ModePhase,
    },
    status::{Active, Ask, Banner, Link, OperatorIdentity, Status},
};
use alongside_agent::{
    panel::mfd::{Administrator, Field, Mfd, Place, Preferences, Target},
    text::{Locale, Text},
};
use serde_json::json;

use crate::{
    agent::Agent,
    front,
    world::{World, bare, pixels},
};

pub const RIGHT: &str = "48291736";
pub const WRONG: &str = "48291735";
/// The one colour of what the operator must not see.
pub const GREY: [u8; 3] = [0x80; 3];

/// `t_adminid_mask` between processes; what the digits change of the bytes is tested in the session.
#[test]
fn control_is_allowed_with_the_id_and_the_operator_sees_none_of_it() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let (mut operator, mut device) = world.session();
    operator.ok(json!({"do": "mode", "mode": ModeId::OPERATOR_CONTROL}));
    assert_eq!(operator.event("mode")["state"], "asked");
    assert_eq!(device.event("asked")["wants_admin_id"], true);

    touch(&mut device, &mut asked(), Target::EnterId);
    type_in(&mut device, WRONG);
    let mut mirror = asked();
    let [mask] = *mirror.masked() else {
        panic!("one mask")
    };
    let area = usize::from(mask.width) * usize::from(mask.height);
    assert_eq!(covered(&world, &mut operator), area);
    let wrong = device.refused(json!({"do": "allow", "admin_id": WRONG}), "admin-id-wrong");
    assert_eq!(wrong["tries_left"], 2);
    type_in(&mut device, RIGHT);
    for down in [true, false] {
        device.ok(json!({"do": "key", "key": "Start", "down": down}));
    }
    operator.until("control", |line| {
        line["mode"] == ModeId::OPERATOR_CONTROL && line["state"] == "active"
    });
    // The operator's hand is off the panel until the last covered picture is history.
    while covered(&world, &mut operator) > 0 {
        operator.event("panel");
    }
    operator.ok(json!({"do": "key", "key": "5", "down": true}));
    operator.ok(json!({"do": "key", "key": "5", "down": false}));
    assert_eq!(device.event("injected")["key"], "5");
    for log in [device.log(), operator.log()] {
        assert!(!log.contains(RIGHT) && !log.contains(WRONG), "{log}");
    }
}

#[test]
fn without_an_id_control_is_refused_unasked_and_a_weak_one_is_not_set() {
    let world = World::new();
    for weak in ["1234567", "12345678", "24122026", "Passwort1"] {
        let output = set(&world, weak);
        assert_eq!(output.status.code(), Some(2), "{weak}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains(weak));
    }
    let (mut operator, _device) = world.session();
    operator.ok(json!({"do": "mode", "mode": ModeId::OPERATOR_CONTROL}));
    let refused = operator.event("mode");
    assert_eq!(
        (&refused["state"], &refused["reason"]),
        (&json!("refused"), &json!("no-admin-id"))
    );
}

/// `admin-id set` with `id` on standard input.
pub fn set(world: &World, id: &str) -> Output {
    let mut command = bare();
    command.args(["admin-id", "set", "--stdin", "--state"]);
    command.arg(world.path("device"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut input = child.stdin.take().expect("a pipe");
    input
        .write_all(format!("{id}\n").as_bytes())
        .expect("written");
    drop(input);
    child.wait_with_output().expect("ended")
}

/// A panel like the device's while it asks, which tells where its controls are.
pub fn asked() -> Mfd {
    let mut mfd = Mfd::new(Text::new(Locale::English));
    mfd.show(&Status::Active(Active {
        ask: Some(Ask {
            mode: ModeId::new(ModeId::OPERATOR_CONTROL).expect("a mode"),
            is_renewal: false,
            wants_admin_id: true,
            expires_in: Duration::from_secs(60),
            differences: None,
        }),
        ..live()
    }));
    mfd
}

/// A session like the device's.
pub fn live() -> Active {
    Active {
        session: SessionId([0; 16]),
        operator: OperatorIdentity {
            key: PublicKey([0; 32]),
            name: Name::new("Dana").ok(),
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
    }
}

pub fn touch(device: &mut Agent, mirror: &mut Mfd, target: Target) {
    let (x, y) = touch_only(mirror, target);
    device.ok(json!({"do": "touch", "x": x, "y": y}));
}

fn touch_only(mirror: &mut Mfd, target: Target) -> (f64, f64) {
    let at = mirror.find(target).expect("a control on the screen");
    mirror.touch(at, PointerPhase::Down);
    mirror.touch(at, PointerPhase::Up);
    at.to_decimal()
}

/// Types an ID into the pad, which may still hold another.
pub fn type_in(device: &mut Agent, id: &str) {
    let mut mirror = asked();
    touch_only(&mut mirror, Target::EnterId);
    for down in [true, false] {
        device.ok(json!({"do": "key", "key": "Clear", "down": down}));
    }
    for digit in id.chars() {
        touch(device, &mut mirror, Target::IdLetter(digit));
    }
}

/// Pixels of the operator's picture that are covered, once it is exact.
pub fn covered(world: &World, operator: &mut Agent) -> usize {
    let file = world.path("seen.png");
    while operator.ok(json!({"do": "snapshot", "file": file}))["exact"] != true {
        operator.event("panel");
    }
    let rows = pixels(&file);
    rows.chunks_exact(3).filter(|pixel| *pixel == GREY).count()
}

#[test]
fn the_id_is_chosen_and_changed_on_the_panel_itself() {
    let world = World::new();
    let mut device = world.device();
    let mut mirror = front::mirror(Preferences::default(), "127.0.0.1", &[Field::Relay]);
    mirror.set_administrator(Administrator::Unset);
    for target in [Target::Go(Place::Settings), Target::Go(Place::Remote)] {
        front::touch(&mut device, &mut mirror, target);
    }
    front::looks_like(&world, &mut device, &mut mirror);
    front::enter_id(&mut device, &mut mirror, "12345678");
    front::looks_like(&world, &mut device, &mut mirror);
    for _ in 0..2 {
        front::enter_id(&mut device, &mut mirror, RIGHT);
    }
    mirror.id_changed(AdminChange::Done);
    front::looks_like(&world, &mut device, &mut mirror);

    front::touch(&mut device, &mut mirror, Target::Go(Place::RemoteId));
    front::enter_id(&mut device, &mut mirror, WRONG);
    mirror.id_checked(AdminVerdict::Wrong {
        tries_left: 2,
        wait: Duration::ZERO,
    });
    front::looks_like(&world, &mut device, &mut mirror);
    front::enter_id(&mut device, &mut mirror, RIGHT);
    mirror.id_checked(AdminVerdict::Ok);
    front::looks_like(&world, &mut device, &mut mirror);
    for _ in 0..2 {
        front::enter_id(&mut device, &mut mirror, "59201847");
    }
    mirror.id_changed(AdminChange::Done);
    front::looks_like(&world, &mut device, &mut mirror);
    let compartment = Compartment::open(&world.path("device")).expect("the device's folder");
    let store = AdminIdStore::open_to_set(&compartment);
    assert_eq!(store.verify("59201847"), AdminVerdict::Ok);
    let log = device.log();
    assert!(!log.contains(RIGHT) && !log.contains("59201847"), "{log}");
}

#[test]
fn nothing_of_an_id_that_is_chosen_in_a_session_is_seen_by_the_operator() {
    let world = World::new();
    let (mut operator, mut device) = world.session();
    let mut mirror = asked();
    mirror.show(&Status::Active(live()));
    mirror.set_administrator(Administrator::Unset);
    for target in [Target::Go(Place::Settings), Target::Go(Place::Remote)] {
        front::touch(&mut device, &mut mirror, target);
    }
    for id in [RIGHT, RIGHT] {
        let [mask] = *mirror.masked() else {
            panic!("one mask")
        };
        let area = usize::from(mask.width) * usize::from(mask.height);
        // Until the picture of the page has arrived.
        while covered(&world, &mut operator) != area {
            operator.event("panel");
        }
        front::enter_id(&mut device, &mut mirror, id);
    }
    // The page opens, and the operator's picture again.
    while covered(&world, &mut operator) > 0 {
        operator.event("panel");
    }
}
