//! A device's session, and a witness of everything it gives out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::Capabilities;
use alongside_panel::Frame as Picture;
use alongside_protocol::{
    PanelSize, Serial,
    annotation::Annotation,
    frame::{Channel, Frame},
    label::Label,
    units::Millis,
};

use super::{
    Stage, Step,
    world::{DEVICE, EXPORTER, OPERATOR, code, introduce},
};
use crate::{Act, Binding, Limits, OperatorIdentity, Outbound, Record, device};

const SIZE: Option<PanelSize> = PanelSize::new(32, 24);

/// A device's session, watched.
#[derive(Debug)]
pub struct DeviceWorld {
    now: Instant,
    session: device::Session,
    /// What the records say is granted now.
    granted: Option<Capabilities>,
    released: Option<Act>,
    events: u64,
    is_over: bool,
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
            granted: None,
            released: None,
            events: 0,
            is_over: false,
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
            Step::Picture { shade } => {
                let frame = Arc::new(picture(shade));
                device::Input::Frame {
                    frame,
                    captured_at: Millis::new(u64::from(shade)),
                }
            }
            Step::Room { channel, bytes } => device::Input::Room { channel, bytes },
            Step::Customer(action) => device::Input::Local(action),
            Step::Operator(_) => return,
            Step::Close(cause) => device::Input::Close(cause),
            Step::Disconnected => device::Input::Disconnected,
        };
        self.give(input);
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
        let _ = self.session.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            let output = self.session.poll_output();
            if let device::Output::Wait(until) = output {
                assert!(
                    !self.is_over || until.is_none(),
                    "it waits for something after its end"
                );
                return until;
            }
            assert!(!self.is_over, "after its end: {output:?}");
            self.witness(output);
        }
    }

    fn witness(&mut self, output: device::Output) {
        let released = self.released.take();
        match output {
            device::Output::Record(record) => self.on_record(&record),
            device::Output::Send(outbound) => {
                assert!(
                    outbound.channel != Channel::Panel || self.may(Capabilities::VIEW),
                    "a picture without a grant"
                );
                assert!(outbound.bytes.len() <= 4 + outbound.channel.max_body());
                self.sent.push(outbound);
            }
            device::Output::WantFrame(_) => {
                assert!(self.may(Capabilities::VIEW), "looks without a grant")
            }
            device::Output::ModeEvent { seq, .. } => {
                assert_eq!(seq, self.events, "events are numbered in order");
                self.events += 1;
            }
            device::Output::Event(event) => self.on_event(&event, released),
            device::Output::Wait(_) => {}
        }
    }

    fn on_record(&mut self, record: &Record) {
        match record {
            Record::ModeActivated { granted, .. } => self.granted = Some(*granted),
            Record::ModeEnded { .. } | Record::ModeFailed { .. } | Record::SessionEnded { .. } => {
                self.granted = None
            }
            Record::Released { act, .. } => self.released = Some(*act),
            Record::AttemptCharged
            | Record::ProofFailed(_)
            | Record::SessionStarted { .. }
            | Record::ModeRefused { .. }
            | Record::Denied { .. }
            | Record::ModeSays(_)
            | Record::LinkMissing
            | Record::LinkBack => {}
        }
    }

    fn on_event(&mut self, event: &device::Event, released: Option<Act>) {
        match event {
            device::Event::Annotate(Annotation::Pointer { .. } | Annotation::Stroke(_)) => {
                assert!(self.may(Capabilities::ANNOTATE), "drawn without a grant");
                assert_eq!(released, Some(Act::Annotate), "drawn without its record");
            }
            device::Event::Notice(_) => {
                assert_eq!(released, Some(Act::Notice), "shown without its record")
            }
            device::Event::Ended { .. } => self.is_over = true,
            device::Event::Annotate(_)
            | device::Event::AttemptCharged
            | device::Event::CodeFailed(_)
            | device::Event::Connected { .. }
            | device::Event::Mode(_)
            | device::Event::Link(_)
            | device::Event::IdleWarning { .. }
            | device::Event::IdleOver => {}
        }
    }

    fn may(&self, needs: Capabilities) -> bool {
        self.granted.is_some_and(|granted| granted.contains(needs))
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
    }
}

fn picture(shade: u8) -> Picture {
    let mut picture = Picture::black(SIZE.expect("a size"));
    picture.pixels_mut().fill(u32::from(shade));
    picture
}
