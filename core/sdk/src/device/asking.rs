//! Questions to the customer: shown, answered, and the administrator's ID checked where checking may block.

use alongside_protocol::input::{KeyMotion, PointerPhase};
use alongside_session::{
    SessionError,
    device::{AdminVerdict, AskId, CustomerAction, Input},
};
use alongside_transport::Connection;
use tokio::task::JoinHandle;

use super::{
    DeviceError,
    board::Board,
    drive::Drive,
    handle::{AdminIdEntry, Reply},
};
use crate::{clock, ports::Action, status::Ask};

/// An ID that is being checked.
pub(super) struct Check {
    ask: AskId,
    reply: Reply,
    running: JoinHandle<AdminVerdict>,
}

/// What came of a check.
pub(super) struct Checked {
    ask: AskId,
    reply: Reply,
    verdict: AdminVerdict,
}

/// The verdict of the check that is running; waits for ever without one. Cancel safe.
pub(super) async fn verdict(check: &mut Option<Check>) -> Checked {
    let Some(running) = check.as_mut().map(|check| &mut check.running) else {
        return std::future::pending().await;
    };
    // A check that panics has checked nothing.
    let verdict = running.await.unwrap_or(AdminVerdict::Unavailable);
    match check.take() {
        Some(Check { ask, reply, .. }) => Checked {
            ask,
            reply,
            verdict,
        },
        None => std::future::pending().await,
    }
}

/// Whether an action only lets go of what is pressed.
pub(super) fn lets_go(action: &Action) -> bool {
    match action {
        Action::Pointer(event) => event.phase == PointerPhase::Leave,
        Action::Key(event) => event.motion == KeyMotion::Up,
        Action::Text(_) => false,
    }
}

impl<C: Connection> Drive<'_, C> {
    pub(super) fn on_allow(&mut self, id: Option<AdminIdEntry>, reply: Reply) {
        let Some(ask) = self.session.ask(clock::now()) else {
            let _ = reply.send(Err(DeviceError::NotAsked));
            return;
        };
        if !ask.wants_admin_id {
            let _ = reply.send(self.answer(CustomerAction::Allow(ask.id)));
            return;
        }
        let Some((id, admin_id)) = id.zip(self.device.admin_id.clone()) else {
            // So that the session, too, has heard of it.
            let _ = self.answer(CustomerAction::Allow(ask.id));
            let _ = reply.send(Err(DeviceError::AdminIdNeeded));
            return;
        };
        if self.check.is_some() {
            let _ = reply.send(Err(DeviceError::Busy));
            return;
        }
        // Whoever waits for the check must not be refused for being silent.
        self.on_dialog_key();
        let running = tokio::task::spawn_blocking(move || admin_id.verify(id.as_str()));
        self.check = Some(Check {
            ask: ask.id,
            reply,
            running,
        });
    }

    /// An ID has been checked: right, it is the customer's word as well.
    pub(super) async fn on_verdict(&mut self, checked: Checked) {
        let Checked {
            ask,
            reply,
            verdict,
        } = checked;
        self.input(Input::AdminId { ask, verdict });
        let answer = match verdict {
            AdminVerdict::Ok => self.answer(CustomerAction::Allow(ask)),
            AdminVerdict::Wrong { tries_left, wait } => {
                Err(DeviceError::AdminIdWrong { tries_left, wait })
            }
            AdminVerdict::Locked { wait } => Err(DeviceError::AdminIdLocked { wait }),
            AdminVerdict::Unavailable => Err(DeviceError::AdminIdUnavailable),
        };
        self.drain().await;
        let _ = reply.send(answer);
    }

    pub(super) fn on_refuse(&mut self, reply: Reply) {
        let answer = match self.session.ask(clock::now()) {
            Some(ask) => self.answer(CustomerAction::Refuse(ask.id)),
            None => Err(DeviceError::NotAsked),
        };
        let _ = reply.send(answer);
    }

    /// The customer is at the dialog; without one there is nothing to be at.
    pub(super) fn on_dialog_key(&mut self) {
        if self.session.ask(clock::now()).is_some() {
            self.local(CustomerAction::DialogKey);
            self.show_ask();
        }
    }

    /// The open question, as the customer is shown it.
    pub(super) fn ask(&self) -> Option<Ask> {
        let ask = self.session.ask(clock::now())?;
        Some(Ask {
            mode: ask.mode,
            is_renewal: ask.is_renewal,
            wants_admin_id: ask.wants_admin_id,
            expires_in: ask.expires_in,
            differences: ask.differences,
        })
    }

    pub(super) fn show_ask(&mut self) {
        let ask = self.ask();
        self.update(|board: &mut Board, now| board.on_ask(now, ask));
    }

    fn answer(&mut self, action: CustomerAction) -> Result<(), DeviceError> {
        match self
            .session
            .handle_input(clock::now(), Input::Local(action))
        {
            Ok(()) => Ok(()),
            Err(SessionError::NotNow) => Err(DeviceError::NotAsked),
            Err(error) => {
                tracing::warn!(%error, "the session did not take the customer's answer");
                Err(DeviceError::NotAsked)
            }
        }
    }
}
