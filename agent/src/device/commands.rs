//! Commands of the device's side, carried out; events of the device's side, put into words.

use std::{sync::Arc, time::Duration};

use alongside::{
    DeviceEvent, DeviceHandle,
    device::DeviceError,
    ports::{Action, Panel},
    protocol::input::{KeyEvent, KeyMotion, PointerPhase},
    status::{self, CodeRefusal, OperatorIdentity},
};

use crate::{
    api::{
        Done, ErrorCode, Event, Failure, Reply,
        device::{Command, Touch, TouchPhase},
        event, operator,
    },
    convert,
    panel::{
        StopKey,
        mfd::{Allowed, MfdPanel},
    },
    snapshot,
    stdio::Executor,
};

use super::refusal;

/// Carries out commands on a running device, as the customer's hand.
#[derive(Clone, Debug)]
pub struct Front {
    handle: DeviceHandle,
    panel: Arc<dyn Panel>,
    /// The panel as something that can be touched; only a panel that the agent draws itself can be.
    hand: Option<MfdPanel>,
    stop: StopKey,
    entry: Entry,
}

/// Who enters codes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// The owner's own program, which stands above the panel's switch.
    Owners,
    /// Whoever stands at the panel, for whom its switch counts.
    Customers,
}

/// A key that is held for a time goes up this much later, so that the time has passed wherever it is measured.
const HOLD_MARGIN: Duration = Duration::from_millis(25);

impl Front {
    /// Commands go to `handle`, pictures come from `panel`, touches go to `hand`.
    pub fn new(handle: DeviceHandle, panel: Arc<dyn Panel>, hand: Option<MfdPanel>) -> Self {
        Self {
            handle,
            panel,
            hand,
            stop: StopKey::default(),
            entry: Entry::Owners,
        }
    }

    /// What is held to end a session, in the place of `#`.
    #[must_use]
    pub fn stopped_by(self, stop: StopKey) -> Self {
        Self { stop, ..self }
    }

    /// Takes codes only while Remote Assistance is turned on at the panel, as its own screens do.
    #[must_use]
    pub fn for_customers(self) -> Self {
        Self {
            entry: Entry::Customers,
            ..self
        }
    }

    /// Refuses a code that the owner's switch does not let in.
    fn admit_code(&self) -> Result<(), Failure> {
        let is_off = self
            .hand
            .as_ref()
            .is_some_and(|hand| hand.preferences().borrow().allowed == Allowed::Off);
        if self.entry == Entry::Customers && is_off {
            return Err(Failure::new(
                ErrorCode::NotAllowed,
                "Remote Assistance is turned off on this device: turn it on under Settings, Remote Assistance, \
                 or start the device with --remote-assistance on",
            ));
        }
        Ok(())
    }

    fn touch(&self, touch: &Touch) -> Reply {
        let hand = self.hand()?;
        let at = touch.at();
        match touch.phase {
            TouchPhase::Tap => {
                hand.touch(at, PointerPhase::Down);
                hand.touch(at, PointerPhase::Up);
            }
            TouchPhase::Down => hand.touch(at, PointerPhase::Down),
            TouchPhase::Move => hand.touch(at, PointerPhase::Move),
            TouchPhase::Up => hand.touch(at, PointerPhase::Up),
        }
        Ok(Done::Accepted)
    }

    /// A key of the front panel. On a panel that is not ours only the stop key is: it belongs to the session.
    async fn key(&self, event: KeyEvent) -> Reply {
        if let Some(hand) = &self.hand {
            hand.key(&event.key, event.motion);
            return Ok(Done::Accepted);
        }
        if self.stop != StopKey::Key(event.key.clone()) {
            return Err(unsupported());
        }
        self.handle
            .stop_key(event.motion)
            .await
            .map(|()| Done::Accepted)
            .map_err(failure)
    }

    fn hand(&self) -> Result<&MfdPanel, Failure> {
        self.hand.as_ref().ok_or_else(unsupported)
    }

    async fn snapshot(&self, wanted: operator::Snapshot) -> Reply {
        let panel = Arc::clone(&self.panel);
        let taken = tokio::task::spawn_blocking(move || {
            panel.capture().map(|taken| {
                // A picture that was new at the capture has been counted by now.
                let number = *panel.changes().borrow();
                (snapshot::write(&taken.frame, &wanted.file), number)
            })
        })
        .await;
        match taken {
            Ok(Ok((written, number))) => convert::snapshot(Ok(written), number, true),
            Ok(Err(error)) => Err(Failure::new(
                ErrorCode::Internal,
                crate::exit::chain(&error),
            )),
            Err(error) => Err(Failure::new(ErrorCode::Internal, error.to_string())),
        }
    }
}

impl Executor<Command> for Front {
    async fn execute(&self, command: Command) -> Reply {
        command.check(self.panel.describe().size)?;
        let done = match command {
            Command::EnterCode(entered) => {
                let code = entered.code()?;
                self.admit_code()?;
                match entered.operator {
                    Some(operator) => self.handle.enter_code_at(code, operator).await,
                    None => self.handle.enter_code(code).await,
                }
            }
            Command::Touch(touch) => return self.touch(&touch),
            Command::Key(key) => return self.key(key.event()).await,
            Command::Hold(hold) => {
                self.key(hold.event(KeyMotion::Down)).await?;
                tokio::time::sleep(hold.time + HOLD_MARGIN).await;
                return self.key(hold.event(KeyMotion::Up)).await;
            }
            Command::Allow(allow) => self.handle.allow(allow.entry()?).await,
            Command::Refuse => self.handle.refuse().await,
            Command::Exit => self.handle.exit().await,
            Command::Snapshot(snapshot) => return self.snapshot(snapshot).await,
        };
        done.map(|()| Done::Accepted).map_err(failure)
    }
}

fn unsupported() -> Failure {
    Failure::new(
        ErrorCode::Unsupported,
        "this panel belongs to other programs: touch it by hand; only the stop key is taken here",
    )
}

fn failure(error: DeviceError) -> Failure {
    match error {
        DeviceError::Code(refusal) => refusal::failure(&refusal),
        DeviceError::Busy => Failure::new(ErrorCode::Busy, error.to_string()),
        DeviceError::NotConnected | DeviceError::Stopped => {
            Failure::new(ErrorCode::NotConnected, error.to_string())
        }
        DeviceError::NotAsked => Failure::new(ErrorCode::NotAsked, error.to_string()),
        DeviceError::AdminIdNeeded => Failure::new(ErrorCode::AdminIdNeeded, error.to_string()),
        DeviceError::AdminIdWrong { tries_left, wait } => {
            Failure::new(ErrorCode::AdminIdWrong, error.to_string())
                .with_tries_left(tries_left)
                .with_wait_s(u64::from(convert::whole_seconds(wait)))
        }
        DeviceError::AdminIdLocked { wait } => {
            Failure::new(ErrorCode::AdminIdLocked, error.to_string())
                .with_wait_s(u64::from(convert::whole_seconds(wait)))
        }
        DeviceError::AdminIdUnavailable => {
            Failure::new(ErrorCode::AdminIdUnavailable, error.to_string())
        }
        DeviceError::GivenUp => Failure::new(ErrorCode::Interrupted, error.to_string()),
        _ => Failure::new(ErrorCode::Internal, error.to_string()),
    }
}

/// What an event of the device says to a person or a program, if anything.
pub fn told(event: DeviceEvent) -> Option<Event> {
    Some(match event {
        DeviceEvent::CodeRefused(refusal) => refusal_event(&refusal)?,
        DeviceEvent::Connected { session, operator } => {
            Event::Connected(event::Connected::Device {
                session,
                operator: card(operator),
            })
        }
        DeviceEvent::Mode(state) => crate::assist::commands::mode(state),
        DeviceEvent::Asked(ask) => Event::Asked(event::Asked {
            mode: ask.mode,
            wants_admin_id: ask.wants_admin_id,
            expires_in_s: u64::from(convert::whole_seconds(ask.expires_in)),
            differences: ask
                .differences
                .map(|all| all.iter().map(Into::into).collect()),
        }),
        DeviceEvent::Injected { n, action, ok } => Event::Injected(injected(n, &action, ok)),
        DeviceEvent::Annotation(annotation) => Event::Annotation((&annotation).into()),
        DeviceEvent::Path(path) => Event::Path(convert::path(path)),
        DeviceEvent::Link(link) => Event::Link(convert::link(link)),
        DeviceEvent::RelayLink(status::Link::Missing { silent }) => Failure::new(
            ErrorCode::RelayUnreachable,
            format!("the relay has been silent for {} s", silent.as_secs()),
        )
        .into(),
        DeviceEvent::Ended { by, reason } => Event::Ended { by, reason },
        DeviceEvent::RelayLink(status::Link::Ok) | _ => return None,
    })
}

/// A code's refusal that came after its command was answered; the others are the answer itself.
fn refusal_event(refusal: &CodeRefusal) -> Option<Event> {
    refusal::comes_after_the_claim(refusal).then(|| refusal::failure(refusal).into())
}

/// An action of the operator's in words; of text only that there was some.
fn injected(n: u64, action: &Action, ok: bool) -> event::Injected {
    let bare = |kind| event::Injected {
        n,
        kind,
        x: None,
        y: None,
        key: None,
        ok,
    };
    match action {
        Action::Pointer(event) => {
            let (x, y) = event.at.to_decimal();
            event::Injected {
                x: Some(x),
                y: Some(y),
                ..bare("pointer")
            }
        }
        Action::Key(event) => event::Injected {
            key: Some(event.key.as_str().to_owned()),
            ..bare("key")
        },
        Action::Text(_) => bare("text"),
    }
}

fn card(operator: OperatorIdentity) -> event::OperatorCard {
    event::OperatorCard {
        name: operator.name,
        organisation: operator.organisation,
        confirmed: operator.confirmed_by.is_some(),
        confirmed_by: operator.confirmed_by,
        key: operator.key,
    }
}

#[cfg(test)]
mod tests {
    use alongside::{
        Compartment, Device, DeviceConfig, Relay,
        protocol::{Serial, label::Label},
    };

    use super::*;
    use crate::{api, panel::mfd::Preferences};

    /// What a device that runs no more says to a code, as the owner's program and at the panel.
    async fn enter(allowed: Allowed) -> [ErrorCode; 2] {
        let folder = tempfile::tempdir().expect("a folder");
        let config = DeviceConfig {
            relay: Relay::new("127.0.0.1").expect("an address"),
            serial: Serial::new("SN-1").expect("a serial"),
            model: Label::new("MFD").expect("a label"),
            compartment: Compartment::open(&folder.path().join("device")).expect("a folder"),
        };
        let panel = MfdPanel::with_preferences(Preferences {
            allowed,
            ..Preferences::default()
        });
        let built = Device::new(config, Arc::new(panel.clone()), Arc::new(panel.clone()));
        let (device, handle, _events) = built.expect("a device");
        drop(device);
        let owners = Front::new(handle, Arc::new(panel.clone()), Some(panel));
        let customers = owners.clone().for_customers();
        let mut codes = [ErrorCode::Internal; 2];
        for (front, code) in [owners, customers].iter().zip(&mut codes) {
            let line = br#"{"do": "enter-code", "code": "000000000000"}"#;
            let command = api::parse::<Command>(line).expect("a command").command;
            *code = front.execute(command).await.expect_err("nothing runs").code;
        }
        codes
    }

    #[tokio::test]
    async fn the_switch_keeps_codes_out_at_the_panel_and_not_the_owners() {
        use ErrorCode::{NotAllowed, NotConnected};
        assert_eq!(enter(Allowed::Off).await, [NotConnected, NotAllowed]);
        assert_eq!(enter(Allowed::On).await, [NotConnected, NotConnected]);
    }
}
