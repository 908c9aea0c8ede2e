//! Two sessions and the wire between them, in virtual time.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{
    Capabilities, Delivery as ModeDelivery, Effect, HostEvent, Side, TypedText, manifest::Span,
};
use alongside_panel::Frame as Picture;
use alongside_protocol::{
    AccessCode, Bytes, Nameplate, PanelPoint, PanelSize, PublicKey, Serial,
    annotation::Annotation,
    code::CodeSecret,
    frame::{Channel, Frame, FrameReader},
    ids::ModeId,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    label::{Label, Name},
    units::{Color, Millis, PanelRect, Pressure},
};
use alongside_session::{
    Action, Binding, Consent, Delivery, IssuedCode, Limits, Offer, OperatorIdentity, Outbound,
    Record, SessionError,
    device::{self, AskId, CustomerAction, Freshness},
    operator::{self, Known, OperatorAction},
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
        modes: vec![
            offer(
                ModeId::OPERATOR_CONTROL,
                TOUCHES,
                Consent::Ask { admin_id: true },
            ),
            offer("example.easy", TOUCHES, Consent::Ask { admin_id: false }),
            offer("example.silent", SETTINGS, Consent::Silent),
            offer("example.config", SETTINGS, Consent::Ask { admin_id: false }),
        ],
        has_admin_id: true,
    }
}

/// What a mode needs that touches the panel.
pub(crate) const TOUCHES: Capabilities = Capabilities::VIEW
    .with(Capabilities::ANNOTATE)
    .with(Capabilities::INPUT);
/// What a mode needs that reads and changes settings.
pub(crate) const SETTINGS: Capabilities = Capabilities::VIEW
    .with(Capabilities::SETTINGS_READ)
    .with(Capabilities::SETTINGS_WRITE);

fn offer(id: &str, granted: Capabilities, consent: Consent) -> Offer {
    Offer {
        id: ModeId::new(id).unwrap(),
        granted,
        consent,
        peer: Span::new(1, 1).unwrap(),
        lapses: None,
    }
}

fn known(id: &str, capabilities: Capabilities) -> Known {
    Known {
        id: ModeId::new(id).unwrap(),
        capabilities,
        peer: Span::new(1, 1).unwrap(),
    }
}

pub(crate) fn operator_config() -> operator::Config {
    operator::Config {
        name: Some(Name::new("Robin").unwrap()),
        locale: "en".to_owned(),
        modes: vec![
            known(ModeId::OPERATOR_CONTROL, TOUCHES),
            known("example.easy", TOUCHES),
            known("example.silent", SETTINGS),
            known("example.config", SETTINGS),
        ],
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
    /// What the operator's half has told of, by number.
    told: Vec<Effect>,
    /// What the panel was told to do, in order, with when.
    pub(crate) injected: Vec<(Instant, Action)>,
    /// What of the panel is masked.
    pub(crate) masked: Vec<PanelRect>,
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
            told: Vec::new(),
            injected: Vec::new(),
            masked: Vec::new(),
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

    /// The connection breaks, and what is on its way is lost.
    pub(crate) fn interrupt(&mut self) {
        self.packets.clear();
        self.device(device::Input::Interrupted);
        self.operator(operator::Input::Interrupted);
    }

    /// Both ends of another connection, number `n`.
    pub(crate) fn reconnect(&mut self, n: u8) {
        self.packets.clear();
        self.connect_as([n; 48], OPERATOR_KEY, [n; 48], OPERATOR_KEY);
        self.run_for(millis(200));
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

    /// The operator does this with the pointer, where `x` says.
    pub(crate) fn touch(&mut self, x: u16, phase: PointerPhase) {
        self.ask(OperatorAction::Pointer(pointer(x, phase)));
    }

    pub(crate) fn press(&mut self, name: &str, motion: KeyMotion) {
        self.ask(OperatorAction::Key(key(name, motion)));
    }

    pub(crate) fn type_text(&mut self, text: &str) {
        self.ask(OperatorAction::Text(TypedText::new(text).unwrap()));
    }

    /// The question that was put last.
    pub(crate) fn last_ask(&self) -> Option<device::Ask> {
        let asked = |(_, event): &(Instant, device::Event)| match event {
            device::Event::Asked(ask) => Some(ask.clone()),
            _ => None,
        };
        self.device_events.iter().rev().find_map(asked)
    }

    pub(crate) fn ask_id(&self) -> AskId {
        self.last_ask().unwrap().id
    }

    pub(crate) fn allow(&mut self) {
        self.customer(CustomerAction::Allow(self.ask_id()));
    }

    /// The administrator's ID for the last question turns out so.
    pub(crate) fn verdict(&mut self, verdict: device::AdminVerdict) {
        let ask = self.ask_id();
        self.device(device::Input::AdminId { ask, verdict });
    }

    /// Two sides in operator control, by the customer's word.
    pub(crate) fn in_control() -> Self {
        let mut pair = Self::active();
        pair.raise();
        pair
    }

    /// From the user guide to operator control.
    pub(crate) fn raise(&mut self) {
        self.ask_mode(ModeId::OPERATOR_CONTROL);
        self.run_for(millis(100));
        self.verdict(device::AdminVerdict::Ok);
        self.allow();
        self.run_for(millis(100));
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
                device::Output::Event(device::Event::Inject { n, action }) => {
                    self.injected.push((self.now, action));
                    let answer = device::Input::Injected { n, ok: true };
                    self.device.handle_input(self.now, answer).unwrap();
                }
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
                operator::Output::ModeEvent { seq, mode, event } => {
                    self.operator_seq = Some(seq);
                    let effects = self.operator_half(&mode, &event);
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
                masked: self.masked.clone(),
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

    /// A stand-in for every mode: what the operator draws, the pointer latest-wins in the user guide, and whatever they
    /// touch above it.
    fn operator_half(&mut self, mode: &ModeId, event: &HostEvent) -> Vec<Effect> {
        let guides = mode.as_str() == ModeId::USER_GUIDE;
        let (delivery, effect) = match event {
            HostEvent::Draw(annotation) => {
                (ModeDelivery::Reliable, Effect::Annotate(annotation.clone()))
            }
            HostEvent::Pointer(event) if guides => (
                ModeDelivery::Latest,
                Effect::Annotate(Annotation::Pointer {
                    at: event.at,
                    color: Color::rgb(255, 0, 0),
                }),
            ),
            HostEvent::Pointer(event) => (ModeDelivery::Reliable, Effect::Pointer(*event)),
            HostEvent::Key(event) => (ModeDelivery::Reliable, Effect::Key(event.clone())),
            HostEvent::Text(text) => (ModeDelivery::Reliable, Effect::Text(text.clone())),
            _ => return Vec::new(),
        };
        let number = u32::try_from(self.told.len()).unwrap();
        self.told.push(effect);
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
        self.told
            .get(number_of(body))
            .cloned()
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

pub(crate) fn pointer(x: u16, phase: PointerPhase) -> PointerEvent {
    let buttons = match phase {
        PointerPhase::Down | PointerPhase::Move => Buttons::LEFT,
        PointerPhase::Hover | PointerPhase::Up | PointerPhase::Leave => Buttons::NONE,
    };
    PointerEvent {
        at: PanelPoint::from_pixels(x, 1),
        phase,
        buttons,
        pressure: Pressure::FULL,
    }
}

pub(crate) fn key(name: &str, motion: KeyMotion) -> KeyEvent {
    KeyEvent {
        key: KeyName::new(name).unwrap(),
        motion,
    }
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
