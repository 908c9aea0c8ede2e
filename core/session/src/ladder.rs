//! The ladder of modes: what an operator's ask for a rung leads to.

use alongside_mode::Capabilities;
use alongside_protocol::{ids::ModeId, reason::Refusal};

/// What an ask leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The customer has consented already: the mode begins with this much.
    Activate(Capabilities),
    /// No.
    Refuse(Refusal),
}

/// What the user guide may do. Typing the code, after a notice that says so, is the customer's consent to it.
pub(crate) const USER_GUIDE: Capabilities = Capabilities::VIEW.with(Capabilities::ANNOTATE);

/// Answers an ask for `mode`. Only the user guide has a rung; a mode that this device lacks is refused.
pub(crate) fn answer(mode: &ModeId) -> Answer {
    match granted(mode) {
        Some(capabilities) => Answer::Activate(capabilities),
        None => Answer::Refuse(Refusal::Policy),
    }
}

/// What `mode` holds while it is active; `None` for a mode without a rung.
pub(crate) fn granted(mode: &ModeId) -> Option<Capabilities> {
    (mode.as_str() == ModeId::USER_GUIDE).then_some(USER_GUIDE)
}
