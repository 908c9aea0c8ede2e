//! One code being tried: relay, introduction, connection, proof, session.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{
    AccessCode,
    label::Label,
    reason::{EndReason, Party},
    relay::{OperatorCard, Release, ReleaseReason, Role},
};
use alongside_session::{OperatorIdentity, entry::Locked};
use alongside_transport::{Identity, Leg, LegEvent, LegEvents};
use tokio::sync::oneshot;

use super::{Command, Device, DeviceConfig, DeviceError, drive, refusal};
use crate::{
    clock,
    status::{CodeRefusal, Status},
};

/// How long the operator's side may take to connect once the relay has introduced the two.
///
/// The operator dials at once, so this covers a slow path's handshake with its retransmissions (our choice).
const DIAL_PATIENCE: Duration = Duration::from_secs(15);

/// A way to the relay that outlives one wrong code.
pub(super) struct Way {
    pub(super) leg: Leg,
    events: LegEvents,
}

/// How trying a code went.
pub(super) enum Tried {
    Session {
        by: Party,
        reason: EndReason,
    },
    Refused(CodeRefusal),
    /// The customer gave it up.
    GivenUp,
    Stopped,
}

impl Device {
    /// Tries one code: relay, introduction, connection, proof, session.
    pub(super) async fn try_code(
        &mut self,
        way: &mut Option<Way>,
        code: AccessCode,
        reply: oneshot::Sender<Result<(), DeviceError>>,
    ) -> Tried {
        if let Err(Locked { wait }) = self.guard.check(clock::since_epoch()) {
            return Self::refuse(reply, CodeRefusal::EntryLocked { wait });
        }
        self.show(&Status::Claiming);
        let introduced = {
            let introduce = introduce(&self.config, &self.identity, way, &code);
            tokio::pin!(introduce);
            loop {
                tokio::select! {
                    introduced = &mut introduce => break introduced,
                    command = self.commands.recv() => if let Some(left) = leaves(command) {
                        let _ = reply.send(Err(DeviceError::Busy));
                        return left;
                    },
                }
            }
        };
        let prepare = match introduced {
            Ok(prepare) => prepare,
            Err(refusal) => {
                if refusal::counts_as_wrong_entry(&refusal) {
                    self.charge_entry();
                }
                return Self::refuse(reply, refusal);
            }
        };
        let _ = reply.send(Ok(()));
        // The leg is there: the introduction came through it.
        let Some(Way { leg, events }) = way.as_mut() else {
            return Tried::GivenUp;
        };
        let operator = identity(&prepare.operator, leg.welcome().relay.clone());
        self.customer.show(&Status::Connecting {
            operator: operator.clone(),
        });
        let rendezvous = prepare.rendezvous;
        let release = |reason| leg.release(Release { rendezvous, reason });
        let accepted = {
            let accept = tokio::time::timeout(DIAL_PATIENCE, leg.accept(&prepare));
            tokio::pin!(accept);
            loop {
                tokio::select! {
                    accepted = &mut accept => break accepted,
                    command = self.commands.recv() => if let Some(left) = leaves(command) {
                        release(ReleaseReason::SessionEnded);
                        return left;
                    },
                }
            }
        };
        let connection = match accepted {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                tracing::info!(error = %crate::session_io::chain(&error), "no connection with the operator");
                release(ReleaseReason::WrongCode);
                return Tried::Refused(CodeRefusal::NoConnection(refusal::of_dial(&error)));
            }
            Err(_) => {
                release(ReleaseReason::WrongCode);
                return Tried::Refused(CodeRefusal::NoConnection(
                    crate::status::ConnectProblem::OperatorUnreachable,
                ));
            }
        };
        let driven = self
            .drive(connection, Some((events, rendezvous)), operator, code)
            .await;
        match driven {
            drive::Driven::Ended { by, reason } => {
                release(ReleaseReason::SessionEnded);
                Tried::Session { by, reason }
            }
            drive::Driven::Refused(refusal) => {
                release(ReleaseReason::WrongCode);
                Tried::Refused(refusal)
            }
        }
    }

    fn refuse(reply: oneshot::Sender<Result<(), DeviceError>>, refusal: CodeRefusal) -> Tried {
        let _ = reply.send(Err(DeviceError::Code(refusal.clone())));
        Tried::Refused(refusal)
    }
}

/// Goes to the relay, unless a way is there already, and claims the code's nameplate.
async fn introduce(
    config: &DeviceConfig,
    identity: &Arc<Identity>,
    way: &mut Option<Way>,
    code: &AccessCode,
) -> Result<alongside_protocol::relay::Prepare, CodeRefusal> {
    if way.as_ref().is_none_or(|way| way.leg.is_over()) {
        let (leg, events) = Leg::connect(config.relay.leg(Role::Device, Arc::clone(identity)))
            .await
            .map_err(|error| {
                tracing::warn!(error = %crate::session_io::chain(&error), "no way to the relay");
                CodeRefusal::NoConnection(refusal::of_connect(&error))
            })?;
        *way = Some(Way { leg, events });
    }
    let Some(Way { leg, events }) = way.as_mut() else {
        return Err(CodeRefusal::Unknown);
    };
    let claim = leg.claim(code.nameplate(), config.serial.clone());
    tokio::pin!(claim);
    loop {
        tokio::select! {
            // What the relay said before the introduction is about an attempt that is over: a code that was typed
            // wrong keeps its meeting, and its first "the operator is gone" must not end the second try.
            biased;
            event = events.next() => if let LegEvent::Lost(lost) = event {
                tracing::warn!(error = %lost, "the relay is gone");
                return claim.await.map_err(|error| refusal::of_claim(&error));
            },
            introduced = &mut claim => return introduced.map_err(|error| refusal::of_claim(&error)),
        }
    }
}

/// Whether a command means that the customer no longer wants to try the code.
fn leaves(command: Option<Command>) -> Option<Tried> {
    match command {
        Some(Command::Exit { reply }) => {
            let _ = reply.send(Ok(()));
            Some(Tried::GivenUp)
        }
        Some(Command::EnterCode { reply, .. }) => {
            let _ = reply.send(Err(DeviceError::Busy));
            None
        }
        Some(Command::StopKey(_) | Command::Touched) => None,
        Some(Command::Stop) | None => Some(Tried::Stopped),
    }
}

/// The operator as the relay introduces them.
fn identity(card: &OperatorCard, relay: Label<255>) -> OperatorIdentity {
    OperatorIdentity {
        key: card.key,
        name: card.name.clone(),
        organisation: card.organisation.clone(),
        confirmed_by: card.name.is_some().then_some(relay),
    }
}
