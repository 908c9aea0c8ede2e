//! Commands of the operator's side, carried out; events of the operator's side, put into words.

use std::{sync::Arc, time::Duration};

use alongside::{
    OperatorEvent, OperatorHandle, TypedText,
    operator::{self, Mode, OperatorError, SettingsAsk},
    protocol::{PanelSize, annotation::Annotation, control::ModeState, label::Ticket},
    status,
};

use crate::{
    api::{
        Done, ErrorCode, Event, Failure, Reply, event,
        operator::{Command, Snapshot},
    },
    convert,
    fan::Fan,
    snapshot,
    stdio::Executor,
};

/// Carries out commands on a running operator.
#[derive(Clone, Debug)]
pub struct Desk {
    handle: OperatorHandle,
    events: Fan<Event>,
}

impl Desk {
    /// Commands go to `handle`; what they cause beside a reply goes to `events`.
    pub const fn new(handle: OperatorHandle, events: Fan<Event>) -> Self {
        Self { handle, events }
    }

    /// The operator behind it.
    pub const fn handle(&self) -> &OperatorHandle {
        &self.handle
    }

    fn size(&self) -> Option<PanelSize> {
        self.handle
            .screen()
            .with(|shown| shown.map(|shown| shown.frame.size()))
    }

    async fn code(&self, wanted: crate::api::operator::Code) -> Reply {
        self.issue(wanted.ttl, wanted.ticket).await?;
        Ok(Done::Accepted)
    }

    /// Asks for a code that lives for `ttl`, and tells everybody who listens.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn issue(
        &self,
        ttl: Duration,
        ticket: Option<Ticket>,
    ) -> Result<event::Code, Failure> {
        let code = self.handle.code(ttl, ticket).await.map_err(failure)?;
        let code = event::Code {
            code: code.digits.to_string(),
            expires_in_s: code.expires_in.as_secs(),
        };
        self.events.send(Event::Code(code.clone()));
        Ok(code)
    }

    async fn snapshot(&self, wanted: Snapshot) -> Reply {
        let screen = self.handle.screen().clone();
        let shown = screen.with(|shown| shown.cloned());
        let Some(shown) = shown else {
            return Err(Failure::new(
                ErrorCode::NotConnected,
                "no picture has arrived yet",
            ));
        };
        let (number, exact) = (shown.number, shown.exact);
        let written =
            tokio::task::spawn_blocking(move || snapshot::write(&shown.frame, &wanted.file)).await;
        convert::snapshot(written, number, exact)
    }
}

impl Executor<Command> for Desk {
    async fn execute(&self, command: Command) -> Reply {
        if let Some(size) = self.size() {
            command.check(size)?;
        }
        let handle = &self.handle;
        let done = match command {
            Command::Code(code) => return self.code(code).await,
            Command::Snapshot(snapshot) => return self.snapshot(snapshot).await,
            Command::Mode(mode) => handle.mode(mode.mode).await,
            Command::Pointer(pointer) => handle.pointer(pointer.event()).await,
            Command::Stroke(stroke) => handle.draw_all(stroke.operations()).await,
            Command::Undo => handle.draw(Annotation::Undo(None)).await,
            Command::Clear => handle.draw(Annotation::Clear).await,
            Command::Key(key) => handle.key(key.event()).await,
            Command::Text(text) => match TypedText::new(text.text.as_str()) {
                Some(text) => handle.text(text).await,
                None => return Err(Failure::bad_request("`text`: too long")),
            },
            Command::Exact(exact) => handle.exact(exact.rect()).await,
            Command::StillHere => handle.still_here().await,
            Command::Console(console) => {
                handle
                    .console(console.message.to_string().into_bytes())
                    .await
            }
            Command::End => handle.end().await,
            Command::SettingsSchema => handle.settings(&SettingsAsk::Schema).await,
            Command::SettingsGet(get) => {
                let group = get.path;
                handle.settings(&SettingsAsk::Get { group }).await
            }
            Command::SettingsApply(apply) => handle.settings(&apply.ask()?).await,
            Command::SettingsUndo => handle.settings(&SettingsAsk::Undo).await,
        };
        done.map(|()| Done::Accepted).map_err(failure)
    }
}

fn failure(error: OperatorError) -> Failure {
    let code = match &error {
        OperatorError::NotConnected | OperatorError::Stopped => ErrorCode::NotConnected,
        OperatorError::NotAllowed => ErrorCode::NotAllowed,
        OperatorError::Interrupted => ErrorCode::Interrupted,
        OperatorError::Busy | OperatorError::Congested | OperatorError::NoNameplate => {
            ErrorCode::Busy
        }
        OperatorError::Ttl => ErrorCode::BadRequest,
        OperatorError::Relay(_) | OperatorError::Unknown { .. } => ErrorCode::RelayRefused,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, crate::exit::chain(&error))
}

/// What an event of the operator says to a person or a program, if anything.
pub fn told(event: OperatorEvent) -> Option<Event> {
    Some(match event {
        OperatorEvent::CodeWrong { tries_left } => Failure::new(
            ErrorCode::CodeWrong,
            format!(
                "somebody typed the code and got its secret part wrong; {} left",
                convert::tries(tries_left)
            ),
        )
        .with_tries_left(tries_left)
        .into(),
        OperatorEvent::CodeBurnt => Failure::new(
            ErrorCode::CodeBurnt,
            "the code was typed wrong three times and is dead; ask for a new one",
        )
        .into(),
        OperatorEvent::CodeExpired => Failure::new(
            ErrorCode::CodeExpired,
            "nobody typed the code in time; ask for a new one",
        )
        .into(),
        OperatorEvent::DialFailed(error) => {
            Failure::new(ErrorCode::Interrupted, crate::exit::chain(&error)).into()
        }
        OperatorEvent::Connected(hello) => Event::Connected(event::Connected::Operator {
            session: hello.session,
            serial: hello.serial,
            model: hello.model,
            panel: event::PanelCard::new(hello.panel, hello.size),
        }),
        OperatorEvent::Mode(state) => mode(state),
        OperatorEvent::Panel(update) => Event::Panel(event::Panel {
            frame: update.frame,
            bytes: update.bytes as u64,
            captured_at: update.captured_at,
            exact: update.exact,
            visible: update.visible,
            soft: update
                .soft
                .iter()
                .map(|rect| [rect.x, rect.y, rect.width, rect.height])
                .collect(),
        }),
        OperatorEvent::Latency(latency) => Event::Latency(convert::latency(latency)),
        OperatorEvent::Path(path) => Event::Path(convert::path(path)),
        OperatorEvent::Link(link) => Event::Link(convert::link(link)),
        OperatorEvent::IdleWarning { ends_in } => Event::Idle {
            ends_in_s: convert::whole_seconds(ends_in),
        },
        OperatorEvent::Ended { by, reason } => Event::Ended { by, reason },
        OperatorEvent::RelayLink(status::Link::Missing { silent }) => Failure::new(
            ErrorCode::RelayUnreachable,
            format!("the relay has been silent for {} s", silent.as_secs()),
        )
        .into(),
        OperatorEvent::RelayGone(lost) => Failure::new(
            ErrorCode::RelayUnreachable,
            format!(
                "the relay is gone and is looked for; a code that nobody has used yet is dead: {}",
                crate::exit::chain(&lost)
            ),
        )
        .into(),
        OperatorEvent::Incompatible => Failure::new(
            ErrorCode::Incompatible,
            "the device's program does not speak this version: update the older one",
        )
        .into(),
        OperatorEvent::IdleOver => Event::Idle { ends_in_s: 0 },
        OperatorEvent::Offered(modes) => Event::Modes {
            modes: modes.into_iter().map(card).collect(),
        },
        OperatorEvent::Console(json) => Event::Console {
            message: serde_json::from_slice(&json).ok()?,
        },
        OperatorEvent::Ready | OperatorEvent::RelayLink(status::Link::Ok) | _ => return None,
    })
}

fn card(mode: Mode) -> event::ModeCard {
    event::ModeCard {
        mode: mode.id,
        name: mode.name,
        asks: match mode.asks {
            operator::Asks::Code => event::Asks::Code,
            operator::Asks::Administrator => event::Asks::Administrator,
            operator::Asks::Policy => event::Asks::Policy,
            operator::Asks::Customer | _ => event::Asks::Customer,
        },
        has_panel: mode.panel.is_some(),
        panel: mode.panel.map(Arc::new),
    }
}

/// A mode's state in words.
pub fn mode(state: ModeState) -> Event {
    Event::Mode(event::Mode {
        mode: state.mode,
        state: state.phase,
        reason: state.refusal,
        expires_in_s: state.expires_in_s,
    })
}
