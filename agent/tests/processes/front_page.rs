//! The settings page of Remote Assistance on the device's own panel: what is set there counts, stays and can be tested.

use alongside::{ports::AdminVerdict, protocol::obstacle::ObstacleKind};
use alongside_agent::{
    panel::mfd::{Field, Mfd, Outcome, Place, Preferences, Scale, Target, TrialWay},
    text::Locale,
};
use serde_json::json;

use crate::{
    administrator::{RIGHT, set},
    agent::Agent,
    front,
    world::{World, code},
};

/// An address of this machine at which no relay listens.
const NOBODY: &str = "127.0.0.2";

/// Opens the page on both panels.
fn open(world: &World, device: &mut Agent, mirror: &mut Mfd) {
    for target in [Target::Go(Place::Settings), Target::Go(Place::Remote)] {
        front::touch(device, mirror, target);
    }
    front::enter_id(device, mirror, RIGHT);
    mirror.id_checked(AdminVerdict::Ok);
    front::looks_like(world, device, mirror);
}

/// Types `value` in the place of what is set.
fn edit(device: &mut Agent, mirror: &mut Mfd, field: Field, value: &str) {
    front::touch(device, mirror, Target::Edit(field));
    front::press(device, mirror, "Clear");
    for letter in value.chars() {
        front::touch(device, mirror, Target::EditLetter(letter));
    }
    front::touch(device, mirror, Target::EditKeep);
}

#[test]
fn what_is_set_on_the_page_survives_a_restart() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let fixed = [Field::Relay];
    let mut device = world.device();
    let mut before = front::mirror(Preferences::default(), "127.0.0.1", &fixed);
    open(&world, &mut device, &mut before);
    front::touch(&mut device, &mut before, Target::Language(Locale::German));
    front::touch(&mut device, &mut before, Target::TextSize(Scale::Large));
    edit(&mut device, &mut before, Field::Proxy, "none");
    front::looks_like(&world, &mut device, &mut before);
    let file = world.path("device").join("panel.toml");
    let is_kept = || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("proxy"));
    for _ in 0..1_000 {
        if is_kept() {
            break;
        }
        device.ok(json!({"do": "snapshot", "file": world.path("front.png")}));
    }
    assert!(is_kept(), "nothing was kept");
    device.kill();

    let mut device = world.device();
    let preferences = Preferences {
        locale: Locale::German,
        scale: Scale::Large,
        ..Preferences::default()
    };
    assert_eq!(before.preferences(), preferences);
    let mut after = front::mirror(preferences, "127.0.0.1", &fixed);
    after.set_route(before.route().clone());
    open(&world, &mut device, &mut after);
}

#[test]
fn another_relay_counts_from_the_next_code_on() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    std::fs::write(
        world.path("device").join("panel.toml"),
        format!("relay = '{NOBODY}'\n"),
    )
    .expect("written");
    let mut operator = world.operator();
    let mut device = device(&world);
    let code = code(&mut operator);
    device.refused(
        json!({"do": "enter-code", "code": code}),
        "relay-unreachable",
    );

    let mut mirror = front::mirror(Preferences::default(), NOBODY, &[]);
    mirror.show(&alongside::status::Status::Idle);
    front::touch(&mut device, &mut mirror_of_refusal(), Target::CloseRefusal);
    open(&world, &mut device, &mut mirror);
    edit(&mut device, &mut mirror, Field::Relay, "127.0.0.1");
    front::looks_like(&world, &mut device, &mut mirror);
    device.ok(json!({"do": "enter-code", "code": code}));
    assert_eq!(
        device.event("connected")["session"],
        operator.event("connected")["session"]
    );
}

#[test]
fn the_test_says_in_a_sentence_that_the_relay_is_down() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    std::fs::write(
        world.path("device").join("panel.toml"),
        format!("relay = '{NOBODY}'\n"),
    )
    .expect("written");
    let mut device = device(&world);
    let mut mirror = front::mirror(Preferences::default(), NOBODY, &[]);
    open(&world, &mut device, &mut mirror);
    front::touch(&mut device, &mut mirror, Target::Test);
    for way in [TrialWay::Udp, TrialWay::Tls] {
        mirror.tested(way, Outcome::Fails(ObstacleKind::RelayDown.into()));
    }
    mirror.tested(
        TrialWay::Proxy,
        Outcome::Fails(ObstacleKind::NoProxy.into()),
    );
    mirror.test_over();
    front::looks_like(&world, &mut device, &mut mirror);
}

/// A device that nobody tells which relay to ask.
fn device(world: &World) -> Agent {
    let mut command = crate::world::bare();
    command.args(["device", "--stdio", "--serial", "SN-1"]);
    command.arg("--danger-relay-port");
    command.arg(world.relay.port.to_string());
    command.arg("--relay-ca").arg(&world.relay.ca);
    command.arg("--state").arg(world.path("device"));
    let mut device = world.start(command, "device");
    assert_eq!(device.event("ready")["role"], "device");
    device
}

/// A panel that shows a refused code.
fn mirror_of_refusal() -> Mfd {
    let mut mirror = Mfd::with_preferences(Preferences::default());
    let refusal = alongside::status::CodeRefusal::Unknown;
    mirror.show(&alongside::status::Status::CodeRefused(refusal));
    mirror
}
