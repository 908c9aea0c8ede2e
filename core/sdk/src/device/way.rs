//! A way to the relay that outlives one wrong code.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use alongside_protocol::{
    RendezvousId,
    relay::{Prepare, Release, ReleaseReason, Role},
};
use alongside_transport::{Identity, Leg, LegEvent, LegEvents};

use super::{DeviceConfig, refusal};
use crate::{
    clock, session_io,
    status::{CodeRefusal, ConnectProblem},
};

/// The device's leg at the relay.
pub(super) struct Way {
    pub(super) leg: Leg,
    pub(super) events: LegEvents,
}

impl Way {
    /// Goes to the relay.
    pub(super) async fn open(
        config: &DeviceConfig,
        identity: &Arc<Identity>,
    ) -> Result<Self, CodeRefusal> {
        match config
            .relay
            .connect(Role::Device, Arc::clone(identity))
            .await
        {
            Ok((leg, events)) => Ok(Self { leg, events }),
            Err(error) => {
                tracing::warn!(error = %session_io::chain(&error), "no way to the relay");
                Err(CodeRefusal::NoConnection(refusal::of_connect(&error)))
            }
        }
    }

    /// Forgets what was told so far: it is about an earlier meeting, and the next may have the same name.
    pub(super) fn forget_past(&mut self) {
        loop {
            let mut cx = Context::from_waker(Waker::noop());
            match pin!(self.events.next()).poll(&mut cx) {
                Poll::Pending | Poll::Ready(LegEvent::Lost(_)) => break,
                Poll::Ready(_) => {}
            }
        }
    }

    /// Waits for the operator's connection, as long as the relay does not say that it will not come.
    pub(super) async fn accept(
        &mut self,
        prepare: &Prepare,
    ) -> Result<alongside_transport::QuicConnection, ConnectProblem> {
        tokio::select! {
            accepted = self.leg.accept(prepare) => accepted.map_err(|error| {
                tracing::info!(error = %session_io::chain(&error), "no connection with the operator");
                refusal::of_dial(&error)
            }),
            problem = never_comes(&mut self.events, prepare.rendezvous) => Err(problem),
        }
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
async fn never_comes(events: &mut LegEvents, rendezvous: RendezvousId) -> ConnectProblem {
    loop {
        match events.next().await {
            LegEvent::PeerGone(gone) if gone.rendezvous == rendezvous => {
                return ConnectProblem::OperatorUnreachable;
            }
            LegEvent::Closing | LegEvent::Lost(_) => return ConnectProblem::RelayUnreachable,
            LegEvent::PeerGone(_) | LegEvent::Peer(_) | LegEvent::Link(_) | _ => {}
        }
    }
}
