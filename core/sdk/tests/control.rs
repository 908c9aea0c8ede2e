//! Operator control between a device and an operator that meet at a relay on this machine.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use std::{
    fs,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Compartment, Device, DeviceConfig, DeviceEvent, DeviceHandle, Frame, Operator, OperatorConfig,
    OperatorEvent, OperatorHandle, Relay, Until,
    device::{AdminIdEntry, DeviceError, DeviceEvents},
    operator::{self, OperatorError, OperatorEvents},
    ports::{Action, AdminId, AdminVerdict, Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{
        AccessCode, PanelPoint, PanelSize, Serial,
        annotation::Annotation,
        ids::ModeId,
        input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
        label::Label,
        reason::{EndReason, ModePhase, Party, Refusal},
        units::Pressure,
    },
    status::Status,
};
use alongside_relay::{Config, Socket, StateDir};
use tokio::{sync::watch, time::timeout};

/// How long anything may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A panel that remembers what was done on it.
#[derive(Debug)]
struct Bench {
    changes: watch::Sender<u64>,
    done: Mutex<Vec<Action>>,
    shown: Mutex<Vec<Status>>,
}

impl Bench {
    fn done(&self) -> Vec<Action> {
        self.done.lock().unwrap().clone()
    }
}

impl Panel for Bench {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: Label::new("bench").unwrap(),
            size: PanelSize::new(320, 240).unwrap(),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        Ok(Arc::new(Frame::black(self.describe().size)).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn annotate(&self, _annotation: &Annotation) {}

    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        self.done.lock().unwrap().push(action.clone());
        Ok(())
    }
}

impl Customer for Bench {
    fn show(&self, status: &Status) {
        self.shown.lock().unwrap().push(status.clone());
    }
}

#[derive(Debug)]
struct OneId;

impl AdminId for OneId {
    fn verify(&self, id: &str) -> AdminVerdict {
        match id {
            "40721986" => AdminVerdict::Ok,
            _ => AdminVerdict::Wrong {
                tries_left: 2,
                wait: Duration::ZERO,
            },
        }
    }
}

struct Stage {
    bench: Arc<Bench>,
    customer: DeviceHandle,
    device_events: DeviceEvents,
    operator: OperatorHandle,
    operator_events: OperatorEvents,
}

/// Runs `story` with both sides connected.
async fn on_stage<F: Future<Output = ()>>(
    admin_id: Option<Arc<dyn AdminId>>,
    story: impl FnOnce(Stage) -> F,
) {
    let folder = tempfile::tempdir().unwrap();
    let keys = Compartment::open(&folder.path().join("operator")).unwrap();
    let identity = keys.identity().unwrap();
    let state = StateDir::open(folder.path().join("relay")).unwrap();
    let table = format!("[operators.{}]\nname = \"Dana\"\n", identity.public_key());
    fs::write(folder.path().join("relay/operators.toml"), table).unwrap();
    let mut config = Config::default();
    config.listen = Some(Ipv4Addr::LOCALHOST.into());
    config.danger_port = Some(0);
    let relay = alongside_relay::Relay::start(&config, state, Socket::Bind).unwrap();
    let ca = fs::read(relay.ca().unwrap()).unwrap();
    let way = Relay::new("127.0.0.1").unwrap();
    let way = way.with_ca(ca).danger_with_port(relay.udp().port());

    let (operator, operator_handle, operator_events) = Operator::new(OperatorConfig {
        relay: way.clone(),
        identity,
        name: None,
    });
    let bench = Arc::new(Bench {
        changes: watch::Sender::new(0),
        done: Mutex::default(),
        shown: Mutex::default(),
    });
    let config = DeviceConfig {
        relay: way,
        serial: Serial::new("BENCH-1").unwrap(),
        model: Label::new("Bench").unwrap(),
        compartment: Compartment::open(&folder.path().join("device")).unwrap(),
    };
    let (mut device, customer, device_events) = Device::new(
        config,
        Arc::clone(&bench) as Arc<dyn Panel>,
        Arc::clone(&bench) as Arc<dyn Customer>,
    )
    .unwrap();
    if let Some(admin_id) = admin_id {
        device = device.with_admin_id(admin_id);
    }
    let mut stage = Stage {
        bench,
        customer,
        device_events,
        operator: operator_handle,
        operator_events,
    };
    let play = async {
        stage
            .operator_tells(|event| matches!(event, OperatorEvent::Ready).then_some(()))
            .await;
        let code = stage
            .operator
            .code(Duration::from_secs(600), None)
            .await
            .unwrap();
        let code = AccessCode::parse(&code.digits).unwrap();
        stage.customer.enter_code(code).await.unwrap();
        stage.mode(ModeId::USER_GUIDE, ModePhase::Active).await;
        story(stage).await;
    };
    let sides = async {
        tokio::join!(
            device.run(Until::FirstCode),
            operator.run(operator::Until::FirstSession)
        )
    };
    let (_, end) = timeout(PATIENCE * 3, async { tokio::join!(play, sides) })
        .await
        .unwrap();
    end.1.unwrap();
    relay.shutdown().await;
}

impl Stage {
    async fn operator_tells<T>(&mut self, wanted: impl Fn(&OperatorEvent) -> Option<T>) -> T {
        let told = timeout(PATIENCE, async {
            loop {
                let event = self.operator_events.recv().await.unwrap();
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        });
        told.await.expect("the operator is told in time")
    }

    async fn device_tells<T>(&mut self, wanted: impl Fn(&DeviceEvent) -> Option<T>) -> T {
        let told = timeout(PATIENCE, async {
            loop {
                let event = self.device_events.recv().await.unwrap();
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        });
        told.await.expect("the device tells in time")
    }

    /// Waits until the operator hears that `mode` stands so; gives the refusal.
    async fn mode(&mut self, mode: &str, phase: ModePhase) -> Option<Refusal> {
        self.operator_tells(|event| match event {
            OperatorEvent::Mode(state) if state.mode.as_str() == mode && state.phase == phase => {
                Some(state.refusal)
            }
            _ => None,
        })
        .await
    }

    async fn control(&mut self, phase: ModePhase) -> Option<Refusal> {
        self.mode(ModeId::OPERATOR_CONTROL, phase).await
    }

    async fn ask_for_control(&self) {
        let mode = ModeId::new(ModeId::OPERATOR_CONTROL).unwrap();
        self.operator.mode(mode).await.unwrap();
    }

    async fn injected(&mut self) -> (u64, bool) {
        self.device_tells(|event| match event {
            DeviceEvent::Injected { n, ok, .. } => Some((*n, *ok)),
            _ => None,
        })
        .await
    }
}

fn id(text: &str) -> Option<AdminIdEntry> {
    AdminIdEntry::new(text.to_owned().into())
}

fn touch(x: u16, phase: PointerPhase) -> PointerEvent {
    PointerEvent {
        at: PanelPoint::from_pixels(x, 9),
        phase,
        buttons: if phase == PointerPhase::Down {
            Buttons::LEFT
        } else {
            Buttons::NONE
        },
        pressure: Pressure::FULL,
    }
}

fn key(name: &str, motion: KeyMotion) -> KeyEvent {
    KeyEvent {
        key: KeyName::new(name).unwrap(),
        motion,
    }
}

/// Guide, refused, asked again with a wrong and then the right ID, driven, touched by the customer, paused, EXIT.
#[tokio::test]
async fn the_operator_drives_the_panel_by_the_customers_word_and_no_longer() {
    on_stage(Some(Arc::new(OneId)), |mut stage| async move {
        let pressed = stage.operator.key(key("5", KeyMotion::Down)).await;
        assert!(matches!(pressed, Err(OperatorError::NotAllowed)));
        assert!(matches!(
            stage.customer.allow(None).await,
            Err(DeviceError::NotAsked)
        ));

        stage.ask_for_control().await;
        stage.control(ModePhase::Asked).await;
        stage.customer.refuse().await.unwrap();
        let refusal = stage.control(ModePhase::Refused).await;
        assert_eq!(refusal, Some(Refusal::Customer));

        stage.ask_for_control().await;
        stage.control(ModePhase::Asked).await;
        let ask = stage
            .device_tells(|event| match event {
                DeviceEvent::Asked(ask) => Some(ask.clone()),
                _ => None,
            })
            .await;
        assert!(ask.wants_admin_id);
        let missing = stage.customer.allow(None).await;
        assert!(matches!(missing, Err(DeviceError::AdminIdNeeded)));
        let wrong = stage.customer.allow(id("11112222")).await;
        assert!(matches!(
            wrong,
            Err(DeviceError::AdminIdWrong { tries_left: 2, .. })
        ));
        stage.customer.allow(id("40721986")).await.unwrap();
        stage.control(ModePhase::Active).await;

        stage.operator.pointer(touch(5, PointerPhase::Down)).await.unwrap();
        stage.operator.pointer(touch(5, PointerPhase::Up)).await.unwrap();
        stage.operator.key(key("Start", KeyMotion::Down)).await.unwrap();
        for n in 1..=3 {
            assert_eq!(stage.injected().await, (n, true));
        }
        let done = [
            Action::Pointer(touch(5, PointerPhase::Down)),
            Action::Pointer(touch(5, PointerPhase::Up)),
            Action::Key(key("Start", KeyMotion::Down)),
        ];
        assert_eq!(stage.bench.done(), done);

        stage.customer.touched().await.unwrap();
        stage.control(ModePhase::Paused).await;
        assert_eq!(stage.injected().await, (4, true));
        assert_eq!(
            stage.bench.done()[3],
            Action::Key(key("Start", KeyMotion::Up)),
            "the customer's touch lets go of the operator's key"
        );
        let pressed = stage.operator.key(key("5", KeyMotion::Down)).await;
        assert!(matches!(pressed, Err(OperatorError::NotAllowed)));
        stage.control(ModePhase::Active).await;

        stage.customer.take_back().await.unwrap();
        stage.control(ModePhase::Ended).await;
        stage.mode(ModeId::USER_GUIDE, ModePhase::Active).await;
        stage.customer.exit().await.unwrap();
        let ended = stage
            .operator_tells(|event| match event {
                OperatorEvent::Ended { by, reason } => Some((*by, *reason)),
                _ => None,
            })
            .await;
        assert_eq!(ended, (Party::Customer, EndReason::Exit));
        let shown = stage.bench.shown.lock().unwrap().clone();
        let asked = shown.iter().any(|status| {
            matches!(status, Status::Active(active) if active.ask.as_ref().is_some_and(|ask| ask.wants_admin_id))
        });
        assert!(asked, "the customer saw the question");
        assert_eq!(stage.bench.done().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn without_an_administrators_id_there_is_no_control() {
    on_stage(None, |mut stage| async move {
        stage.ask_for_control().await;
        let refusal = stage.control(ModePhase::Refused).await;
        assert_eq!(refusal, Some(Refusal::NoAdminId));
        stage.customer.exit().await.unwrap();
    })
    .await;
}
