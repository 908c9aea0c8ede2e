//! One code being tried: relay, introduction, connection, proof, session.

use alongside_protocol::{
    AccessCode,
    label::Label,
    reason::{EndReason, Party},
    relay::{OperatorCard, Prepare, ReleaseReason},
};
use alongside_session::{OperatorIdentity, entry::Locked};

use super::{
    Device, DeviceError, DeviceEvent,
    drive::Driven,
    hand::{Entry, Left},
    refusal,
    way::Way,
};
use crate::{
    audit::journal::PATIENCE,
    session_io,
    status::{CodeRefusal, Status},
};

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

impl From<Left> for Tried {
    fn from(left: Left) -> Self {
        match left {
            Left::GivenUp => Self::GivenUp,
            Left::Stopped => Self::Stopped,
        }
    }
}

impl From<Driven> for Tried {
    fn from(driven: Driven) -> Self {
        match driven {
            Driven::Refused(refusal) => Self::Refused(refusal),
            Driven::Left(left) => left.into(),
            Driven::Ended { by, reason } => Self::Session { by, reason },
        }
    }
}

/// What whoever entered the code hears of a try that got nowhere.
impl From<&Tried> for DeviceError {
    fn from(tried: &Tried) -> Self {
        match tried {
            Tried::Refused(refusal) => Self::Code(refusal.clone()),
            Tried::GivenUp | Tried::Session { .. } => Self::GivenUp,
            Tried::Stopped => Self::Stopped,
        }
    }
}

impl Device {
    /// Tries one code. The way to the relay stays open for the next, unless a session took place.
    pub(super) async fn try_code(&mut self, way: &mut Option<Way>, entry: Entry) -> Tried {
        let Entry { code, reply, .. } = entry;
        let introduced = match self.check_entry().await {
            Ok(()) => self.introduce(way, &code).await,
            Err(refusal) => Err(Tried::Refused(refusal)),
        };
        let (way, prepare) = match introduced {
            Ok(introduced) => introduced,
            Err(tried) => {
                let _ = reply.send(Err(DeviceError::from(&tried)));
                return tried;
            }
        };
        let _ = reply.send(Ok(()));
        let tried = self.meet(way, &prepare, code).await;
        let reason = match tried {
            Tried::Session { .. } => ReleaseReason::SessionEnded,
            // This try is over; the operator's code lives on.
            Tried::Refused(_) | Tried::GivenUp | Tried::Stopped => ReleaseReason::WrongCode,
        };
        way.release(prepare.rendezvous, reason);
        tried
    }

    /// Whether a code may be entered now. Where the count could not be kept, none may until it is.
    pub(super) async fn check_entry(&mut self) -> Result<(), CodeRefusal> {
        let checked = self.guard.check(self.clock.since_epoch());
        checked.map_err(|Locked { wait }| CodeRefusal::EntryLocked { wait })?;
        if self.guard_is_kept {
            Ok(())
        } else {
            self.keep_guard().await
        }
    }

    /// Tells everybody that a code led to nothing.
    pub(super) fn refuse(&self, refusal: &CodeRefusal) {
        self.show(&Status::CodeRefused(refusal.clone()));
        self.emit(DeviceEvent::CodeRefused(refusal.clone()));
    }

    /// Goes to the relay, unless a way is there already, and claims the code's nameplate.
    async fn introduce<'a>(
        &mut self,
        way: &'a mut Option<Way>,
        code: &AccessCode,
    ) -> Result<(&'a mut Way, Prepare), Tried> {
        self.show(&Status::Claiming);
        // Looked at in any case: what is asked from here on is no news any more.
        let is_another = self.relay.has_changed().unwrap_or(false);
        let relay = self.relay.borrow_and_update().clone();
        if is_another || way.as_ref().is_some_and(|way| way.leg.is_over()) {
            *way = None;
        }
        let way = match way {
            Some(way) => way,
            None => {
                let open = Way::open(&relay, &self.identity);
                let opened = self.hand.unless_left(open).await?;
                way.insert(opened.map_err(Tried::Refused)?)
            }
        };
        let claim = way.leg.claim(code.nameplate(), self.config.serial.clone());
        match self.hand.unless_left(claim).await? {
            Ok(prepare) => Ok((way, prepare)),
            Err(error) => {
                let refusal = refusal::of_claim(&error);
                if refusal::counts_as_wrong_entry(&refusal) {
                    self.charge_entry().await.map_err(Tried::Refused)?;
                }
                Err(Tried::Refused(refusal))
            }
        }
    }

    /// Lets the announced operator connect, prove the code and help.
    async fn meet(&mut self, way: &mut Way, prepare: &Prepare, code: AccessCode) -> Tried {
        let operator = identity(&prepare.operator, way.leg.welcome().relay.clone());
        self.show(&Status::Connecting {
            operator: operator.clone(),
        });
        let accepted = match self.hand.unless_left(way.accept(prepare)).await {
            Ok(accepted) => accepted,
            Err(left) => return left.into(),
        };
        match accepted {
            Ok(connection) => {
                let search = way.search(prepare);
                let leg = Some((&mut way.events, prepare.rendezvous));
                let driven = self.drive(connection, leg, search, operator, code);
                driven.await.into()
            }
            Err(refusal) => Tried::Refused(refusal),
        }
    }

    /// Counts an entry as wrong until its code is proved. What cannot be counted must not be tried: whoever makes the
    /// disk fail could guess for ever, from one restart to the next.
    pub(super) async fn charge_entry(&mut self) -> Result<(), CodeRefusal> {
        self.guard.charge(self.clock.since_epoch());
        self.keep_guard().await
    }

    /// The last entry was right after all.
    pub(super) async fn clear_entries(&mut self) {
        self.guard.proved();
        // Where that fails, the next entry has to keep it first, and a restart forgives nothing.
        let _kept_later = self.keep_guard().await;
    }

    async fn keep_guard(&mut self) -> Result<(), CodeRefusal> {
        let (compartment, guard) = (self.config.compartment.clone(), self.guard.clone());
        let keep = tokio::task::spawn_blocking(move || compartment.keep_entry_guard(&guard));
        let kept = tokio::time::timeout(PATIENCE, keep).await;
        self.guard_is_kept = matches!(kept, Ok(Ok(Ok(()))));
        match kept {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => {
                tracing::error!(error = %session_io::chain(&error), "the count of wrong codes cannot be kept");
            }
            Ok(Err(_)) | Err(_) => {
                tracing::error!(
                    "the count of wrong codes cannot be kept: the disk does not answer"
                );
            }
        }
        Err(CodeRefusal::RecordFailed)
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
