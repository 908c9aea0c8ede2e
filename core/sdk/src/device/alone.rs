//! One code being tried without a relay: the device dials the address at which the operator's side listens.

use std::{net::SocketAddr, sync::Arc};

use alongside_protocol::{AccessCode, PublicKey, obstacle::ObstacleKind, relay::Claim};
use alongside_session::OperatorIdentity;
use alongside_transport::{
    Connection as _, DialError, LegError, QuicConnection, connection::close_code, straight::Dialer,
};

use super::{Device, DeviceError, attempt::Tried, hand::Entry, refusal, way::PAUSE};
use crate::{
    clock,
    search::Search,
    session_io,
    status::{CodeRefusal, ConnectProblem, Status},
};

impl Device {
    /// Tries one code at the operator's own address.
    pub(super) async fn try_code_at(&mut self, at: SocketAddr, entry: Entry) -> Tried {
        let Entry { code, reply, .. } = entry;
        let introduced = match self.check_entry().await {
            Ok(()) => self.call(at, &code).await,
            Err(refusal) => Err(Tried::Refused(refusal)),
        };
        let (dialer, connection) = match introduced {
            Ok(introduced) => introduced,
            Err(tried) => {
                let _ = reply.send(Err(DeviceError::from(&tried)));
                return tried;
            }
        };
        let _ = reply.send(Ok(()));
        let operator = OperatorIdentity {
            key: connection.binding().peer,
            name: None,
            organisation: None,
            confirmed_by: None,
        };
        self.show(&Status::Connecting {
            operator: operator.clone(),
        });
        let search = search(dialer, operator.key);
        self.drive(connection, None, search, operator, code)
            .await
            .into()
    }

    /// Connects to the operator's side and claims the code's nameplate there.
    async fn call(
        &mut self,
        at: SocketAddr,
        code: &AccessCode,
    ) -> Result<(Dialer, QuicConnection), Tried> {
        self.show(&Status::Claiming);
        let network = self.config.relay.network();
        let dialer = Dialer::new(Arc::clone(&self.identity), network.as_ref(), at);
        let dialer = dialer.map_err(|error| {
            tracing::warn!(%error, "no socket to reach the operator's side from");
            refused(ObstacleKind::NoSocket.into())
        })?;
        let dialled = self.hand.unless_left(dialer.dial(None)).await?;
        let connection = dialled.map_err(|error| {
            tracing::info!(error = %session_io::chain(&error), "no connection with the operator");
            refused(of_dial(&error))
        })?;
        let claim = Claim {
            nameplate: code.nameplate(),
            serial: self.config.serial.clone(),
        };
        let claimed = self
            .hand
            .unless_left(dialer.claim(&connection, claim))
            .await;
        let refusal = match claimed {
            Ok(Ok(())) => return Ok((dialer, connection)),
            Ok(Err(error @ LegError::Refused { .. })) => refusal::of_claim(&error),
            Ok(Err(error)) => {
                tracing::info!(error = %session_io::chain(&error), "the operator's side does not answer the claim");
                CodeRefusal::NoConnection(ConnectProblem::OperatorUnreachable)
            }
            Err(left) => {
                connection.close(close_code::DONE, "");
                return Err(left.into());
            }
        };
        connection.close(close_code::DONE, "");
        if refusal::counts_as_wrong_entry(&refusal) {
            self.charge_entry().await.map_err(Tried::Refused)?;
        }
        Err(Tried::Refused(refusal))
    }
}

/// The search for further connections to the same operator.
fn search(dialer: Dialer, key: PublicKey) -> Search<QuicConnection> {
    Search::with(move || {
        let dialer = dialer.clone();
        Box::pin(async move {
            loop {
                match dialer.dial(Some(key)).await {
                    Ok(connection) => return connection,
                    Err(error) => {
                        tracing::debug!(error = %session_io::chain(&error), "the operator's side cannot be reached yet");
                        clock::sleep_until(Some(clock::now() + PAUSE)).await;
                    }
                }
            }
        })
    })
}

const fn refused(problem: ConnectProblem) -> Tried {
    Tried::Refused(CodeRefusal::NoConnection(problem))
}

/// Why nobody was met at the operator's address.
fn of_dial(error: &DialError) -> ConnectProblem {
    match refusal::of_dial(error) {
        ConnectProblem::OperatorUnreachable => ConnectProblem::NobodyListens,
        problem @ (ConnectProblem::Incompatible
        | ConnectProblem::NoWay(_)
        | ConnectProblem::NobodyListens) => problem,
    }
}
