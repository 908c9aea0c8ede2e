//! The direct way under one end-to-end connection, from its handshake to its end.
//!
//! A handshake proves a key and no more: whoever claims a live nameplate gets that far. Until the session has proved
//! the code, this side tells no address of its own and sends nothing to one that the other side names.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{LegToken, obstacle::ObstacleKind};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{Inner, closed::Closed};
use crate::{
    congestion::PathGeneration,
    leg::{probe::ProbeKeys, shared_socket::SharedSocket},
    path::{PathKind, direct::Route},
};

/// Time after which a search that found nothing is told: its quick rounds are over.
const FRUITLESS_AFTER: Duration = Duration::from_secs(5);

/// Looks for a direct way to `peer`, if that is allowed, once it is `admitted` and as long as `connection` lives.
/// What comes back follows the way that its packets take.
pub(super) fn look_for(
    inner: &Inner,
    connection: &quinn::Connection,
    peer: LegToken,
    admitted: watch::Receiver<bool>,
) -> watch::Receiver<PathKind> {
    let by_relay = inner.kind.clone();
    let candidates = inner.candidates.clone();
    let keys = ProbeKeys::of(connection, inner.role, peer);
    let (Some(candidates), Some(keys)) = (candidates, keys) else {
        return by_relay;
    };
    inner.socket.add_direct(keys, candidates);
    let (shown, kind) = watch::channel(*by_relay.borrow());
    let search = Search {
        socket: Arc::clone(&inner.socket),
        peer,
        by_relay,
        shown,
        generation: inner.generation.clone(),
        closed: inner.closed.clone(),
        admitted,
        since: None,
    };
    tokio::spawn(search.run(connection.clone()));
    kind
}

struct Search {
    socket: Arc<SharedSocket>,
    peer: LegToken,
    by_relay: watch::Receiver<PathKind>,
    shown: watch::Sender<PathKind>,
    generation: PathGeneration,
    closed: Closed,
    admitted: watch::Receiver<bool>,
    /// When the search began.
    since: Option<Instant>,
}

impl Search {
    async fn run(mut self, connection: quinn::Connection) {
        if self.wait_for_admission(&connection).await {
            self.search(&connection).await;
        }
        self.socket.remove_direct(self.peer);
        self.shown.send_replace(PathKind::None);
    }

    /// Whether the peer is admitted before its connection is over.
    async fn wait_for_admission(&mut self, connection: &quinn::Connection) -> bool {
        loop {
            self.show();
            tokio::select! {
                _ = connection.closed() => return false,
                admitted = self.admitted.wait_for(|admitted| *admitted) => return admitted.is_ok(),
                Ok(()) = self.by_relay.changed() => {}
            }
        }
    }

    async fn search(&mut self, connection: &quinn::Connection) {
        let now = Instant::now();
        self.since = Some(now);
        let half_way = connection.rtt() / 2;
        self.socket
            .admit_direct(now.into_std(), half_way, self.peer);
        let mut changes = self.socket.direct_changes();
        loop {
            changes.mark_unchanged();
            let now = Instant::now().into_std();
            let Some(deadline) = self.socket.tend_direct(now, self.peer) else {
                break;
            };
            self.show();
            tokio::select! {
                _ = connection.closed() => break,
                () = sleep_until(deadline.into()) => {}
                Ok(()) = changes.changed() => {}
                Ok(()) = self.by_relay.changed() => {}
            }
        }
    }

    fn show(&mut self) {
        let by_relay = *self.by_relay.borrow_and_update();
        let route = self.socket.route(self.peer);
        match route {
            Route::Direct(_) => self.closed.open(PathKind::Direct),
            Route::Relay
                if self
                    .since
                    .is_some_and(|since| since.elapsed() >= FRUITLESS_AFTER) =>
            {
                self.closed
                    .close(PathKind::Direct, ObstacleKind::NoDirect.into());
            }
            Route::Relay | Route::Both(_) => {}
        }
        let kind = match route {
            Route::Direct(_) => PathKind::Direct,
            Route::Relay | Route::Both(_) => by_relay,
        };
        self.shown.send_if_modified(|shown| {
            let has_changed = *shown != kind;
            if has_changed {
                tracing::info!(from = %*shown, to = %kind, "the session's packets take another way");
                self.generation.advance();
                if matches!(route, Route::Both(_)) {
                    self.socket.want_sign();
                }
                *shown = kind;
            }
            has_changed
        });
    }
}
