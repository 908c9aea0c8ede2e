//! Codes: a nameplate from the relay, a secret of our own.

use std::time::Duration;

use alongside_protocol::{
    AccessCode, Nameplate, PublicKey, RendezvousId,
    code::CodeSecret,
    label::Ticket,
    relay::{Departure, PeerGone, RelayRefusal, Release, ReleaseReason},
};
use alongside_session::IssuedCode;
use alongside_transport::{Leg, LegError};
use zeroize::Zeroizing;

use super::{Code, OperatorError};
use crate::clock;

/// A code that is out, and where it leads.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) rendezvous: RendezvousId,
    pub(super) code: IssuedCode,
}

impl Issued {
    /// Whether the relay no longer lets anybody claim the code.
    pub(super) fn dies_with(&self, gone: &PeerGone) -> bool {
        gone.rendezvous.is_same_code(self.rendezvous)
            && match gone.how {
                Departure::LegLost | Departure::Released(ReleaseReason::WrongCode) => false,
                Departure::Relay | Departure::Released(_) => true,
            }
    }

    /// Tells the relay that nobody can use the code any more.
    pub(super) fn withdraw(&self, leg: &Leg) {
        release(leg, self.rendezvous, ReleaseReason::CodeDead);
    }
}

/// Tells the relay what becomes of a code, or of one try of it.
pub(super) fn release(leg: &Leg, rendezvous: RendezvousId, reason: ReleaseReason) {
    leg.release(Release { rendezvous, reason });
}

/// A nameplate from the relay, a secret of our own. `key` is the operator's.
pub(super) async fn allocate(
    leg: &Leg,
    key: PublicKey,
    ttl: Duration,
    ticket: Option<Ticket>,
) -> Result<(Issued, Code), OperatorError> {
    let allocated = match leg.allocate(ttl, ticket).await {
        Ok(allocated) => allocated,
        Err(LegError::Refused {
            refusal: RelayRefusal::UnknownOperator,
            ..
        }) => return Err(OperatorError::Unknown { key }),
        Err(error) => return Err(OperatorError::Relay(error)),
    };
    let expires_in = Duration::from_secs(allocated.expires_in_s.into());
    let (code, shown) = issue(allocated.nameplate, expires_in);
    Ok((
        Issued {
            rendezvous: allocated.rendezvous,
            code,
        },
        shown,
    ))
}

/// A code with a secret that nobody else knows.
pub(super) fn issue(nameplate: Nameplate, expires_in: Duration) -> (IssuedCode, Code) {
    let secret = loop {
        let mut entropy = Zeroizing::new([0; 48]);
        crate::random::fill(entropy.as_mut_slice());
        if let Some(secret) = CodeSecret::draw(entropy.as_slice()) {
            break secret;
        }
    };
    let code = AccessCode::new(nameplate, secret);
    let shown = Code {
        digits: Zeroizing::new(code.reveal()),
        expires_in,
    };
    (IssuedCode::new(code, clock::now() + expires_in), shown)
}
