//! What the link carries, from when the operator says what has arrived.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alongside_protocol::Kbps;

/// How much longer than the quickest a message must take for the link to be what held it up.
const QUEUED: Duration = Duration::from_millis(60);
/// Fewest bytes, and shortest time, that a rate is read from.
const MEASURED: usize = 1_000;
const SPAN: Duration = Duration::from_millis(40);
/// Messages that are remembered at most: more than can be in flight.
const MOST: usize = 256;

/// Measures the link while the picture keeps it busy; else takes it to carry everything.
#[derive(Debug, Default)]
pub(super) struct LinkRate {
    /// Messages on their way: when they were sent, and what is left of them.
    waiting: VecDeque<(Instant, usize)>,
    quickest: Option<Duration>,
    /// The last arrival, when something was left on its way behind it.
    busy_since: Option<Instant>,
    gathered: usize,
    kbps: Option<u32>,
}

/// What a link is taken to carry before anything is known of it.
const UNKNOWN: u32 = 100_000;

impl LinkRate {
    pub(super) fn sent(&mut self, now: Instant, bytes: usize) {
        if self.waiting.len() < MOST {
            self.waiting.push_back((now, bytes));
        }
    }

    /// So many bytes more have arrived.
    pub(super) fn arrived(&mut self, now: Instant, bytes: usize) {
        let mut left = bytes;
        let mut took = Duration::ZERO;
        while left > 0
            && let Some((at, waiting)) = self.waiting.front_mut()
        {
            took = now.saturating_duration_since(*at);
            if *waiting > left {
                *waiting -= left;
                break;
            }
            left -= *waiting;
            self.waiting.pop_front();
        }
        if bytes == 0 {
            return;
        }
        let quickest = self.quickest.map_or(took, |quickest| quickest.min(took));
        self.quickest = Some(quickest);
        let is_queued = took > quickest + QUEUED;
        match self.busy_since.filter(|_| is_queued) {
            None => {
                self.busy_since = is_queued.then_some(now);
                self.gathered = 0;
                if !is_queued {
                    self.grow(bytes, took);
                }
            }
            Some(since) => {
                self.gathered += bytes;
                let span = now.saturating_duration_since(since);
                if self.gathered >= MEASURED && span >= SPAN {
                    self.measure(self.gathered, span);
                    self.busy_since = Some(now);
                    self.gathered = 0;
                }
            }
        }
    }

    /// The shortest time in which a message was acknowledged.
    pub(super) const fn quickest(&self) -> Option<Duration> {
        self.quickest
    }

    pub(super) fn kbps(&self) -> Kbps {
        Kbps::new(self.kbps.unwrap_or(UNKNOWN))
    }

    fn measure(&mut self, bytes: usize, span: Duration) {
        let sample = Kbps::of(bytes as u64, span).as_u32().max(8);
        self.kbps = Some(match self.kbps {
            None => sample,
            Some(known) => (3 * known + sample) / 4,
        });
    }

    /// Nothing waited for the link: it carries more than was thought, little by little, and the less so the less it
    /// carried.
    fn grow(&mut self, bytes: usize, took: Duration) {
        if let Some(known) = &mut self.kbps {
            let sample = Kbps::of(bytes as u64, took).as_u32();
            let step = (*known / 64 + 1) as usize * bytes.min(MEASURED) / MEASURED;
            *known = (*known)
                .max(sample)
                .saturating_add(step as u32)
                .min(UNKNOWN);
        }
    }
}
