//! A way to the relay that outlives one wrong code.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_protocol::{
    RendezvousId,
    obstacle::ObstacleKind,
    relay::{Departure, Prepare, Release, ReleaseReason, Role},
};
use alongside_transport::{Identity, Leg, LegEvent, LegEvents, QuicConnection};

use super::refusal;
use crate::{
    Relay, clock,
    search::Search,
    session_io,
    status::{CodeRefusal, ConnectProblem},
};

/// Pause before the operator is waited for again.
pub(super) const PAUSE: Duration = Duration::from_millis(250);

/// The device's leg at the relay.
pub(super) struct Way {
    pub(super) leg: Leg,
    pub(super) events: LegEvents,
}

impl Way {
    /// Goes to the relay.
    pub(super) async fn open(relay: &Relay, identity: &Arc<Identity>) -> Result<Self, CodeRefusal> {
        match relay.connect(Role::Device, Arc::clone(identity)).await {
            Ok((leg, events)) => Ok(Self { leg, events }),
            Err(error) => {
                tracing::warn!(error = %session_io::chain(&error), "no way to the relay");
                let problem = ConnectProblem::NoWay(error.obstacle());
                Err(CodeRefusal::NoConnection(problem))
            }
        }
    }

    /// Waits for the operator's connection, as long as the relay does not say that it will not come.
    pub(super) async fn accept(
        &mut self,
        prepare: &Prepare,
    ) -> Result<QuicConnection, CodeRefusal> {
        tokio::select! {
            accepted = self.leg.accept(prepare) => accepted.map_err(|error| {
                tracing::info!(error = %session_io::chain(&error), "no connection with the operator");
                CodeRefusal::NoConnection(refusal::of_dial(&error))
            }),
            refusal = never_comes(&mut self.events, prepare.rendezvous) => Err(refusal),
        }
    }

    /// The search for further connections of the same operator, in the same meeting.
    pub(super) fn search(&self, prepare: &Prepare) -> Search<QuicConnection> {
        let (leg, prepare) = (self.leg.clone(), prepare.clone());
        Search::with(move || {
            let (leg, prepare) = (leg.clone(), prepare.clone());
            Box::pin(async move {
                loop {
                    match leg.accept_again(&prepare).await {
                        Ok(connection) => return connection,
                        Err(error) => {
                            tracing::debug!(error = %session_io::chain(&error), "the operator has not come back yet");
                            clock::sleep_until(Some(clock::now() + PAUSE)).await;
                        }
                    }
                }
            })
        })
    }

    /// Tells the relay that a meeting, or one try of it, is over.
    pub(super) fn release(&self, rendezvous: RendezvousId, reason: ReleaseReason) {
        self.leg.release(Release { rendezvous, reason });
    }

    pub(super) async fn close(self) {
        self.leg.close().await;
    }
}

/// Resolves once a way that nobody uses is of no more use: `at` has come, or the relay is gone.
pub(super) async fn unused(way: &mut Option<Way>, at: Instant) {
    let Some(way) = way else {
        return std::future::pending().await;
    };
    let lost = async { while !matches!(way.events.next().await, LegEvent::Lost(_)) {} };
    tokio::select! {
        () = lost => {}
        () = clock::sleep_until(Some(at)) => {}
    }
}

/// Why the operator of a meeting will not connect, once the relay knows.
async fn never_comes(events: &mut LegEvents, rendezvous: RendezvousId) -> CodeRefusal {
    loop {
        let problem = match events.next().await {
            LegEvent::PeerGone(gone) if gone.rendezvous == rendezvous => match gone.how {
                Departure::Released(ReleaseReason::CodeDead) => return CodeRefusal::Burnt,
                Departure::Released(_) | Departure::LegLost | Departure::Relay => {
                    ConnectProblem::OperatorUnreachable
                }
            },
            LegEvent::Closing | LegEvent::Lost(_) => ObstacleKind::RelayUnreachable.into(),
            LegEvent::PeerGone(_) | LegEvent::Peer(_) | LegEvent::Link(_) | _ => continue,
        };
        return CodeRefusal::NoConnection(problem);
    }
}
