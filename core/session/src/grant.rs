//! What the customer allows now, and the proof of it without which nothing happens.

use std::{fmt, time::Instant};

use alongside_mode::Capabilities;

/// What the customer allows the active mode, and until when.
///
/// ```
/// # use std::time::{Duration, Instant};
/// # use alongside_mode::Capabilities;
/// # use alongside_session::grant::{Denial, Grant};
/// # fn example(now: Instant) {
/// let mut grant = Grant::none();
/// assert_eq!(grant.permit(now, Capabilities::VIEW).err(), Some(Denial::NoGrant));
/// grant.give(Capabilities::VIEW, now + Duration::from_secs(60));
/// assert!(grant.permit(now, Capabilities::VIEW).is_ok());
/// # }
/// ```
#[derive(Debug)]
pub struct Grant(Option<Held>);

#[derive(Debug)]
struct Held {
    capabilities: Capabilities,
    until: Instant,
}

/// Why something was not permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// Nothing is granted: no mode runs.
    NoGrant,
    /// The grant's time is over.
    Expired,
    /// The grant does not reach that far.
    OutOfScope,
    /// The mode asked before the permission was withdrawn.
    Stale,
    /// Too long, too many or too fast.
    OverLimit,
    /// The customer is being asked; meanwhile no hand but theirs is on the panel.
    Asking,
    /// The panel shows something that is masked from the operator.
    Masked,
    /// The customer's hand is on the panel.
    Paused,
    /// The other side cannot be reached.
    LinkMissing,
    /// It lets go of, or moves, what is not pressed.
    NotHeld,
    /// It lies outside of the panel.
    OffPanel,
}

/// Proof that the person at the device allows something right now.
///
/// Only [`Grant::permit`] makes one. It borrows the grant, so withdrawing (which needs `&mut`) cannot compile while
/// a permit is still in use:
///
/// ```compile_fail,E0502
/// # use std::time::Instant;
/// # use alongside_mode::Capabilities;
/// # use alongside_session::grant::{Grant, Permit};
/// # fn draw(_: &Permit<'_>) {}
/// # fn example(grant: &mut Grant, now: Instant) {
/// let permit = grant.permit(now, Capabilities::ANNOTATE).unwrap();
/// grant.withdraw();
/// draw(&permit);
/// # }
/// ```
///
/// and nobody else can make one:
///
/// ```compile_fail,E0451
/// # use alongside_session::grant::{Grant, Permit};
/// # fn example(grant: &Grant) {
/// let permit = Permit { _live: grant };
/// # }
/// ```
#[derive(Debug)]
pub struct Permit<'a> {
    _live: &'a Grant,
}

impl Grant {
    /// Nothing is allowed.
    pub const fn none() -> Self {
        Self(None)
    }

    /// The customer allows `capabilities` until `until`, in place of what was allowed before.
    pub const fn give(&mut self, capabilities: Capabilities, until: Instant) {
        self.0 = Some(Held {
            capabilities,
            until,
        });
    }

    /// The customer takes everything back.
    pub const fn withdraw(&mut self) {
        self.0 = None;
    }

    /// Checks the grant at `now`; the end instant itself is already too late.
    ///
    /// # Errors
    ///
    /// The [`Denial`] that goes into the record.
    pub fn permit(&self, now: Instant, needs: Capabilities) -> Result<Permit<'_>, Denial> {
        let Some(held) = &self.0 else {
            return Err(Denial::NoGrant);
        };
        if now >= held.until {
            return Err(Denial::Expired);
        }
        if !held.capabilities.contains(needs) {
            return Err(Denial::OutOfScope);
        }
        Ok(Permit { _live: self })
    }
}

impl Denial {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoGrant => "no-grant",
            Self::Expired => "expired",
            Self::OutOfScope => "out-of-scope",
            Self::Stale => "stale",
            Self::OverLimit => "over-limit",
            Self::Asking => "asking",
            Self::Masked => "masked",
            Self::Paused => "paused",
            Self::LinkMissing => "link-missing",
            Self::NotHeld => "not-held",
            Self::OffPanel => "off-panel",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_permit_needs_all_of_it_and_in_time() {
        let now = start();
        let until = now + Duration::from_secs(10);
        let mut grant = Grant::none();
        grant.give(Capabilities::VIEW | Capabilities::ANNOTATE, until);
        let both = Capabilities::VIEW | Capabilities::ANNOTATE;
        assert!(grant.permit(now, both).is_ok());
        assert_eq!(
            grant.permit(now, both | Capabilities::INPUT).err(),
            Some(Denial::OutOfScope)
        );
        assert!(grant.permit(until - Duration::from_nanos(1), both).is_ok());
        assert_eq!(grant.permit(until, both).err(), Some(Denial::Expired));
        grant.withdraw();
        assert_eq!(
            grant.permit(now, Capabilities::NONE).err(),
            Some(Denial::NoGrant)
        );
    }
}
