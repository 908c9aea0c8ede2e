//! How a leg gets in at the relay, at first and whenever it comes back: it calls, is challenged, answers, is welcome.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{
    LegToken,
    label::Label,
    relay::{Challenge, RELAY_VERSION, RelayRefusal, Welcome},
};
use quinn::{Endpoint, TransportConfig};
use tokio::time::{sleep, timeout};

use super::{
    Answer, ConnectError, LegConfig, LegLost, Lost, Reader, Writer, broke, next, refused,
    why_no_connection,
};
use crate::leg::{
    auth::{self, LegBinding},
    shared_socket::SharedSocket,
    tls::{quic_client, relay_client_config},
    tuning,
};

/// What a first call has before the next one; each later one has twice as much. A call over a good line takes four round
/// trips, and a relay that comes up meanwhile is heard at the next repetition only.
const CALL: Duration = Duration::from_secs(1);

/// What any call has at most.
const LONGEST_CALL: Duration = Duration::from_secs(10);

/// Pause before the second call; it doubles, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Failures up to which both are shorter: a network that lets packets pass for 5 s should not find nobody calling.
const EAGER: u32 = 24;
const LONGEST_EAGER_PAUSE: Duration = Duration::from_millis(500);
const EAGER_CALL: Duration = Duration::from_secs(2);

/// Gets one leg in, as often as it takes: always with the same token and key.
#[derive(Clone, Debug)]
pub(in crate::leg::client) struct Registrar(Arc<Papers>);

#[derive(Debug)]
struct Papers {
    config: LegConfig,
    token: LegToken,
    control: Endpoint,
}

/// A connection on which the relay has sent its challenge.
pub(super) struct Caller {
    member: Member,
    challenge: Challenge,
    is_undated: bool,
    issuer: Option<Label<64>>,
}

impl Caller {
    /// Whether this machine's clock was no help with the relay's certificate.
    pub(super) const fn is_undated(&self) -> bool {
        self.is_undated
    }

    /// Who issued the relay's certificate.
    pub(super) fn issuer(&self) -> Option<Label<64>> {
        self.issuer.clone()
    }
}

/// A connection on which the relay knows the leg.
#[derive(Debug)]
pub(in crate::leg::client) struct Member {
    pub(in crate::leg::client) connection: quinn::Connection,
    pub(in crate::leg::client) reader: Reader,
    pub(in crate::leg::client) writer: Writer,
}

impl Registrar {
    pub(super) fn new(config: LegConfig, token: LegToken, control: Endpoint) -> Self {
        Self(Arc::new(Papers {
            config,
            token,
            control,
        }))
    }

    pub(super) fn token(&self) -> LegToken {
        self.0.token
    }

    /// The endpoint of the control connections.
    pub(super) fn control(&self) -> Endpoint {
        self.0.control.clone()
    }

    /// Connects, and waits for the challenge.
    pub(super) async fn call(&self) -> Result<Caller, ConnectError> {
        self.call_with(tuning::leg_control()).await
    }

    /// The same over a stream that has just come up.
    pub(super) async fn call_on_stream(&self) -> Result<Caller, ConnectError> {
        self.call_with(tuning::leg_control_on_stream()).await
    }

    async fn call_with(&self, transport: TransportConfig) -> Result<Caller, ConnectError> {
        let config = &self.0.config;
        let (tls, verdict) = relay_client_config(&config.trust)?;
        let client = quic_client(tls, transport)?;
        let relay = SharedSocket::relay_address();
        let dial = self
            .0
            .control
            .connect_with(client, relay, &config.relay.host)
            .map_err(|error| {
                tracing::debug!(%error, "the relay cannot be dialled");
                ConnectError::NoDns {
                    relay: config.relay.clone(),
                    source: None,
                }
            })?;
        let failed = |error| why_no_connection(error, &verdict, &config.relay);
        let connection = dial.await.map_err(failed)?;
        let (send, recv) = connection.accept_bi().await.map_err(failed)?;
        let (writer, mut reader) = (Writer::new(send), Reader::new(recv));
        let challenge = match next(&mut reader, &connection).await {
            Ok(Answer::Challenge(challenge)) => challenge,
            Ok(Answer::Refused(no)) => return Err(refused(config, &no)),
            Ok(Answer::Welcome(_)) => return Err(broke(config, LegLost::Protocol)),
            Err(lost) => return Err(broke(config, lost)),
        };
        let is_undated = verdict.is_undated();
        if is_undated {
            tracing::warn!(
                relay_time = challenge.time,
                "the clock of this machine cannot be right; the relay's certificate is judged by the relay's clock"
            );
        }
        let issuer = verdict.issuer();
        if let Err(fault) = verdict.settle(challenge.time) {
            return Err(ConnectError::Untrusted {
                relay: config.relay.clone(),
                fault,
                issuer,
            });
        }
        Ok(Caller {
            member: Member {
                connection,
                reader,
                writer,
            },
            challenge,
            is_undated,
            issuer,
        })
    }

    /// Answers the relay's challenge and waits to be let in.
    pub(super) async fn introduce(
        &self,
        caller: Caller,
    ) -> Result<(Member, Welcome), ConnectError> {
        let config = &self.0.config;
        let Caller {
            mut member,
            challenge,
            ..
        } = caller;
        if challenge.version != RELAY_VERSION {
            return Err(ConnectError::Refused {
                relay: config.relay.clone(),
                refusal: RelayRefusal::Version,
                retry_after_s: None,
            });
        }
        let binding = LegBinding::of(&member.connection)
            .map_err(|_| broke(config, LegLost::Connection(Lost::Broken)))?;
        let (identity, role) = (&config.identity, config.role);
        let answer = auth::sign(identity, &challenge, binding, role, self.0.token);
        member
            .writer
            .send(answer)
            .await
            .map_err(|error| broke(config, LegLost::of_stream(&error, &member.connection)))?;
        match next(&mut member.reader, &member.connection).await {
            Ok(Answer::Welcome(welcome)) => Ok((member, welcome)),
            Ok(Answer::Refused(no)) => Err(refused(config, &no)),
            Ok(Answer::Challenge(_)) => Err(broke(config, LegLost::Protocol)),
            Err(lost) => Err(broke(config, lost)),
        }
    }

    /// Gets in again after `failures` calls that came to nothing. Always the same leg: what the relay sees of it, and
    /// the way there, are its socket's matter.
    pub(in crate::leg::client) async fn come_back(
        self,
        failures: u32,
    ) -> Result<Member, ConnectError> {
        let factor = 1 << failures.min(10);
        let (longest_pause, longest_call) = match failures {
            // Now and then a long one, for a line that needs it.
            0..=EAGER if failures % 4 < 3 => (LONGEST_EAGER_PAUSE, EAGER_CALL),
            0..=EAGER => (LONGEST_EAGER_PAUSE, LONGEST_CALL),
            _ => (LONGEST_PAUSE, LONGEST_CALL),
        };
        if failures > 0 {
            sleep((PAUSE * factor).min(longest_pause)).await;
        }
        let call = async {
            let caller = self.call().await?;
            let (member, _welcome) = self.introduce(caller).await?;
            Ok(member)
        };
        let patience = (CALL * factor).min(longest_call);
        timeout(patience, call).await.unwrap_or_else(|_| {
            Err(ConnectError::Unreachable {
                relay: self.0.config.relay.clone(),
            })
        })
    }
}
