//! The active mode of a session: made at its first event, told the others, ended with its last.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_mode::{Effect, HostEvent, Line, Side};
use alongside_protocol::{control::Spoken, ids::ModeId};

use super::{RunFailure, Running, Shelf};
use crate::operator::Mode;

/// Calls one half of the active mode.
#[derive(Debug)]
pub(crate) struct ModeHost {
    side: Side,
    epoch: Instant,
    shelf: Arc<Shelf>,
    active: Option<Active>,
}

#[derive(Debug)]
struct Active {
    mode: ModeId,
    running: Running,
    /// What the record is to say of where it runs.
    told_where: Option<Line>,
    /// Whether the record says already that it asks for what it may not do.
    has_told_denied: bool,
    slow: u32,
}

/// Why a mode did not answer an event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModeError {
    /// There is no mode of this name.
    #[error("there is no mode {0}")]
    Unknown(ModeId),
    /// It could not be started, gave up, panicked or was ended.
    #[error("mode {mode} failed")]
    Failed {
        mode: ModeId,
        #[source]
        source: RunFailure,
    },
}

/// What comes of an event.
pub(crate) enum Answer {
    /// What the mode wants done.
    Effects(Vec<Effect>),
    /// It runs in a process of its own; [`ModeHost::next`] has the answer when it comes.
    Later,
}

impl ModeHost {
    pub(crate) fn new(side: Side, now: Instant, shelf: Arc<Shelf>) -> Self {
        Self {
            side,
            epoch: now,
            shelf,
            active: None,
        }
    }

    /// Hands event `seq` to `mode`, which is made at its first event.
    pub(crate) fn on_event(
        &mut self,
        now: Instant,
        seq: u64,
        mode: &ModeId,
        event: &HostEvent,
    ) -> Result<Answer, ModeError> {
        if let HostEvent::Start(start) = event {
            // The one before goes before another begins.
            self.active = None;
            let running = self.shelf.start(mode, self.side, start.granted);
            let running = running.ok_or_else(|| ModeError::Unknown(mode.clone()))?;
            let running = running.map_err(|source| failed(mode, source))?;
            self.active = Some(Active {
                mode: mode.clone(),
                running,
                told_where: self.shelf.describe(mode),
                has_told_denied: false,
                slow: 0,
            });
        }
        let at = self.at(now);
        let active = self.active.as_mut().filter(|active| active.mode == *mode);
        let active = active.ok_or_else(|| ModeError::Unknown(mode.clone()))?;
        let told = active.running.tell(seq, at, event);
        let is_last = matches!(event, HostEvent::Stop(_));
        let answer = match told {
            None => Ok(Answer::Later),
            Some(answered) => active.after(answered).map(Answer::Effects),
        };
        if is_last {
            // What a mode wants at its end comes too late to count.
            self.active = None;
        }
        answer
    }

    /// The next answer of a mode in a process of its own. Cancel safe.
    pub(crate) async fn next(&mut self) -> (u64, Result<Vec<Effect>, ModeError>) {
        let Some(active) = &mut self.active else {
            return std::future::pending().await;
        };
        let (seq, answered) = active.running.answer().await;
        (seq, active.after(answered))
    }

    /// The modes of the other side's whose operator's half is here as well.
    pub(crate) fn offered(&self, offered: &[Spoken]) -> Vec<Mode> {
        let ours = offered
            .iter()
            .filter_map(|spoken| self.shelf.mode(&spoken.mode));
        ours.collect()
    }

    /// Session time, the only clock that a mode has.
    fn at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }
}

impl Active {
    /// Looks at an answer: what the mode logged, whether it asked for too much or was slow.
    fn after(
        &mut self,
        answered: Result<Vec<Effect>, RunFailure>,
    ) -> Result<Vec<Effect>, ModeError> {
        let mode = &self.mode;
        for line in self.running.take_log() {
            tracing::debug!(%mode, ?line, "the mode logs");
        }
        if self.running.slow() > self.slow {
            self.slow = self.running.slow();
            tracing::warn!(%mode, times = self.slow, "the mode took more than 5 ms for an event");
        }
        let mut effects = match answered {
            // What the other half or the console sent makes no sense to the mode; the mode lives on.
            Err(failure) if !failure.is_final() => {
                tracing::debug!(%mode, %failure, "event dropped");
                Vec::new()
            }
            answered => answered.map_err(|source| failed(mode, source))?,
        };
        effects.extend(self.told_where.take().map(Effect::Audit));
        if self.running.denied() > 0 && !self.has_told_denied {
            self.has_told_denied = true;
            tracing::warn!(%mode, "the mode asked for what it may not do");
            effects.extend(
                Line::new("host: the mode asked for what it may not do")
                    .ok()
                    .map(Effect::Audit),
            );
        }
        Ok(effects)
    }
}

fn failed(mode: &ModeId, source: RunFailure) -> ModeError {
    ModeError::Failed {
        mode: mode.clone(),
        source,
    }
}
