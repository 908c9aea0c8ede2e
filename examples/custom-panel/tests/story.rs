//! An operator sees what is in the framebuffer's file, and what they do is in the input device's.
#![allow(missing_docs, clippy::wildcard_enum_match_arm, reason = "tests")]

use std::{fs, sync::Arc, time::Duration};

use alongside::{
    Compartment, Device, DeviceConfig, DeviceEvent, Operator, OperatorConfig, OperatorEvent, Relay,
    device::AdminIdEntry,
    operator::IssuedCode,
    ports::{AdminId, AdminVerdict, Customer},
    protocol::{
        AccessCode, Nameplate, PanelPoint, PanelSize, PublicKey, Serial,
        code::CodeSecret,
        ids::ModeId,
        input::{Buttons, PointerEvent, PointerPhase},
        label::Label,
        reason::ModePhase,
        units::Pressure,
    },
    status::{OperatorIdentity, Status},
    transport::memory,
};
use custom_panel::Framebuffer;
use tokio::time::{Instant, timeout};

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Owner;

impl Customer for Owner {
    fn show(&self, _status: &Status) {}
}

impl AdminId for Owner {
    fn verify(&self, _id: &str) -> AdminVerdict {
        AdminVerdict::Ok
    }
}

#[tokio::test]
async fn a_framebuffer_is_seen_and_touched() {
    timeout(PATIENCE, story()).await.expect("in time");
}

async fn story() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pixels, input) = (folder.path().join("fb0"), folder.path().join("event0"));
    let size = PanelSize::new(64, 48).expect("a size");
    let red: Vec<u8> = [0x10, 0x20, 0xd0, 0].repeat(64 * 48);
    fs::write(&pixels, &red).expect("a framebuffer");
    let panel = Framebuffer::open(&pixels, &input, size).expect("both are there");

    let keys = [PublicKey([1; 32]), PublicKey([2; 32])];
    let (one, other) = memory::pair(keys[0], keys[1]);
    let code = || {
        let secret = CodeSecret::draw(&[9; 48]).expect("a secret");
        AccessCode::new(Nameplate::new(1).expect("a nameplate"), secret)
    };
    let open = |name: &str| Compartment::open(&folder.path().join(name)).expect("a compartment");
    let config = DeviceConfig {
        relay: Relay::new("unused.test").expect("a host"),
        serial: Serial::new("FB-1").expect("a serial"),
        model: Label::new("Framebuffer").expect("a model"),
        compartment: open("device"),
    };
    let (device, customer, mut device_events) =
        Device::new(config, Arc::<Framebuffer>::clone(&panel), Arc::new(Owner)).expect("a device");
    let device = device.with_admin_id(Arc::new(Owner));
    let (operator, handle, mut events) = Operator::new(OperatorConfig {
        relay: Relay::new("unused.test").expect("a host"),
        identity: open("operator").identity().expect("a key"),
        name: None,
    });
    let expires_at = (Instant::now() + Duration::from_secs(600)).into_std();
    let who = OperatorIdentity {
        key: keys[0],
        name: None,
        organisation: None,
        confirmed_by: None,
    };
    tokio::spawn(operator.run_over(one, IssuedCode::new(code(), expires_at)));
    tokio::spawn(device.run_over(other, who, code()));
    let looks = Arc::clone(&panel);
    tokio::spawn(async move { looks.watch().await });

    // What is in the file is on the operator's screen, and so is what comes there later.
    let shows = |color: u32| {
        handle.screen().with(|shown| {
            shown.is_some_and(|shown| shown.frame.pixels().iter().all(|pixel| *pixel == color))
        })
    };
    while !shows(0x00d0_2010) {
        events.recv().await.expect("the operator runs");
    }
    fs::write(&pixels, [0xff, 0xff, 0xff, 0].repeat(64 * 48)).expect("another picture");
    while !shows(0x00ff_ffff) {
        events.recv().await.expect("the operator runs");
    }

    let control = ModeId::new(ModeId::OPERATOR_CONTROL).expect("a mode");
    handle.mode(control).await.expect("asked");
    loop {
        if let DeviceEvent::Asked(_) = device_events.recv().await.expect("the device runs") {
            break;
        }
    }
    customer
        .allow(AdminIdEntry::new("40721986".to_owned().into()))
        .await
        .expect("allowed");
    loop {
        match events.recv().await.expect("the operator runs") {
            OperatorEvent::Mode(state)
                if state.mode.as_str() == ModeId::OPERATOR_CONTROL
                    && state.phase == ModePhase::Active =>
            {
                break;
            }
            _ => {}
        }
    }
    for phase in [PointerPhase::Down, PointerPhase::Up] {
        let event = PointerEvent {
            at: PanelPoint::from_pixels(30, 20),
            phase,
            buttons: Buttons::LEFT,
            pressure: Pressure::FULL,
        };
        handle.pointer(event).await.expect("allowed");
    }
    // Three events and their end for each of the two.
    while fs::metadata(&input).expect("it is there").len() < 8 * 24 {
        device_events.recv().await.expect("the device runs");
    }
    let written = fs::read(&input).expect("input events");
    let event = |n: usize| {
        let field =
            |at: usize| u16::from_ne_bytes([written[n * 24 + at], written[n * 24 + at + 1]]);
        (field(16), field(18), field(20))
    };
    assert_eq!(
        [event(0), event(1), event(2), event(3)],
        [(3, 0, 30), (3, 1, 20), (1, 0x14a, 1), (0, 0, 0)]
    );
    assert_eq!(event(6), (1, 0x14a, 0), "the finger is lifted");
}
