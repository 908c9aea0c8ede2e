//! Proof that a session goes on over another connection: by a secret that both sides have from the last one.
//!
//! The secret is used once. Each proof makes the next one, out of the new connection and of what both sides drew for it, so
//! that a copy taken earlier is worth nothing later. Whoever holds both sides' keys, and stands in the middle, still
//! fails: the tags are over each connection's own exporter, and the two in the middle differ.
//!
//! An answer may die with the connection that carried it. So the device keeps the secret of the epoch before until the
//! operator's side has shown that it got the answer.

use alongside_protocol::{SessionId, proof::Proof};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Binding,
    kdf::{Entropy, derive},
    lv::Absorb,
    proof::NotProved,
};

/// Names the operator's tag and the device's.
const ASK: &[u8] = b"alongside resume A";
const ANSWER: &[u8] = b"alongside resume B";
/// Names the step from one secret to the next.
const RATCHET: &[u8] = b"alongside ratchet";

/// What proves that a session goes on. Wiped when dropped, never shown.
pub(crate) struct Secret(Zeroizing<[u8; 32]>);

/// The secret of one session, and how often it has been used.
pub(crate) struct Ratchet {
    session: SessionId,
    now: Step,
    /// The step before, while the operator may not know of this one.
    before: Option<Step>,
}

struct Step {
    epoch: u32,
    secret: Secret,
}

/// What the operator has asked, until the device answers.
pub(crate) struct Asked {
    channel: Zeroizing<Vec<u8>>,
    nonce: [u8; 16],
}

/// The fields of [`Proof::ResumeA`].
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) session: SessionId,
    pub(crate) epoch: u32,
    pub(crate) nonce: [u8; 16],
    pub(crate) tag: [u8; 32],
}

impl Secret {
    pub(crate) const fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_ref()).expect("HMAC takes keys of any length");
        for part in parts {
            mac.absorb(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Step {
    fn ask_tag(&self, session: SessionId, nonce: &[u8; 16], channel: &[u8]) -> [u8; 32] {
        let epoch = self.epoch.to_be_bytes();
        self.secret.tag(&[ASK, &session.0, &epoch, nonce, channel])
    }

    fn answer_tag(&self, session: SessionId, nonces: [&[u8; 16]; 2], channel: &[u8]) -> [u8; 32] {
        let [ask, answer] = nonces;
        let epoch = self.epoch.to_be_bytes();
        self.secret
            .tag(&[ANSWER, &session.0, &epoch, ask, answer, channel])
    }

    /// The step after this one. `None` after four thousand million of them.
    fn next(&self, nonces: [&[u8; 16]; 2], channel: &[u8]) -> Option<Self> {
        let [ask, answer] = nonces;
        let label = [RATCHET, ask, answer].concat();
        Some(Self {
            epoch: self.epoch.checked_add(1)?,
            secret: Secret(derive(Some(channel), self.secret.0.as_ref(), &label)),
        })
    }
}

impl Ratchet {
    /// The first secret of `session`, which the proof of the code gave.
    pub(crate) const fn new(session: SessionId, secret: Secret) -> Self {
        Self {
            session,
            now: Step { epoch: 0, secret },
            before: None,
        }
    }

    /// How often the session has gone on over another connection.
    pub(crate) const fn epoch(&self) -> u32 {
        self.now.epoch
    }

    /// Operator: asks the device to go on over this connection.
    pub(crate) fn ask(&self, binding: &Binding, entropy: &Entropy) -> (Asked, Proof) {
        let nonce = *entropy.draw(b"alongside resume nonce");
        let tag = self.now.ask_tag(self.session, &nonce, binding.channel());
        let asked = Asked {
            channel: Zeroizing::new(binding.channel().to_vec()),
            nonce,
        };
        let ask = Proof::ResumeA {
            session: self.session,
            epoch: self.now.epoch,
            nonce,
            tag,
        };
        (asked, ask)
    }

    /// Operator: checks the device's answer. The secret is used up by it.
    pub(crate) fn check(
        &mut self,
        asked: &Asked,
        nonce: [u8; 16],
        tag: [u8; 32],
    ) -> Result<(), NotProved> {
        let nonces = [&asked.nonce, &nonce];
        let expected = self.now.answer_tag(self.session, nonces, &asked.channel);
        if !bool::from(expected.ct_eq(&tag)) {
            return Err(NotProved);
        }
        self.now = self.now.next(nonces, &asked.channel).ok_or(NotProved)?;
        Ok(())
    }

    /// Device: checks what the operator asks, and answers.
    pub(crate) fn answer(
        &mut self,
        binding: &Binding,
        entropy: &Entropy,
        ask: Ask,
    ) -> Result<Proof, NotProved> {
        let is_now = self.now.epoch == ask.epoch;
        let before = self.before.take_if(|before| before.epoch == ask.epoch);
        let step = if is_now {
            &self.now
        } else {
            before.as_ref().ok_or(NotProved)?
        };
        let channel = binding.channel();
        let expected = step.ask_tag(ask.session, &ask.nonce, channel);
        let is_proved = bool::from(expected.ct_eq(&ask.tag)) && ask.session == self.session;
        let nonce = *entropy.draw(b"alongside resume nonce");
        let nonces = [&ask.nonce, &nonce];
        let next = step.next(nonces, channel).filter(|_| is_proved);
        let Some(next) = next else {
            self.before = before.or_else(|| self.before.take());
            return Err(NotProved);
        };
        let tag = step.answer_tag(self.session, nonces, channel);
        let used = std::mem::replace(&mut self.now, next);
        self.before = Some(before.unwrap_or(used));
        Ok(Proof::ResumeB { nonce, tag })
    }

    /// Device: the operator has got the answer; the secret before is of no more use to anybody.
    pub(crate) fn confirm(&mut self) {
        self.before = None;
    }
}

#[cfg(test)]
mod tests;
