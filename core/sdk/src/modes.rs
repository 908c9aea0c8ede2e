//! The modes of a session: found by name, called through their vtable.
//!
//! Modes that ship with Alongside are linked in and go through the very contract that any other module goes through.

use std::time::{Duration, Instant};

use alongside_mode::{
    Effect, HostEvent, Side,
    abi::Module,
    host::{Instance, ModeFailure, Unfit},
};
use alongside_protocol::ids::ModeId;

/// Calls one half of the active mode.
#[derive(Debug)]
pub(crate) struct ModeHost {
    side: Side,
    epoch: Instant,
    active: Option<(ModeId, Instance)>,
}

/// Why a mode did not answer an event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModeError {
    /// No mode of this name is built in.
    #[error("there is no mode {0}")]
    Unknown(ModeId),
    /// The module is not in order, or could not be started.
    #[error("mode {mode} cannot be started")]
    Unfit {
        mode: ModeId,
        #[source]
        source: Unfit,
    },
    /// The mode gave up, or panicked.
    #[error("mode {mode} failed")]
    Failed {
        mode: ModeId,
        #[source]
        source: ModeFailure,
    },
}

impl ModeHost {
    pub(crate) fn new(side: Side, now: Instant) -> Self {
        Self {
            side,
            epoch: now,
            active: None,
        }
    }

    /// Hands `event` to `mode`, which is made at its first event, and gives back what it asks for.
    pub(crate) fn on_event(
        &mut self,
        now: Instant,
        mode: &ModeId,
        event: &HostEvent,
    ) -> Result<Vec<Effect>, ModeError> {
        let failed = |source| ModeError::Failed {
            mode: mode.clone(),
            source,
        };
        if let HostEvent::Start(start) = event {
            let module = builtin(mode).ok_or_else(|| ModeError::Unknown(mode.clone()))?;
            let instance = Instance::new(module, self.side, start.granted).map_err(|source| {
                ModeError::Unfit {
                    mode: mode.clone(),
                    source,
                }
            })?;
            self.active = Some((mode.clone(), instance));
        }
        let at = self.at(now);
        let Some((_, instance)) = self.active.as_mut().filter(|(active, _)| active == mode) else {
            return Err(ModeError::Unknown(mode.clone()));
        };
        let effects = match instance.on_event(at, event) {
            // What the other half or the console sent makes no sense to the mode; the mode lives on.
            Err(failure) if !failure.is_final() => {
                tracing::debug!(%mode, %failure, "event dropped");
                Ok(Vec::new())
            }
            answer => answer.map_err(failed),
        };
        for line in instance.take_log() {
            tracing::debug!(%mode, ?line, "the mode logs");
        }
        let effects = effects?;
        if matches!(event, HostEvent::Stop(_)) {
            self.active = None;
        }
        Ok(effects)
    }

    /// Session time, the only clock that a mode has.
    fn at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }
}

/// The module of a mode that is linked in.
fn builtin(mode: &ModeId) -> Option<&'static Module> {
    #[cfg(feature = "builtin-modes")]
    if mode.as_str() == ModeId::USER_GUIDE {
        return Some(&alongside_user_guide::MODULE);
    }
    let _ = mode;
    None
}
