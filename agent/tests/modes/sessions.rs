//! Whole sessions whose modes are loaded: the built-in ones as libraries, and hostile ones.

use std::{fs, path::Path};

use alongside::{
    DeviceEvent, OperatorEvent,
    modes::{Modes, Policy},
    operator::{SettingsAsk, SettingsTold},
    ports::Action,
    protocol::{
        PanelPoint,
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        ids::ModeId,
        input::{KeyEvent, KeyMotion, KeyName},
        reason::ModePhase,
        units::{Color, Pressure},
    },
    settings::{SettingChange, SettingPath, SettingValue},
};

use crate::{
    made::{Shop, built_ins},
    stage::Stage,
};

/// The built-in modes as packages, under a policy that lets them take the place of those that are linked in.
fn libraries(shop: &Shop, policy: Policy) -> Modes {
    let folder = built_ins();
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut policy = policy;
    for (name, file) in [
        (ModeId::USER_GUIDE, "libalongside_user_guide_so.so"),
        (
            ModeId::OPERATOR_CONTROL,
            "libalongside_operator_control_so.so",
        ),
        (
            ModeId::ENGINEER_CONFIG,
            "libalongside_engineer_config_so.so",
        ),
    ] {
        let manifest = fs::read_to_string(plugins.join(name).join("mode.json")).unwrap();
        let package = shop.pack_file(name, &manifest, &folder.join(file));
        shop.sign(&package);
        policy = policy.with_rule(ModeId::new(name).unwrap(), |rule| rule.replaces = true);
    }
    Modes::built_in().with_loader(shop.loader(policy))
}

pub fn stroke() -> Annotation {
    let at = |x, y| StrokePoint {
        at: PanelPoint::from_pixels(x, y),
        pressure: Pressure::FULL,
    };
    Annotation::Stroke(Stroke {
        id: StrokeId(1),
        color: Color::rgb(0, 0, 255),
        width: StrokeWidth::new(3).unwrap(),
        points: vec![at(10, 10), at(40, 30)],
        done: true,
    })
}

/// Reads the settings and changes one, to which the customer says yes.
async fn changes_a_setting(stage: &mut Stage) {
    stage.operator.settings(&SettingsAsk::Schema).await.unwrap();
    let is_schema = |event: &OperatorEvent| {
        matches!(
            event,
            OperatorEvent::Settings(SettingsTold::Schema { is_last: true, .. })
        )
    };
    stage.operator_hears(is_schema).await;
    let path = SettingPath::new("timers.sleep").unwrap();
    let change = SettingChange {
        path: path.clone(),
        value: Some(SettingValue::Integer(77)),
    };
    let apply = SettingsAsk::Apply {
        if_version: None,
        changes: vec![change],
    };
    stage.operator.settings(&apply).await.unwrap();
    stage
        .device_hears(|event| matches!(event, DeviceEvent::Asked(ask) if ask.differences.is_some()))
        .await;
    stage.customer.allow(None).await.unwrap();
    let is_confirmed = |event: &OperatorEvent| match event {
        OperatorEvent::Settings(SettingsTold::Result { state, .. }) => state == "confirmed",
        _ => false,
    };
    stage.operator_hears(is_confirmed).await;
    let get = SettingsAsk::Get { group: None };
    stage.operator.settings(&get).await.unwrap();
    let is_set = |event: &OperatorEvent| match event {
        OperatorEvent::Settings(SettingsTold::Values { values, .. }) => {
            values.get(&path) == Some(&Some(SettingValue::Integer(77)))
        }
        _ => false,
    };
    stage.operator_hears(is_set).await;
}

/// Draws in user guide, presses a key in operator control, changes a setting in engineer config, goes back, ends.
async fn a_whole_session(modes: Modes, boxing: &str) {
    let mut stage = Stage::with(modes.clone(), modes).await;
    stage.operator.draw(stroke()).await.unwrap();
    stage
        .device_hears(|event| matches!(event, DeviceEvent::Annotation(Annotation::Stroke(_))))
        .await;
    stage.raise(ModeId::OPERATOR_CONTROL).await;
    let name = KeyName::new("5").unwrap();
    for motion in [KeyMotion::Down, KeyMotion::Up] {
        let event = KeyEvent {
            key: name.clone(),
            motion,
        };
        stage.operator.key(event).await.unwrap();
    }
    stage.device_hears(|event| matches!(event, DeviceEvent::Injected { action: Action::Key(key), ok: true, .. } if key.motion == KeyMotion::Up)).await;
    assert_eq!(stage.bench.done().len(), 2);
    stage.raise(ModeId::ENGINEER_CONFIG).await;
    changes_a_setting(&mut stage).await;
    stage.operator.mode(ModeId::user_guide()).await.unwrap();
    stage
        .operator_is_in(ModeId::USER_GUIDE, ModePhase::Active)
        .await;
    stage.customer.exit().await.unwrap();
    stage
        .operator_hears(|event| matches!(event, OperatorEvent::Ended { .. }))
        .await;
    let audit = stage.audit();
    // The last one may end before its half has answered.
    assert!(
        audit.matches(boxing).count() >= 3,
        "each activation says where its mode ran: {audit}"
    );
    assert!(audit.contains("signed by Shop"), "{audit}");
}

#[tokio::test]
async fn the_built_in_modes_run_a_session_as_libraries_in_this_process() {
    let shop = Shop::new();
    a_whole_session(
        libraries(&shop, shop.trusting()),
        "in this process, not sealed",
    )
    .await;
}

#[tokio::test]
async fn the_built_in_modes_run_a_session_in_sealed_children() {
    let shop = Shop::new();
    a_whole_session(
        libraries(&shop, shop.policy()),
        "sealed: landlock and seccomp",
    )
    .await;
}

/// A session with the rude mode, which the operator's side has as a well-behaved one.
async fn with_rude(shop: &Shop) -> Stage {
    let package = shop.pack_c("test.rude", "rude.c", &[], &["view"]);
    shop.sign(&package);
    let loader = shop.loader(shop.policy());
    let modes = Modes::built_in().with_loader(loader);
    let mut stage = Stage::with(modes.clone(), modes).await;
    stage.raise("test.rude").await;
    stage
}

/// What the operator does so that the device's half gets these bytes: the halves answer each other by echoing.
async fn order(stage: &Stage, bytes: &[u8]) {
    stage.operator.console(bytes.to_vec()).await.unwrap();
}

#[tokio::test]
async fn a_mode_that_dies_leaves_the_session_alive() {
    for order_of in [&b"a"[..], b"h", b"g"] {
        let shop = Shop::new();
        let mut stage = with_rude(&shop).await;
        order(&stage, order_of).await;
        // The device's half is gone: the user guide is back, and works.
        stage.operator_is_in("test.rude", ModePhase::Ended).await;
        stage
            .operator_is_in(ModeId::USER_GUIDE, ModePhase::Active)
            .await;
        stage.operator.draw(stroke()).await.unwrap();
        stage
            .device_hears(|event| matches!(event, DeviceEvent::Annotation(Annotation::Stroke(_))))
            .await;
        assert!(stage.audit().contains("test.rude"));
    }
}

#[tokio::test]
async fn t_plugin_caps_what_a_mode_may_not_do_is_refused_and_recorded() {
    let shop = Shop::new();
    let mut stage = with_rude(&shop).await;
    // By the rules: refused in the child.
    order(&stage, b"d").await;
    stage
        .operator_hears(|event| matches!(event, OperatorEvent::Console(said) if said == b"\"-3\""))
        .await;
    // Past the rules: refused by the session.
    order(&stage, b"w").await;
    // It spins now, and is ended over the next event.
    order(&stage, b"echo").await;
    stage
        .operator_is_in(ModeId::USER_GUIDE, ModePhase::Active)
        .await;
    assert!(
        stage.bench.done().is_empty()
            && stage
                .bench
                .drawn()
                .iter()
                .all(|a| !matches!(a, Annotation::Stroke(_)))
    );
    let audit = stage.audit();
    assert!(
        audit.contains("asked for what it may not do") && audit.contains("denied"),
        "{audit}"
    );
}
