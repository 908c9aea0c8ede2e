//! Settings that somebody else changes between the read and the apply: a hand on the file, and another engineer.

use std::fs;

use serde_json::json;

use crate::{
    administrator::{RIGHT, set},
    agent::Agent,
    settings::{apply, as_they_were, device_with, files, get, raise, results, with_files},
    world::{World, meet},
};

/// Changes the lamp to what was read at `version`.
fn brighter(version: u64) -> serde_json::Value {
    json!({"do": "settings-apply", "changes": [
        {"path": "lamp.level", "value": 9, "if_version": version},
        {"path": "fan.speed", "value": 1}]})
}

fn ends(operator: &mut Agent, device: &mut Agent) {
    operator.ok(json!({"do": "end"}));
    operator.exit();
    device.event("ended");
}

#[test]
fn a_file_edited_by_hand_after_it_was_read_is_a_conflict_and_stays_as_the_hand_left_it() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let config = with_files(&world, "");
    let (mut operator, mut device) = (world.operator(), device_with(&world, &config));
    meet(&mut operator, &mut device);
    raise(&mut operator, &mut device);

    // Before anything is proposed.
    let (version, values) = get(&mut operator, "lamp");
    assert_eq!(values["lamp.level"], 3);
    let by_hand = "# how bright, by hand\nlevel = 4\ncolour = \"white\"\n";
    fs::write(world.path("lamp.toml"), by_hand).unwrap();
    operator.ok(brighter(version));
    results(&mut operator, &["conflict"]);
    let (lamp, fan) = files(&world);
    assert_eq!((lamp.as_str(), fan), (by_hand, as_they_were().1));

    // While the customer reads the difference.
    let (version, values) = get(&mut operator, "lamp");
    assert_eq!(values["lamp.level"], 4);
    operator.ok(brighter(version));
    results(&mut operator, &["asked"]);
    let asked = device.event("asked");
    assert_eq!(asked["differences"].as_array().unwrap().len(), 2);
    let again = "# by hand again\nlevel = 5\ncolour = \"red\"\n";
    fs::write(world.path("lamp.toml"), again).unwrap();
    device.ok(json!({"do": "allow"}));
    results(&mut operator, &["conflict"]);
    let (lamp, fan) = files(&world);
    assert_eq!((lamp.as_str(), fan), (again, as_they_were().1));

    // What the hand has done is there to be read, and changed by who has read it.
    let (version, values) = get(&mut operator, "lamp");
    assert_eq!(values["lamp.level"], 5);
    apply(&mut operator, &mut device, brighter(version));
    results(&mut operator, &["applied", "confirmed"]);
    let (lamp, _) = files(&world);
    assert_eq!(lamp, "# by hand again\nlevel = 9\ncolour = \"red\"\n");
    ends(&mut operator, &mut device);
}

#[test]
fn what_one_engineer_read_another_has_changed_is_a_conflict() {
    let world = World::new();
    assert_eq!(set(&world, RIGHT).status.code(), Some(0));
    let config = with_files(&world, "");
    let mut device = device_with(&world, &config);
    let mut first = world.operator();
    meet(&mut first, &mut device);
    raise(&mut first, &mut device);
    let (version, _) = get(&mut first, "lamp");
    ends(&mut first, &mut device);

    let mut second = world.operator();
    meet(&mut second, &mut device);
    raise(&mut second, &mut device);
    let dimmer = json!({"do": "settings-apply", "changes": [{"path": "lamp.level", "value": 1}]});
    apply(&mut second, &mut device, dimmer);
    results(&mut second, &["applied", "confirmed"]);
    ends(&mut second, &mut device);
    let changed = files(&world);

    let mut first = world.operator();
    meet(&mut first, &mut device);
    raise(&mut first, &mut device);
    first.ok(brighter(version));
    results(&mut first, &["conflict"]);
    assert_eq!(files(&world), changed);
    let (version, values) = get(&mut first, "lamp");
    assert_eq!(values["lamp.level"], 1);
    apply(&mut first, &mut device, brighter(version));
    results(&mut first, &["applied", "confirmed"]);
    ends(&mut first, &mut device);
}
