//! What the session tells: shown to the customer, done to the panel, passed on to the embedder.

use alongside_protocol::{
    SessionId,
    annotation::Annotation,
    reason::{EndReason, Party},
};
use alongside_session::{
    OperatorIdentity,
    device::{Event, Input},
};
use alongside_transport::Connection;

use super::{Board, Drive, asking};
use crate::{
    clock,
    device::DeviceEvent,
    ports::{Action, Awake},
    session_io,
    status::{Link, Status},
};

impl<C: Connection> Drive<'_, C> {
    pub(super) fn on_event(&mut self, event: Event) {
        match event {
            // Taken out of the queue before, as they write to the compartment.
            Event::AttemptCharged | Event::Connected { .. } | Event::Countersigned(_) => {}
            Event::CodeFailed(failure) => self.refused = Some(failure.into()),
            Event::Mode(state) => {
                self.update(|board, now| board.on_mode(now, &state));
                self.device.emit(DeviceEvent::Mode(state));
            }
            Event::Asked(_) => {
                self.show_ask();
                if let Some(ask) = self.ask() {
                    self.device.emit(DeviceEvent::Asked(ask));
                }
            }
            Event::AskOver(_) => self.show_ask(),
            // The driver looks before it allows.
            Event::AdminIdNeeded(_) => {}
            Event::Banner(banner) => self.update(|board, _| board.on_banner(banner)),
            Event::Inject { n, action } => self.on_inject(n, action),
            Event::Settings { call, act } => self.on_settings(call, act),
            Event::View(view) => self.camera.look_at(view),
            Event::Annotate(annotation) => {
                self.device.panel.annotate(&annotation);
                self.device.emit(DeviceEvent::Annotation(annotation));
            }
            Event::Link(link) => {
                match link {
                    Link::Lost { .. } => self.on_lost(),
                    Link::Ok => {
                        self.search.settle();
                        self.ask_again_to_countersign();
                    }
                    Link::Missing { .. } => {}
                }
                self.update(|board, now| board.on_link(now, link));
                self.device.emit(DeviceEvent::Link(link));
            }
            Event::IdleWarning { ends_in } => {
                self.update(|board, now| board.on_idle(now, Some(ends_in)));
            }
            Event::IdleOver => self.update(|board, now| board.on_idle(now, None)),
            Event::Notice(line) => tracing::info!(%line, "the mode says"),
            Event::Ended { by, reason } => self.on_ended(by, reason),
            _ => {}
        }
    }

    /// Performs an action of the operator's, unless the customer's word has come meanwhile.
    fn on_inject(&mut self, n: u64, action: Action) {
        let now = clock::now();
        // Letting go is what a stop wants.
        let ok = if self.session.is_stopping(now) && !asking::lets_go(&action) {
            false
        } else {
            match self.device.panel.inject(&action) {
                Ok(()) => true,
                Err(error) => {
                    tracing::debug!(error = %session_io::chain(&error), n, "the panel did not take an action");
                    false
                }
            }
        };
        self.input(Input::Injected { n, ok });
        self.device.emit(DeviceEvent::Injected { n, action, ok });
    }

    pub(super) fn on_connected(&mut self, session: SessionId, operator: OperatorIdentity) {
        self.was_live = true;
        self.device.panel.hold_awake(Awake::Hold);
        let now = clock::now();
        let board = self
            .board
            .insert(Board::new(now, session, operator.clone()));
        self.device.show(&board.show(now));
        self.device
            .emit(DeviceEvent::Connected { session, operator });
    }

    fn on_ended(&mut self, by: Party, reason: EndReason) {
        self.ended = Some((by, reason));
        self.wire.drop_scope();
        if self.board.take().is_none() {
            return;
        }
        // The way out must not wait for the network: the panel shows the end before the goodbye is on its way.
        self.device.panel.annotate(&Annotation::Clear);
        self.device.panel.annotate(&Annotation::PointerGone);
        self.device.panel.hold_awake(Awake::Release);
        self.device.show(&Status::Ended { by, reason });
        self.device.emit(DeviceEvent::Ended { by, reason });
    }
}
