//! Why a code did not lead to a session, in the words of the command line.

use alongside::status::{CodeRefusal, ConnectProblem, ObstacleKind};

use crate::{
    api::{ErrorCode, Failure},
    convert,
    exit::Exit,
    obstacle,
};

/// The refusal as a reply or an error event.
pub fn failure(refusal: &CodeRefusal) -> Failure {
    match refusal {
        CodeRefusal::Malformed(error) => (*error).into(),
        CodeRefusal::Unknown => Failure::new(
            ErrorCode::CodeUnknown,
            "there is no such code: ask the operator for a new one",
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
        CodeRefusal::NoConnection(problem) => connect(problem),
        CodeRefusal::RecordFailed => Failure::new(
            ErrorCode::RecordFailed,
            "nothing can be written down here, so no session begins: see that the state folder can be written and has room",
        ),
        _ => Failure::new(ErrorCode::Internal, "the code did not lead to a session"),
    }
}

fn connect(problem: &ConnectProblem) -> Failure {
    match problem {
        ConnectProblem::NoWay(obstacle) => Failure::no_way(obstacle, obstacle::sentence(obstacle)),
        ConnectProblem::OperatorUnreachable => Failure::new(
            ErrorCode::OperatorUnreachable,
            "the relay knows the code, but the operator's side did not connect: try once more",
        ),
        ConnectProblem::NobodyListens => Failure::new(
            ErrorCode::OperatorUnreachable,
            "nobody answers at the operator's address: check the address, and that the operator's side waits there",
        ),
        ConnectProblem::Incompatible => Failure::new(
            ErrorCode::Incompatible,
            "the two programs do not speak the same version: update the older one",
        ),
        _ => Failure::new(ErrorCode::Internal, "there is no connection"),
    }
}

/// Whether the refusal may become known only after the relay has accepted the claim.
pub const fn comes_after_the_claim(refusal: &CodeRefusal) -> bool {
    matches!(
        refusal,
        CodeRefusal::Wrong { .. }
            | CodeRefusal::Burnt
            | CodeRefusal::Expired
            | CodeRefusal::RecordFailed
            | CodeRefusal::NoConnection(
                ConnectProblem::OperatorUnreachable | ConnectProblem::Incompatible
            )
    )
}

/// How a process ends whose one code was refused.
pub const fn exit(refusal: &CodeRefusal) -> Exit {
    match refusal {
        CodeRefusal::NoConnection(ConnectProblem::Incompatible) => Exit::Refused,
        CodeRefusal::NoConnection(ConnectProblem::NoWay(obstacle))
            if matches!(
                obstacle.kind,
                ObstacleKind::RelayRefused | ObstacleKind::RelayFull
            ) =>
        {
            Exit::Refused
        }
        CodeRefusal::NoConnection(_) => Exit::NoPath,
        CodeRefusal::RecordFailed => Exit::Failed,
        CodeRefusal::Malformed(_)
        | CodeRefusal::Unknown
        | CodeRefusal::Expired
        | CodeRefusal::Wrong { .. }
        | CodeRefusal::Burnt
        | CodeRefusal::EntryLocked { .. }
        | _ => Exit::WrongCode,
    }
}
