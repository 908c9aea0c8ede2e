//! The direct way to one peer: found by punching, watched, left and found again; a pure state machine.
//!
//! Each side decides for the packets that it sends, and nothing is negotiated.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Pauses between two rounds of pings to all candidates; the last one repeats for [`PATIENT`].
const PUNCHES: [u64; 9] = [0, 20, 40, 80, 160, 300, 500, 1000, 2000];

/// Pause between two rounds when the first ones came to nothing, and when they did for a minute.
const PATIENT: Duration = Duration::from_secs(5);
const RESIGNED: Duration = Duration::from_secs(60);

/// Rounds after which a minute has passed.
const PATIENT_ROUNDS: usize = PUNCHES.len() + 12;

/// Pause between two pings on the way that is taken, while a session is busy and nothing is heard from there.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// Silence on the way that is taken after which a peer that asks from elsewhere has moved.
const SILENT_AFTER: Duration = Duration::from_millis(150);

/// And in any case, so that an address which changes is noticed by both.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Timers are no finer.
const LEAST_STEP: Duration = Duration::from_millis(1);

/// And in doubt.
const DOUBT_EVERY: Duration = Duration::from_millis(100);

/// Least time that the peer has for its answer; else three round trips.
const LEAST_PATIENCE: Duration = Duration::from_millis(150);

/// How long packets go both ways before the direct one is given up.
const DOUBLED: Duration = Duration::from_millis(1500);

/// How much faster another address must answer to be taken instead.
const BETTER_BY: Duration = Duration::from_millis(5);

/// Candidates of a peer that are kept.
pub const MAX_CANDIDATES: usize = 8;

/// Pings whose answer is awaited.
const MAX_PINGS: usize = 64;

/// Which way packets take to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Through the relay.
    Relay,
    /// Straight to this address.
    Direct(SocketAddr),
    /// Both ways.
    Both(SocketAddr),
}

/// How large a ping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As small as it can be.
    Small,
    /// As large as a packet: its answer proves that packets pass.
    Full,
}

/// A ping to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Where to.
    pub to: SocketAddr,
    /// Its number; no other has it.
    pub n: u32,
    /// How large.
    pub size: Size,
}

/// The direct way to one peer.
#[derive(Debug)]
pub struct Direct {
    /// Nothing is sent before.
    start: Instant,
    candidates: Vec<SocketAddr>,
    state: State,
    rounds: usize,
    next_round: Instant,
    next_watch: Instant,
    next_number: u32,
    awaited: VecDeque<(Ping, Instant)>,
    pings: VecDeque<Ping>,
    heard: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Searching,
    Up {
        at: SocketAddr,
        rtt: Duration,
        asked: Option<Instant>,
    },
    Doubt {
        at: SocketAddr,
        rtt: Duration,
        since: Instant,
    },
}

impl Direct {
    /// Starts to search at `start`.
    pub fn new(start: Instant) -> Self {
        Self {
            start,
            candidates: Vec::new(),
            state: State::Searching,
            rounds: 0,
            next_round: start,
            next_watch: start,
            next_number: 1,
            awaited: VecDeque::new(),
            pings: VecDeque::new(),
            heard: start,
        }
    }

    /// Where the peer may be; what is not known yet is tried at once.
    pub fn add_candidate(&mut self, now: Instant, candidate: SocketAddr) {
        if self.candidates.contains(&candidate) || self.candidates.len() >= MAX_CANDIDATES {
            return;
        }
        self.candidates.push(candidate);
        self.rounds = 0;
        self.next_round = now.max(self.start);
    }

    /// Which way packets take now.
    pub fn route(&self) -> Route {
        match self.state {
            State::Searching => Route::Relay,
            State::Up { at, .. } => Route::Direct(at),
            State::Doubt { at, .. } => Route::Both(at),
        }
    }

    /// Next ping to be sent.
    pub fn poll_ping(&mut self) -> Option<Ping> {
        self.pings.pop_front()
    }

    /// When [`Direct::handle_timeout`] is due, at the latest.
    pub fn deadline(&self) -> Instant {
        match self.state {
            State::Searching => self.next_round,
            State::Up { .. } | State::Doubt { .. } => self.next_watch.min(self.next_round),
        }
    }

    /// A packet of the peer came from `from`.
    pub fn handle_heard(&mut self, now: Instant, from: SocketAddr) {
        if let State::Up { at, asked, .. } = &mut self.state
            && *at == from
        {
            self.heard = now;
            *asked = None;
        }
    }

    /// The peer's ping came from `from`.
    pub fn handle_ping(&mut self, now: Instant, from: SocketAddr) {
        let is_news = !self.candidates.contains(&from);
        self.add_candidate(now, from);
        self.handle_heard(now, from);
        if let State::Up { at, rtt, .. } = self.state
            && is_news
            && self.heard + SILENT_AFTER <= now
        {
            // It asks from a new address and is silent at the old one: it has moved, and needs no more time for an answer.
            self.doubt(now, at, rtt);
        }
    }

    /// Nobody else carries packets any more: the search is not put off for long.
    pub fn hurry(&mut self, now: Instant) {
        if self.state == State::Searching {
            self.next_round = self.next_round.min(now);
            self.rounds = self.rounds.min(PUNCHES.len());
        }
    }

    fn doubt(&mut self, now: Instant, at: SocketAddr, rtt: Duration) {
        self.state = State::Doubt {
            at,
            rtt,
            since: now,
        };
        self.rounds = 0;
        self.next_round = now;
        self.next_watch = now;
    }

    /// The peer answered ping `n`. Says whether the way changed.
    pub fn handle_pong(&mut self, now: Instant, n: u32) -> bool {
        let Some(place) = self.awaited.iter().position(|(ping, _)| ping.n == n) else {
            return false;
        };
        let Some((ping, sent)) = self.awaited.remove(place) else {
            return false;
        };
        let rtt = now.saturating_duration_since(sent);
        let before = self.route();
        match self.state {
            State::Up { at, .. } if at == ping.to => self.come_up(now, at, rtt),
            State::Doubt { at, .. } if at == ping.to => self.come_up(now, at, rtt),
            State::Up { rtt: known, .. } if rtt + BETTER_BY > known => {}
            State::Searching | State::Up { .. } | State::Doubt { .. } => match ping.size {
                Size::Small => self.ping(now, ping.to, Size::Full),
                Size::Full => self.come_up(now, ping.to, rtt),
            },
        }
        before != self.route()
    }

    fn come_up(&mut self, now: Instant, at: SocketAddr, rtt: Duration) {
        let rtt = match self.state {
            State::Up {
                at: same,
                rtt: known,
                ..
            } if same == at => (known * 7 + rtt) / 8,
            State::Searching | State::Up { .. } | State::Doubt { .. } => rtt,
        };
        self.state = State::Up {
            at,
            rtt,
            asked: None,
        };
        self.heard = now;
        self.next_watch = now + WATCH_EVERY;
        self.rounds = PUNCHES.len();
        self.next_round = self.next_round.max(now + RESIGNED);
    }

    /// Time has passed; `is_busy` if the session sends. Says whether the way changed.
    pub fn handle_timeout(&mut self, now: Instant, is_busy: bool) -> bool {
        let before = self.route();
        self.watch(now, is_busy);
        if self.next_round <= now {
            self.punch(now);
        }
        before != self.route()
    }

    fn watch(&mut self, now: Instant, is_busy: bool) {
        if now < self.next_watch {
            return;
        }
        match self.state {
            State::Searching => {}
            State::Up { at, rtt, asked } => {
                let patience = LEAST_PATIENCE.max(rtt * 3);
                if asked.is_some_and(|asked| asked + patience <= now) {
                    self.doubt(now, at, rtt);
                    return self.watch(now, is_busy);
                }
                let pause = if is_busy { WATCH_EVERY } else { PING_EVERY };
                if asked.is_none() && self.heard + pause <= now {
                    self.ping(now, at, Size::Small);
                    self.state = State::Up {
                        at,
                        rtt,
                        asked: Some(now),
                    };
                    self.next_watch = now + patience;
                } else {
                    self.next_watch = match asked {
                        Some(asked) => asked + patience,
                        None => (self.heard + pause).min(now + WATCH_EVERY),
                    };
                    self.next_watch = self.next_watch.max(now + LEAST_STEP);
                }
            }
            State::Doubt { since, .. } if since + DOUBLED <= now => {
                self.state = State::Searching;
                self.awaited.clear();
                self.rounds = 0;
                self.next_round = now;
            }
            State::Doubt { at, .. } => {
                self.ping(now, at, Size::Small);
                self.next_watch = now + DOUBT_EVERY;
            }
        }
    }

    fn punch(&mut self, now: Instant) {
        for candidate in self.candidates.clone() {
            self.ping(now, candidate, Size::Small);
        }
        self.rounds = self.rounds.saturating_add(1);
        let pause = match PUNCHES.get(self.rounds) {
            Some(ms) => Duration::from_millis(*ms),
            None if self.rounds < PATIENT_ROUNDS => PATIENT,
            None => RESIGNED,
        };
        self.next_round = now + pause;
    }

    fn ping(&mut self, now: Instant, to: SocketAddr, size: Size) {
        let ping = Ping {
            to,
            n: self.next_number,
            size,
        };
        self.next_number = self.next_number.wrapping_add(1);
        if self.awaited.len() >= MAX_PINGS {
            self.awaited.pop_front();
        }
        self.awaited.push_back((ping, now));
        self.pings.push_back(ping);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(n: u8) -> SocketAddr {
        SocketAddr::new([192, 0, 2, n].into(), 4000)
    }

    fn start() -> (Direct, Instant) {
        let now = tokio::time::Instant::now().into_std();
        let mut direct = Direct::new(now);
        direct.add_candidate(now, at(1));
        (direct, now)
    }

    /// Steps of 10 ms; the peer answers after 40 ms if `answers` says so.
    fn run(
        direct: &mut Direct,
        now: &mut Instant,
        steps: u64,
        is_busy: bool,
        answers: bool,
    ) -> Vec<Ping> {
        let mut all = Vec::new();
        let mut answered = VecDeque::new();
        for _ in 0..steps {
            *now += ms(10);
            direct.handle_timeout(*now, is_busy);
            while let Some(ping) = direct.poll_ping() {
                all.push(ping);
                answered.push_back((*now + ms(40), ping.n));
            }
            while let Some((due, n)) = answered.front().copied().filter(|(due, _)| due <= now) {
                let _ = due;
                answered.pop_front();
                if answers {
                    direct.handle_pong(*now, n);
                }
            }
        }
        all
    }

    #[test]
    fn a_way_is_taken_once_a_full_packet_has_passed() {
        let (mut direct, now) = start();
        direct.handle_timeout(now, true);
        let small = direct.poll_ping().unwrap();
        assert_eq!((small.to, small.size), (at(1), Size::Small));
        assert!(!direct.handle_pong(now + ms(40), small.n));
        assert_eq!(direct.route(), Route::Relay);
        let full = direct.poll_ping().unwrap();
        assert_eq!((full.to, full.size), (at(1), Size::Full));
        assert!(direct.handle_pong(now + ms(80), full.n));
        assert_eq!(direct.route(), Route::Direct(at(1)));
        assert!(
            !direct.handle_pong(now + ms(81), full.n),
            "an answer counts once"
        );
    }

    #[test]
    fn searching_grows_quiet() {
        let (mut direct, mut now) = start();
        let first = run(&mut direct, &mut now, 500, true, false).len();
        assert_eq!(first, PUNCHES.len(), "rounds in the first 5 s");
        let later = run(&mut direct, &mut now, 6_000, true, false).len();
        assert!(
            (10..=13).contains(&later),
            "{later} rounds in the next minute"
        );
        let hour = run(&mut direct, &mut now, 60_000, true, false).len();
        assert!((9..=11).contains(&hour), "{hour} rounds in ten minutes");
    }

    #[test]
    fn a_way_that_dies_is_doubted_after_400_ms_and_given_up_after_1500_more() {
        let (mut direct, mut now) = start();
        run(&mut direct, &mut now, 100, true, true);
        assert_eq!(direct.route(), Route::Direct(at(1)));
        direct.handle_heard(now, at(1));
        let died = now;
        while direct.route() == Route::Direct(at(1)) {
            run(&mut direct, &mut now, 1, true, false);
        }
        assert!(now - died <= ms(680), "{:?}", now - died);
        assert_eq!(direct.route(), Route::Both(at(1)));
        let doubted = now;
        while direct.route() != Route::Relay {
            run(&mut direct, &mut now, 1, true, false);
        }
        assert!(now - doubted <= ms(1600), "{:?}", now - doubted);
        run(&mut direct, &mut now, 700, true, true);
        assert_eq!(direct.route(), Route::Direct(at(1)));
    }

    #[test]
    fn a_peer_that_asks_from_elsewhere_and_is_silent_has_moved() {
        let (mut direct, mut now) = start();
        run(&mut direct, &mut now, 100, true, true);
        direct.handle_heard(now, at(1));
        direct.handle_ping(now + ms(100), at(2));
        assert_eq!(
            direct.route(),
            Route::Direct(at(1)),
            "it was heard just now"
        );
        direct.handle_ping(now + ms(300), at(3));
        assert_eq!(direct.route(), Route::Both(at(1)));
    }

    #[test]
    fn a_resigned_search_is_hurried_when_nothing_else_is_left() {
        let (mut direct, mut now) = start();
        run(&mut direct, &mut now, 20_000, true, false);
        assert!(run(&mut direct, &mut now, 100, true, false).len() <= 1);
        direct.hurry(now);
        let pings = run(&mut direct, &mut now, 1_000, true, false).len();
        assert!((2..=3).contains(&pings), "{pings} in 10 s");
    }

    #[test]
    fn a_busy_way_that_is_heard_costs_no_ping() {
        let (mut direct, mut now) = start();
        run(&mut direct, &mut now, 100, true, true);
        let mut pings = 0;
        for _ in 0..1000 {
            direct.handle_heard(now, at(1));
            pings += run(&mut direct, &mut now, 1, true, true).len();
        }
        assert_eq!(pings, 0);
        let idle = run(&mut direct, &mut now, 6000, false, true).len();
        assert!((10..=14).contains(&idle), "{idle} pings in a minute");
    }

    #[test]
    fn candidates_are_bounded_and_where_a_ping_came_from_is_one() {
        let (mut direct, now) = start();
        direct.handle_timeout(now, true);
        while direct.poll_ping().is_some() {}
        direct.handle_ping(now, at(2));
        direct.handle_timeout(now, true);
        let to: Vec<SocketAddr> = std::iter::from_fn(|| direct.poll_ping())
            .map(|ping| ping.to)
            .collect();
        assert_eq!(to, [at(1), at(2)]);
        for n in 3..100 {
            direct.add_candidate(now, at(n));
        }
        assert_eq!(direct.candidates.len(), MAX_CANDIDATES);
    }
}
