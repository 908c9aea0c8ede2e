//! The frames that prove the code: fixed layout, the first bytes of the control stream.
//!
//! Until the proof stands, each side accepts exactly the next frame of exactly its length; anything else closes
//! the connection. So nothing is allocated on the word of somebody who proved nothing.

use crate::wire::DecodeError;

/// Version of the proof; part of what is proved, so it cannot be talked down.
pub const PROOF_VERSION: u8 = 1;

/// ALPN of the end-to-end connection.
pub const ALPN: &[u8] = b"alongside-e2e/1";

/// TLS exporter label that ties the proof to its connection (RFC 8446, section 7.5); 48 bytes, empty context.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-alongside-e2e-1";

/// Longest body of a proof frame, in bytes: two times 32 of [`Proof::B`].
pub const MAX_BODY: usize = 64;

/// How the operator proves itself: the byte `method` of [`Proof::A`].
pub const METHOD_CODE: u8 = 1;

/// Type byte of [`Proof::A`].
pub const KIND_A: u8 = 0x01;
/// Type byte of [`Proof::B`].
pub const KIND_B: u8 = 0x02;
/// Type byte of [`Proof::C`].
pub const KIND_C: u8 = 0x03;
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
    pub const KINDS: &'static [u8] = &[KIND_A, KIND_B, KIND_C, KIND_FAIL];

    /// Type byte that goes into the frame.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::A { .. } => KIND_A,
            Self::B { .. } => KIND_B,
            Self::C { .. } => KIND_C,
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
