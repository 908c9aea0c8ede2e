//! What the customer is shown of a live session, kept true as time passes.

use std::time::{Duration, Instant};

use alongside_protocol::{SessionId, control::ModeState, ids::ModeId, reason::ModePhase};
use alongside_session::OperatorIdentity;

use crate::status::{Active, Ask, Banner, Link, Status};

/// How long the answer to the operator's last question is shown (our choice: time to read a line).
const ANSWER_SHOWN: Duration = Duration::from_secs(5);

/// How often figures that count are brought up to date.
const TICK: Duration = Duration::from_secs(1);

/// A live session's status, and what in it changes by itself.
#[derive(Debug)]
pub(super) struct Board {
    active: Active,
    shown_at: Instant,
    silent_since: Option<Instant>,
    /// When the session is over if no connection comes about.
    lost_ends_at: Option<Instant>,
    idle_ends_at: Option<Instant>,
    ask_ends_at: Option<Instant>,
    answer_until: Option<Instant>,
}

impl Board {
    pub(super) fn new(now: Instant, session: SessionId, operator: OperatorIdentity) -> Self {
        Self {
            active: Active {
                session,
                operator,
                mode: ModeId::user_guide(),
                phase: ModePhase::Active,
                link: Link::Ok,
                ask: None,
                refused: None,
                banner: Banner::Shown,
                idle_ends_in: None,
            },
            shown_at: now,
            silent_since: None,
            lost_ends_at: None,
            idle_ends_at: None,
            ask_ends_at: None,
            answer_until: None,
        }
    }

    /// What to show now.
    pub(super) fn show(&mut self, now: Instant) -> Status {
        self.shown_at = now;
        Status::Active(self.active.clone())
    }

    pub(super) fn on_mode(&mut self, now: Instant, state: &ModeState) {
        if state.phase == ModePhase::Refused {
            self.active.refused = state.refusal;
            self.answer_until = Some(now + ANSWER_SHOWN);
        } else if state.phase != ModePhase::Asked {
            self.active.mode = state.mode.clone();
            self.active.phase = state.phase;
        }
    }

    /// The question that is open now, if one is.
    pub(super) fn on_ask(&mut self, now: Instant, ask: Option<Ask>) {
        self.ask_ends_at = ask.as_ref().map(|ask| now + ask.expires_in);
        self.active.ask = ask;
    }

    pub(super) const fn on_banner(&mut self, banner: Banner) {
        self.active.banner = banner;
    }

    pub(super) fn on_link(&mut self, now: Instant, link: Link) {
        self.active.link = link;
        self.silent_since = match link {
            Link::Ok | Link::Lost { .. } => None,
            Link::Missing { silent } => now.checked_sub(silent),
        };
        self.lost_ends_at = match link {
            Link::Ok | Link::Missing { .. } => None,
            Link::Lost { ends_in } => Some(now + ends_in),
        };
    }

    /// The session ends in this time because nobody acts, or it does not any more.
    pub(super) fn on_idle(&mut self, now: Instant, ends_in: Option<Duration>) {
        self.active.idle_ends_in = ends_in;
        self.idle_ends_at = ends_in.map(|time| now + time);
    }

    /// When [`Board::tick`] has something to do, if time alone changes anything.
    pub(super) fn due(&self) -> Option<Instant> {
        let counts = self
            .silent_since
            .or(self.lost_ends_at)
            .or(self.idle_ends_at)
            .or(self.ask_ends_at)
            .or(self.answer_until);
        counts.map(|_| self.shown_at + TICK)
    }

    /// Brings what counts up to date.
    pub(super) fn tick(&mut self, now: Instant) {
        if let Some(since) = self.silent_since {
            let silent = now.saturating_duration_since(since);
            self.active.link = Link::Missing { silent };
        }
        if let Some(at) = self.lost_ends_at {
            let ends_in = at.saturating_duration_since(now);
            self.active.link = Link::Lost { ends_in };
        }
        if let Some(at) = self.idle_ends_at {
            self.active.idle_ends_in = Some(at.saturating_duration_since(now));
        }
        if let (Some(at), Some(ask)) = (self.ask_ends_at, &mut self.active.ask) {
            ask.expires_in = at.saturating_duration_since(now);
        }
        if self.answer_until.is_some_and(|until| until <= now) {
            (self.active.refused, self.answer_until) = (None, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::{PublicKey, reason::Refusal};

    use super::*;
    use crate::clock;

    fn board() -> (Instant, Board) {
        let operator = OperatorIdentity {
            key: PublicKey([7; 32]),
            name: None,
            organisation: None,
            confirmed_by: None,
        };
        let now = clock::now();
        (now, Board::new(now, SessionId([1; 16]), operator))
    }

    fn active(board: &mut Board, now: Instant) -> Active {
        let Status::Active(active) = board.show(now) else {
            panic!("a live session is shown as such");
        };
        active
    }

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn silence_and_the_time_left_count_by_the_second() {
        let (start, mut board) = board();
        assert_eq!(board.due(), None);
        board.on_link(start + secs(15), Link::Missing { silent: secs(15) });
        board.on_idle(start + secs(15), Some(secs(60)));
        let _shown = active(&mut board, start + secs(15));
        assert_eq!(board.due(), Some(start + secs(16)));
        board.tick(start + secs(16));
        let shown = active(&mut board, start + secs(16));
        assert_eq!(shown.link, Link::Missing { silent: secs(16) });
        assert_eq!(shown.idle_ends_in, Some(secs(59)));
        board.on_link(start + secs(17), Link::Ok);
        board.on_idle(start + secs(17), None);
        assert_eq!(board.due(), None);
    }

    #[test]
    fn the_time_left_without_a_connection_counts_by_the_second() {
        let (start, mut board) = board();
        let ends_in = secs(600);
        board.on_link(start, Link::Lost { ends_in });
        let _shown = active(&mut board, start);
        assert_eq!(board.due(), Some(start + secs(1)));
        board.tick(start + secs(2));
        let shown = active(&mut board, start + secs(2));
        let ends_in = secs(598);
        assert_eq!(shown.link, Link::Lost { ends_in });
        board.on_link(start + secs(3), Link::Ok);
        assert_eq!(board.due(), None);
    }

    #[test]
    fn a_question_counts_down_until_it_is_answered() {
        let (start, mut board) = board();
        let ask = Ask {
            mode: ModeId::new("operator-control").expect("a mode"),
            is_renewal: false,
            wants_admin_id: true,
            expires_in: secs(60),
            differences: None,
        };
        board.on_ask(start, Some(ask));
        let _shown = active(&mut board, start);
        assert_eq!(board.due(), Some(start + secs(1)));
        board.tick(start + secs(17));
        let shown = active(&mut board, start + secs(17)).ask;
        assert_eq!(shown.map(|ask| ask.expires_in), Some(secs(43)));
        board.on_ask(start + secs(18), None);
        assert_eq!(active(&mut board, start + secs(18)).ask, None);
        assert_eq!(board.due(), None);
    }

    #[test]
    fn a_refusal_is_shown_for_five_seconds_and_changes_no_mode() {
        let (start, mut board) = board();
        let mode = ModeId::new("operator-control").expect("a mode");
        board.on_mode(
            start,
            &ModeState {
                mode,
                activation: 0,
                phase: ModePhase::Refused,
                refusal: Some(Refusal::Busy),
                expires_in_s: None,
            },
        );
        board.tick(start + secs(4));
        let shown = active(&mut board, start + secs(4));
        assert_eq!(shown.refused, Some(Refusal::Busy));
        assert_eq!(shown.mode, ModeId::user_guide());
        board.tick(start + secs(5));
        assert_eq!(active(&mut board, start + secs(5)).refused, None);
        assert_eq!(board.due(), None);
    }
}
