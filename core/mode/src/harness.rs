//! Both halves of a mode, joined by a perfect wire and a clock that the test turns by hand.
//!
//! The halves are called through the module's table by the same [`Instance`] that a session uses: staging, bounds and
//! the check of every grant are the real ones. No network, no thread and no waiting.
//!
//! ```
//! # use alongside_mode::{harness::Pair, Capabilities, Effects, Event, GiveUp, Granted, Half, Mode};
//! # use alongside_protocol::annotation::Annotation;
//! # use std::time::Duration;
//! # #[derive(Default)] struct Device;
//! # impl Half for Device {
//! #     type Sends = (); type Hears = Annotation;
//! #     fn on_event(&mut self, _: Duration, event: Event<Annotation>, fx: &mut Effects<'_, ()>) -> Result<(), GiveUp> {
//! #         if let Event::Peer(annotation) = event { let _ = fx.annotate(&annotation)?; }
//! #         Ok(())
//! #     }
//! # }
//! # #[derive(Default)] struct Operator;
//! # impl Half for Operator {
//! #     type Sends = Annotation; type Hears = ();
//! #     fn on_event(&mut self, _: Duration, event: Event<()>, fx: &mut Effects<'_, Annotation>) -> Result<(), GiveUp> {
//! #         if let Event::Draw(annotation) = event { fx.send(&annotation)?; }
//! #         Ok(())
//! #     }
//! # }
//! # struct Marker;
//! # impl Mode for Marker {
//! #     const MANIFEST: &'static str = r#"{ "id": "example.marker", "name": "Marker", "version": "1.0.0", "vendor": "Example",
//! #         "abi": 1, "wire": [1, 1], "peer": [1, 1], "capabilities": ["annotate"], "consent": "notice",
//! #         "why": { "annotate": "To mark what we talk about" } }"#;
//! #     type ToOperator = (); type ToDevice = Annotation; type Device = Device; type Operator = Operator;
//! # }
//! let mut pair = Pair::<Marker>::started(Capabilities::ANNOTATE);
//! pair.draw(Annotation::Clear);
//! assert_eq!(pair.annotations(), [Annotation::Clear]);
//! ```

use std::{collections::VecDeque, fmt, marker::PhantomData, time::Duration};

use alongside_protocol::{
    Bytes, PanelSize,
    annotation::Annotation,
    input::{KeyEvent, PointerEvent},
};

use crate::{
    abi,
    body::{Line, TypedText},
    capability::{Capabilities, Side},
    effect::Effect,
    event::{Grant, HostEvent, Start, StopReason},
    facade::{Mode, module},
    host::{Instance, LogLine, ModeFailure},
    settings::{SettingsAnswer, SettingsCall},
};

/// Most events that one step of a test may cause; beyond it the halves answer each other for ever.
const MAX_EVENTS: usize = 10_000;

/// Size of the panel of a pair, in pixels.
const PANEL: (u16, u16) = (1024, 600);

/// Both halves of `M`, started.
///
/// Every method that tells a half something delivers all that follows from it before it returns.
pub struct Pair<M> {
    device: End,
    operator: End,
    now: Duration,
    annotations: Vec<Annotation>,
    inputs: Vec<Effect>,
    console: Vec<serde_json::Value>,
    notices: Vec<Line>,
    audits: Vec<Line>,
    finished: Option<Line>,
    settings: Vec<SettingsCall>,
    mode: PhantomData<fn(M)>,
}

struct End {
    instance: Instance,
    /// Due time and id.
    timers: Vec<(Duration, u32)>,
    failure: Option<ModeFailure>,
    log: Vec<LogLine>,
}

/// The table of `M` as a constant with a place of its own.
struct Table<M>(PhantomData<M>);

impl<M: Mode> Table<M> {
    const MODULE: &'static abi::Module = &module::<M>();
}

impl<M: Mode> Pair<M> {
    /// Starts both halves on a panel of 1024 x 600 pixels, with what is in both `granted` and the manifest.
    ///
    /// # Panics
    ///
    /// If the module is not fit to run; the message says why.
    pub fn started(granted: Capabilities) -> Self {
        let mut pair = Self {
            device: End::new(Table::<M>::MODULE, Side::Device, granted),
            operator: End::new(Table::<M>::MODULE, Side::Operator, granted),
            now: Duration::ZERO,
            annotations: Vec::new(),
            inputs: Vec::new(),
            console: Vec::new(),
            notices: Vec::new(),
            audits: Vec::new(),
            finished: None,
            settings: Vec::new(),
            mode: PhantomData,
        };
        for side in [Side::Device, Side::Operator] {
            let start = Start {
                side,
                granted,
                protocol: 1,
                panel: pair.panel(),
                locale: "en".to_owned(),
            };
            pair.tell(side, HostEvent::Start(start));
        }
        pair
    }

    /// Size of the panel.
    #[expect(
        clippy::expect_used,
        reason = "a constant that the tests of this crate use"
    )]
    pub fn panel(&self) -> PanelSize {
        PanelSize::new(PANEL.0, PANEL.1).expect("the harness's panel has a size that is allowed")
    }

    /// Grants `more` on top of what is granted, and tells both halves.
    pub fn grant(&mut self, more: Capabilities) {
        self.regrant(|held| held | more);
    }

    /// Takes `less` back from what is granted, and tells both halves.
    pub fn withdraw(&mut self, less: Capabilities) {
        self.regrant(|held| held.without(less));
    }

    fn regrant(&mut self, change: impl Fn(Capabilities) -> Capabilities) {
        for side in [Side::Device, Side::Operator] {
            let granted = change(self.end(side).instance.granted());
            self.tell(side, HostEvent::Grant(Grant { granted }));
        }
    }

    /// The operator's pointer does this over the picture.
    pub fn point(&mut self, event: PointerEvent) {
        self.tell(Side::Operator, HostEvent::Pointer(event));
    }

    /// The operator presses or releases a key.
    pub fn press(&mut self, event: KeyEvent) {
        self.tell(Side::Operator, HostEvent::Key(event));
    }

    /// The operator types.
    pub fn type_text(&mut self, text: TypedText) {
        self.tell(Side::Operator, HostEvent::Text(text));
    }

    /// The operator draws.
    pub fn draw(&mut self, annotation: Annotation) {
        self.tell(Side::Operator, HostEvent::Draw(annotation));
    }

    /// The mode's part of the console says this.
    pub fn from_console(&mut self, message: &serde_json::Value) {
        self.tell(
            Side::Operator,
            HostEvent::Console(message.to_string().into_bytes()),
        );
    }

    /// Somebody who is not the other half sends `side` these bytes.
    pub fn forge(&mut self, side: Side, bytes: &[u8]) {
        self.tell(side, HostEvent::Peer(Bytes::copy_from_slice(bytes)));
    }

    /// Turns the clock on by `span`, and rings every timer that runs down on the way, in order.
    pub fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some((due, side, id)) = self.next_timer().filter(|(due, ..)| *due <= until) {
            self.now = self.now.max(due);
            self.end_mut(side).timers.retain(|(_, other)| *other != id);
            self.tell(side, HostEvent::Timer(id));
        }
        self.now = until;
    }

    /// Ends the mode.
    pub fn stop(&mut self, reason: StopReason) {
        for side in [Side::Device, Side::Operator] {
            self.tell(side, HostEvent::Stop(reason));
        }
    }

    /// Tells one half of any event.
    pub fn tell(&mut self, side: Side, event: HostEvent) {
        let mut waiting = VecDeque::from([(side, event)]);
        for _ in 0..MAX_EVENTS {
            let Some((side, event)) = waiting.pop_front() else {
                return;
            };
            let now = self.now;
            for effect in self.end_mut(side).on_event(now, &event) {
                self.perform(side, effect, &mut waiting);
            }
        }
        panic!("the halves answer each other without end");
    }

    /// Does what a session does with an effect.
    fn perform(&mut self, side: Side, effect: Effect, waiting: &mut VecDeque<(Side, HostEvent)>) {
        let other = match side {
            Side::Device => Side::Operator,
            Side::Operator => Side::Device,
        };
        match effect {
            Effect::Peer { body, .. } => waiting.push_back((other, HostEvent::Peer(body))),
            Effect::Annotate(annotation) => self.annotations.push(annotation),
            Effect::Pointer(_) | Effect::Key(_) | Effect::Text(_) => self.inputs.push(effect),
            Effect::SetTimer { id, after } => {
                let due = self.now + after;
                let timers = &mut self.end_mut(side).timers;
                timers.retain(|(_, other)| *other != id);
                if !after.is_zero() {
                    timers.push((due, id));
                }
            }
            Effect::Console(json) => {
                self.console
                    .push(serde_json::from_slice(&json).unwrap_or(serde_json::Value::Null));
            }
            Effect::Notice(line) => self.notices.push(line),
            Effect::Audit(line) => self.audits.push(line),
            Effect::Finish(line) => self.finished = Some(line),
            Effect::Settings(call) => self.settings.push(call),
        }
    }

    fn next_timer(&self) -> Option<(Duration, Side, u32)> {
        [Side::Device, Side::Operator]
            .into_iter()
            .flat_map(|side| {
                self.end(side)
                    .timers
                    .iter()
                    .map(move |(due, id)| (*due, side, *id))
            })
            .min_by_key(|(due, ..)| *due)
    }

    /// What was drawn over the panel or taken back, in order.
    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// The same, and forgets it.
    pub fn take_annotations(&mut self) -> Vec<Annotation> {
        std::mem::take(&mut self.annotations)
    }

    /// What was done on the panel as if by hand, in order.
    pub fn inputs(&self) -> &[Effect] {
        &self.inputs
    }

    /// What the mode's part of the console was told, in order.
    pub fn console(&self) -> &[serde_json::Value] {
        &self.console
    }

    /// The same, and forgets it.
    pub fn take_console(&mut self) -> Vec<serde_json::Value> {
        std::mem::take(&mut self.console)
    }

    /// What was asked about the device's settings, in order, and forgets it.
    pub fn take_settings(&mut self) -> Vec<SettingsCall> {
        std::mem::take(&mut self.settings)
    }

    /// The device answers about its settings.
    pub fn answer(&mut self, answer: SettingsAnswer) {
        self.tell(Side::Device, HostEvent::Settings(answer));
    }

    /// What the customer was shown.
    pub fn notices(&self) -> &[Line] {
        &self.notices
    }

    /// What went into the session's record.
    pub fn audits(&self) -> &[Line] {
        &self.audits
    }

    /// Why the mode is done, if it says so.
    pub fn finished(&self) -> Option<&Line> {
        self.finished.as_ref()
    }

    /// How many effects were refused because the mode did not hold what they need.
    pub fn denied(&self) -> u64 {
        self.device.instance.denied() + self.operator.instance.denied()
    }

    /// The last failure of a half.
    pub fn failure(&self, side: Side) -> Option<&ModeFailure> {
        self.end(side).failure.as_ref()
    }

    /// What a half wrote to its log.
    pub fn log(&self, side: Side) -> &[LogLine] {
        &self.end(side).log
    }

    /// Time since the start.
    pub fn now(&self) -> Duration {
        self.now
    }

    fn end(&self, side: Side) -> &End {
        match side {
            Side::Device => &self.device,
            Side::Operator => &self.operator,
        }
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Device => &mut self.device,
            Side::Operator => &mut self.operator,
        }
    }
}

impl End {
    fn new(module: &'static abi::Module, side: Side, granted: Capabilities) -> Self {
        let instance = Instance::new(module, side, granted).unwrap_or_else(|unfit| {
            let source = std::error::Error::source(&unfit)
                .map(|source| format!(": {source}"))
                .unwrap_or_default();
            panic!("{unfit}{source}")
        });
        Self {
            instance,
            timers: Vec::new(),
            failure: None,
            log: Vec::new(),
        }
    }

    fn on_event(&mut self, at: Duration, event: &HostEvent) -> Vec<Effect> {
        let result = self.instance.on_event(at, event);
        self.log.append(&mut self.instance.take_log());
        result.unwrap_or_else(|failure| {
            // The first one says why; that it is not called any more says nothing new.
            if self.failure.is_none() || failure != ModeFailure::AlreadyFailed {
                self.failure = Some(failure);
            }
            Vec::new()
        })
    }
}

impl<M> fmt::Debug for Pair<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("now", &self.now)
            .field("device", &self.device.instance)
            .field("operator", &self.operator.instance)
            .finish_non_exhaustive()
    }
}
