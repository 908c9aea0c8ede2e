//! Whether a module behaves: the same events twice on each half, in a sealed child, and what comes of them.

use std::{sync::Arc, time::Duration};

use alongside_mode::{
    Capabilities, Effect, Grant, HostEvent, LinkReport, Side, Start, TypedText, host::ModeFailure,
};
use alongside_protocol::{
    Kbps, PanelPoint, PanelSize,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    units::{Color, Pressure},
};

use super::{Boxing, HARD, Loader, Package, RunFailure, Running, SOFT, SealedFailure};
use crate::clock;

/// What came of one half.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Conduct {
    /// Which half.
    pub side: Side,
    /// Events that it was told of, in each of the two runs.
    pub events: u32,
    /// Effects that it asked for in the first run.
    pub effects: u32,
    /// Times that it gave up and was made anew. That is allowed: bytes of the other half may be anything.
    pub gave_up: u32,
    /// The first event at which the two runs differ; none if the half does the same for the same.
    pub differs_at: Option<u32>,
    /// Effects that its manifest does not ask for.
    pub denied: u64,
    /// Events that took longer than 5 ms, measured from outside.
    pub slow: u32,
    /// The longest time for one event, measured from outside.
    pub slowest: Duration,
    /// Mean time for one event, measured from outside.
    pub mean: Duration,
    /// Time from the start of its process to its first answer.
    pub start: Duration,
    /// Why it could not go on: a panic, a crash, a deadline.
    pub fault: Option<String>,
}

impl Conduct {
    /// Whether there is nothing to complain of. Slow events are not counted: the machine may have been busy.
    pub fn is_good(&self) -> bool {
        self.fault.is_none() && self.differs_at.is_none() && self.denied == 0
    }
}

/// Tries both halves of a package out with `events` events each, drawn from `seed`, twice.
///
/// The package must be one that runs sealed, such as [`Loader::open_untrusted`] gives.
pub async fn check(
    package: &Arc<Package>,
    loader: &Loader,
    events: u32,
    seed: u64,
) -> [Conduct; 2] {
    debug_assert_ne!(package.boxing(), Boxing::InProcess);
    let mut said = Vec::new();
    // What the halves really say to each other is better than noise.
    for side in [Side::Operator, Side::Device] {
        let first = Trial::run(package, loader, side, events / 10, seed, &said).await;
        said.extend(first.said);
    }
    let mut conducts = Vec::new();
    for side in [Side::Device, Side::Operator] {
        let first = Trial::run(package, loader, side, events, seed, &said).await;
        let second = Trial::run(package, loader, side, events, seed, &said).await;
        conducts.push(first.beside(&second, side, events));
    }
    let mut conducts = conducts.into_iter();
    let mut next = || {
        conducts
            .next()
            .unwrap_or_else(|| Trial::default().beside(&Trial::default(), Side::Device, 0))
    };
    [next(), next()]
}

/// One run of one half.
#[derive(Debug, Default)]
struct Trial {
    /// A fingerprint of the answer to each event.
    answers: Vec<u64>,
    effects: u32,
    gave_up: u32,
    denied: u64,
    slow: u32,
    slowest: Duration,
    total: Duration,
    start: Duration,
    /// What it said to its other half.
    said: Vec<Vec<u8>>,
    fault: Option<String>,
}

impl Trial {
    async fn run(
        package: &Arc<Package>,
        loader: &Loader,
        side: Side,
        events: u32,
        seed: u64,
        heard: &[Vec<u8>],
    ) -> Self {
        let mut trial = Self::default();
        let mut draw = Draw::new(seed);
        let mut half: Option<Running> = None;
        for n in 0..events {
            let mut running = match half.take() {
                Some(running) => running,
                None => match trial.begin(package, loader, side).await {
                    Some(running) => running,
                    None => break,
                },
            };
            let event = draw.event(side, heard);
            let at = Duration::from_millis(u64::from(n) * 7);
            match trial.one(&mut running, u64::from(n) + 1, at, &event).await {
                Ok(()) => half = Some(running),
                Err(Some(fault)) => {
                    trial.fault = Some(format!("at event {n} ({event:?}): {fault}"));
                    break;
                }
                Err(None) => trial.gave_up += 1,
            }
            if half.is_none() {
                continue;
            }
        }
        trial
    }

    async fn begin(
        &mut self,
        package: &Arc<Package>,
        loader: &Loader,
        side: Side,
    ) -> Option<Running> {
        let granted = package.manifest().capabilities;
        let began = clock::now();
        let running = Running::loaded(package, loader, side, granted);
        let started = match running {
            Ok(mut running) => {
                let start = start(side, granted);
                self.one(&mut running, 0, Duration::ZERO, &start)
                    .await
                    .map(|()| running)
            }
            Err(failure) => Err(Some(failure.to_string())),
        };
        if self.start.is_zero() {
            self.start = clock::now().saturating_duration_since(began);
            // Starting is not answering.
            (self.slowest, self.total, self.slow) = (Duration::ZERO, Duration::ZERO, 0);
        }
        match started {
            Ok(running) => Some(running),
            Err(fault) => {
                self.fault = Some(fault.unwrap_or_else(|| "it gives up at its start".to_owned()));
                None
            }
        }
    }

    /// Tells of one event; `Err(None)` if the half gave up as it may.
    async fn one(
        &mut self,
        running: &mut Running,
        seq: u64,
        at: Duration,
        event: &HostEvent,
    ) -> Result<(), Option<String>> {
        let began = clock::now();
        let denied = running.denied();
        let answer = match running.tell(seq, at, event) {
            Some(answer) => answer,
            None => running.answer().await.1,
        };
        let took = clock::now().saturating_duration_since(began);
        self.total += took;
        self.slowest = self.slowest.max(took);
        self.slow += u32::from(took > SOFT);
        self.denied += running.denied().saturating_sub(denied);
        match answer {
            Ok(effects) => {
                self.effects += u32::try_from(effects.len()).unwrap_or(u32::MAX);
                self.answers.push(fingerprint(&effects));
                for effect in effects {
                    if let Effect::Peer { body, .. } = effect
                        && self.said.len() < 256
                    {
                        self.said.push(body.to_vec());
                    }
                }
                Ok(())
            }
            Err(RunFailure::Sealed(SealedFailure::Mode(ModeFailure::GaveUp { .. }))) => {
                self.answers.push(1);
                Err(None)
            }
            Err(RunFailure::Sealed(SealedFailure::Hung)) => Err(Some(format!(
                "it does not answer within {} ms",
                HARD.as_millis()
            ))),
            Err(failure) => Err(Some(crate::session_io::chain(&failure).to_string())),
        }
    }

    fn beside(self, second: &Self, side: Side, events: u32) -> Conduct {
        let pairs = self.answers.iter().zip(&second.answers);
        let differs = pairs.zip(0..).find(|((a, b), _)| a != b).map(|(_, n)| n);
        let other_len = self.answers.len() != second.answers.len();
        let shorter = self.answers.len().min(second.answers.len());
        let count = u32::try_from(self.answers.len()).unwrap_or(u32::MAX).max(1);
        Conduct {
            side,
            events,
            effects: self.effects,
            gave_up: self.gave_up,
            differs_at: differs
                .or_else(|| other_len.then(|| u32::try_from(shorter).unwrap_or(u32::MAX))),
            denied: self.denied,
            slow: self.slow,
            slowest: self.slowest,
            mean: self.total / count,
            start: self.start,
            fault: self.fault.or_else(|| second.fault.clone()),
        }
    }
}

fn start(side: Side, granted: Capabilities) -> HostEvent {
    HostEvent::Start(Start {
        side,
        granted,
        protocol: 1,
        panel: panel(),
        locale: "en".to_owned(),
    })
}

fn panel() -> PanelSize {
    PanelSize::new(1024, 600).unwrap_or_else(|| unreachable!("a size that panels have"))
}

/// Mixes the bytes of all effects (FNV-1a).
fn fingerprint(effects: &[Effect]) -> u64 {
    let mut bytes = Vec::new();
    for effect in effects {
        bytes.extend_from_slice(&effect.kind().to_le_bytes());
        effect.encode(&mut bytes);
    }
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Draws events, the same ones from the same seed (xorshift64).
struct Draw(u64);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }

    fn event(&mut self, side: Side, heard: &[Vec<u8>]) -> HostEvent {
        let for_all = self.next(4) == 0;
        match side {
            Side::Operator if !for_all => self.operator_event(),
            Side::Device if !for_all => HostEvent::Peer(self.peer(heard).into()),
            Side::Device | Side::Operator => match self.next(4) {
                0 => HostEvent::Timer(self.next(8) as u32),
                1 => HostEvent::Grant(Grant {
                    granted: Capabilities::from_bits(self.next(64) as u32),
                }),
                2 => HostEvent::Link(LinkReport {
                    rtt: Duration::from_millis(self.next(500)),
                    sending: Kbps::new(self.next(300) as u32),
                    budget: Kbps::new(250),
                }),
                _ => HostEvent::Peer(self.peer(heard).into()),
            },
        }
    }

    /// What the other half said, whole or damaged, or noise.
    fn peer(&mut self, heard: &[Vec<u8>]) -> Vec<u8> {
        let pick = self.next(heard.len() as u64) as usize;
        let mut bytes = match heard.get(pick) {
            Some(bytes) if self.next(4) > 0 => bytes.clone(),
            _ => (0..self.next(24)).map(|_| self.next(256) as u8).collect(),
        };
        if self.next(4) == 0 && !bytes.is_empty() {
            let at = self.next(bytes.len() as u64) as usize;
            let noise = self.next(256) as u8;
            if let Some(byte) = bytes.get_mut(at) {
                *byte = noise;
            }
        }
        bytes
    }

    fn point(&mut self) -> PanelPoint {
        PanelPoint::from_pixels(self.next(1024) as u16, self.next(600) as u16)
    }

    fn operator_event(&mut self) -> HostEvent {
        match self.next(6) {
            0 | 1 => HostEvent::Pointer(PointerEvent {
                at: self.point(),
                phase: match self.next(5) {
                    0 => PointerPhase::Hover,
                    1 => PointerPhase::Down,
                    2 => PointerPhase::Move,
                    3 => PointerPhase::Up,
                    _ => PointerPhase::Leave,
                },
                buttons: Buttons::LEFT,
                pressure: Pressure::FULL,
            }),
            2 => self.key().map_or(HostEvent::Timer(0), HostEvent::Key),
            3 => TypedText::new("text").map_or(HostEvent::Timer(0), HostEvent::Text),
            4 => HostEvent::Draw(self.drawing()),
            _ => HostEvent::Console(self.json()),
        }
    }

    fn key(&mut self) -> Option<KeyEvent> {
        let digit = char::from_digit(self.next(10) as u32, 10)?;
        let key = KeyName::new(digit.encode_utf8(&mut [0; 4])).ok()?;
        let motion = if self.next(2) == 0 {
            KeyMotion::Down
        } else {
            KeyMotion::Up
        };
        Some(KeyEvent { key, motion })
    }

    fn drawing(&mut self) -> Annotation {
        let id = StrokeId(self.next(8) as u32);
        match (self.next(4), StrokeWidth::new(1 + self.next(32) as u8)) {
            (0, _) => Annotation::Clear,
            (1, _) => Annotation::Undo(Some(id)),
            (_, Some(width)) => Annotation::Stroke(Stroke {
                id,
                color: Color::rgb(self.next(256) as u8, 0, 0),
                width,
                points: (0..=self.next(20))
                    .map(|_| StrokePoint {
                        at: self.point(),
                        pressure: Pressure::FULL,
                    })
                    .collect(),
                done: self.next(2) == 0,
            }),
            (_, None) => Annotation::PointerGone,
        }
    }

    fn json(&mut self) -> Vec<u8> {
        const SAID: [&str; 7] = ["null", "1", "-3", "\"go\"", "{}", "{\"add\":1}", "[1,2"];
        let pick = self.next(SAID.len() as u64) as usize;
        SAID.get(pick)
            .copied()
            .unwrap_or("null")
            .as_bytes()
            .to_vec()
    }
}
