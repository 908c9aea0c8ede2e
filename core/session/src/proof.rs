//! Proof that both sides know the same code, over this very connection.
//!
//! CPace runs on the code's secret part. Its channel identifier holds everything that an attacker could want to
//! swap: version, method, nameplate, both roles with their keys, and the connection's exported keying material. The
//! exporter does not cover the client's certificate (RFC 8446, section 7.1), hence both keys go in by themselves.
//! Each side then shows a tag under a key of its own role, so that nothing can be reflected.
//!
//! Whoever holds a tag can test one guess, even if it then hangs up. So the device has charged the attempt before
//! it answers ([`DeviceProof::answer`]), and the operator charges when the answer arrives, before it looks at it
//! ([`OperatorProof::check`]). Both consume the run.

use std::fmt;

use alongside_protocol::{
    AccessCode, PublicKey,
    proof::{METHOD_CODE, PROOF_VERSION, Proof},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Binding,
    kdf::{Entropy, derive},
    lv::Absorb,
    pake::{Pake, SHARE_LEN, SharedKey, Turn},
    resume::Secret,
};

#[cfg(test)]
mod tests;

/// Names this use of CPace.
const PAKE_LABEL: &[u8] = b"alongside/pake/1";
/// The operator's role, in the channel identifier and as CPace's associated data.
const OPERATOR: &[u8] = b"operator";
/// The device's role, likewise.
const DEVICE: &[u8] = b"device";

/// The other side does not know the code, or somebody stands in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotProved;

/// The other side knows the code: the ticket into an active session. Only a checked tag makes one.
///
/// Holds what proves later that the session goes on.
#[must_use]
pub(crate) struct Proved(Secret);

impl Proved {
    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }
}

impl fmt::Debug for Proved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proved")
    }
}

#[cfg(test)]
impl Proved {
    /// For tests of what comes after the proof.
    pub(crate) fn for_test() -> Self {
        Self(Secret::new(Zeroizing::new([0; 32])))
    }
}

/// The operator's half, after its share went out.
pub(crate) struct OperatorProof {
    run: Pake,
    binding: Binding,
}

impl OperatorProof {
    /// Begins the proof; the frame goes to the device.
    pub(crate) fn begin(binding: &Binding, code: &AccessCode, entropy: &Entropy) -> (Self, Proof) {
        let run = start(Turn::Initiator, binding, code, entropy);
        let first = Proof::A {
            version: PROOF_VERSION,
            method: METHOD_CODE,
            share: run.share(),
        };
        (
            Self {
                run,
                binding: binding.clone(),
            },
            first,
        )
    }

    /// Checks the device's answer; the frame, which proves us, goes to the device. Charge the attempt first.
    pub(crate) fn check(
        self,
        share: [u8; SHARE_LEN],
        tag: [u8; 32],
    ) -> Result<(Proved, Proof), NotProved> {
        let ours = self.run.share();
        let key = self
            .run
            .finish(&share, OPERATOR, DEVICE)
            .map_err(|_| NotProved)?;
        let tags = Tags::of(&key, &self.binding, &ours, &share);
        let ours = Proof::C { tag: tags.operator };
        Ok((proved(&tags.device, &tag, tags.resume)?, ours))
    }
}

/// The device's half, after its answer went out.
pub(crate) struct DeviceProof {
    expected: [u8; 32],
    resume: Secret,
}

impl DeviceProof {
    /// Answers the operator's share; the frame goes to the operator. Charge the attempt first.
    pub(crate) fn answer(
        binding: &Binding,
        code: &AccessCode,
        entropy: &Entropy,
        share: [u8; SHARE_LEN],
    ) -> Result<(Self, Proof), NotProved> {
        let run = start(Turn::Responder, binding, code, entropy);
        let ours = run.share();
        let key = run
            .finish(&share, OPERATOR, DEVICE)
            .map_err(|_| NotProved)?;
        let tags = Tags::of(&key, binding, &share, &ours);
        Ok((
            Self {
                expected: tags.operator,
                resume: tags.resume,
            },
            Proof::B {
                share: ours,
                tag: tags.device,
            },
        ))
    }

    /// Checks the operator's tag.
    pub(crate) fn check(self, tag: [u8; 32]) -> Result<Proved, NotProved> {
        proved(&self.expected, &tag, self.resume)
    }
}

fn start(turn: Turn, binding: &Binding, code: &AccessCode, entropy: &Entropy) -> Pake {
    let (operator, device) = match turn {
        Turn::Initiator => (binding.local, binding.peer),
        Turn::Responder => (binding.peer, binding.local),
    };
    let ci = channel_identifier(binding, code, operator, device);
    let password = Zeroizing::new(code.secret().as_password());
    let seed = entropy.draw(b"alongside pake scalar");
    Pake::start(turn, password.as_ref(), &ci, binding.run(), &seed)
}

fn channel_identifier(
    binding: &Binding,
    code: &AccessCode,
    operator: PublicKey,
    device: PublicKey,
) -> Vec<u8> {
    let mut ci = Vec::with_capacity(192);
    ci.absorb(PAKE_LABEL)
        .absorb(&[PROOF_VERSION])
        .absorb(&[METHOD_CODE]);
    ci.absorb(code.nameplate().to_string().as_bytes());
    ci.absorb(OPERATOR).absorb(&operator.to_spki());
    ci.absorb(DEVICE).absorb(&device.to_spki());
    ci.absorb(binding.channel());
    ci
}

/// What each side must show, and what both have for later.
struct Tags {
    operator: [u8; 32],
    device: [u8; 32],
    resume: Secret,
}

impl Tags {
    fn of(
        key: &SharedKey,
        binding: &Binding,
        share_a: &[u8; SHARE_LEN],
        share_b: &[u8; SHARE_LEN],
    ) -> Self {
        let tag = |label: &[u8], letter: &[u8]| {
            let key: Zeroizing<[u8; 32]> = derive(Some(binding.channel()), key.as_ref(), label);
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref())
                .expect("HMAC takes keys of any length");
            mac.absorb(letter).absorb(share_a).absorb(share_b);
            mac.finalize().into_bytes().into()
        };
        Self {
            operator: tag(b"alongside confirm operator", b"A"),
            device: tag(b"alongside confirm device", b"B"),
            resume: Secret::new(derive(
                Some(binding.channel()),
                key.as_ref(),
                b"alongside resume",
            )),
        }
    }
}

fn proved(expected: &[u8; 32], shown: &[u8; 32], resume: Secret) -> Result<Proved, NotProved> {
    if bool::from(expected.ct_eq(shown)) {
        Ok(Proved(resume))
    } else {
        Err(NotProved)
    }
}
