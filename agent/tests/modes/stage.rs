//! A device and an operator in one process, with modes of the test's choice.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Compartment, Device, DeviceConfig, DeviceEvent, DeviceHandle, Frame, Operator, OperatorConfig,
    OperatorEvent, OperatorHandle, Relay,
    device::{AdminIdEntry, DeviceEvents},
    modes::Modes,
    operator::{IssuedCode, OperatorEvents},
    ports::{Action, AdminId, AdminVerdict, Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{
        AccessCode, Nameplate, PanelSize, PublicKey, Serial, annotation::Annotation,
        code::CodeSecret, ids::ModeId, label::Label, reason::ModePhase,
    },
    status::{OperatorIdentity, Status},
    transport::memory,
};
use alongside_agent::settings::mfd::MfdSettings;
use tempfile::TempDir;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// How long anything may take on a machine that has other things to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A panel that remembers what was done on it.
#[derive(Debug)]
pub struct Bench {
    changes: watch::Sender<u64>,
    done: Mutex<Vec<Action>>,
    drawn: Mutex<Vec<Annotation>>,
}

impl Bench {
    pub fn done(&self) -> Vec<Action> {
        self.done.lock().unwrap().clone()
    }

    pub fn drawn(&self) -> Vec<Annotation> {
        self.drawn.lock().unwrap().clone()
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

    fn annotate(&self, annotation: &Annotation) {
        self.drawn.lock().unwrap().push(annotation.clone());
    }

    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        self.done.lock().unwrap().push(action.clone());
        Ok(())
    }
}

impl Customer for Bench {
    fn show(&self, _status: &Status) {}
}

#[derive(Debug)]
struct AnyId;

impl AdminId for AnyId {
    fn verify(&self, _id: &str) -> AdminVerdict {
        AdminVerdict::Ok
    }
}

pub struct Stage {
    pub bench: Arc<Bench>,
    pub customer: DeviceHandle,
    pub device_events: DeviceEvents,
    pub operator: OperatorHandle,
    pub operator_events: OperatorEvents,
    folder: TempDir,
}

impl Stage {
    /// Both sides, connected, with their modes.
    pub async fn with(device_modes: Modes, operator_modes: Modes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = [PublicKey([1; 32]), PublicKey([2; 32])];
        let (one, other) = memory::pair(keys[0], keys[1]);
        let secret = || CodeSecret::draw(&[7; 48]).unwrap();
        let code = || AccessCode::new(Nameplate::new(12_345).unwrap(), secret());
        let bench = Arc::new(Bench {
            changes: watch::Sender::new(0),
            done: Mutex::default(),
            drawn: Mutex::default(),
        });
        let config = DeviceConfig {
            relay: Relay::new("unused.test").unwrap(),
            serial: Serial::new("B7-0042").unwrap(),
            model: Label::new("Example B7").unwrap(),
            compartment: Compartment::open(&folder.path().join("device")).unwrap(),
        };
        let (device, customer, device_events) =
            Device::new(config, Arc::clone(&bench) as _, Arc::clone(&bench) as _).unwrap();
        let settings = MfdSettings::open(folder.path()).unwrap();
        let device = device
            .with_admin_id(Arc::new(AnyId))
            .with_settings(Arc::new(settings))
            .unwrap()
            .with_modes(device_modes);
        let keys_of_operator = Compartment::open(&folder.path().join("operator")).unwrap();
        let (operator, handle, operator_events) = Operator::new(OperatorConfig {
            relay: Relay::new("unused.test").unwrap(),
            identity: keys_of_operator.identity().unwrap(),
            name: None,
        });
        let operator = operator.with_modes(operator_modes);
        let expires_at = (Instant::now() + Duration::from_secs(600)).into_std();
        let who = OperatorIdentity {
            key: keys[0],
            name: None,
            organisation: None,
            confirmed_by: None,
        };
        tokio::spawn(operator.run_over(one, IssuedCode::new(code(), expires_at)));
        tokio::spawn(device.run_over(other, who, code()));
        let mut stage = Self {
            bench,
            customer,
            device_events,
            operator: handle,
            operator_events,
            folder,
        };
        stage
            .operator_hears(|event| matches!(event, OperatorEvent::Panel(_)))
            .await;
        stage
    }

    pub async fn operator_hears(
        &mut self,
        mut wanted: impl FnMut(&OperatorEvent) -> bool,
    ) -> OperatorEvent {
        let heard = async {
            loop {
                let event = self
                    .operator_events
                    .recv()
                    .await
                    .expect("the operator runs");
                if wanted(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, heard).await.expect("in time")
    }

    pub async fn device_hears(
        &mut self,
        mut wanted: impl FnMut(&DeviceEvent) -> bool,
    ) -> DeviceEvent {
        let heard = async {
            loop {
                let event = self.device_events.recv().await.expect("the device runs");
                if wanted(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, heard).await.expect("in time")
    }

    /// The operator asks for a mode and has it, with the customer's word where that is wanted.
    pub async fn raise(&mut self, mode: &str) {
        let mode = ModeId::new(mode).unwrap();
        self.operator.mode(mode.clone()).await.unwrap();
        let is_there = |event: &DeviceEvent| match event {
            DeviceEvent::Asked(_) => true,
            DeviceEvent::Mode(state) => state.mode == mode && state.phase == ModePhase::Active,
            _ => false,
        };
        if let DeviceEvent::Asked(ask) = self.device_hears(is_there).await {
            let entry = || AdminIdEntry::new("40721986".to_owned().into()).unwrap();
            let id = ask.wants_admin_id.then(entry);
            self.customer.allow(id).await.unwrap();
        }
        self.operator_is_in(mode.as_str(), ModePhase::Active).await;
    }

    pub async fn operator_is_in(&mut self, mode: &str, phase: ModePhase) {
        self.operator_hears(|event| match event {
            OperatorEvent::Mode(state) => state.mode.as_str() == mode && state.phase == phase,
            _ => false,
        })
        .await;
    }

    /// What the device has kept a record of.
    pub fn audit(&self) -> String {
        let folder = self.folder.path().join("device");
        let mut text = String::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "jsonl") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
        text
    }
}
