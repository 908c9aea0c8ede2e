//! A device that shows a whole X screen with a program of somebody else's on it.

use std::{collections::BTreeSet, process::Command};

use serde_json::json;

use crate::{
    common::{
        is_lab,
        x11::{Running, Server, xwd},
    },
    world::{World, meet, pixels},
};

#[test]
fn the_operator_sees_an_x_screen_as_xwd_does() {
    if !is_lab("the operator's picture of a real X screen needs Xvfb, galculator and xwd") {
        return;
    }
    let server = Server::start();
    let _program = Running::start(Command::new("galculator").env("DISPLAY", &server.display));
    let world = World::new();
    let mut operator = world.operator();
    let mut command = world.command("device", "device");
    command.args(["--panel", "x11", "--x11-display", &server.display]);
    let mut device = world.start(command, "device");
    let ready = device.event("ready");
    assert_eq!(
        ready["panel"],
        json!({"kind": "x11", "width": 800, "height": 600})
    );
    meet(&mut operator, &mut device);

    loop {
        let before = xwd(&server.display);
        let (seen, _) = world.snapshots(&mut operator, &mut device);
        let is_drawn = before.iter().collect::<BTreeSet<_>>().len() >= 8;
        // A screen that stood still around the picture is the one that the picture shows.
        if is_drawn && seen["exact"] == true && xwd(&server.display) == before {
            let rows = pixels(&world.path("operator.png"));
            let picture: Vec<u32> = rows
                .chunks_exact(3)
                .map(|rgb| u32::from_be_bytes([0, rgb[0], rgb[1], rgb[2]]))
                .collect();
            if picture == before {
                break;
            }
        }
        operator.event("panel");
    }

    // The panel belongs to the program on it: only the stop key is the session's.
    device.refused(json!({"do": "touch", "x": 10, "y": 10}), "unsupported");
    device.refused(
        json!({"do": "key", "key": "1", "down": true}),
        "unsupported",
    );
    device.say(json!({"do": "hold", "key": "#", "ms": 5000}));
    for side in [&mut operator, &mut device] {
        assert_eq!(side.event("ended")["reason"], "stop-key");
    }
    assert_eq!(operator.exit(), 0);
}
