//! `t_mode_escape`: a modified client that says every message of every mode in every state of a session.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    Compartment, Device, DeviceConfig, DeviceEvent, Frame, Relay,
    device::AdminIdEntry,
    ports::{Action, AdminId, AdminVerdict, Capture, Panel, PanelError, PanelInfo},
    protocol::{
        Bytes, PanelPoint, PanelSize, Serial, SessionId,
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        control::{
            Check, Control, Countersigned, End, HelloDevice, HelloOperator, IdleWarning, ModeAsk,
            ModeState, Modes, Resumed, Seal, Spoken, StillHere,
        },
        frame::Channel,
        ids::ModeId,
        input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
        label::Label,
        mode::{Latest, ModeMessage, Peer},
        reason::{EndReason, ModePhase, Party},
        relay::Signature,
        units::{Color, Pressure},
    },
    settings::{
        Reading, Schema, SettingChange, SettingPath, SettingValue, Settings, SettingsError,
        SettingsVersion, Shown as Value, Undo,
    },
    transport::Connection as _,
};
use alongside_engineer_config::ToDevice as Config;
use alongside_mode::TypedText;
use alongside_operator_control::{Input, ToDevice as Hand};
use alongside_user_guide::ToDevice as Guide;
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    own_transport::{OPERATOR, code, identity},
    panel::{Shown, picture},
    rogue::{Rogue, pair},
    world::{DeviceSide, Scratch, secs},
};

const ID: &str = "40721986";

/// A device that counts what happens to it.
#[derive(Debug)]
struct Counts {
    changes: watch::Sender<u64>,
    schema: Arc<Schema>,
    injected: Mutex<Vec<Action>>,
    drawn: Mutex<usize>,
    settings: Mutex<Vec<SettingChange>>,
}

impl Counts {
    fn new() -> Arc<Self> {
        let schema = r#"{"type": "object", "properties": {
            "tray": {"type": "object", "properties": {"paper": {"type": "string"}}}}}"#;
        Arc::new(Self {
            changes: watch::Sender::new(0),
            schema: Arc::new(schema.parse().unwrap()),
            injected: Mutex::default(),
            drawn: Mutex::default(),
            settings: Mutex::default(),
        })
    }

    /// Touches of the panel, strokes on it, changes of settings.
    fn effects(&self) -> [usize; 3] {
        [
            self.injected.lock().unwrap().len(),
            *self.drawn.lock().unwrap(),
            self.settings.lock().unwrap().len(),
        ]
    }

    fn version(&self) -> SettingsVersion {
        let changes = self.settings.lock().unwrap().len();
        SettingsVersion::from_bits(changes as u64 + 1)
    }
}

impl Panel for Counts {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: Label::new("test").unwrap(),
            size: size(),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        Ok(Arc::new(frame()).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn annotate(&self, annotation: &Annotation) {
        // What is taken back is no effect.
        let adds = matches!(
            annotation,
            Annotation::Stroke(_) | Annotation::Pointer { .. }
        );
        *self.drawn.lock().unwrap() += usize::from(adds);
    }

    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        self.injected.lock().unwrap().push(action.clone());
        Ok(())
    }
}

impl Settings for Counts {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn read(&self) -> Result<Reading, SettingsError> {
        let shown = Value::Value(SettingValue::text("a4").unwrap());
        Ok(Reading {
            version: self.version(),
            values: BTreeMap::from([(paper(), shown)]),
        })
    }

    fn prepare(&self, _: SettingsVersion, _: &[SettingChange]) -> Result<Undo, SettingsError> {
        Ok(Undo {
            inverse: Vec::new(),
            image: Vec::new(),
        })
    }

    fn apply(&self, _: SettingsVersion, changes: &[SettingChange]) -> Result<(), SettingsError> {
        self.settings.lock().unwrap().extend_from_slice(changes);
        Ok(())
    }

    fn roll_back(&self, _: &Undo) -> Result<(), SettingsError> {
        Ok(())
    }
}

#[derive(Debug)]
struct OneId;

impl AdminId for OneId {
    fn verify(&self, id: &str) -> AdminVerdict {
        match id {
            ID => AdminVerdict::Ok,
            _ => AdminVerdict::Unavailable,
        }
    }
}

fn size() -> PanelSize {
    PanelSize::new(64, 48).unwrap()
}

fn frame() -> Frame {
    picture(size(), 1)
}

fn paper() -> SettingPath {
    SettingPath::new("tray.paper").unwrap()
}

fn at() -> PanelPoint {
    PanelPoint::from_pixels(9, 9)
}

/// Every message of every mode, as an operator's half sends it.
fn messages() -> Vec<(&'static str, Vec<Bytes>)> {
    let body = |message: &dyn erased::Body| Bytes::from(message.to_body());
    let color = Color::rgb(255, 0, 0);
    let stroke = Stroke {
        id: StrokeId(1),
        color,
        width: StrokeWidth::new(3).unwrap(),
        points: vec![
            StrokePoint {
                at: at(),
                pressure: Pressure::FULL,
            };
            3
        ],
        done: true,
    };
    let guide = [
        Guide::Pointer {
            n: 900,
            at: at(),
            color,
        },
        Guide::PointerGone { n: 901 },
        Guide::Stroke(stroke),
        Guide::Undo(None),
        Guide::Clear,
    ];
    let mut hand: Vec<_> = [
        PointerPhase::Hover,
        PointerPhase::Down,
        PointerPhase::Move,
        PointerPhase::Up,
        PointerPhase::Leave,
    ]
    .map(|phase| Input::Pointer(pointer(phase)))
    .into();
    for name in ["#", "Start", "5"] {
        for motion in [KeyMotion::Down, KeyMotion::Up] {
            hand.push(Input::Key(key(name, motion)));
        }
    }
    hand.push(Input::Text(TypedText::new("0000").unwrap()));
    let now = |input| Hand {
        sent: u64::MAX / 2,
        input: Some(input),
    };
    let change = SettingChange {
        path: paper(),
        value: SettingValue::text("a5"),
    };
    let config = [
        Config::Schema { request: 1 },
        Config::Read {
            request: 2,
            group: None,
        },
        Config::Change {
            request: 3,
            if_version: None,
            changes: vec![change],
            is_last: true,
        },
        Config::Confirm { request: 3 },
        Config::Undo { request: 4 },
    ];
    vec![
        (
            ModeId::OPERATOR_CONTROL,
            hand.into_iter().map(|input| body(&now(input))).collect(),
        ),
        (
            ModeId::ENGINEER_CONFIG,
            config.iter().map(|ask| body(ask)).collect(),
        ),
        (
            ModeId::USER_GUIDE,
            guide.iter().map(|ink| body(ink)).collect(),
        ),
    ]
}

mod erased {
    use super::Serialize;

    /// A message that can be sent.
    pub(super) trait Body {
        fn to_body(&self) -> Vec<u8>;
    }

    impl<T: Serialize> Body for T {
        fn to_body(&self) -> Vec<u8> {
            postcard::to_allocvec(self).unwrap()
        }
    }
}

fn pointer(phase: PointerPhase) -> PointerEvent {
    PointerEvent {
        at: at(),
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

/// Every message of the control channel, those included that only a device may send.
fn controls() -> Vec<Control> {
    let mode = |id| ModeId::new(id).unwrap();
    let phases = [ModePhase::Active, ModePhase::Asked, ModePhase::Ended];
    let states = phases.map(|phase| {
        Control::from(ModeState {
            mode: mode(ModeId::OPERATOR_CONTROL),
            activation: 2,
            phase,
            refusal: None,
            expires_in_s: None,
        })
    });
    let signature = Signature::from_bytes([7; 64]);
    let mut controls: Vec<Control> = vec![
        Check { n: 1 }.into(),
        StillHere {}.into(),
        Modes {
            modes: vec![Spoken {
                mode: mode(ModeId::OPERATOR_CONTROL),
                oldest: 1,
                newest: 1,
            }],
        }
        .into(),
        Countersigned {
            index: 3,
            signature,
        }
        .into(),
        HelloOperator { name: None }.into(),
        HelloDevice {
            session: SessionId([1; 16]),
            serial: Serial::new("X").unwrap(),
            model: Label::new("X").unwrap(),
            panel: Label::new("X").unwrap(),
            size: size(),
        }
        .into(),
        IdleWarning { ends_in_s: 1 }.into(),
        Resumed {
            mode: Some((mode(ModeId::OPERATOR_CONTROL), 2)),
            granted: u32::MAX,
            picture: None,
        }
        .into(),
        Seal {
            index: 1,
            previous: [0; 32],
            line: Bytes::new(),
            signature,
        }
        .into(),
        End {
            by: Party::Customer,
            reason: EndReason::Exit,
        }
        .into(),
    ];
    controls.extend(states);
    controls
}

/// A session of a device that counts, with a client that does as it pleases.
struct Stage {
    counts: Arc<Counts>,
    device: DeviceSide,
    rogue: Rogue,
    _scratch: Scratch,
}

impl Stage {
    async fn new() -> Self {
        let scratch = Scratch::new();
        let (one, other) = pair();
        let counts = Counts::new();
        let shown = Arc::new(Shown::default());
        let config = DeviceConfig {
            relay: Relay::new("unused.test").unwrap(),
            serial: Serial::new("B7-0042").unwrap(),
            model: Label::new("Example B7").unwrap(),
            compartment: Compartment::open(&scratch.path().join("device")).unwrap(),
        };
        let (panel, customer) = (Arc::clone(&counts), Arc::clone(&shown));
        let (device, handle, events) = Device::new(config, panel as _, customer as _).unwrap();
        let device = device
            .with_admin_id(Arc::new(OneId))
            .with_settings(Arc::clone(&counts) as _)
            .unwrap();
        let run = device.run_over(other, identity(OPERATOR), code(1));
        let device = DeviceSide {
            handle,
            events,
            panel: crate::panel::TestPanel::new(1, 1),
            shown,
            task: tokio::spawn(run),
        };
        let rogue = Rogue::operator(one, 1).await;
        let mut stage = Self {
            counts,
            device,
            rogue: rogue.listening(),
            _scratch: scratch,
        };
        stage.device.connected().await;
        stage
    }

    async fn ask(&mut self, mode: &str) {
        let mode = ModeId::new(mode).unwrap();
        self.say(ModeAsk { mode }.into()).await;
        self.device
            .event(|event| matches!(event, DeviceEvent::Asked(_)).then_some(()))
            .await;
    }

    async fn allowed(&mut self, mode: &str) {
        self.ask(mode).await;
        let id = AdminIdEntry::new(ID.to_owned().into());
        self.device.handle.allow(id).await.unwrap();
        self.until(mode, ModePhase::Active).await;
    }

    async fn until(&mut self, mode: &str, phase: ModePhase) {
        self.device
            .event(|event| match event {
                DeviceEvent::Mode(state) => {
                    (state.mode.as_str() == mode && state.phase == phase).then_some(())
                }
                _ => None,
            })
            .await;
    }

    async fn say(&mut self, control: Control) {
        self.rogue.say(Channel::Control, &control.to_frame()).await;
    }

    /// Says these bodies as if they were of each activation that there can be, both ways.
    async fn flood(&mut self, bodies: &[Bytes]) {
        for activation in 0..6 {
            for (n, body) in (1_000..).zip(bodies) {
                let peer = ModeMessage::from(Peer {
                    activation,
                    body: body.clone(),
                });
                self.rogue.say(Channel::Mode, &peer.to_frame()).await;
                let latest = ModeMessage::from(Latest {
                    activation,
                    n,
                    body: body.clone(),
                });
                let _ = self
                    .rogue
                    .connection
                    .send_datagram(latest.to_datagram().into());
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A state of a session, and what of touching, drawing and setting the customer allows in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Guide,
    AskedForControl,
    ControlRefused,
    Control,
    Paused,
    Lowered,
    AskedForConfig,
    Config,
    ChangeAsked,
    ChangeRefused,
    Ended,
}

const STATES: [State; 11] = [
    State::Guide,
    State::AskedForControl,
    State::ControlRefused,
    State::Control,
    State::Paused,
    State::Lowered,
    State::AskedForConfig,
    State::Config,
    State::ChangeAsked,
    State::ChangeRefused,
    State::Ended,
];

impl State {
    async fn reach(self, stage: &mut Stage) {
        match self {
            Self::Guide => {}
            Self::AskedForControl => stage.ask(ModeId::OPERATOR_CONTROL).await,
            Self::ControlRefused => {
                stage.ask(ModeId::OPERATOR_CONTROL).await;
                stage.device.handle.refuse().await.unwrap();
            }
            Self::Control => stage.allowed(ModeId::OPERATOR_CONTROL).await,
            Self::Paused => {
                stage.allowed(ModeId::OPERATOR_CONTROL).await;
                stage.device.handle.touched().await.unwrap();
                stage
                    .until(ModeId::OPERATOR_CONTROL, ModePhase::Paused)
                    .await;
            }
            Self::Lowered => {
                stage.allowed(ModeId::OPERATOR_CONTROL).await;
                stage.device.handle.take_back().await.unwrap();
                stage.until(ModeId::USER_GUIDE, ModePhase::Active).await;
            }
            Self::AskedForConfig => stage.ask(ModeId::ENGINEER_CONFIG).await,
            Self::Config => stage.allowed(ModeId::ENGINEER_CONFIG).await,
            Self::ChangeAsked => {
                stage.allowed(ModeId::ENGINEER_CONFIG).await;
                stage.change().await;
            }
            Self::ChangeRefused => {
                stage.allowed(ModeId::ENGINEER_CONFIG).await;
                stage.change().await;
                stage.device.handle.refuse().await.unwrap();
            }
            Self::Ended => {
                stage.device.handle.exit().await.unwrap();
                stage.device.ended().await;
            }
        }
    }

    const fn may_touch(self) -> bool {
        matches!(self, Self::Control)
    }

    const fn may_draw(self) -> bool {
        matches!(
            self,
            Self::Guide
                | Self::AskedForControl
                | Self::ControlRefused
                | Self::Lowered
                | Self::AskedForConfig
                | Self::Control
                | Self::Paused
        )
    }
}

impl Stage {
    /// Proposes a change, which the customer is asked about.
    async fn change(&mut self) {
        let change = SettingChange {
            path: paper(),
            value: SettingValue::text("letter"),
        };
        let ask = Config::Change {
            request: 90,
            if_version: None,
            changes: vec![change],
            is_last: true,
        };
        let peer = ModeMessage::from(Peer {
            activation: 2,
            body: postcard::to_allocvec(&ask).unwrap().into(),
        });
        self.rogue.say(Channel::Mode, &peer.to_frame()).await;
        self.device
            .event(|event| match event {
                DeviceEvent::Asked(ask) => ask.differences.as_ref().map(|_| ()),
                _ => None,
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn t_mode_escape_every_message_of_every_mode_in_every_state_does_nothing_outside_a_grant() {
    let mut counted = 0;
    for state in STATES {
        for (mode, bodies) in messages() {
            let mut stage = Stage::new().await;
            state.reach(&mut stage).await;
            let before = stage.counts.effects();
            stage.flood(&bodies).await;
            let after = stage.counts.effects();
            let [touched, drawn, set] = [0, 1, 2].map(|kind| after[kind] - before[kind]);
            // The client's own messages are real: under a grant they do what they say.
            if state.may_touch() && mode == ModeId::OPERATOR_CONTROL {
                assert!(touched > 0, "{state:?}, {mode}");
            } else {
                assert_eq!(touched, 0, "{state:?}, {mode}");
            }
            if state == State::Guide && mode == ModeId::USER_GUIDE {
                assert!(drawn > 0, "{state:?}, {mode}");
            } else if !state.may_draw() {
                assert_eq!(drawn, 0, "{state:?}, {mode}");
            }
            // The customer has allowed no change in any of them.
            assert_eq!(set, 0, "{state:?}, {mode}");
            counted += 6 * 2 * bodies.len();
        }
    }
    println!("messages outside of what they are for: {counted}");
}

#[tokio::test(start_paused = true)]
async fn t_mode_escape_no_message_of_the_control_channel_raises_a_mode() {
    for state in STATES.into_iter().filter(|state| !state.may_touch()) {
        for control in controls() {
            let mut stage = Stage::new().await;
            state.reach(&mut stage).await;
            let before = stage.counts.effects();
            stage.say(control.clone()).await;
            let (_, hand) = messages().swap_remove(0);
            stage.flood(&hand).await;
            let after = stage.counts.effects();
            let raised = [0, 2].map(|kind| after[kind] - before[kind]);
            assert_eq!(raised, [0, 0], "{state:?}, {control:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_a_grant_does_nothing_under_it() {
    for (mode, bodies) in messages() {
        let mut stage = Stage::new().await;
        stage.ask(ModeId::OPERATOR_CONTROL).await;
        stage.flood(&bodies).await;
        let id = AdminIdEntry::new(ID.to_owned().into());
        // Unless it was the client that took its question back.
        let _ = stage.device.handle.allow(id).await;
        tokio::time::sleep(secs(3)).await;
        let [touched, _, set] = stage.counts.effects();
        assert_eq!((touched, set), (0, 0), "{mode}");
    }
}
