//! The frames that prove the code, or that a session goes on: fixed layout, the first bytes of the control stream.
//!
//! Until the proof stands, each side accepts exactly the next frame of exactly its length; anything else closes
//! the connection. So nothing is allocated on the word of somebody who proved nothing.

use crate::{ids::SessionId, wire::DecodeError};

/// Version of the proof; part of what is proved, so it cannot be talked down.
pub const PROOF_VERSION: u8 = 1;

/// ALPN of the end-to-end connection.
pub const ALPN: &[u8] = b"alongside-e2e/1";

/// TLS exporter label that ties the proof to its connection (RFC 8446, section 7.5); 48 bytes, empty context.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-alongside-e2e-1";

/// Longest body of a proof frame, in bytes: that of [`Proof::ResumeA`].
pub const MAX_BODY: usize = 68;

/// How the operator proves itself: the byte `method` of [`Proof::A`].
pub const METHOD_CODE: u8 = 1;

/// Type byte of [`Proof::A`].
pub const KIND_A: u8 = 0x01;
/// Type byte of [`Proof::B`].
pub const KIND_B: u8 = 0x02;
/// Type byte of [`Proof::C`].
pub const KIND_C: u8 = 0x03;
/// Type byte of [`Proof::ResumeA`].
pub const KIND_RESUME_A: u8 = 0x04;
/// Type byte of [`Proof::ResumeB`].
pub const KIND_RESUME_B: u8 = 0x05;
/// Type byte of [`Proof::Fail`].
pub const KIND_FAIL: u8 = 0x0f;

/// One frame of the proof.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// Operator to device: `version u8 | method u8 | Ya [32]`.
    A {
        /// [`PROOF_VERSION`] of the sender.
        version: u8,
        /// [`METHOD_CODE`], the only method so far.
        method: u8,
        /// The operator's CPace share.
        share: [u8; 32],
    },
    /// Device to operator: `Yb [32] | Tb [32]`. The device has charged the attempt before it writes this.
    B {
        /// The device's CPace share.
        share: [u8; 32],
        /// The device's confirmation.
        tag: [u8; 32],
    },
    /// Operator to device: `Ta [32]`.
    C {
        /// The operator's confirmation.
        tag: [u8; 32],
    },
    /// Operator to device: `session [16] | epoch u32 BE | nonce [16] | tag [32]`. In the place of the other frames, on a
    /// new connection of a session that has lost its own.
    ResumeA {
        /// The session.
        session: SessionId,
        /// How often it has gone on over another connection.
        epoch: u32,
        /// Fresh random bytes.
        nonce: [u8; 16],
        /// The operator's tag under the session's secret of this epoch.
        tag: [u8; 32],
    },
    /// Device to operator: `nonce [16] | tag [32]`.
    ResumeB {
        /// Fresh random bytes.
        nonce: [u8; 16],
        /// The device's tag under the same secret.
        tag: [u8; 32],
    },
    /// Either way: the proof failed and this connection ends.
    Fail(ProofFailure),
}

/// Why a proof failed, as the other side is told: `reason u8 | tries_left u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofFailure {
    /// The secrets differ, or somebody stands in the middle. The code lives on for `tries_left` more.
    Wrong {
        /// Attempts that the code has left.
        tries_left: u8,
    },
    /// That was the last attempt; the code is dead.
    Burnt,
    /// The code's time is over.
    Expired,
    /// The sender does not speak this version or method.
    Unsupported,
}

impl Proof {
    /// Type bytes of the proof, in order.
    pub const KINDS: &'static [u8] = &[
        KIND_A,
        KIND_B,
        KIND_C,
        KIND_RESUME_A,
        KIND_RESUME_B,
        KIND_FAIL,
    ];

    /// Type byte that goes into the frame.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::A { .. } => KIND_A,
            Self::B { .. } => KIND_B,
            Self::C { .. } => KIND_C,
            Self::ResumeA { .. } => KIND_RESUME_A,
            Self::ResumeB { .. } => KIND_RESUME_B,
            Self::Fail(_) => KIND_FAIL,
        }
    }

    /// Encodes the frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(MAX_BODY);
        match self {
            Self::A {
                version,
                method,
                share,
            } => {
                body.extend_from_slice(&[*version, *method]);
                body.extend_from_slice(share);
            }
            Self::B { share, tag } => {
                body.extend_from_slice(share);
                body.extend_from_slice(tag);
            }
            Self::C { tag } => body.extend_from_slice(tag),
            Self::ResumeA {
                session,
                epoch,
                nonce,
                tag,
            } => {
                body.extend_from_slice(&session.0);
                body.extend_from_slice(&epoch.to_be_bytes());
                body.extend_from_slice(nonce);
                body.extend_from_slice(tag);
            }
            Self::ResumeB { nonce, tag } => {
                body.extend_from_slice(nonce);
                body.extend_from_slice(tag);
            }
            Self::Fail(failure) => body.extend_from_slice(&failure.to_bytes()),
        }
        crate::frame::to_frame(self.kind(), &body)
    }

    /// Reads a frame of the proof.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for a type that is not of the proof, or a body that is not exactly its length.
    pub fn from_frame(kind: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let malformed = DecodeError::Malformed { kind };
        match kind {
            KIND_A => {
                let Some((&[version, method], share)) = body.split_first_chunk::<2>() else {
                    return Err(malformed);
                };
                let share = share.try_into().map_err(|_| malformed)?;
                Ok(Self::A {
                    version,
                    method,
                    share,
                })
            }
            KIND_B => {
                let Some((share, tag)) = body.split_first_chunk::<32>() else {
                    return Err(malformed);
                };
                let tag = tag.try_into().map_err(|_| malformed)?;
                Ok(Self::B { share: *share, tag })
            }
            KIND_C => Ok(Self::C {
                tag: body.try_into().map_err(|_| malformed)?,
            }),
            KIND_RESUME_A => {
                let (session, rest) = body.split_first_chunk().ok_or(malformed)?;
                let (epoch, rest) = rest.split_first_chunk().ok_or(malformed)?;
                let (nonce, tag) = rest.split_first_chunk().ok_or(malformed)?;
                Ok(Self::ResumeA {
                    session: SessionId(*session),
                    epoch: u32::from_be_bytes(*epoch),
                    nonce: *nonce,
                    tag: tag.try_into().map_err(|_| malformed)?,
                })
            }
            KIND_RESUME_B => {
                let (nonce, tag) = body.split_first_chunk().ok_or(malformed)?;
                Ok(Self::ResumeB {
                    nonce: *nonce,
                    tag: tag.try_into().map_err(|_| malformed)?,
                })
            }
            KIND_FAIL => {
                let bytes = body.try_into().map_err(|_| malformed)?;
                ProofFailure::from_bytes(bytes)
                    .map(Self::Fail)
                    .ok_or(malformed)
            }
            other => Err(DecodeError::UnknownType(other)),
        }
    }
}

/// Shares and tags are no secrets, but say nothing either.
impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::A {
                version, method, ..
            } => write!(f, "Proof::A(version {version}, method {method})"),
            Self::B { .. } => f.write_str("Proof::B"),
            Self::C { .. } => f.write_str("Proof::C"),
            Self::ResumeA { session, epoch, .. } => {
                write!(f, "Proof::ResumeA({session:?}, epoch {epoch})")
            }
            Self::ResumeB { .. } => f.write_str("Proof::ResumeB"),
            Self::Fail(failure) => write!(f, "Proof::Fail({failure:?})"),
        }
    }
}

impl ProofFailure {
    const fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::Wrong { tries_left } => [1, tries_left],
            Self::Burnt => [2, 0],
            Self::Expired => [3, 0],
            Self::Unsupported => [4, 0],
        }
    }

    const fn from_bytes(bytes: [u8; 2]) -> Option<Self> {
        match bytes {
            [1, tries_left] => Some(Self::Wrong { tries_left }),
            [2, 0] => Some(Self::Burnt),
            [3, 0] => Some(Self::Expired),
            [4, 0] => Some(Self::Unsupported),
            _ => None,
        }
    }
}
