//! How a leg proves its key to the relay: a signature over the relay's challenge and this very TLS connection.

use alongside_protocol::{
    LegToken,
    relay::{Auth, Challenge, LEG_EXPORTER, RELAY_VERSION, RelayRefusal, Role, auth_transcript},
};

use crate::identity::{self, Identity};

/// What both ends of a control connection share and nobody else knows.
#[derive(Clone, Copy)]
pub struct LegBinding([u8; 32]);

/// The connection is not up yet, or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection has no keying material to export")]
pub struct NoBinding;

impl LegBinding {
    /// Exports the binding from a control connection whose handshake is complete (RFC 8446, section 7.5).
    ///
    /// # Errors
    ///
    /// [`NoBinding`] if the connection has no keys.
    pub fn of(connection: &quinn::Connection) -> Result<Self, NoBinding> {
        Self::from_exporter(|bytes, label, context| {
            connection
                .export_keying_material(bytes, label, context)
                .is_ok()
        })
    }

    /// The same with an `exporter` of one's own, which fills its first argument with what a label and a context
    /// give, and says whether it could.
    ///
    /// # Errors
    ///
    /// [`NoBinding`] if it could not.
    pub fn from_exporter(
        exporter: impl FnOnce(&mut [u8], &[u8], &[u8]) -> bool,
    ) -> Result<Self, NoBinding> {
        let mut bytes = [0; 32];
        let done = exporter(&mut bytes, LEG_EXPORTER, b"");
        done.then_some(Self(bytes)).ok_or(NoBinding)
    }
}

impl std::fmt::Debug for LegBinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LegBinding(..)")
    }
}

/// The leg's answer to `challenge`.
pub fn sign(
    identity: &Identity,
    challenge: &Challenge,
    binding: LegBinding,
    role: Role,
    token: LegToken,
) -> Auth {
    let key = identity.public_key();
    let transcript = auth_transcript(&challenge.nonce, &binding.0, role, key, token);
    Auth {
        version: RELAY_VERSION,
        role,
        key,
        token,
        signature: identity.sign(&transcript),
    }
}

/// Checks a leg's answer to `challenge` on the connection that `binding` comes from.
///
/// # Errors
///
/// [`RelayRefusal::Version`] if the leg speaks another version, [`RelayRefusal::BadSignature`] if it does not
/// hold the key, or answered another challenge, on another connection, for another role or token.
pub fn verify(auth: &Auth, challenge: &Challenge, binding: LegBinding) -> Result<(), RelayRefusal> {
    if auth.version != RELAY_VERSION {
        return Err(RelayRefusal::Version);
    }
    let transcript = auth_transcript(
        &challenge.nonce,
        &binding.0,
        auth.role,
        auth.key,
        auth.token,
    );
    if identity::verify(auth.key, &transcript, auth.signature) {
        Ok(())
    } else {
        Err(RelayRefusal::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (Auth, Challenge, LegBinding) {
        let identity = Identity::generate().unwrap();
        let challenge = Challenge {
            version: RELAY_VERSION,
            nonce: [7; 32],
            time: 0,
        };
        let binding = LegBinding([9; 32]);
        (
            sign(
                &identity,
                &challenge,
                binding,
                Role::Device,
                LegToken([1; 8]),
            ),
            challenge,
            binding,
        )
    }

    #[test]
    fn an_honest_answer_is_accepted() {
        let (auth, challenge, binding) = signed();
        assert_eq!(verify(&auth, &challenge, binding), Ok(()));
    }

    #[test]
    fn an_answer_holds_for_one_challenge_connection_role_token_and_key() {
        let (auth, challenge, binding) = signed();
        let other = Identity::generate().unwrap().public_key();
        let refused = Err(RelayRefusal::BadSignature);
        assert_eq!(
            verify(
                &auth,
                &Challenge {
                    nonce: [8; 32],
                    ..challenge.clone()
                },
                binding
            ),
            refused
        );
        assert_eq!(verify(&auth, &challenge, LegBinding([8; 32])), refused);
        assert_eq!(
            verify(
                &Auth {
                    role: Role::Operator,
                    ..auth.clone()
                },
                &challenge,
                binding
            ),
            refused
        );
        assert_eq!(
            verify(
                &Auth {
                    token: LegToken([2; 8]),
                    ..auth.clone()
                },
                &challenge,
                binding
            ),
            refused
        );
        assert_eq!(
            verify(
                &Auth {
                    key: other,
                    ..auth.clone()
                },
                &challenge,
                binding
            ),
            refused
        );
        let version = RELAY_VERSION + 1;
        assert_eq!(
            verify(&Auth { version, ..auth }, &challenge, binding),
            Err(RelayRefusal::Version)
        );
    }
}
