//! A device's session, and a witness of everything it gives out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::Capabilities;
use alongside_panel::Frame as Picture;
use alongside_protocol::{
    PanelSize, Serial,
    control::{Control, ModeAsk, StillHere},
    frame::{Channel, Frame},
    ids::ModeId,
    label::Label,
    units::{Millis, PanelRect},
};

use super::{
    Stage, Step,
    model::Model,
    steps::EASY,
    world::{DEVICE, EXPORTER, OPERATOR, code, cut, introduce},
};
use crate::{
    Binding, Consent, Limits, Offer, OperatorIdentity, Outbound,
    device::{self, AskId, CustomerAction},
    operator::OperatorAction,
};

/// What is masked of a masked picture.
const MASK: PanelRect = PanelRect {
    x: 2,
    y: 2,
    width: 9,
    height: 9,
};
const SIZE: Option<PanelSize> = PanelSize::new(32, 24);

/// A device's session, watched.
#[derive(Debug)]
pub struct DeviceWorld {
    now: Instant,
    session: device::Session,
    model: Model,
    events: u64,
    pub(super) sent: Vec<Outbound>,
}

impl DeviceWorld {
    /// A session at `stage`.
    pub fn new(start: Instant, stage: Stage) -> Self {
        match stage {
            Stage::Proving => Self::unproved(start),
            Stage::Active => introduce(start).0,
        }
    }

    pub(super) fn unproved(start: Instant) -> Self {
        let session = device::Session::new(start, device_config(), code());
        let mut world = Self {
            now: start,
            session,
            model: Model::default(),
            events: 0,
            sent: Vec::new(),
        };
        let binding = Binding {
            exporter: EXPORTER,
            local: DEVICE,
            peer: OPERATOR,
        };
        world.give(device::Input::Connected {
            binding,
            entropy: [4; 32],
        });
        world
    }

    /// Lets `step` happen; one that is not the device's to take does nothing.
    pub fn apply(&mut self, step: Step) {
        let ask = |back| AskId(self.model.last_ask.saturating_sub(back));
        let seq = |back| self.events.saturating_sub(1).saturating_sub(back);
        let input = match step {
            Step::Wait(time) => return self.wait(time),
            Step::Message {
                channel,
                kind,
                body,
            } => device::Input::Message {
                channel,
                frame: Frame { kind, body },
            },
            Step::Datagram(bytes) => device::Input::Datagram(bytes),
            Step::Effects { back, effects } => device::Input::ModeEffects {
                seq: seq(back),
                effects,
            },
            Step::Failed { back } => device::Input::ModeFailed { seq: seq(back) },
            Step::Picture { shade, is_masked } => {
                let frame = Arc::new(picture(shade));
                device::Input::Frame {
                    frame,
                    masked: if is_masked { vec![MASK] } else { Vec::new() },
                    captured_at: Millis::new(u64::from(shade)),
                }
            }
            Step::Room { channel, bytes } => device::Input::Room { channel, bytes },
            Step::Customer(action) => device::Input::Local(action),
            Step::Allow { back } => device::Input::Local(CustomerAction::Allow(ask(back))),
            Step::Refuse { back } => device::Input::Local(CustomerAction::Refuse(ask(back))),
            Step::AdminId { back, verdict } => device::Input::AdminId {
                ask: ask(back),
                verdict,
            },
            Step::Answer { back, ok } => device::Input::Injected {
                n: self.model.injected.saturating_sub(back),
                ok,
            },
            Step::Settings { back, news } => device::Input::Settings {
                call: self.model.last_call.saturating_sub(back),
                news,
            },
            Step::Operator(OperatorAction::Mode(mode)) => control(&ModeAsk { mode }.into()),
            Step::Operator(OperatorAction::StillHere) => control(&StillHere {}.into()),
            Step::Operator(_) => return,
            Step::Close(cause) => device::Input::Close(cause),
            Step::Disconnected => device::Input::Disconnected,
        };
        self.give(input);
    }

    /// Whether the customer lets the operator touch the panel now.
    pub fn may_touch(&self) -> bool {
        self.model.may(Capabilities::INPUT)
    }

    /// Lets time pass, waking the session whenever it wants.
    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.drain().filter(|at| *at <= until) {
            assert!(at >= self.now, "a deadline in the past is a busy loop");
            self.now = at;
            let _ = self.session.handle_input(at, device::Input::Timeout);
        }
        self.now = until;
        self.give(device::Input::Timeout);
    }

    pub(super) fn give(&mut self, input: device::Input) {
        self.model.on_input(self.now, &input);
        let _ = self.session.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            let output = self.session.poll_output();
            if let device::Output::Wait(until) = output {
                assert!(
                    !self.model.is_over || until.is_none(),
                    "it waits for something after its end"
                );
                return until;
            }
            assert!(!self.model.is_over, "after its end: {output:?}");
            self.witness(output);
        }
    }

    fn witness(&mut self, output: device::Output) {
        match output {
            device::Output::Record(record) => self.model.on_record(self.now, &record),
            device::Output::Send(outbound) => {
                assert!(
                    outbound.channel != Channel::Panel || self.model.may(Capabilities::VIEW),
                    "a picture without a grant"
                );
                assert!(outbound.bytes.len() <= 4 + outbound.channel.max_body());
                self.sent.push(outbound);
            }
            device::Output::WantFrame(_) => {
                assert!(self.model.may(Capabilities::VIEW), "looks without a grant")
            }
            device::Output::ModeEvent { seq, .. } => {
                assert_eq!(seq, self.events, "events are numbered in order");
                self.events += 1;
            }
            device::Output::Event(event) => self.model.on_event(self.now, &event),
            device::Output::Wait(_) => {}
        }
    }
}

pub(crate) fn device_config() -> device::Config {
    device::Config {
        serial: Serial::new("FUZZ-1").expect("a serial number"),
        model: Label::new("Fuzz").expect("a label"),
        panel: Label::new("test").expect("a label"),
        size: SIZE.expect("a size"),
        operator: OperatorIdentity {
            key: OPERATOR,
            name: None,
            organisation: None,
            confirmed_by: None,
        },
        locale: "en".to_owned(),
        limits: Limits::default(),
        modes: vec![
            offer(ModeId::OPERATOR_CONTROL, Consent::Ask { admin_id: true }),
            offer(EASY, Consent::Ask { admin_id: false }),
            offer(ModeId::ENGINEER_CONFIG, Consent::Silent),
        ],
        has_admin_id: true,
    }
}

/// Offers everything there is; what of it is granted is up to the consent.
fn offer(id: &str, consent: Consent) -> Offer {
    Offer {
        id: ModeId::new(id).expect("a name"),
        granted: Capabilities::from_bits(0b11_1111),
        consent,
        peer: alongside_mode::manifest::Span::new(1, 1).expect("a range"),
        lapses: None,
    }
}

/// The operator's side says this.
fn control(message: &Control) -> device::Input {
    let outbound = Outbound::reliable(Channel::Control, message.to_frame());
    device::Input::Message {
        channel: Channel::Control,
        frame: cut(&outbound),
    }
}

fn picture(shade: u8) -> Picture {
    let mut picture = Picture::black(SIZE.expect("a size"));
    picture.pixels_mut().fill(u32::from(shade));
    picture
}
