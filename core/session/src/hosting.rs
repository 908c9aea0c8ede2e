//! The half of a mode that runs on this side: its events in order, its timers, its messages to the other half.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use alongside_mode::Delivery;
use alongside_protocol::{
    Bytes,
    ids::ModeId,
    mode::{Latest, ModeMessage, Peer},
};

use crate::grant::Denial;

/// Most timers that a half may have (our choice; a pointer that fades needs one).
const MAX_TIMERS: usize = 16;
/// Shortest timer (our choice: a half that wants to spin turns 100 times a second at most).
const MIN_TIMER: Duration = Duration::from_millis(10);
/// Longest timer; longer ones are cut to it.
const MAX_TIMER: Duration = Duration::from_secs(24 * 3600);

/// Numbers the events of all modes of a session, and knows which answers still count.
#[derive(Debug, Default)]
pub(crate) struct Hosting {
    next: u64,
    /// Answers to events before this one came too late: permission was withdrawn since.
    floor: u64,
    activations: u16,
    running: Option<Running>,
}

/// The mode that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) mode: ModeId,
    pub(crate) activation: u16,
    timers: BTreeMap<u32, Instant>,
    latest_sent: u32,
    latest_seen: u32,
}

impl Hosting {
    /// The number of the next activation.
    pub(crate) const fn next_activation(&mut self) -> u16 {
        self.activations = self.activations.wrapping_add(1);
        self.activations
    }

    /// A mode begins; nothing that was asked for before counts any more.
    pub(crate) fn begin(&mut self, mode: ModeId, activation: u16) {
        self.revoke();
        self.running = Some(Running {
            mode,
            activation,
            timers: BTreeMap::new(),
            latest_sent: 0,
            latest_seen: 0,
        });
    }

    /// The mode that was running is over; from now on nothing it asked for counts.
    ///
    /// Call it after its last event was numbered, so that the answer to that does not count either.
    pub(crate) fn end(&mut self) {
        self.revoke();
        self.running = None;
    }

    pub(crate) const fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    pub(crate) const fn running_mut(&mut self) -> Option<&mut Running> {
        self.running.as_mut()
    }

    /// Numbers an event for the mode that runs.
    pub(crate) const fn number(&mut self) -> u64 {
        let seq = self.next;
        self.next += 1;
        seq
    }

    /// Whether the answer to event `seq` counts.
    pub(crate) const fn counts(&self, seq: u64) -> bool {
        seq >= self.floor && seq < self.next
    }

    const fn revoke(&mut self) {
        self.floor = self.next;
    }
}

impl Running {
    /// Which mode, and which activation of it.
    pub(crate) fn id(&self) -> (ModeId, u16) {
        (self.mode.clone(), self.activation)
    }

    /// Sets a timer, or takes it back if `after` is zero.
    pub(crate) fn set_timer(
        &mut self,
        now: Instant,
        id: u32,
        after: Duration,
    ) -> Result<(), Denial> {
        if after.is_zero() {
            self.timers.remove(&id);
            return Ok(());
        }
        if self.timers.len() >= MAX_TIMERS && !self.timers.contains_key(&id) {
            return Err(Denial::OverLimit);
        }
        self.timers
            .insert(id, now + after.clamp(MIN_TIMER, MAX_TIMER));
        Ok(())
    }

    /// The timer that has run down first, if one has.
    pub(crate) fn due_timer(&mut self, now: Instant) -> Option<u32> {
        let (&id, _) = self
            .timers
            .iter()
            .filter(|(_, at)| **at <= now)
            .min_by_key(|(_, at)| **at)?;
        self.timers.remove(&id);
        Some(id)
    }

    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.values().min().copied()
    }

    /// Wraps bytes for the other half.
    pub(crate) fn seal(&mut self, delivery: Delivery, body: Bytes) -> Result<ModeMessage, Denial> {
        if body.len() > delivery.max_len() {
            return Err(Denial::OverLimit);
        }
        let activation = self.activation;
        Ok(match delivery {
            Delivery::Reliable => Peer { activation, body }.into(),
            Delivery::Latest => {
                self.latest_sent = self.latest_sent.saturating_add(1);
                Latest {
                    activation,
                    n: self.latest_sent,
                    body,
                }
                .into()
            }
        })
    }

    /// Unwraps bytes of the other half; `None` if they are of another activation, or overtaken.
    pub(crate) fn open(&mut self, message: ModeMessage) -> Option<Bytes> {
        match message {
            ModeMessage::Peer(peer) => (peer.activation == self.activation).then_some(peer.body),
            ModeMessage::Latest(latest) => {
                if latest.activation != self.activation || latest.n <= self.latest_seen {
                    return None;
                }
                self.latest_seen = latest.n;
                Some(latest.body)
            }
            _ => None,
        }
    }
}

/// The activation that a message of the mode channel belongs to.
pub(crate) fn activation_of(message: &ModeMessage) -> Option<u16> {
    match message {
        ModeMessage::Peer(peer) => Some(peer.activation),
        ModeMessage::Latest(latest) => Some(latest.activation),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    fn running() -> Running {
        let mut hosting = Hosting::default();
        let activation = hosting.next_activation();
        hosting.begin(ModeId::user_guide(), activation);
        hosting.running.expect("it has begun")
    }

    #[test]
    fn only_the_newest_of_the_latest_gets_through() {
        let mut running = running();
        let latest = |n| {
            ModeMessage::from(Latest {
                activation: 1,
                n,
                body: Bytes::new(),
            })
        };
        assert!(running.open(latest(3)).is_some());
        assert!(running.open(latest(2)).is_none());
        assert!(running.open(latest(3)).is_none());
        assert!(running.open(latest(4)).is_some());
    }

    #[test]
    fn another_activation_s_messages_are_dropped() {
        let mut running = running();
        assert!(
            running
                .open(
                    Peer {
                        activation: 2,
                        body: Bytes::new()
                    }
                    .into()
                )
                .is_none()
        );
        assert!(
            running
                .open(
                    Latest {
                        activation: 0,
                        n: 9,
                        body: Bytes::new()
                    }
                    .into()
                )
                .is_none()
        );
        assert!(
            running
                .open(
                    Peer {
                        activation: 1,
                        body: Bytes::new()
                    }
                    .into()
                )
                .is_some()
        );
    }

    #[test]
    fn answers_to_events_before_the_end_do_not_count() {
        let mut hosting = Hosting::default();
        hosting.begin(ModeId::user_guide(), 1);
        let first = hosting.number();
        assert!(hosting.counts(first));
        assert!(!hosting.counts(first + 1), "an event that never was");
        let stop = hosting.number();
        hosting.end();
        assert!(!hosting.counts(first) && !hosting.counts(stop));
        hosting.begin(ModeId::user_guide(), 2);
        let fresh = hosting.number();
        assert!(hosting.counts(fresh) && !hosting.counts(stop));
    }

    #[test]
    fn timers_run_down_in_order_and_are_bounded() {
        let now = start();
        let mut running = running();
        let ms = Duration::from_millis;
        for id in 0..16 {
            assert_eq!(running.set_timer(now, id, ms(100 - u64::from(id))), Ok(()));
        }
        assert_eq!(running.set_timer(now, 16, ms(1)), Err(Denial::OverLimit));
        assert_eq!(running.set_timer(now, 3, ms(1)), Ok(()), "replaces its own");
        assert_eq!(
            running.set_timer(now, 4, Duration::ZERO),
            Ok(()),
            "takes back"
        );
        assert_eq!(running.next_timer(), Some(now + MIN_TIMER));
        let fired: Vec<_> = std::iter::from_fn(|| running.due_timer(now + ms(100))).collect();
        assert_eq!(fired, [3, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 2, 1, 0]);
    }
}
