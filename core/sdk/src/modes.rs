//! The modes of a session: found by name, called through their vtable.
//!
//! Modes that ship with Alongside are linked in and go through the very contract that any other module goes through.

use std::time::{Duration, Instant};

use alongside_mode::{
    Capabilities, Effect, HostEvent, Manifest, Side,
    abi::Module,
    host::{Instance, ModeFailure, Unfit, Vetted},
};
use alongside_protocol::ids::ModeId;
use alongside_session::{Consent, Offer, operator::Known};

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

/// What a device offers beside the user guide: every mode that is linked in.
///
/// Whatever touches the panel or changes a setting wants the system administrator's ID besides the customer's word.
pub(crate) fn offers() -> Vec<Offer> {
    let strong = Capabilities::INPUT | Capabilities::SETTINGS_WRITE;
    let offer = |manifest: Manifest| Offer {
        consent: Consent::Ask {
            admin_id: !(manifest.capabilities & strong).is_empty(),
        },
        id: manifest.id,
        granted: manifest.capabilities.without(Capabilities::SILENT),
    };
    manifests().map(offer).collect()
}

/// The modes whose operator's half is linked in, beside the user guide.
pub(crate) fn known() -> Vec<Known> {
    let known = |manifest: Manifest| Known {
        id: manifest.id,
        capabilities: manifest.capabilities,
    };
    manifests().map(known).collect()
}

/// The manifests of what is linked in beside the user guide, which every session begins with.
fn manifests() -> impl Iterator<Item = Manifest> {
    let checked = BUILTINS
        .iter()
        .filter_map(|(_, module)| Vetted::check(module).ok());
    checked
        .map(|vetted| vetted.manifest().clone())
        .filter(|manifest| manifest.id.as_str() != ModeId::USER_GUIDE)
}

/// The modes that are linked in.
static BUILTINS: &[(&str, &Module)] = &[
    #[cfg(feature = "builtin-modes")]
    (ModeId::USER_GUIDE, &alongside_user_guide::MODULE),
    #[cfg(feature = "builtin-modes")]
    (
        ModeId::OPERATOR_CONTROL,
        &alongside_operator_control::MODULE,
    ),
];

/// The module of a mode that is linked in.
fn builtin(mode: &ModeId) -> Option<&'static Module> {
    let named = |(name, _): &&(&str, &'static Module)| *name == mode.as_str();
    BUILTINS.iter().find(named).map(|(_, module)| *module)
}

#[cfg(all(test, feature = "builtin-modes"))]
mod tests {
    use super::*;

    #[test]
    fn every_mode_that_is_linked_in_is_in_order_and_named_as_it_names_itself() {
        for (name, module) in BUILTINS {
            let vetted = Vetted::check(module).expect("a mode in order");
            assert_eq!(vetted.manifest().id.as_str(), *name);
        }
    }

    #[test]
    fn what_touches_the_panel_wants_the_administrators_id() {
        let offers = offers();
        let control = offers
            .iter()
            .find(|offer| offer.id.as_str() == ModeId::OPERATOR_CONTROL);
        let consent = control.map(|offer| offer.consent);
        assert_eq!(consent, Some(Consent::Ask { admin_id: true }));
    }
}
