//! Where the customer stands with Remote Assistance: what the session says, and what has been read of it.

use std::{collections::VecDeque, time::Duration};

use alongside::{
    admin_id::UNTIL_RESET,
    audit::SessionCard,
    ports::AdminVerdict,
    protocol::{
        PublicKey,
        ids::ModeId,
        input::KeyMotion,
        label::{Label, Name},
        reason::{EndReason, ModePhase, Party},
    },
    status::{Active, Ask, CodeRefusal, OperatorIdentity, Status},
};

use super::{
    banner::{Act, Told},
    entry::CodeEntry,
    id_pad::IdPad,
    target::Target,
};
use crate::text::{ModeNames, Page, Text, Words};

/// Time that the stop key must be held; the session measures it, the panel shows it.
pub(super) const HOLD: Duration = Duration::from_secs(5);

/// What the session is doing, as the panel shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// Nothing.
    Idle,
    /// Looking up the code, then connecting to somebody.
    Connecting(Option<OperatorIdentity>),
    /// A code that led nowhere, until the customer goes on.
    Refused(Refused),
    /// A session.
    Live(Box<Active>),
}

/// A refused code.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    refusal: CodeRefusal,
    since: Duration,
}

impl Refused {
    /// The refusal, with the waiting time that is left at `now`.
    pub(super) fn at(&self, now: Duration) -> CodeRefusal {
        if let CodeRefusal::EntryLocked { wait } = self.refusal {
            let wait = wait.saturating_sub(now.saturating_sub(self.since));
            return CodeRefusal::EntryLocked { wait };
        }
        self.refusal.clone()
    }

    /// Whether a code can be typed now.
    pub(super) fn can_retry(&self, now: Duration) -> bool {
        !matches!(self.at(now), CodeRefusal::EntryLocked { wait } if !wait.is_zero())
    }
}

/// The card that stays after a session until it is touched.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) reason: EndReason,
    /// The session; `None` if it never came to one.
    pub(super) past: Option<Past>,
    /// Which of its settings are shown.
    pub(super) page: usize,
}

/// Settings that the card shows at once.
pub(super) const SETTINGS: usize = 4;

impl Ended {
    /// What leads on: to more settings, or away.
    pub(super) fn on(&self) -> Target {
        let count = self.past.as_ref().map_or(0, |past| past.settings.len());
        if (self.page + 1) * SETTINGS < count {
            Target::MoreEnded
        } else {
            Target::CloseEnded
        }
    }
}

/// A session that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Who was connected.
    pub operator: OperatorIdentity,
    /// When it began, in milliseconds since 1970.
    pub from_ms: u64,
    /// When it ended, where that was noted.
    pub until_ms: Option<u64>,
    /// The modes that were active, in the order in which they first were.
    pub modes: Vec<ModeId>,
    /// The settings that were changed, by their names, once the audit has told.
    pub settings: Vec<String>,
    /// Whether something of it was not shown on the panel, once the audit has told.
    pub was_silent: bool,
}

impl Past {
    /// What the audit says of a session; `None` if it does not say whose it was.
    pub(super) fn of(card: &SessionCard) -> Option<Self> {
        let label = |text: &Option<String>| Name::new(text.as_deref()?).ok();
        let mut settings: Vec<String> = Vec::new();
        for setting in card.settings.iter().filter(|setting| setting.stays()) {
            let name = setting.name();
            if !settings.iter().any(|known| known == name) {
                settings.push(name.to_owned());
            }
        }
        Some(Self {
            operator: OperatorIdentity {
                key: PublicKey::from_hex(&card.key)?,
                name: label(&card.name),
                organisation: label(&card.organisation),
                confirmed_by: (card.confirmed_by.as_deref())
                    .and_then(|relay| Label::new(relay).ok()),
            },
            from_ms: card.from_ms,
            until_ms: card.until_ms,
            modes: card.mode_ids().collect(),
            settings,
            was_silent: card.was_silent,
        })
    }

    /// When it was.
    pub(super) fn span(&self, text: Text) -> Words {
        text.span(self.from_ms, self.until_ms)
    }

    /// What the operator did, one sentence for each mode.
    pub(super) fn did(&self, text: Text, names: &ModeNames) -> Words {
        let mut said: Vec<_> = self
            .modes
            .iter()
            .map(|mode| text.did(mode, names).to_string())
            .collect();
        if self.was_silent {
            said.push(text.say(Page::DidSilent).to_string());
        }
        Words::data(said.join(" "))
    }
}

/// How far the customer is with a question.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) step: Step,
    pub(super) pad: IdPad,
    /// Which page of the settings that would change is shown.
    pub(super) page: usize,
}

/// Steps of a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    /// Yes or no.
    #[default]
    Question,
    /// Yes, with the administrator's ID.
    Id,
}

/// Sessions that are remembered for the settings page.
const REMEMBERED: usize = 10;
/// How long it is said what the operator did with a key (our choice: time to read it).
const ACT_SHOWN: Duration = Duration::from_millis(2_500);

/// All of it.
#[derive(Debug)]
pub(super) struct Assistance {
    stage: Stage,
    pub(super) entry: CodeEntry,
    ended: Option<Ended>,
    stop_held_since: Option<Duration>,
    wants_entry: bool,
    /// The present question's state; a fresh one belongs to no question.
    pub(super) asking: Asking,
    /// The live session so far.
    live: Option<Past>,
    /// Sessions that are over, newest first.
    pub(super) past: VecDeque<Past>,
    /// Whether the first of them has not been told by the audit yet.
    awaits_card: bool,
    /// What came of the last administrator's ID that locked, and when.
    locked: Option<(Duration, Duration)>,
    act: Option<(Act, Duration)>,
    /// Milliseconds since 1970 at the panel's time 0.
    epoch_ms: u64,
}

impl Default for Assistance {
    fn default() -> Self {
        Self {
            stage: Stage::Idle,
            entry: CodeEntry::default(),
            ended: None,
            stop_held_since: None,
            wants_entry: false,
            asking: Asking::default(),
            live: None,
            past: VecDeque::new(),
            awaits_card: false,
            locked: None,
            act: None,
            epoch_ms: 0,
        }
    }
}

impl Assistance {
    /// Takes what the session says; answers whether the screens that lead to a session have served.
    pub(super) fn show(&mut self, status: &Status, now: Duration) -> bool {
        match status {
            Status::Idle => {
                // A refusal stays until it is read.
                if !matches!(self.stage, Stage::Refused(_)) {
                    self.stage = Stage::Idle;
                }
                false
            }
            Status::Claiming => self.connecting(None),
            Status::Connecting { operator } => self.connecting(Some(operator.clone())),
            Status::CodeRefused(CodeRefusal::Malformed(error)) => {
                self.stage = Stage::Idle;
                self.entry.tell(*error);
                self.wants_entry = true;
                false
            }
            Status::CodeRefused(refusal) => {
                self.stage = Stage::Refused(Refused {
                    refusal: refusal.clone(),
                    since: now,
                });
                false
            }
            Status::Active(active) => {
                let is_new = !self.is_live();
                self.follow(active, now);
                self.stage = Stage::Live(Box::new(active.clone()));
                self.ended = None;
                is_new
            }
            Status::Ended { by, reason } => {
                let past = self.live.take().map(|live| Past {
                    until_ms: Some(self.unix_ms(now)),
                    ..live
                });
                if let Some(past) = past.clone() {
                    self.awaits_card = true;
                    self.past.truncate(REMEMBERED - 1);
                    self.past.push_front(past);
                }
                // Cancelling before anybody was connected needs no card.
                if past.is_some() || *by != Party::Customer {
                    self.ended = Some(Ended {
                        reason: *reason,
                        past,
                        page: 0,
                    });
                }
                self.asking = Asking::default();
                self.act = None;
                self.stage = Stage::Idle;
                self.stop_held_since = None;
                true
            }
            _ => false,
        }
    }

    /// Takes what the audit says of the session that has just ended: the card says that and nothing else.
    pub(super) fn over(&mut self, card: &SessionCard) {
        let Some(told) = Past::of(card) else {
            return;
        };
        if let Some(past) = self.ended.as_mut().and_then(|ended| ended.past.as_mut()) {
            past.clone_from(&told);
        }
        if let Some(past) = self.past.front_mut().filter(|_| self.awaits_card) {
            *past = told;
        }
        self.awaits_card = false;
    }

    /// Keeps what the live session has come to.
    fn follow(&mut self, active: &Active, now: Duration) {
        let same_ask = |live: &Active| {
            let about = |ask: &Ask| Ask {
                expires_in: Duration::ZERO,
                ..ask.clone()
            };
            live.ask.as_ref().map(about) == active.ask.as_ref().map(about)
        };
        if !self.live().is_some_and(same_ask) {
            self.asking = Asking::default();
        }
        let from_ms = self.unix_ms(now);
        let live = self.live.get_or_insert_with(|| Past {
            operator: active.operator.clone(),
            from_ms,
            until_ms: None,
            modes: Vec::new(),
            settings: Vec::new(),
            was_silent: false,
        });
        if active.phase == ModePhase::Active && !live.modes.contains(&active.mode) {
            live.modes.push(active.mode.clone());
        }
    }

    /// The wall clock reads `unix_ms` at `now`.
    pub(super) fn set_clock(&mut self, unix_ms: u64, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.epoch_ms = unix_ms.saturating_sub(now);
    }

    fn unix_ms(&self, now: Duration) -> u64 {
        self.epoch_ms
            .saturating_add(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }

    /// Takes what came of an administrator's ID for the present question.
    pub(super) fn told(&mut self, verdict: AdminVerdict, now: Duration) {
        self.asking.pad.told(verdict, now);
        self.locked = match verdict {
            AdminVerdict::Locked { wait } => Some((wait, now)),
            AdminVerdict::Ok | AdminVerdict::Wrong { .. } | AdminVerdict::Unavailable => None,
        };
    }

    /// The operator did something that does not show by itself.
    pub(super) fn acted(&mut self, act: Act, now: Duration) {
        self.act = Some((act, now));
    }

    /// What the banner should know.
    pub(super) fn told_at(&self, now: Duration) -> Told {
        let locked = self.locked.map(|(wait, since)| {
            if wait >= UNTIL_RESET {
                wait
            } else {
                wait.saturating_sub(now.saturating_sub(since))
            }
        });
        Told {
            locked: locked.filter(|wait| !wait.is_zero()),
            act: self.shown_act(now).cloned(),
        }
    }

    fn shown_act(&self, now: Duration) -> Option<&Act> {
        let (act, since) = self.act.as_ref()?;
        (now.saturating_sub(*since) < ACT_SHOWN).then_some(act)
    }

    /// Whether a question is open that wants the administrator's ID, and it is being typed.
    pub(super) fn is_typing_id(&self) -> bool {
        self.live()
            .is_some_and(|active| active.ask.as_ref().is_some_and(|ask| ask.wants_admin_id))
            && self.asking.step == Step::Id
    }

    fn connecting(&mut self, operator: Option<OperatorIdentity>) -> bool {
        self.entry.clear();
        self.ended = None;
        self.stage = Stage::Connecting(operator);
        false
    }

    /// Shows at once that a code is being tried.
    pub(super) fn entered(&mut self) {
        self.connecting(None);
    }

    /// Away from connecting or from a refusal.
    pub(super) fn cancel(&mut self) {
        if !self.is_live() {
            self.stage = Stage::Idle;
        }
    }

    /// Away from a refusal towards code entry, if a code can be typed now.
    pub(super) fn close_refusal(&mut self, now: Duration) -> bool {
        let can = matches!(&self.stage, Stage::Refused(refused) if refused.can_retry(now));
        if can {
            self.stage = Stage::Idle;
        }
        can
    }

    /// What leads on from the card of the session that has ended.
    pub(super) fn on_with_ended(&self) -> Target {
        self.ended.as_ref().map_or(Target::CloseEnded, Ended::on)
    }

    /// On to the next settings of that card.
    pub(super) fn turn_ended(&mut self) {
        if let Some(ended) = &mut self.ended {
            ended.page += 1;
        }
    }

    /// The sessions that there have been, newest first.
    pub(super) fn set_past(&mut self, cards: &[SessionCard]) {
        self.past = cards.iter().filter_map(Past::of).take(REMEMBERED).collect();
    }

    pub(super) fn close_ended(&mut self) {
        self.ended = None;
    }

    /// The stop key moved; answers whether that is news (keys repeat while they are held).
    pub(super) fn stop_key(&mut self, motion: KeyMotion, now: Duration) -> bool {
        match motion {
            KeyMotion::Down if self.stop_held_since.is_some() => false,
            KeyMotion::Down => {
                self.stop_held_since = Some(now);
                true
            }
            // Told always: the session that the key has ended no longer knows that it is down.
            KeyMotion::Up => {
                self.stop_held_since = None;
                true
            }
        }
    }

    /// How long the stop key has been held during a session.
    pub(super) fn stop_held(&self, now: Duration) -> Option<Duration> {
        let since = self.stop_held_since.filter(|_| self.is_live())?;
        Some(now.saturating_sub(since).min(HOLD))
    }

    pub(super) const fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn live(&self) -> Option<&Active> {
        match &self.stage {
            Stage::Live(active) => Some(active),
            Stage::Idle | Stage::Connecting(_) | Stage::Refused(_) => None,
        }
    }

    pub(super) const fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live(_))
    }

    pub(super) const fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether code entry should come up by itself, once.
    pub(super) fn wants_entry(&mut self) -> bool {
        std::mem::take(&mut self.wants_entry)
    }

    /// Whether the panel must not fall back to its first screen.
    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.stage, Stage::Connecting(_) | Stage::Live(_))
    }

    /// Whether something stands on the screen that goes away by a touch.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Refused(_)) || self.is_busy()
    }

    /// Whether the picture changes with time alone.
    pub(super) fn is_moving(&self, now: Duration) -> bool {
        let counts = match &self.stage {
            Stage::Connecting(_) => true,
            Stage::Refused(refused) => !refused.can_retry(now),
            Stage::Live(_) | Stage::Idle => false,
        };
        counts
            || self.stop_held(now).is_some()
            || self.asking.pad.is_waiting(now)
            || self.shown_act(now).is_some()
    }
}
