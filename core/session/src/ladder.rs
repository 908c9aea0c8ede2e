//! The ladder of modes: what an operator's ask for a rung leads to.

use std::time::Instant;

use alongside_mode::{Capabilities, manifest::Span};
use alongside_protocol::{ids::ModeId, reason::Refusal};

use crate::device::Config;

/// A mode that a device offers beside the user guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which mode.
    pub id: ModeId,
    /// What it may do while it is active.
    pub granted: Capabilities,
    /// Whose word makes it active.
    pub consent: Consent,
    /// Versions of its halves' own protocol that the device's half speaks.
    pub peer: Span,
    /// When the owner's word for [`Consent::Silent`] is over: from then on the customer and the administrator are asked.
    pub lapses: Option<Instant>,
}

/// Whose word makes a mode active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consent {
    /// The access code itself. Such a mode sees and draws, whatever else its offer names.
    Code,
    /// The customer is asked on the panel.
    Ask {
        /// Whether the system administrator's ID has to be entered as well.
        admin_id: bool,
    },
    /// The owner's policy names this operator's key: nothing is asked and nothing is shown. Such a mode neither
    /// draws nor touches, whatever else its offer names.
    Silent,
}

/// What an ask leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The customer has consented already, or the owner has: the mode begins with this much.
    Activate(Capabilities),
    /// The owner has consented to it unseen.
    Sleep {
        granted: Capabilities,
        lapses: Option<Instant>,
    },
    /// The customer is asked.
    Ask {
        granted: Capabilities,
        wants_admin_id: bool,
    },
    /// No.
    Refuse(Refusal),
}

/// What the user guide may do. Typing the code, after a notice that says so, is the customer's consent to it.
pub(crate) const USER_GUIDE: Capabilities = Capabilities::VIEW.with(Capabilities::ANNOTATE);
/// What nobody can be surprised by, and so what a silent mode may not do.
const SEEN: Capabilities = Capabilities::ANNOTATE.with(Capabilities::INPUT);

/// Answers an ask for `mode` on a device of `config`. A mode that it does not offer is refused.
pub(crate) fn answer(now: Instant, config: &Config, mode: &ModeId) -> Answer {
    if is_user_guide(mode) {
        return Answer::Activate(USER_GUIDE);
    }
    let Some(offer) = config.modes.iter().find(|offer| offer.id == *mode) else {
        return Answer::Refuse(Refusal::Policy);
    };
    let has_lapsed = offer.lapses.is_some_and(|at| now >= at);
    // Whoever is asked is also seen, and so may see.
    let (consent, granted) = match offer.consent {
        Consent::Silent if has_lapsed => (
            Consent::Ask { admin_id: true },
            offer.granted.with(Capabilities::VIEW),
        ),
        consent @ (Consent::Code | Consent::Ask { .. } | Consent::Silent) => {
            (consent, offer.granted)
        }
    };
    match consent {
        Consent::Code => Answer::Activate(offer.granted & USER_GUIDE),
        Consent::Silent => Answer::Sleep {
            granted: offer.granted.without(SEEN),
            lapses: offer.lapses,
        },
        Consent::Ask { admin_id: true } if !config.has_admin_id => {
            Answer::Refuse(Refusal::NoAdminId)
        }
        Consent::Ask { admin_id } => Answer::Ask {
            granted: granted.without(Capabilities::SILENT),
            wants_admin_id: admin_id,
        },
    }
}

/// Whether `mode` is the lowest rung.
pub(crate) fn is_user_guide(mode: &ModeId) -> bool {
    mode.as_str() == ModeId::USER_GUIDE
}
