//! The code as the side that issued it knows it.

use std::time::Instant;

use alongside_protocol::AccessCode;

/// Failed proofs after which a code is dead.
pub const TRIES: u8 = 3;

/// An access code with what is left of it.
///
/// It lives in the hands of its issuer: each proof takes it, and [gives it back](crate::operator::Session::into_issued)
/// with one try less, or not at all once it was proved or burnt.
#[derive(Debug)]
pub struct IssuedCode {
    code: AccessCode,
    expires_at: Instant,
    tries_left: u8,
}

impl IssuedCode {
    /// A fresh code that is good until `expires_at`, for [`TRIES`] failed proofs or one success.
    pub const fn new(code: AccessCode, expires_at: Instant) -> Self {
        Self {
            code,
            expires_at,
            tries_left: TRIES,
        }
    }

    /// The code itself.
    pub const fn code(&self) -> &AccessCode {
        &self.code
    }

    /// The instant from which it counts no more.
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// Failed proofs that it still survives, the last of them not.
    pub const fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// Whether a proof can still succeed at `now`.
    pub fn is_live(&self, now: Instant) -> bool {
        self.tries_left > 0 && now < self.expires_at
    }

    /// Spends a try, before its proof is looked at; what is left.
    pub(crate) const fn charge(&mut self) -> u8 {
        self.tries_left = self.tries_left.saturating_sub(1);
        self.tries_left
    }
}
