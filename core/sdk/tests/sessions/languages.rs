//! The language that a mode's halves are told.

use std::{sync::Arc, time::Duration};

use alongside::{OperatorEvent, device, modes::Modes, operator, protocol::ids::ModeId};
use alongside_mode::{Effects, Event, GiveUp, Half, Mode, abi, module};

use crate::{
    panel::TestPanel,
    world::{OperatorSide, World, line},
};

/// A mode that tells its console which languages its halves were started with.
struct Tongues;

impl Mode for Tongues {
    const MANIFEST: &'static str = r#"{
        "id": "test.tongues", "name": "Tongues", "version": "1.0.0", "vendor": "Example",
        "abi": 1, "wire": [1, 1], "peer": [1, 1],
        "capabilities": ["view"], "consent": "notice",
        "why": { "view": "To see what you see" }
    }"#;
    type ToOperator = String;
    type ToDevice = ();
    type Device = AtDevice;
    type Operator = AtOperator;
}

#[derive(Default)]
struct AtDevice;

impl Half for AtDevice {
    type Sends = String;
    type Hears = ();

    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<()>,
        fx: &mut Effects<'_, String>,
    ) -> Result<(), GiveUp> {
        if let Event::Start(start) = event {
            fx.send(&start.locale)?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct AtOperator(String);

impl Half for AtOperator {
    type Sends = ();
    type Hears = String;

    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<String>,
        fx: &mut Effects<'_, ()>,
    ) -> Result<(), GiveUp> {
        match event {
            Event::Start(start) => self.0 = start.locale,
            Event::Peer(theirs) => fx.console(&[theirs, self.0.clone()])?,
            _ => {}
        }
        Ok(())
    }
}

static TONGUES: abi::Module = module::<Tongues>();

#[tokio::test(start_paused = true)]
async fn each_half_of_a_mode_is_told_the_language_of_the_person_on_its_side() {
    let world = World::new(line(15));
    let modes = || Modes::built_in().with_linked(&TONGUES).unwrap();
    let panel = TestPanel::new(320, 240);
    let mut device = world.device_as(Arc::clone(&panel), device::Until::Stopped, |device| {
        device.with_modes(modes())
    });
    let (operator, handle, events) = world.operator_at_rest();
    let operator = operator.with_modes(modes()).with_locale("de");
    let mut operator = OperatorSide {
        handle,
        events,
        task: tokio::spawn(operator.run(operator::Until::Stopped)),
    };
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator.connected().await;
    let tongues = ModeId::new("test.tongues").unwrap();
    operator.handle.mode(tongues).await.unwrap();
    let told = operator
        .event(|event| match event {
            OperatorEvent::Console(json) => Some(json),
            _ => None,
        })
        .await;
    assert_eq!(String::from_utf8(told).unwrap(), r#"["zh-TW","de"]"#);
}
