//! The operator's hand on the panel: what it may do now, what it holds, and the record of each touch.
//!
//! The only way to the panel is [`Hand::act`], which takes a [`Permit`]. Letting go needs nobody's permission.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alongside_protocol::{
    PanelSize,
    input::{KeyMotion, PointerPhase},
};

use super::Outbox;
use crate::{
    Limits, Record,
    action::{Action, Deed, Held},
    grant::{Denial, Permit},
};

/// Most keys that are down at a time (our choice: as many as there are fingers).
const MAX_KEYS: usize = 10;
/// Time for which one record stands for the pointer's moves.
const MOTION: Duration = Duration::from_secs(1);

/// Most moves of which it is remembered that they are moves; the rest is answered as anything else is.
const MAX_MOVES: usize = 1024;

/// What the panel has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// A move, one of many.
    Motion,
    /// Anything else.
    Deed,
}

/// The operator's hand.
#[derive(Debug, Default)]
pub(super) struct Hand {
    /// What is pressed once everything that was released has happened.
    held: Held,
    last: u64,
    answered: u64,
    /// Moves without an answer yet, oldest first.
    moves: VecDeque<u64>,
    /// Until when the last record stands for moves as well.
    moves_until: Option<Instant>,
    rest: Option<Rest>,
}

/// The customer's hand is on the panel, and the operator's off it.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    told_at: Instant,
}

impl Hand {
    /// Performs an action: its record first.
    pub(super) fn act(
        &mut self,
        _permit: &Permit<'_>,
        now: Instant,
        out: &mut Outbox,
        activation: u16,
        size: PanelSize,
        action: Action,
    ) -> Result<(), Denial> {
        let deed = self.judge(size, &action)?;
        self.held.follow(&action);
        self.last += 1;
        let n = self.last;
        let is_recorded = deed == Deed::Motion && self.moves_until.is_some_and(|until| now < until);
        if !is_recorded {
            self.moves_until = (deed == Deed::Motion).then(|| now + MOTION);
            out.record(Record::Input {
                activation,
                n,
                deed,
            });
        }
        if deed == Deed::Motion {
            if self.moves.len() == MAX_MOVES {
                self.moves.pop_front();
            }
            self.moves.push_back(n);
        }
        out.inject(n, action);
        Ok(())
    }

    fn judge(&self, size: PanelSize, action: &Action) -> Result<Deed, Denial> {
        match action {
            Action::Pointer(event) => {
                if event.phase != PointerPhase::Leave && !size.contains(event.at) {
                    return Err(Denial::OffPanel);
                }
                match event.phase {
                    PointerPhase::Hover | PointerPhase::Leave if !self.held.is_pointer_down() => {
                        Ok(Deed::Motion)
                    }
                    PointerPhase::Down => Ok(Deed::Press),
                    _ if !self.held.is_pointer_down() => Err(Denial::NotHeld),
                    PointerPhase::Hover | PointerPhase::Move => Ok(Deed::Motion),
                    PointerPhase::Up | PointerPhase::Leave => Ok(Deed::Lift),
                }
            }
            Action::Key(event) => {
                let is_down = self.held.is_key_down(&event.key);
                match event.motion {
                    KeyMotion::Down if !is_down && self.held.keys() >= MAX_KEYS => {
                        Err(Denial::OverLimit)
                    }
                    KeyMotion::Down => Ok(Deed::KeyDown),
                    KeyMotion::Up if is_down => Ok(Deed::KeyUp),
                    KeyMotion::Up => Err(Denial::NotHeld),
                }
            }
            Action::Text(_) => Ok(Deed::Text),
        }
    }

    /// Lets go of everything that is pressed, and forgets what was about to be.
    pub(super) fn let_go(&mut self, out: &mut Outbox, activation: u16) {
        out.drop_input();
        self.held = Held::default();
        self.moves_until = None;
        for action in out.take_held() {
            self.last += 1;
            let deed = match action {
                Action::Pointer(_) => Deed::Lift,
                Action::Key(_) | Action::Text(_) => Deed::KeyUp,
            };
            out.let_go(activation, self.last, deed, action);
        }
    }

    /// The panel has performed action `n`, or has not. What kind of answer that is; `None` if there was no such action
    /// or it is answered already.
    pub(super) fn answered(&mut self, n: u64) -> Option<Answered> {
        if n <= self.answered || n > self.last {
            return None;
        }
        self.answered = n;
        while self.moves.front().is_some_and(|oldest| *oldest < n) {
            self.moves.pop_front();
        }
        let is_move = self.moves.front() == Some(&n);
        if is_move {
            self.moves.pop_front();
        }
        Some(if is_move {
            Answered::Motion
        } else {
            Answered::Deed
        })
    }

    /// The customer touches the panel; whether the operator is to be told.
    pub(super) fn rest(&mut self, now: Instant) -> bool {
        let until = now + Limits::PAUSE;
        // A finger that moves touches many times a second.
        let told_at = self.rest.map(|rest| rest.told_at);
        let is_news = told_at.is_none_or(|at| now >= at + Limits::PAUSE / 2);
        let told_at = if is_news { now } else { told_at.unwrap_or(now) };
        self.rest = Some(Rest { until, told_at });
        is_news
    }

    pub(super) const fn is_resting(&self) -> bool {
        self.rest.is_some()
    }

    /// Whether the rest is over by `now`, told once.
    pub(super) fn has_rested(&mut self, now: Instant) -> bool {
        self.rest.take_if(|rest| now >= rest.until).is_some()
    }

    /// The mode ends, and the rest with it.
    pub(super) const fn forget_rest(&mut self) {
        self.rest = None;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.rest.map(|rest| rest.until)
    }
}
