//! Which way packets take to the relay: UDP, or the stream; a pure state machine.
//!
//! UDP is better wherever it passes, and the stream passes almost everywhere. So UDP is suspected early, the
//! stream is opened beside it and taken before the other is given up, and UDP is tried again ever after.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Pause between two questions whether the relay is there, while a session is busy and nothing is heard.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// How often an unsettled state is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Longest time until a settled state is looked at.
const REST: Duration = Duration::from_secs(60);

/// Timers are no finer.
const LEAST_STEP: Duration = Duration::from_millis(1);

/// Least time that the relay has for its answer; else three round trips.
const LEAST_PATIENCE: Duration = Duration::from_millis(150);

/// Time that it has while nothing is going on: nobody waits, and an opened stream costs more than a late answer.
const IDLE_PATIENCE: Duration = Duration::from_millis(1500);

/// How long packets go both ways at most before one of them is given up.
const DOUBLED: Duration = Duration::from_millis(1500);

/// How long a stream is kept that is not needed any more, in case UDP fails again.
const STANDBY: Duration = Duration::from_secs(10);

/// Pauses before UDP is probed, counted from the last probe; the last one repeats.
const PROBES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(3),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
];

/// First pause before a stream that failed is opened again; it doubles up to the longest.
const REOPEN: Duration = Duration::from_millis(250);
const LONGEST_REOPEN: Duration = Duration::from_secs(10);

/// Failures up to which it is no longer than this: a network that lets packets pass for 5 s should not find nobody trying.
const EAGER: u32 = 16;
const LONGEST_EAGER: Duration = Duration::from_secs(2);

/// One of the two ways to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// UDP.
    Udp,
    /// TLS over TCP.
    Stream,
}

impl Hop {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Udp => Self::Stream,
            Self::Stream => Self::Udp,
        }
    }
}

/// Which packets take which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayWays {
    /// The control connection's. Never doubled: where they come from tells the relay where the leg is.
    pub control: Hop,
    /// The sessions'.
    pub sessions: Hop,
    /// Whether the sessions' take the other way as well.
    pub doubled: bool,
}

impl RelayWays {
    /// All take one way.
    pub const fn all(hop: Hop) -> Self {
        Self {
            control: hop,
            sessions: hop,
            doubled: false,
        }
    }
}

/// What the socket saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When something came from the relay over UDP, answers to probes apart.
    pub heard_udp: Instant,
    /// Whether a session is sending through the relay.
    pub is_busy: bool,
    /// Whether a session is about to need it: its direct way is in doubt.
    pub is_wanted: bool,
}

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// UDP to the relay.
    pub udp: bool,
    /// The stream.
    pub stream: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask the relay on the control connection whether it is there.
    Ask,
    /// Send a probe over UDP.
    Probe,
    /// Open a stream, and tell how it went.
    OpenStream,
    /// Close the stream, or give up opening it.
    CloseStream,
    /// From now on packets take these ways.
    Take(RelayWays),
}

/// Whether a stream that failed is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// After a while.
    Later,
    /// Not before somebody has changed something.
    Never,
}

/// Decides which way packets take to the relay.
#[derive(Debug)]
pub struct RelayLink {
    allowed: Allowed,
    state: State,
    stream: Stream,
    /// When the relay was asked and has not been heard over UDP since.
    asked: Option<Instant>,
    last_asked: Instant,
    rtt: Duration,
    next_probe: Option<Instant>,
    probes: usize,
    actions: VecDeque<Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Everything goes over UDP.
    Udp,
    /// UDP is suspected, and there is no stream yet.
    Doubt,
    /// The stream has been taken; packets go over UDP as well until then.
    Leaving(Instant),
    /// Everything goes over the stream.
    Stream,
    /// UDP is about to be taken; packets go over the stream as well.
    Returning(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Closed {
        failures: u32,
        /// When it may be opened again.
        from: Option<Instant>,
    },
    Opening {
        failures: u32,
    },
    Up {
        /// When it is closed, if it is not needed.
        until: Option<Instant>,
    },
    Useless,
}

const CLOSED: Stream = Stream::Closed {
    failures: 0,
    from: None,
};

impl RelayLink {
    /// A link whose connection came up over `hop`; if it is the stream, that is open.
    pub fn new(now: Instant, allowed: Allowed, hop: Hop) -> Self {
        let mut link = Self {
            allowed,
            state: State::Udp,
            stream: CLOSED,
            asked: None,
            last_asked: now,
            rtt: Duration::ZERO,
            next_probe: None,
            probes: 0,
            actions: VecDeque::new(),
        };
        if !allowed.stream {
            link.stream = Stream::Useless;
        }
        match hop {
            Hop::Udp => {}
            Hop::Stream => {
                link.state = State::Stream;
                link.stream = Stream::Up { until: None };
                link.schedule_probes(now);
            }
        }
        link
    }

    /// The next thing to do; `None` until there is an input again.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`RelayLink::handle_timeout`] is due, at the latest.
    pub fn deadline(&self, now: Instant, seen: Observed) -> Instant {
        let state = match self.state {
            State::Udp => match self.asked {
                Some(asked) if seen.heard_udp <= asked => Some(asked + self.patience(seen)),
                Some(_) => Some(now),
                None => (seen.is_busy).then(|| seen.heard_udp.max(self.last_asked) + ASK_EVERY),
            },
            State::Doubt => Some(now + LOOK_EVERY),
            State::Leaving(until) | State::Returning(until) => Some(until.min(now + LOOK_EVERY)),
            State::Stream => None,
        };
        let stream = match self.stream {
            Stream::Closed { from, .. } => from,
            Stream::Up { until } => until,
            Stream::Opening { .. } | Stream::Useless => None,
        };
        let next = [state, stream, self.next_probe].into_iter().flatten().min();
        // Whoever begins to send wakes the driver.
        next.unwrap_or(now + REST)
            .clamp(now + LEAST_STEP, now + REST)
    }

    /// The relay was asked, by an [`Action::Ask`] or by an accessible check.
    pub fn handle_asked(&mut self, now: Instant) {
        self.asked = self.asked.or(Some(now));
        self.last_asked = now;
    }

    /// The round trip time to the relay is about this.
    pub fn handle_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt;
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant, seen: Observed) {
        if self.asked.is_some_and(|asked| seen.heard_udp > asked) {
            self.asked = None;
        }
        match self.state {
            State::Udp => self.watch_udp(now, seen),
            State::Doubt if self.asked.is_none() => self.settle(State::Udp),
            State::Doubt => self.ask_again(now),
            State::Leaving(until) if until <= now => {
                self.settle(State::Stream);
                self.take(RelayWays::all(Hop::Stream));
            }
            State::Returning(until) => self.watch_return(now, until, seen),
            State::Leaving(_) | State::Stream => {}
        }
        self.tend_stream(now);
        self.tend_probes(now);
    }

    /// The stream is open.
    pub fn handle_stream_up(&mut self, now: Instant) {
        self.stream = Stream::Up { until: None };
        match self.state {
            State::Doubt => {
                self.state = State::Leaving(now + DOUBLED);
                self.take(RelayWays {
                    doubled: true,
                    ..RelayWays::all(Hop::Stream)
                });
                // The control connection's packet from there is what moves the leg.
                self.actions.push_back(Action::Ask);
                self.schedule_probes(now);
            }
            State::Udp => self.stand_by(now),
            State::Leaving(_) | State::Stream => {
                // Another stream than before: the relay has to follow.
                self.take(RelayWays::all(Hop::Stream));
                self.actions.push_back(Action::Ask);
            }
            State::Returning(_) => {}
        }
    }

    /// The stream broke, or could not be opened.
    pub fn handle_stream_down(&mut self, now: Instant, again: Again) {
        let failures = match self.stream {
            Stream::Closed { failures, .. } | Stream::Opening { failures } => failures + 1,
            Stream::Up { .. } | Stream::Useless => 0,
        };
        let longest = if failures <= EAGER {
            LONGEST_EAGER
        } else {
            LONGEST_REOPEN
        };
        let pause = longest.min(REOPEN.saturating_mul(1 << failures.min(6)));
        self.stream = match again {
            Again::Later => Stream::Closed {
                failures,
                from: Some(now + pause),
            },
            Again::Never => Stream::Useless,
        };
        if matches!(
            self.state,
            State::Leaving(_) | State::Stream | State::Returning(_)
        ) {
            self.schedule_probes(now);
        }
        if matches!(self.state, State::Udp) {
            self.stream = match again {
                Again::Later => CLOSED,
                Again::Never => Stream::Useless,
            };
        }
    }

    /// The relay answered the probe: UDP passes.
    pub fn handle_probe_answer(&mut self, now: Instant) {
        match self.state {
            State::Leaving(_) | State::Stream => {
                self.state = State::Returning(now + DOUBLED);
                self.take(RelayWays {
                    control: Hop::Udp,
                    sessions: Hop::Stream,
                    doubled: true,
                });
                self.asked = None;
                self.actions.push_back(Action::Ask);
                self.next_probe = None;
            }
            State::Udp | State::Doubt | State::Returning(_) => {}
        }
    }

    fn watch_udp(&mut self, now: Instant, seen: Observed) {
        let silent = now.saturating_duration_since(seen.heard_udp);
        if self
            .asked
            .is_some_and(|asked| asked + self.patience(seen) <= now)
        {
            self.state = State::Doubt;
            self.open_stream(now);
            return;
        }
        if seen.is_busy && silent >= ASK_EVERY {
            self.ask_again(now);
        }
    }

    /// How long the relay has for an answer.
    fn patience(&self, seen: Observed) -> Duration {
        let least = if seen.is_busy || seen.is_wanted {
            LEAST_PATIENCE
        } else {
            IDLE_PATIENCE
        };
        least.max(self.rtt.saturating_mul(3))
    }

    fn ask_again(&mut self, now: Instant) {
        if self.last_asked + ASK_EVERY <= now {
            self.actions.push_back(Action::Ask);
            self.last_asked = now;
        }
    }

    fn watch_return(&mut self, now: Instant, until: Instant, seen: Observed) {
        let began = until - DOUBLED;
        if seen.heard_udp > began {
            self.probes = 0;
            self.settle(State::Udp);
            self.take(RelayWays::all(Hop::Udp));
            self.stand_by(now);
        } else if until <= now {
            self.settle(State::Stream);
            self.take(RelayWays::all(Hop::Stream));
            // So that the relay follows back.
            self.actions.push_back(Action::Ask);
            self.probe_later(now);
        }
    }

    fn settle(&mut self, state: State) {
        self.state = state;
        self.asked = None;
    }

    fn take(&mut self, ways: RelayWays) {
        self.actions.push_back(Action::Take(ways));
    }

    fn open_stream(&mut self, now: Instant) {
        match self.stream {
            Stream::Closed { failures, from } if from.is_none_or(|from| from <= now) => {
                self.stream = Stream::Opening { failures };
                self.actions.push_back(Action::OpenStream);
            }
            Stream::Up { .. } => self.handle_stream_up(now),
            Stream::Closed { .. } | Stream::Opening { .. } | Stream::Useless => {}
        }
    }

    fn stand_by(&mut self, now: Instant) {
        if let Stream::Up { until } = &mut self.stream {
            *until = Some(now + STANDBY);
        }
    }

    fn tend_stream(&mut self, now: Instant) {
        match (self.stream, self.state) {
            (Stream::Up { until: Some(until) }, State::Udp) if until <= now => {
                self.stream = CLOSED;
                self.actions.push_back(Action::CloseStream);
            }
            (Stream::Up { until: Some(_) }, state) if state != State::Udp => {
                self.stream = Stream::Up { until: None };
            }
            (
                Stream::Closed {
                    from: Some(from), ..
                },
                state,
            ) if from <= now && state != State::Udp => {
                self.open_stream(now);
            }
            _ => {}
        }
    }

    fn schedule_probes(&mut self, now: Instant) {
        if self.allowed.udp {
            self.probes = 0;
            self.probe_later(now);
        }
    }

    fn probe_later(&mut self, now: Instant) {
        let pause = PROBES.get(self.probes).or(PROBES.last()).copied();
        self.next_probe = pause.map(|pause| now + pause);
        self.probes = self.probes.saturating_add(1);
    }

    fn tend_probes(&mut self, now: Instant) {
        let is_wanted = matches!(self.state, State::Leaving(_) | State::Stream);
        if is_wanted && self.next_probe.is_some_and(|at| at <= now) {
            self.actions.push_back(Action::Probe);
            self.probe_later(now);
        }
    }
}

#[cfg(test)]
mod tests;
