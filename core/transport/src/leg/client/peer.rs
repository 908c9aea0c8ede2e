//! End-to-end connections through a leg.
//!
//! A device never listens. Its end-to-end endpoint answers a first packet only between a claim and the end of
//! [`Leg::accept`](super::Leg::accept), only if it came through the relay, and then only to the operator that was announced.

use std::{
    future::{Future as _, IntoFuture as _},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use alongside_protocol::{
    LegToken, PublicKey,
    relay::{Peer, Prepare, Role},
};
use quinn::TransportConfig;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{DialError, Inner, direct};
use crate::{
    connection::Lost,
    leg::{
        cid::dial_to,
        tls::{TlsError, e2e_client_config, e2e_server_config, quic_client, quic_server},
        tuning,
    },
    quic::QuicConnection,
};

/// Longest wait for the other side.
const DIAL_TIMEOUT: Duration = Duration::from_secs(15);

/// Attempts that wait while the relay's answer is on its way.
const MAX_WAITING: usize = 4;

/// Bytes of such an attempt that are kept: its two first packets, and as many again.
const WAITING_BYTES: u64 = 8 * 1024;

/// Name that is never sent, as the handshake carries none and keys are what counts.
const NO_NAME: &str = "alongside.invalid";

impl Inner {
    /// Lets first packets wait until it is known from whom they may be, as long as the guard stands.
    pub(super) fn open_door(&self) -> Result<Door<'_>, TlsError> {
        self.turn_away_waiting();
        // Accepts nobody by itself: no peer has our own key.
        let config = self.server_config(self.identity.public_key())?;
        self.end_to_end.set_server_config(Some(config));
        Ok(Door(Some(self)))
    }

    pub(super) async fn dial(&self, peer: &Peer) -> Result<QuicConnection, DialError> {
        if self.role != Role::Operator {
            return Err(DialError::NotAllowed);
        }
        let tls = e2e_client_config(&self.identity, peer.key)?;
        let mut client = quic_client(tls, self.tuning())?;
        dial_to(&mut client, peer.token);
        self.socket.add_peer(peer.token);
        let connecting = self
            .end_to_end
            .connect_with(client, self.socket.peer_address(), NO_NAME);
        let connecting = connecting.map_err(|_| DialError::LegGone)?;
        let connection = timeout(DIAL_TIMEOUT, connecting)
            .await
            .map_err(|_| DialError::Silent)?;
        self.bind(connection.map_err(Lost::from)?, peer.token)
    }

    pub(super) async fn accept(&self, prepare: &Prepare) -> Result<QuicConnection, DialError> {
        if self.role != Role::Device {
            return Err(DialError::NotAllowed);
        }
        let _one_at_a_time = self.accepting.lock().await;
        let _closed_at_the_end = Door(Some(self));
        self.socket.add_peer(prepare.token);
        let config = Arc::new(self.server_config(prepare.operator.key)?);
        let connection = timeout(DIAL_TIMEOUT, self.accept_from(config))
            .await
            .map_err(|_| DialError::Silent)?;
        self.bind(connection?, prepare.token)
    }

    /// The first attempt that succeeds. The operator may give one up and dial again, and the last words of an
    /// earlier dial look like an attempt too; only a refused handshake is final.
    async fn accept_from(
        &self,
        config: Arc<quinn::ServerConfig>,
    ) -> Result<quinn::Connection, DialError> {
        let mut attempts = JoinSet::new();
        loop {
            tokio::select! {
                incoming = self.end_to_end.accept() => {
                    let incoming = incoming.ok_or(DialError::LegGone)?;
                    match incoming.accept_with(Arc::clone(&config)) {
                        Ok(connecting) if attempts.len() < MAX_WAITING => drop(attempts.spawn(connecting.into_future())),
                        Ok(_) | Err(_) => {}
                    }
                }
                Some(Ok(attempt)) = attempts.join_next() => match attempt.map_err(Lost::from) {
                    Ok(connection) => return Ok(connection),
                    Err(lost @ Lost::Refused { .. }) => return Err(lost.into()),
                    Err(lost) => tracing::debug!(%lost, "an attempt of the operator's came to nothing"),
                },
            }
        }
    }

    fn bind(
        &self,
        connection: quinn::Connection,
        peer: LegToken,
    ) -> Result<QuicConnection, DialError> {
        let (admission, admitted) = watch::channel(false);
        let kind = direct::look_for(self, &connection, peer, admitted);
        let local = self.identity.public_key();
        let connection = QuicConnection::new(connection, local, kind)?;
        Ok(connection
            .with_closed_ways(self.closed.subscribe())
            .with_admission(admission))
    }

    fn tuning(&self) -> TransportConfig {
        tuning::e2e(&self.generation, self.socket.least_round_trip())
    }

    fn server_config(&self, peer: PublicKey) -> Result<quinn::ServerConfig, TlsError> {
        let tls = e2e_server_config(&self.identity, peer)?;
        let mut config = quic_server(tls, self.tuning())?;
        config
            .max_incoming(MAX_WAITING)
            .incoming_buffer_size(WAITING_BYTES)
            .incoming_buffer_size_total(WAITING_BYTES * MAX_WAITING as u64)
            .migration(false);
        Ok(config)
    }

    pub(super) fn close_door(&self) {
        self.end_to_end.set_server_config(None);
        self.turn_away_waiting();
    }

    fn turn_away_waiting(&self) {
        loop {
            let next = pin!(self.end_to_end.accept()).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Some(incoming)) = next else {
                break;
            };
            incoming.ignore();
        }
    }
}

/// The door closes when this is dropped, unless it is left open.
pub(super) struct Door<'a>(Option<&'a Inner>);

impl Door<'_> {
    pub(super) fn leave_open(mut self) {
        self.0 = None;
    }
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        if let Some(inner) = self.0 {
            inner.close_door();
        }
    }
}
