//! Why a code did not lead to a session, in the words of the command line.

use alongside::status::{CodeRefusal, ConnectProblem};

use crate::{
    api::{ErrorCode, Failure},
    convert,
    exit::Exit,
};

/// The refusal as a reply or an error event.
pub fn failure(refusal: &CodeRefusal) -> Failure {
    match refusal {
        CodeRefusal::Malformed(error) => (*error).into(),
        CodeRefusal::Unknown => Failure::new(
            ErrorCode::CodeUnknown,
            "the relay knows no such code: ask the operator for a new one",
        ),
        CodeRefusal::Expired => Failure::new(
            ErrorCode::CodeExpired,
            "the code's time is over: ask the operator for a new one",
        ),
        CodeRefusal::Wrong { tries_left } => {
            let words = format!(
                "the secret part of the code is wrong; {} left",
                convert::tries(*tries_left)
            );
            Failure::new(ErrorCode::CodeWrong, words).with_tries_left(*tries_left)
        }
        CodeRefusal::Burnt => Failure::new(
            ErrorCode::CodeBurnt,
            "the code was tried too often and is dead: ask the operator for a new one",
        ),
        CodeRefusal::EntryLocked { wait } => {
            let seconds = wait.as_millis().div_ceil(1_000);
            let words = format!("too many wrong codes were entered here: wait {seconds} s");
            Failure::new(ErrorCode::EntryLocked, words)
                .with_wait_s(u64::try_from(seconds).unwrap_or(u64::MAX))
        }
        CodeRefusal::NoConnection(problem) => connect(*problem),
        _ => Failure::new(ErrorCode::Internal, "the code did not lead to a session"),
    }
}

fn connect(problem: ConnectProblem) -> Failure {
    let (code, words) = match problem {
        ConnectProblem::NoDns => (
            ErrorCode::NoDns,
            "the relay's name does not resolve: check its spelling and this network's DNS",
        ),
        ConnectProblem::RelayUnreachable => (
            ErrorCode::RelayUnreachable,
            "the relay does not answer on UDP port 443: ask whoever runs this network's firewall",
        ),
        ConnectProblem::RelayUntrusted => (
            ErrorCode::RelayUntrusted,
            "the relay's certificate is not trusted: give its authority with --relay-ca or its key with --relay-pin",
        ),
        ConnectProblem::RelayName => (
            ErrorCode::RelayName,
            "the relay's certificate is for another name: check --relay",
        ),
        ConnectProblem::RelayRefused => (
            ErrorCode::RelayRefused,
            "the relay does not want this device",
        ),
        ConnectProblem::OperatorUnreachable => (
            ErrorCode::OperatorUnreachable,
            "the relay knows the code, but the operator's side did not connect: try once more",
        ),
        ConnectProblem::Incompatible => (
            ErrorCode::Incompatible,
            "the two programs do not speak the same version: update the older one",
        ),
        _ => (ErrorCode::Internal, "there is no connection"),
    };
    Failure::new(code, words)
}

/// Whether the refusal can only be known after the relay has accepted the claim.
pub const fn comes_after_the_claim(refusal: &CodeRefusal) -> bool {
    matches!(
        refusal,
        CodeRefusal::Wrong { .. }
            | CodeRefusal::Burnt
            | CodeRefusal::Expired
            | CodeRefusal::NoConnection(
                ConnectProblem::OperatorUnreachable | ConnectProblem::Incompatible
            )
    )
}

/// How a process ends whose one code was refused.
pub const fn exit(refusal: &CodeRefusal) -> Exit {
    match refusal {
        CodeRefusal::NoConnection(ConnectProblem::RelayRefused | ConnectProblem::Incompatible) => {
            Exit::Refused
        }
        CodeRefusal::NoConnection(_) => Exit::NoPath,
        CodeRefusal::Malformed(_)
        | CodeRefusal::Unknown
        | CodeRefusal::Expired
        | CodeRefusal::Wrong { .. }
        | CodeRefusal::Burnt
        | CodeRefusal::EntryLocked { .. }
        | _ => Exit::WrongCode,
    }
}
