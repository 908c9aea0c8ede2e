//! Two sessions and the wire between them, in virtual time.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{Delivery as ModeDelivery, Effect, HostEvent, Side};
use alongside_panel::Frame as Picture;
use alongside_protocol::{
    AccessCode, Bytes, Nameplate, PanelPoint, PanelSize, PublicKey, Serial,
    annotation::Annotation,
    code::CodeSecret,
    frame::{Channel, Frame, FrameReader},
    ids::ModeId,
    input::{Buttons, PointerEvent, PointerPhase},
    label::{Label, Name},
    units::{Color, Millis, Pressure},
};
use alongside_session::{
    Binding, Delivery, IssuedCode, Limits, OperatorIdentity, Outbound, Record, SessionError,
    device::{self, CustomerAction, Freshness},
    operator::{self, OperatorAction},
};

pub(crate) const OPERATOR_KEY: PublicKey = PublicKey([0xa1; 32]);
pub(crate) const DEVICE_KEY: PublicKey = PublicKey([0xb2; 32]);
/// Time a message takes from one side to the other, unless a test says otherwise.
pub(crate) const DELAY: Duration = Duration::from_millis(30);

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The code `00081`, with a secret drawn from `seed`.
pub(crate) fn code(seed: u8) -> AccessCode {
    let nameplate = Nameplate::new(81).unwrap();
    AccessCode::new(nameplate, CodeSecret::draw(&[seed; 48]).unwrap())
}

/// The only instant that comes from a clock; everything else counts from it.
#[expect(clippy::disallowed_methods, reason = "an instant to count from")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

pub(crate) fn size() -> PanelSize {
    PanelSize::new(320, 240).unwrap()
}

pub(crate) fn device_config() -> device::Config {
    device::Config {
        serial: Serial::new("SN-0815").unwrap(),
        model: Label::new("Example 3000").unwrap(),
        panel: Label::new("mfd").unwrap(),
        size: size(),
        operator: OperatorIdentity {
            key: OPERATOR_KEY,
            name: None,
            organisation: None,
            confirmed_by: None,
        },
        locale: "de".to_owned(),
        limits: Limits::default(),
    }
}

pub(crate) fn operator_config() -> operator::Config {
    operator::Config {
        name: Some(Name::new("Robin").unwrap()),
        locale: "en".to_owned(),
    }
}

/// What travels.
#[derive(Debug)]
struct Packet {
    arrives: Instant,
    to: Side,
    outbound: Outbound,
}

/// A message as it left.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) by: Side,
    pub(crate) outbound: Outbound,
}

/// Whether messages get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    Cut,
}

/// What a hostile wire does to a message before it arrives.
pub(crate) type Tamper = Box<dyn FnMut(&mut Sent)>;

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    pub(crate) device: device::Session,
    pub(crate) operator: operator::Session,
    pub(crate) wire: Wire,
    /// Time a message takes from one side to the other.
    pub(crate) delay: Duration,
    pub(crate) tamper: Option<Tamper>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) device_events: Vec<(Instant, device::Event)>,
    pub(crate) operator_events: Vec<(Instant, operator::Event)>,
    pub(crate) device_records: Vec<Record>,
    pub(crate) operator_records: Vec<Record>,
    /// Everything the device's session gave out, as text, in order.
    pub(crate) device_log: Vec<String>,
    pub(crate) operator_log: Vec<String>,
    pub(crate) faults: Vec<(Side, SessionError)>,
    pub(crate) panel: Arc<Picture>,
    /// How often the panel changes all over.
    pub(crate) flicker: Option<Duration>,
    /// Padding of each stroke's message, in bytes.
    pub(crate) padding: usize,
    /// Whether halves of modes answer at all.
    pub(crate) halves_answer: bool,
    /// Last event that each half was given.
    pub(crate) device_seq: Option<u64>,
    pub(crate) operator_seq: Option<u64>,
    pub(crate) mode_events: Vec<(Side, HostEvent)>,
    next_flicker: Instant,
    noise: u32,
    packets: VecDeque<Packet>,
    strokes: Vec<Annotation>,
    device_wait: Option<Instant>,
    operator_wait: Option<Instant>,
    wanted: Option<Freshness>,
    handed_in: Option<Arc<Picture>>,
}

impl Pair {
    /// Two sides that know these codes, not connected yet.
    pub(crate) fn new(operator: AccessCode, device: AccessCode) -> Self {
        let start = start();
        Self::with_issued(start, IssuedCode::new(operator, start + secs(600)), device)
    }

    pub(crate) fn with_issued(now: Instant, issued: IssuedCode, device: AccessCode) -> Self {
        Self::with_config(now, issued, device, device_config())
    }

    pub(crate) fn with_config(
        now: Instant,
        issued: IssuedCode,
        device: AccessCode,
        config: device::Config,
    ) -> Self {
        Self {
            now,
            start: now,
            device: device::Session::new(now, config, device),
            operator: operator::Session::new(now, operator_config(), issued),
            wire: Wire::Whole,
            delay: DELAY,
            tamper: None,
            sent: Vec::new(),
            device_events: Vec::new(),
            operator_events: Vec::new(),
            device_records: Vec::new(),
            operator_records: Vec::new(),
            device_log: Vec::new(),
            operator_log: Vec::new(),
            faults: Vec::new(),
            panel: Arc::new(Picture::black(size())),
            flicker: None,
            padding: 0,
            halves_answer: true,
            device_seq: None,
            operator_seq: None,
            mode_events: Vec::new(),
            next_flicker: now,
            noise: 1,
            packets: VecDeque::new(),
            strokes: Vec::new(),
            device_wait: None,
            operator_wait: None,
            wanted: None,
            handed_in: None,
        }
    }

    /// Two sides in the user guide, the first picture not sent yet.
    pub(crate) fn active() -> Self {
        let mut pair = Self::new(code(1), code(1));
        pair.connect();
        pair.run_for(millis(150));
        assert!(pair.device_is_connected() && pair.operator_is_connected());
        pair
    }

    /// Both ends of one connection.
    pub(crate) fn connect(&mut self) {
        self.connect_as([7; 48], OPERATOR_KEY, [7; 48], OPERATOR_KEY);
    }

    /// What each end believes: its exporter, and (at the device) whose key the operator has.
    pub(crate) fn connect_as(
        &mut self,
        operator_exporter: [u8; 48],
        operator_key: PublicKey,
        device_exporter: [u8; 48],
        seen_operator: PublicKey,
    ) {
        let binding = Binding {
            exporter: device_exporter,
            local: DEVICE_KEY,
            peer: seen_operator,
        };
        self.device(device::Input::Connected {
            binding,
            entropy: [2; 32],
        });
        let binding = Binding {
            exporter: operator_exporter,
            local: operator_key,
            peer: DEVICE_KEY,
        };
        self.operator(operator::Input::Connected {
            binding,
            entropy: [1; 32],
        });
    }

    /// Gives the device's session an input.
    pub(crate) fn device(&mut self, input: device::Input) {
        if let Err(error) = self.device.handle_input(self.now, input) {
            self.faults.push((Side::Device, error));
        }
        self.drain_device();
    }

    /// Gives the operator's session an input.
    pub(crate) fn operator(&mut self, input: operator::Input) {
        if let Err(error) = self.operator.handle_input(self.now, input) {
            self.faults.push((Side::Operator, error));
        }
        self.drain_operator();
    }

    pub(crate) fn customer(&mut self, action: CustomerAction) {
        self.device(device::Input::Local(action));
    }

    pub(crate) fn ask(&mut self, action: OperatorAction) {
        self.operator(operator::Input::Ask(action));
    }

    pub(crate) fn ask_mode(&mut self, mode: &str) {
        self.ask(OperatorAction::Mode(ModeId::new(mode).unwrap()));
    }

    /// The operator draws a stroke, or what counts as one here.
    pub(crate) fn draw(&mut self) {
        self.ask(OperatorAction::Draw(stroke()));
    }

    pub(crate) fn point(&mut self, x: u16) {
        let at = PanelPoint::from_pixels(x, 1);
        let event = PointerEvent {
            at,
            phase: PointerPhase::Hover,
            buttons: Buttons::NONE,
            pressure: Pressure::FULL,
        };
        self.ask(OperatorAction::Pointer(event));
    }

    /// A frame arrives at the device as if the operator had sent it.
    pub(crate) fn deliver_to_device(&mut self, channel: Channel, bytes: &[u8]) {
        self.device(device::Input::Message {
            channel,
            frame: cut(channel, bytes).unwrap(),
        });
    }

    /// A frame arrives at the operator as if the device had sent it.
    pub(crate) fn deliver_to_operator(&mut self, channel: Channel, bytes: &[u8]) {
        self.operator(operator::Input::Message {
            channel,
            frame: cut(channel, bytes).unwrap(),
        });
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Runs until `until`, with everything in the order in which it is due.
    pub(crate) fn run_until(&mut self, until: Instant) {
        loop {
            let flicker = self.flicker.map(|_| self.next_flicker.max(self.now));
            let packet = self.packets.front().map(|packet| packet.arrives);
            let due = [packet, self.device_wait, self.operator_wait, flicker]
                .into_iter()
                .flatten()
                .min();
            let Some(due) = due.filter(|due| *due <= until) else {
                self.now = until;
                return;
            };
            assert!(due >= self.now, "a deadline in the past is a busy loop");
            self.now = due;
            if flicker == Some(due) {
                self.change_panel();
                self.next_flicker = due + self.flicker.unwrap();
            } else if packet == Some(due) {
                let packet = self.packets.pop_front().unwrap();
                self.arrive(packet);
            } else if self.device_wait == Some(due) {
                self.device(device::Input::Timeout);
            } else {
                self.operator(operator::Input::Timeout);
            }
        }
    }

    /// Another picture, all over.
    pub(crate) fn change_panel(&mut self) {
        let mut noise = self.noise;
        let mut picture = Picture::black(size());
        for pixel in picture.pixels_mut() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *pixel = noise >> 8;
        }
        self.noise = noise;
        self.show(picture);
    }

    /// The panel shows `picture`.
    pub(crate) fn show(&mut self, picture: Picture) {
        self.panel = Arc::new(picture);
        self.hand_in();
    }

    pub(crate) fn device_is_connected(&self) -> bool {
        self.device_events
            .iter()
            .any(|(_, event)| matches!(event, device::Event::Connected { .. }))
    }

    pub(crate) fn operator_is_connected(&self) -> bool {
        self.operator_events
            .iter()
            .any(|(_, event)| matches!(event, operator::Event::Connected(_)))
    }

    pub(crate) fn annotations(&self) -> Vec<Annotation> {
        let drawn = |(_, event): &(Instant, device::Event)| match event {
            device::Event::Annotate(annotation) => Some(annotation.clone()),
            _ => None,
        };
        self.device_events.iter().filter_map(drawn).collect()
    }

    /// Bytes sent by `side` on `channel`, with when.
    pub(crate) fn sizes(&self, side: Side, channel: Channel) -> Vec<(Instant, usize)> {
        let of = |sent: &&Sent| sent.by == side && sent.outbound.channel == channel;
        self.sent
            .iter()
            .filter(of)
            .map(|sent| (sent.at, sent.outbound.bytes.len()))
            .collect()
    }

    fn drain_device(&mut self) {
        loop {
            let output = self.device.poll_output();
            if let device::Output::Wait(until) = output {
                self.device_wait = until;
                break;
            }
            assert!(!ended(&self.device_log), "after its end: {output:?}");
            self.device_log.push(format!("{output:?}"));
            match output {
                device::Output::Record(record) => self.device_records.push(record),
                device::Output::Send(outbound) => self.send(Side::Device, outbound),
                device::Output::WantFrame(freshness) => self.wanted = Some(freshness),
                device::Output::ModeEvent { seq, event, .. } => {
                    self.device_seq = Some(seq);
                    let effects = self.device_half(&event);
                    self.mode_events.push((Side::Device, event));
                    if self.halves_answer {
                        let _ = self
                            .device
                            .handle_input(self.now, device::Input::ModeEffects { seq, effects });
                    }
                }
                device::Output::Event(event) => self.device_events.push((self.now, event)),
                device::Output::Wait(_) => {}
            }
        }
        self.hand_in();
    }

    fn drain_operator(&mut self) {
        loop {
            let output = self.operator.poll_output();
            if let operator::Output::Wait(until) = output {
                self.operator_wait = until;
                return;
            }
            assert!(!ended(&self.operator_log), "after its end: {output:?}");
            self.operator_log.push(format!("{output:?}"));
            match output {
                operator::Output::Record(record) => self.operator_records.push(record),
                operator::Output::Send(outbound) => self.send(Side::Operator, outbound),
                operator::Output::ModeEvent { seq, event, .. } => {
                    self.operator_seq = Some(seq);
                    let effects = self.operator_half(&event);
                    self.mode_events.push((Side::Operator, event));
                    if self.halves_answer {
                        let _ = self
                            .operator
                            .handle_input(self.now, operator::Input::ModeEffects { seq, effects });
                    }
                }
                operator::Output::Event(event) => self.operator_events.push((self.now, event)),
                operator::Output::Wait(_) => {}
            }
        }
    }

    /// The picture goes to the session when it wants it.
    fn hand_in(&mut self) {
        let is_new = self.handed_in.as_ref() != Some(&self.panel);
        let wanted = match self.wanted {
            Some(Freshness::Now) => true,
            Some(Freshness::Changed) => is_new,
            None => false,
        };
        if wanted {
            self.wanted = None;
            self.handed_in = Some(Arc::clone(&self.panel));
            let captured_at =
                Millis::new(u64::try_from((self.now - self.start).as_millis()).unwrap());
            self.device(device::Input::Frame {
                frame: Arc::clone(&self.panel),
                captured_at,
            });
        }
    }

    fn send(&mut self, by: Side, outbound: Outbound) {
        let mut sent = Sent {
            at: self.now,
            by,
            outbound,
        };
        self.sent.push(sent.clone());
        if let Some(tamper) = &mut self.tamper {
            tamper(&mut sent);
        }
        let to = match by {
            Side::Device => Side::Operator,
            Side::Operator => Side::Device,
        };
        if self.wire == Wire::Whole {
            self.packets.push_back(Packet {
                arrives: self.now + self.delay,
                to,
                outbound: sent.outbound,
            });
        }
    }

    fn arrive(&mut self, Packet { to, outbound, .. }: Packet) {
        let Outbound {
            channel,
            delivery,
            bytes,
        } = outbound;
        match (to, delivery) {
            (Side::Device, Delivery::Datagram) => {
                self.device(device::Input::Datagram(bytes.into()))
            }
            (Side::Operator, Delivery::Datagram) => {
                self.operator(operator::Input::Datagram(bytes.into()))
            }
            (to, Delivery::Reliable) => {
                // A length that was tampered with leaves the reader waiting for ever.
                let Some(frame) = cut(channel, &bytes) else {
                    return;
                };
                match to {
                    Side::Device => self.device(device::Input::Message { channel, frame }),
                    Side::Operator => self.operator(operator::Input::Message { channel, frame }),
                }
            }
        }
    }

    /// A stand-in for the user guide: strokes reliable, the pointer latest-wins.
    fn operator_half(&mut self, event: &HostEvent) -> Vec<Effect> {
        let (delivery, annotation) = match event {
            HostEvent::Draw(annotation) => (ModeDelivery::Reliable, annotation.clone()),
            HostEvent::Pointer(event) => (
                ModeDelivery::Latest,
                Annotation::Pointer {
                    at: event.at,
                    color: Color::rgb(255, 0, 0),
                },
            ),
            _ => return Vec::new(),
        };
        let number = u32::try_from(self.strokes.len()).unwrap();
        self.strokes.push(annotation);
        let mut body = number.to_be_bytes().to_vec();
        body.resize(4 + self.padding, 0);
        vec![Effect::Peer {
            delivery,
            body: body.into(),
        }]
    }

    fn device_half(&mut self, event: &HostEvent) -> Vec<Effect> {
        let HostEvent::Peer(body) = event else {
            return Vec::new();
        };
        let number = number_of(body);
        self.strokes
            .get(number)
            .cloned()
            .map(Effect::Annotate)
            .into_iter()
            .collect()
    }
}

fn number_of(body: &Bytes) -> usize {
    body.first_chunk::<4>()
        .map_or(usize::MAX, |number| u32::from_be_bytes(*number) as usize)
}

fn ended(log: &[String]) -> bool {
    log.last()
        .is_some_and(|last| last.starts_with("Event(Ended"))
}

/// A frame cut out of the bytes of one message; `None` if it is not whole.
pub(crate) fn cut(channel: Channel, bytes: &[u8]) -> Option<Frame> {
    let mut reader = FrameReader::for_channel(channel);
    reader.push(bytes);
    let frame = reader.next_frame().ok()??;
    (reader.pending() == 0).then_some(frame)
}

pub(crate) fn stroke() -> Annotation {
    use alongside_protocol::annotation::{Stroke, StrokeId, StrokePoint, StrokeWidth};
    Annotation::Stroke(Stroke {
        id: StrokeId(1),
        color: Color::rgb(255, 0, 0),
        width: StrokeWidth::new(4).unwrap(),
        points: vec![StrokePoint {
            at: PanelPoint::from_pixels(10, 10),
            pressure: Pressure::FULL,
        }],
        done: true,
    })
}
