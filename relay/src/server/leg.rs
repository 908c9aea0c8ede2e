//! One leg's control connection, from its first packet to its end.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alongside_protocol::relay::{
    Auth, Challenge, FromRelay, RELAY_VERSION, Refused, RelayRefusal, ToRelay, Welcome,
};
use alongside_transport::leg::{
    auth::{self, LegBinding},
    control::{ControlError, ControlReader, ControlWriter},
};
use quinn::{Connection, Incoming, RecvStream, SendStream};
use tracing::{debug, info};

use super::{
    CloseCode, Shared,
    admission::Pending,
    hub::role_word,
    outbox::{Next, Outbox},
};
use crate::{
    bucket::Bucket,
    clock,
    config::seconds,
    random,
    switchboard::{LegId, NewLeg},
};

/// How long a leg has to take a refusal or a goodbye before the connection closes (our choice).
const FAREWELL: Duration = Duration::from_secs(1);

type Reader = ControlReader<ToRelay, RecvStream>;
type Writer = ControlWriter<FromRelay, SendStream>;

/// Why a leg's control connection ends.
#[derive(Debug, thiserror::Error)]
enum LegEnd {
    #[error("refused: {0:?}")]
    Refused(RelayRefusal),
    #[error("not authenticated in time")]
    TooSlow,
    #[error("sent something else than the answer to the challenge")]
    NotAuth,
    #[error("too many messages")]
    TooManyMessages,
    #[error("takes no messages")]
    Stalled,
    #[error("closed by the relay: {0:?}")]
    Closed(CloseCode),
    #[error("the leg left")]
    Left,
    #[error("connection lost")]
    Lost(#[from] quinn::ConnectionError),
    #[error("control stream failed")]
    Control(#[from] ControlError),
}

/// Serves one connection to its end.
///
/// Boxed are the phases that pass, so that a leg that waits for years does not hold their room.
pub(super) async fn serve(shared: &Shared, incoming: Incoming, pending: Option<Pending>) {
    let connection = match Box::pin(shake_hands(shared, incoming)).await {
        Ok(connection) => connection,
        Err(end) => return debug!(%end, "no connection"),
    };
    let end = match Box::pin(authenticate(shared, &connection)).await {
        Ok(leg) => {
            pending.into_iter().for_each(Pending::authenticated);
            let Known {
                id,
                outbox,
                reader,
                writer,
            } = leg;
            let end = attend(shared, &connection, id, &outbox, reader, writer).await;
            shared.hub.leave(clock::now(), id);
            end
        }
        Err(end) => end,
    };
    debug!(from = %connection.remote_address(), %end, "leg's connection ends");
    connection.close(end.code().into(), b"");
}

/// A leg that has authenticated.
struct Known {
    id: LegId,
    outbox: Arc<Outbox>,
    reader: Reader,
    writer: Writer,
}

async fn shake_hands(shared: &Shared, incoming: Incoming) -> Result<Connection, LegEnd> {
    let within = seconds(shared.limits.auth_timeout_s);
    let connecting = incoming.accept()?;
    Ok(tokio::time::timeout(within, connecting)
        .await
        .map_err(|_| LegEnd::TooSlow)??)
}

/// Challenge, answer, welcome.
async fn authenticate(shared: &Shared, connection: &Connection) -> Result<Known, LegEnd> {
    // Before anybody can pretend that it moved.
    let address = connection.remote_address();
    let within = seconds(shared.limits.auth_timeout_s);
    let (send, receive) = connection.open_bi().await?;
    let (mut writer, mut reader) = (Writer::new(send), Reader::new(receive));
    let challenge = Challenge {
        version: RELAY_VERSION,
        nonce: random::bytes(),
        time: clock::since_1970().as_secs(),
    };
    writer.send(challenge.clone()).await?;
    let answer = tokio::time::timeout(within, reader.next())
        .await
        .map_err(|_| LegEnd::TooSlow)??;
    let Some(ToRelay::Auth(auth)) = answer else {
        return Err(LegEnd::NotAuth);
    };

    let outbox = Arc::new(Outbox::default());
    match enter(shared, connection, address, &auth, &challenge, &outbox) {
        Ok(id) => {
            let origin = shared.socket.streams().origin(address);
            let observed = SocketAddr::new(origin.ip().to_canonical(), origin.port());
            let welcome = Welcome {
                observed,
                relay: shared.name.clone(),
            };
            if let Err(error) = writer.send(welcome).await {
                shared.hub.leave(clock::now(), id);
                return Err(error.into());
            }
            info!(role = role_word(auth.role), key = ?auth.key, token = ?auth.token, "leg joined");
            Ok(Known {
                id,
                outbox,
                reader,
                writer,
            })
        }
        Err(reason) => {
            writer
                .send(Refused {
                    reason,
                    retry_after_s: None,
                })
                .await?;
            say_goodbye(&mut writer, connection).await;
            Err(LegEnd::Refused(reason))
        }
    }
}

fn enter(
    shared: &Shared,
    connection: &Connection,
    address: SocketAddr,
    auth: &Auth,
    challenge: &Challenge,
    outbox: &Arc<Outbox>,
) -> Result<LegId, RelayRefusal> {
    let binding = LegBinding::of(connection).map_err(|_| RelayRefusal::BadSignature)?;
    auth::verify(auth, challenge, binding)?;
    let new = NewLeg {
        role: auth.role,
        key: auth.key,
        token: auth.token,
        source: shared.socket.streams().origin(address).ip(),
    };
    shared.hub.join(new, connection, address, outbox)
}

/// Serves a leg that is known.
async fn attend(
    shared: &Shared,
    connection: &Connection,
    id: LegId,
    outbox: &Outbox,
    mut reader: Reader,
    mut writer: Writer,
) -> LegEnd {
    let limits = &shared.limits;
    let mut messages = Bucket::new(
        limits.control_per_s.into(),
        Duration::from_secs(1),
        limits.control_burst.into(),
    );
    loop {
        tokio::select! {
            biased;
            next = outbox.next() => match next {
                Next::Send(message) => {
                    let sent = tokio::time::timeout(seconds(limits.write_stall_s), writer.send(message)).await;
                    match sent {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return error.into(),
                        Err(_) => return LegEnd::Stalled,
                    }
                }
                Next::End(code) => {
                    say_goodbye(&mut writer, connection).await;
                    return LegEnd::Closed(code);
                }
            },
            message = reader.next() => {
                let now = clock::now();
                match message {
                    Ok(Some(message)) if messages.take(now, 1) => {
                        shared.hub.look_at(now, id);
                        if !handle(shared, id, outbox, message) {
                            return LegEnd::NotAuth;
                        }
                    }
                    Ok(Some(_)) => return LegEnd::TooManyMessages,
                    Ok(None) => return LegEnd::Left,
                    Err(error) => return error.into(),
                }
            }
        }
    }
}

/// Handles one message; whether it was one that a known leg may send.
fn handle(shared: &Shared, id: LegId, outbox: &Outbox, message: ToRelay) -> bool {
    let now = clock::now();
    match message {
        ToRelay::Check(check) => outbox.push(check.into()),
        ToRelay::Allocate(allocate) => shared.hub.allocate(now, id, allocate),
        ToRelay::Claim(claim) => shared.hub.claim(now, id, claim),
        ToRelay::Release(release) => shared.hub.release(now, id, release),
        ToRelay::Moved(_) => {} // every message makes the relay look
        ToRelay::Auth(_) | _ => return false,
    }
    true
}

/// Ends the stream and gives the leg a moment to read it to its end and to close.
async fn say_goodbye(writer: &mut Writer, connection: &Connection) {
    let say = async {
        let _ = writer.finish().await;
        connection.closed().await;
    };
    let _ = tokio::time::timeout(FAREWELL, say).await;
}

impl LegEnd {
    fn code(&self) -> CloseCode {
        match self {
            Self::Refused(_) => CloseCode::Refused,
            Self::NotAuth | Self::Control(_) => CloseCode::Protocol,
            Self::TooSlow | Self::TooManyMessages | Self::Stalled => CloseCode::Limit,
            Self::Closed(code) => *code,
            Self::Left | Self::Lost(_) => CloseCode::Done,
        }
    }
}
