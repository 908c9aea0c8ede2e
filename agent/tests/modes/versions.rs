//! The two sides of a session have different builds of a mode.

use alongside::{
    DeviceEvent, OperatorEvent,
    modes::{Modes, Policy, Version},
    protocol::{
        annotation::Annotation,
        ids::ModeId,
        reason::{ModePhase, Refusal},
    },
};

use crate::{
    made::{Shop, manifest},
    sessions::stroke,
    stage::Stage,
};

const MODE: &str = "test.rude";

/// A side whose build of the mode speaks these versions of its halves' own protocol.
fn side(shop: &Shop, peer: &str) -> Modes {
    let text = manifest(MODE, &["view"]).replace("\"peer\": [1, 1]", &format!("\"peer\": {peer}"));
    let package = shop.pack_as(MODE, "rude.c", &[], &text);
    shop.sign(&package);
    Modes::built_in().with_loader(shop.loader(shop.policy()))
}

/// Asks for the mode and expects this refusal; gives what the device has kept a record of.
async fn refused(stage: &mut Stage, refusal: Refusal) -> String {
    let mode = ModeId::new(MODE).unwrap();
    stage.operator.mode(mode.clone()).await.unwrap();
    let about = |event: &OperatorEvent| match event {
        OperatorEvent::Mode(state) => state.mode == mode && state.phase != ModePhase::Ended,
        _ => false,
    };
    match stage.operator_hears(about).await {
        OperatorEvent::Mode(state) => {
            assert_eq!(state.phase, ModePhase::Refused, "{state:?}");
            assert_eq!(state.refusal, Some(refusal), "{state:?}");
        }
        other => panic!("{other:?}"),
    }
    stage.audit()
}

#[tokio::test]
async fn halves_without_a_version_in_common_are_refused_and_the_customer_is_not_asked() {
    // An operator's build that is too new for the device's, and one that only speaks what the device has given up.
    for (device, operator) in [("[1, 1]", "[2, 3]"), ("[2, 3]", "[1, 1]")] {
        let (here, there) = (Shop::new(), Shop::new());
        let mut stage = Stage::with(side(&here, device), side(&there, operator)).await;
        let audit = refused(&mut stage, Refusal::Versions).await;
        assert!(
            audit.contains("\"versions\"") && !audit.contains("mode-asked"),
            "{audit}"
        );
        // The session goes on with the user guide.
        stage.operator.draw(stroke()).await.unwrap();
        stage
            .device_hears(|event| matches!(event, DeviceEvent::Annotation(Annotation::Stroke(_))))
            .await;
    }
}

#[tokio::test]
async fn both_halves_are_told_the_newest_version_that_they_have_in_common() {
    for (device, operator, chosen) in [("[1, 2]", "[2, 5]", "2"), ("[1, 4]", "[3, 9]", "4")] {
        let (here, there) = (Shop::new(), Shop::new());
        let mut stage = Stage::with(side(&here, device), side(&there, operator)).await;
        stage.raise(MODE).await;
        for (order, says) in [("v", chosen.to_owned()), ("p", format!("\"{chosen}\""))] {
            stage.operator.console(order.into()).await.unwrap();
            let told = |event: &OperatorEvent| matches!(event, OperatorEvent::Console(said) if said == says.as_bytes());
            stage.operator_hears(told).await;
        }
    }
}

#[tokio::test]
async fn t_plugin_downgrade_an_old_build_in_the_place_of_the_new_one_serves_no_session() {
    let (here, there) = (Shop::new(), Shop::new());
    let mode = ModeId::new(MODE).unwrap();
    let floor = |policy: Policy| {
        policy.with_rule(mode.clone(), |rule| rule.at_least = Version::parse("1.1.0"))
    };
    // Signed by the same hand, with a hole that 1.1.0 mended.
    let old = here.pack_as(MODE, "rude.c", &[], &manifest(MODE, &["view"]));
    here.sign(&old);
    let modes = || Modes::built_in().with_loader(here.loader(floor(here.policy())));
    let mut stage = Stage::with(modes(), side(&there, "[1, 1]")).await;
    let audit = refused(&mut stage, Refusal::Policy).await;
    assert!(!audit.contains("signed by Shop"), "{audit}");
    // Beside it the new one: that is the one that serves.
    let text = manifest(MODE, &["view"]).replace("1.0.0", "1.1.0");
    let new = here.pack_as("test.rude-1.1.0", "rude.c", &[], &text);
    here.sign(&new);
    let mut stage = Stage::with(modes(), side(&there, "[1, 1]")).await;
    stage.raise(MODE).await;
    stage.operator.console(b"echo".to_vec()).await.unwrap();
    stage
        .operator_hears(
            |event| matches!(event, OperatorEvent::Console(said) if said == b"\"echo\""),
        )
        .await;
    assert!(stage.audit().contains("version 1.1.0"));
}
