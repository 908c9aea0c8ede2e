//! Paces the picture: how much, what first, and how well, by what the link gives.

mod rate;

use std::time::{Duration, Instant};

use alongside_protocol::{
    Kbps, PanelSize,
    units::{Millis, PanelRect},
    wire::DecodeError,
};

use self::rate::LinkRate;
use crate::{
    encoder::{Encoder, Step},
    frame::Frame,
    message::{Timing, ToOperator},
    pacing::Bucket,
    profile::Profile,
    sent::{Position, Resumed},
    terms::{Lifts, Progress, Refines, Sameness, Terms},
};

/// What a message may take of the link: an echo of input waits no longer than this behind it.
const MESSAGE: Duration = Duration::from_millis(50);
/// Shortest message that is worth one, in bytes: a packet's headers are 60.
const SHORTEST: usize = 500;
/// How much of the link's time may be on its way beyond a round trip, and the longest round trip that is made up for.
const AHEAD: Duration = Duration::from_millis(60);
const LONGEST_WAY: Duration = Duration::from_millis(880);
/// From one step to the next: 30 pictures in a second; and while more of a picture waits than one message holds, as
/// long as the message takes the link, but no shorter than this, for the processor's sake.
const INTERVAL: Duration = Duration::from_micros(33_333);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
/// How long exact pixels may take before soft ones come first.
const PATIENCE: Duration = Duration::from_millis(250);
/// The same for drawings and text, on a slow link only.
const SLOW_PATIENCE: Duration = Duration::from_millis(400);
/// Below this rate a link is slow.
const SLOW: Kbps = Kbps::new(60);
/// Below this rate soft tiles are coarser.
const NARROW: Kbps = Kbps::new(100);
/// How coarse soft tiles are: as 33 dB and better of the recordings, and less on narrow and slow links (measured).
const COARSENESS: u8 = 32;
const NARROW_COARSENESS: u8 = 72;
const SLOW_COARSENESS: u8 = 120;
/// From one picture of an animation to the next, and how long it may take the link whole; the same when the mean is used
/// up or the link carries less than 250 kbit/s, on a narrow one, and on a slow one. All in milliseconds.
const ANIMATION: (u64, u64) = (100, 50);
const SPARING_ANIMATION: (u64, u64) = (250, 125);
const NARROW_ANIMATION: (u64, u64) = (750, 250);
const SLOW_ANIMATION: (u64, u64) = (1_000, 333);
/// From one message to the next on a slow link while much of the picture keeps changing.
const REST: u64 = 250;
/// From one word on how long pictures take to the next.
const TIMED: Duration = Duration::from_secs(1);
/// How long a touch lifts the cap on animations near it, and how long what is near it comes first.
const LIFTED: Duration = Duration::from_millis(300);
const TOUCHED: Duration = Duration::from_secs(2);

/// Sends one operator's picture, step by step.
///
/// It is asked for a [`step`](Self::step) with the newest picture whenever it [can send](Self::can_send), and keeps to
/// what the link carries, to the peak and to the mean. It queues nothing.
#[derive(Debug)]
pub struct Sender {
    encoder: Encoder,
    began: Instant,
    peak: Bucket,
    mean: Bucket,
    rate: LinkRate,
    touch: Option<(Instant, (u16, u16))>,
    first: Option<PanelRect>,
    /// When time alone changes what may be sent.
    wakes_at: Option<Instant>,
    interval: Duration,
    timed_at: Option<Instant>,
}

impl Sender {
    /// Mean of the picture's rate over long times: what refinement and animations keep to.
    pub const MEAN_RATE: Kbps = Kbps::new(150);
    /// How much of the mean may be saved up.
    pub const MEAN_DEPTH: Duration = Duration::from_secs(10);

    /// A sender for one operator. `epoch` names its first epoch; the caller draws it at random.
    pub fn new(now: Instant, size: PanelSize, epoch: u64, profile: Profile) -> Self {
        Self {
            encoder: Encoder::new(size, epoch, profile),
            began: now,
            peak: Bucket::new(now, Bucket::PANEL_RATE, Bucket::PANEL_DEPTH),
            mean: Bucket::new(now, Self::MEAN_RATE, Self::MEAN_DEPTH),
            rate: LinkRate::default(),
            touch: None,
            first: None,
            wakes_at: None,
            interval: INTERVAL,
            timed_at: None,
        }
    }

    /// Takes in a message of the operator.
    ///
    /// # Errors
    ///
    /// As [`Encoder::handle`].
    pub fn handle(&mut self, now: Instant, kind: u8, body: &[u8]) -> Result<(), DecodeError> {
        let before = self.encoder.in_flight();
        self.encoder.handle(kind, body)?;
        self.rate
            .arrived(now, before - self.encoder.in_flight().min(before));
        if let Some(wish) = self.encoder.take_wish() {
            self.first = Some(wish);
        }
        Ok(())
    }

    /// Goes on over a new connection, as [`Encoder::resume`] does.
    pub fn resume(&mut self, at: Option<Position>) -> Resumed {
        self.rate = LinkRate::default();
        self.wakes_at = None;
        self.encoder.resume(at)
    }

    /// The panel was touched there, in pixels, by whoever: what happens near it matters most.
    pub const fn touched(&mut self, now: Instant, x: u16, y: u16) {
        self.touch = Some((now, (x, y)));
    }

    /// Whether a step may be sent at `now`.
    pub fn can_send(&mut self, now: Instant) -> bool {
        self.peak.is_open(now) && self.encoder.in_flight() < self.most_in_flight()
    }

    /// When a step may be sent, if time alone brings that.
    pub fn opens_at(&self) -> Option<Instant> {
        if self.encoder.in_flight() >= self.most_in_flight() {
            return None;
        }
        self.peak.opens_at()
    }

    /// When a step towards the same picture is worth another try, after one that gave nothing.
    pub const fn wakes_at(&self) -> Option<Instant> {
        self.wakes_at
    }

    /// How long to wait from the last step to the next, though it [can be sent](Self::can_send) before.
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// One step towards `frame`. `None` when there is nothing to send now; [`progress`](Self::progress) says why.
    pub fn step(
        &mut self,
        now: Instant,
        frame: &Frame,
        sameness: Sameness,
        captured_at: Millis,
    ) -> Option<Step> {
        self.wakes_at = None;
        self.interval = INTERVAL;
        let terms = self.terms(now, sameness);
        let step = self.encoder.step_within(frame, captured_at, &terms);
        if let Some(step) = &step {
            self.peak.take(now, step.frame.len());
            self.mean.take(now, step.frame.len());
            self.rate.sent(now, step.frame.len());
            if !step.exact {
                let takes = time(self.link_rate(), step.frame.len());
                self.interval = takes.clamp(SHORTEST_INTERVAL, INTERVAL);
            }
        } else {
            // Whatever was asked for is as good as it gets.
            self.first = None;
        }
        match self.encoder.progress() {
            Progress::Held(left) => self.wakes_at = Some(now + Duration::from_millis(left)),
            Progress::Visible if step.is_none() => self.wakes_at = self.mean.opens_at(),
            Progress::Exact => self.first = None,
            Progress::Visible | Progress::Partial => {}
        }
        step
    }

    /// How far the last step came.
    pub const fn progress(&self) -> Progress {
        self.encoder.progress()
    }

    /// Notes how long the device took over the picture of the last step, for the operator; the message is to be sent
    /// at once. `None` most times: once a second is enough.
    pub fn time(&mut self, now: Instant, capture: Duration, encode: Duration) -> Option<Vec<u8>> {
        let is_due = self
            .timed_at
            .is_none_or(|at| now.saturating_duration_since(at) >= TIMED);
        if !is_due || !self.peak.is_open(now) {
            return None;
        }
        self.timed_at = Some(now);
        let tenths = |time: Duration| u32::try_from(time.as_micros() / 100).unwrap_or(u32::MAX);
        let timing = Timing {
            capture: tenths(capture),
            encode: tenths(encode),
        };
        let frame = ToOperator::Timing(timing).to_frame();
        self.peak.take(now, frame.len());
        Some(frame)
    }

    /// Whether messages have to be sent again before anything new.
    pub fn is_mending(&self) -> bool {
        self.encoder.is_mending()
    }

    /// Bytes sent that the operator has not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.encoder.in_flight()
    }

    /// The picture that the operator shows once everything sent has arrived.
    pub fn shown(&self) -> &Frame {
        self.encoder.shown()
    }

    /// What the link is taken to carry.
    pub fn link_rate(&self) -> Kbps {
        self.rate.kbps().min(Bucket::PANEL_RATE)
    }

    /// What keeps the link busy until the operator's word is back, and a little more: the picture waits no longer
    /// behind itself, and a path that has stalled holds no more than that.
    fn most_in_flight(&self) -> usize {
        let ahead = match self.rate.quickest() {
            Some(quickest) => quickest.min(LONGEST_WAY) + AHEAD,
            None => AHEAD,
        };
        bytes(self.link_rate(), ahead).max(2 * SHORTEST)
    }

    fn terms(&mut self, now: Instant, sameness: Sameness) -> Terms {
        let rate = self.link_rate();
        let is_slow = rate < SLOW;
        let has_credit = self.mean.is_open(now);
        let since = |(at, _): &(Instant, (u16, u16))| now.saturating_duration_since(*at);
        self.touch = self.touch.filter(|touch| since(touch) < TOUCHED);
        let is_lifted = self.touch.is_some_and(|touch| since(&touch) < LIFTED);
        // An animation that took all of a link would leave none of it to the rest.
        let (animation, takes) = match rate.as_u32() {
            ..60 => SLOW_ANIMATION,
            60..100 => NARROW_ANIMATION,
            100..250 => SPARING_ANIMATION,
            250.. if has_credit => ANIMATION,
            250.. => SPARING_ANIMATION,
        };
        // What is on its way when one picture makes room for the next, such as a list that is scrolled.
        let enough = if is_slow {
            bytes(rate, Duration::from_millis(REST)) * 3 / 4
        } else {
            bytes(rate, MESSAGE)
        };
        Terms {
            enough: enough.max(SHORTEST),
            dear: bytes(rate, PATIENCE),
            cheap: if is_slow {
                bytes(rate, SLOW_PATIENCE)
            } else {
                usize::MAX
            },
            coarseness: if is_slow {
                SLOW_COARSENESS
            } else if rate < NARROW {
                NARROW_COARSENESS
            } else {
                COARSENESS
            },
            refines: if has_credit {
                Refines::Yes
            } else {
                Refines::OnlyFirst
            },
            animation,
            animated: bytes(rate, Duration::from_millis(takes)),
            rest: if is_slow { REST } else { 0 },
            touch: self.touch.map(|(_, at)| at),
            lifts: if is_lifted {
                Lifts::NearTouch
            } else {
                Lifts::Nothing
            },
            first: self.first,
            sameness,
            now: Some(now.saturating_duration_since(self.began)),
        }
    }
}

fn bytes(rate: Kbps, time: Duration) -> usize {
    usize::try_from(rate.bytes_in(time)).unwrap_or(usize::MAX)
}

fn time(rate: Kbps, bytes: usize) -> Duration {
    let bits = u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(8_000);
    Duration::from_micros(bits / u64::from(rate.as_u32()).max(1))
}
