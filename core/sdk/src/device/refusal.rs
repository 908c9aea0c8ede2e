//! From what went wrong to what the customer is told.

use std::time::Duration;

use alongside_protocol::{
    obstacle::ObstacleKind, proof::ProofFailure, reason::EndReason, relay::RelayRefusal,
};
use alongside_transport::{DialError, LegError, Lost, connection::close_code};

use crate::status::{CodeRefusal, ConnectProblem};

/// Why the operator did not come through.
pub(super) fn of_dial(error: &DialError) -> ConnectProblem {
    match error {
        DialError::Failed(Lost::Refused { .. }) => ConnectProblem::Incompatible,
        DialError::Failed(_)
        | DialError::Silent
        | DialError::NotBound(_)
        | DialError::LegGone
        | DialError::NotAllowed
        | DialError::Tls(_)
        | _ => ConnectProblem::OperatorUnreachable,
    }
}

/// Why a connection ended before the code was proved, where the operator's side did not say so on the stream.
pub(super) fn of_unproved(reason: Option<EndReason>, lost: Option<&Lost>) -> CodeRefusal {
    match (reason, lost) {
        (_, Some(Lost::ClosedByPeer { code, .. })) if *code == close_code::PROOF => {
            ProofFailure::Wrong { tries_left: 0 }.into()
        }
        (Some(EndReason::RecordFailed), _) => CodeRefusal::RecordFailed,
        (Some(EndReason::Protocol), _) => CodeRefusal::NoConnection(ConnectProblem::Incompatible),
        _ => CodeRefusal::NoConnection(ConnectProblem::OperatorUnreachable),
    }
}

/// Why the relay does not introduce anybody for this code.
pub(super) fn of_claim(error: &LegError) -> CodeRefusal {
    let LegError::Refused {
        refusal,
        retry_after_s,
    } = error
    else {
        return CodeRefusal::NoConnection(ObstacleKind::RelayUnreachable.into());
    };
    match refusal {
        RelayRefusal::CodeUnknown | RelayRefusal::OperatorGone => CodeRefusal::Unknown,
        RelayRefusal::CodeExpired => CodeRefusal::Expired,
        RelayRefusal::CodeBurnt => CodeRefusal::Burnt,
        RelayRefusal::TooManyClaims => CodeRefusal::EntryLocked {
            wait: Duration::from_secs(retry_after_s.unwrap_or(60).into()),
        },
        RelayRefusal::Version => CodeRefusal::NoConnection(ConnectProblem::Incompatible),
        RelayRefusal::Full => CodeRefusal::NoConnection(ObstacleKind::RelayFull.into()),
        RelayRefusal::BadSignature
        | RelayRefusal::TokenTaken
        | RelayRefusal::UnknownOperator
        | RelayRefusal::Quota
        | RelayRefusal::NotAllowed
        | _ => CodeRefusal::NoConnection(ObstacleKind::RelayRefused.into()),
    }
}

/// Whether a refusal means that somebody may be guessing codes.
pub(super) const fn counts_as_wrong_entry(refusal: &CodeRefusal) -> bool {
    matches!(
        refusal,
        CodeRefusal::Unknown | CodeRefusal::Expired | CodeRefusal::Burnt
    )
}
