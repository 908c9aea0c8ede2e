//! Does what the [`RelayLink`] decides: opens streams, moves packets.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::super::{
    ConnectError,
    closed::Closed,
    stream::{LiveStream, Opened, Opener},
};
use crate::{
    congestion::PathGeneration,
    leg::shared_socket::SharedSocket,
    path::{
        PathKind, Way,
        relay::{Action, Again, RelayLink, RelayWays},
    },
};

/// The ways of one leg to its relay.
#[derive(Debug)]
pub(in crate::leg::client) struct Ways {
    pub(in crate::leg::client) link: RelayLink,
    pub(in crate::leg::client) opener: Option<Opener>,
    pub(in crate::leg::client) stream: Option<LiveStream>,
    pub(in crate::leg::client) opening: Option<Opening>,
    /// How the way is shown.
    pub(in crate::leg::client) way: watch::Sender<PathKind>,
    pub(in crate::leg::client) generation: PathGeneration,
    pub(in crate::leg::client) sign: Sign,
    pub(in crate::leg::client) closed: Closed,
}

/// A stream that is being opened; dropping it gives up.
#[derive(Debug)]
pub(in crate::leg::client) struct Opening(JoinHandle<Result<Opened, ConnectError>>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether the relay is to be asked for a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::leg::client) enum Sign {
    Wanted,
    NotWanted,
}

impl Ways {
    /// Waits until there may be something to decide.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self, socket: &Arc<SharedSocket>) {
        let now = Instant::now().into_std();
        let deadline = self.link.deadline(now, socket.observed(now));
        tokio::select! {
            () = sleep_until(deadline.into()) => {}
            () = socket.probe_answered() => self.link.handle_probe_answer(Instant::now().into_std()),
            () = socket.sign_wanted() => self.sign = Sign::Wanted,
            () = socket.becomes_busy() => {}
            opened = opened(&mut self.opening) => self.on_opened(socket, opened),
            () = ended(&mut self.stream) => {
                self.stream = None;
                socket.drop_stream();
                self.show(socket.kind());
                self.link.handle_stream_down(Instant::now().into_std(), Again::Later);
            }
        }
    }

    fn on_opened(&mut self, socket: &Arc<SharedSocket>, opened: Result<Opened, ConnectError>) {
        self.opening = None;
        let now = Instant::now().into_std();
        match opened {
            Ok(opened) => {
                let stream = opened.start(socket);
                stream.attach(socket);
                self.stream = Some(stream);
                self.link.handle_stream_up(now);
            }
            Err(error) => {
                let again = if error.is_retryable() {
                    Again::Later
                } else {
                    Again::Never
                };
                tracing::debug!(%error, ?again, "no stream to the relay");
                if let Some(opener) = &self.opener {
                    let kind = Way::RelayStream(opener.kind()).kind();
                    self.closed.close(kind, error.obstacle());
                }
                self.link.handle_stream_down(now, again);
            }
        }
    }

    /// Decides, and does what was decided.
    pub(super) fn act(&mut self, socket: &Arc<SharedSocket>, rtt: Duration) -> Sign {
        let now = Instant::now().into_std();
        self.link.handle_rtt(rtt);
        socket.note_rtt(rtt);
        let observed = socket.observed(now);
        self.closed.taken(now, socket.kind(), observed.heard_udp);
        self.link.handle_timeout(now, observed);
        let mut sign = std::mem::replace(&mut self.sign, Sign::NotWanted);
        while let Some(action) = self.link.poll_action() {
            match action {
                Action::Ask => sign = Sign::Wanted,
                Action::Probe => socket.probe(),
                Action::OpenStream => self.open(),
                Action::CloseStream => {
                    self.opening = None;
                    self.stream = None;
                    socket.drop_stream();
                }
                Action::Take(ways) => self.take(socket, ways),
            }
        }
        sign
    }

    fn open(&mut self) {
        let Some(opener) = self.opener.clone() else {
            return;
        };
        let opening = tokio::spawn(async move { opener.open().await });
        self.opening = Some(Opening(opening));
    }

    fn take(&self, socket: &SharedSocket, ways: RelayWays) {
        socket.set_ways(ways);
        self.show(socket.kind());
    }

    /// Tells connections and people that packets take another way.
    fn show(&self, kind: PathKind) {
        self.way.send_if_modified(|shown| {
            let has_changed = *shown != kind;
            if has_changed {
                tracing::info!(from = %*shown, to = %kind, "packets take another way");
                self.generation.advance();
                *shown = kind;
            }
            has_changed
        });
    }

    /// The relay was asked for a sign of life.
    pub(super) fn asked(&mut self) {
        self.link.handle_asked(Instant::now().into_std());
    }

    /// The leg is over.
    pub(super) fn end(&mut self, socket: &SharedSocket) {
        self.opening = None;
        self.stream = None;
        socket.drop_stream();
    }
}

async fn opened(opening: &mut Option<Opening>) -> Result<Opened, ConnectError> {
    let outcome = match opening {
        Some(Opening(task)) => task.await.ok(),
        None => std::future::pending().await,
    };
    outcome.unwrap_or(Err(ConnectError::NoWayAllowed))
}

async fn ended(stream: &mut Option<LiveStream>) {
    let end = match stream {
        Some(stream) => stream.ended().await,
        None => std::future::pending().await,
    };
    tracing::debug!(%end, "the stream to the relay is over");
}
