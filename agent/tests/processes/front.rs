//! A device's own panel under a customer's hand, with a panel like it that tells where its controls are.

use alongside::protocol::input::{KeyMotion, KeyName, PointerPhase};
use alongside_agent::panel::mfd::{Administrator, Facts, Field, Mfd, Preferences, Route, Target};
use serde_json::json;

use crate::{
    agent::Agent,
    world::{World, pixels},
};

/// Looks at the device's panel before it is taken for wrong; each takes a picture, so that there is time in between.
const LOOKS: u32 = 2_000;

/// A panel like that of a device whose relay is `relay`, with `fixed` laid down.
pub fn mirror(preferences: Preferences, relay: &str, fixed: &[Field]) -> Mfd {
    let mut mirror = Mfd::with_preferences(preferences);
    mirror.set_administrator(Administrator::Set { can_change: true });
    mirror.set_facts(Facts {
        route: Route {
            relay: Some(relay.to_owned()),
            ..Route::default()
        },
        fixed: fixed.to_vec(),
        can_test: true,
        ..Facts::default()
    });
    mirror
}

/// Touches a control on both panels.
pub fn touch(device: &mut Agent, mirror: &mut Mfd, target: Target) {
    let at = mirror
        .find(target)
        .unwrap_or_else(|| panic!("{target:?} is on the screen"));
    mirror.touch(at, PointerPhase::Down);
    mirror.touch(at, PointerPhase::Up);
    let (x, y) = at.to_decimal();
    device.ok(json!({"do": "touch", "x": x, "y": y}));
}

/// Presses a hard key on both panels.
pub fn press(device: &mut Agent, mirror: &mut Mfd, key: &str) {
    let name = KeyName::new(key).expect("a key");
    for motion in [KeyMotion::Down, KeyMotion::Up] {
        mirror.key(&name, motion);
        device.ok(json!({"do": "key", "key": key, "down": motion == KeyMotion::Down}));
    }
}

/// Types an ID into a pad on both panels and goes on with it.
pub fn enter_id(device: &mut Agent, mirror: &mut Mfd, id: &str) {
    for digit in id.chars() {
        press(device, mirror, &digit.to_string());
    }
    press(device, mirror, "Start");
    mirror.take_actions();
}

/// Waits until the device's panel looks like `mirror`.
pub fn looks_like(world: &World, device: &mut Agent, mirror: &mut Mfd) {
    let wanted = mirror.render().to_rgb8();
    let file = world.path("front.png");
    for _ in 0..LOOKS {
        device.ok(json!({"do": "snapshot", "file": file}));
        if pixels(&file) == wanted {
            return;
        }
    }
    panic!("the panel shows something else: see {}", file.display());
}
