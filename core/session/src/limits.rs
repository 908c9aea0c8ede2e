//! How long things may take.

use std::{fmt, time::Duration};

/// Longest time that either side waits for the next frame of the proof (our choice: far beyond a round trip to
/// anywhere, far below a person's patience).
pub const PROOF_DEADLINE: Duration = Duration::from_secs(10);

/// Time limits of a session that a device's owner may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    idle: Duration,
    cap: Duration,
}

/// A limit outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// Which limit.
    pub what: &'static str,
    /// The time given.
    pub got: Duration,
    /// The least it may be.
    pub min: Duration,
    /// The most it may be.
    pub max: Duration,
}

impl Limits {
    /// From the warning until an idle session ends.
    pub const IDLE_WARNING: Duration = Duration::from_secs(60);

    /// From a question to the customer, or the last key in its dialog, until silence counts as a no.
    pub const ASK_SILENCE: Duration = Duration::from_secs(60);

    /// Longest time that a question stays open, whatever keys are pressed.
    pub const ASK_LONGEST: Duration = Duration::from_secs(5 * 60);

    /// Time after which the customer is asked again whether what they allowed may go on.
    pub const CONTROL: Duration = Duration::from_secs(30 * 60);

    /// How long a session lasts without any connection, unless the mode that runs says otherwise.
    pub const RESUME: Duration = Duration::from_secs(10 * 60);

    /// How long with a mode that reads or changes settings: the device is busy with them, and nobody sees the panel.
    pub const RESUME_SETTINGS: Duration = Duration::from_secs(30 * 60);

    /// How long a mode that acts on the panel outlasts the connection. After that the customer is asked again.
    pub const RESUME_CONTROL: Duration = Duration::from_secs(120);

    /// How long the operator's hand stays off the panel after the customer's touch.
    pub const PAUSE: Duration = Duration::from_secs(2);

    /// How long a panel that shows nothing of a silent mode says who is connected once it is touched (our choice: long
    /// enough to read it and reach for EXIT).
    pub const ROUSED: Duration = Duration::from_secs(30);

    /// Time without an operator's action after which both are asked (default 15 min).
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// Longest time that one session may last (default 8 h).
    pub const fn cap(&self) -> Duration {
        self.cap
    }

    /// Sets the time without an operator's action after which both are asked.
    ///
    /// # Errors
    ///
    /// Refuses anything but 1 min to 2 h.
    pub fn with_idle(mut self, idle: Duration) -> Result<Self, LimitError> {
        self.idle = within(
            "idle",
            idle,
            Duration::from_secs(60),
            Duration::from_secs(2 * 3600),
        )?;
        Ok(self)
    }

    /// Sets the longest time that one session may last.
    ///
    /// # Errors
    ///
    /// Refuses anything but 1 min to 24 h.
    pub fn with_cap(mut self, cap: Duration) -> Result<Self, LimitError> {
        self.cap = within(
            "cap",
            cap,
            Duration::from_secs(60),
            Duration::from_secs(24 * 3600),
        )?;
        Ok(self)
    }
}

/// 15 minutes idle, 8 hours in all (our choice: a working day, so that nobody's panel stays watched overnight).
impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15 * 60),
            cap: Duration::from_secs(8 * 3600),
        }
    }
}

fn within(
    what: &'static str,
    got: Duration,
    min: Duration,
    max: Duration,
) -> Result<Duration, LimitError> {
    if got < min || got > max {
        Err(LimitError {
            what,
            got,
            min,
            max,
        })
    } else {
        Ok(got)
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            got,
            min,
            max,
        } = self;
        write!(
            f,
            "session limit `{what}` is {got:?}, must be {min:?} to {max:?}"
        )
    }
}

impl std::error::Error for LimitError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_outside_its_bounds_is_refused_at_once() {
        assert!(
            Limits::default()
                .with_idle(Duration::from_secs(59))
                .is_err()
        );
        assert!(
            Limits::default()
                .with_cap(Duration::from_secs(25 * 3600))
                .is_err()
        );
        let hour = Duration::from_secs(3600);
        assert_eq!(
            Limits::default()
                .with_idle(hour)
                .map(|limits| limits.idle()),
            Ok(hour)
        );
    }
}
