//! CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace), in its initiator-responder form.
//!
//! A balanced PAKE: both sides put in a short password and get the same strong key if the passwords, the channel
//! identifier and the session id are equal. Whoever stands between them learns nothing that can be tried offline;
//! one run tests one guess. The run is consumed by [`Pake::finish`], so that "one run, one guess" is a type and not
//! a habit.
//!
//! Nothing here is new mathematics: two calls of `curve25519-dalek` and SHA-512, pinned by the vectors of the
//! draft's appendix B.3. The module is its own boundary, so that a reviewed crate can take its place.

use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::IsIdentity,
};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

use crate::lv::Absorb;

#[cfg(test)]
mod tests;

/// Domain separator of the suite CPACE-RISTR255-SHA512 (draft, section "CPace-ristretto255").
const DSI: &[u8] = b"CPaceRistretto255";
/// Domain separator of its session key.
const DSI_ISK: &[u8] = b"CPaceRistretto255_ISK";
/// Input block of SHA-512 in bytes (FIPS 180-4); the draft pads the password to the end of the first one.
const HASH_BLOCK: usize = 128;

/// Bytes of an encoded share.
pub(crate) const SHARE_LEN: usize = 32;
/// Random bytes that one run takes; wide enough to reduce to a scalar without bias.
pub(crate) const SCALAR_SEED_LEN: usize = 64;

/// The key both sides share after an honest run, 64 bytes; wiped when dropped.
pub(crate) type SharedKey = Zeroizing<[u8; 64]>;

/// Who speaks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Sends its share first.
    Initiator,
    /// Answers.
    Responder,
}

/// The other side's share is no point of the group, or a neutral one; the draft demands an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadShare;

/// One run of CPace on one side.
pub(crate) struct Pake {
    turn: Turn,
    scalar: Zeroizing<Scalar>,
    share: [u8; SHARE_LEN],
    sid: [u8; 16],
}

impl Pake {
    /// Begins a run for `password`, bound to the channel identifier `ci` and the session id `sid`.
    ///
    /// `seed` is fresh randomness of the caller's and is used for nothing else.
    pub(crate) fn start(
        turn: Turn,
        password: &[u8],
        ci: &[u8],
        sid: [u8; 16],
        seed: &[u8; SCALAR_SEED_LEN],
    ) -> Self {
        let scalar = Scalar::from_bytes_mod_order_wide(seed);
        Self::with_scalar(turn, password, ci, sid, scalar)
    }

    fn with_scalar(turn: Turn, password: &[u8], ci: &[u8], sid: [u8; 16], scalar: Scalar) -> Self {
        let scalar = Zeroizing::new(scalar);
        let mut generator = generator(password, ci, &sid);
        let share = (generator * *scalar).compress().to_bytes();
        generator.zeroize();
        Self {
            turn,
            scalar,
            share,
            sid,
        }
    }

    /// What goes to the other side.
    pub(crate) const fn share(&self) -> [u8; SHARE_LEN] {
        self.share
    }

    /// Ends the run with the other side's share and what both say of themselves (initiator's words first).
    pub(crate) fn finish(
        self,
        peer: &[u8; SHARE_LEN],
        initiator: &[u8],
        responder: &[u8],
    ) -> Result<SharedKey, BadShare> {
        let point = CompressedRistretto(*peer).decompress().ok_or(BadShare)?;
        let mut shared = point * *self.scalar;
        if shared.is_identity() {
            return Err(BadShare);
        }
        let mut encoded = shared.compress();
        shared.zeroize();
        let (first, second) = match self.turn {
            Turn::Initiator => (&self.share, peer),
            Turn::Responder => (peer, &self.share),
        };
        let mut hash = Sha512::new();
        hash.absorb(DSI_ISK)
            .absorb(&self.sid)
            .absorb(encoded.as_bytes());
        hash.absorb(first)
            .absorb(initiator)
            .absorb(second)
            .absorb(responder);
        encoded.zeroize();
        Ok(Zeroizing::new(hash.finalize().into()))
    }
}

/// The generator of this run: the password and everything it is bound to, hashed onto the group.
fn generator(password: &[u8], ci: &[u8], sid: &[u8]) -> RistrettoPoint {
    // Both length prefixes are one byte, as DSI and every password of ours are shorter than 128 bytes.
    debug_assert!(password.len() < 128, "password of {} bytes", password.len());
    let head = 1 + DSI.len() + 1 + password.len();
    let padding = [0; HASH_BLOCK];
    let padding = padding
        .get(..HASH_BLOCK.saturating_sub(1 + head))
        .unwrap_or(&[]);
    let mut hash = Sha512::new();
    hash.absorb(DSI)
        .absorb(password)
        .absorb(padding)
        .absorb(ci)
        .absorb(sid);
    let uniform = Zeroizing::new(hash.finalize().into());
    RistrettoPoint::from_uniform_bytes(&uniform)
}
