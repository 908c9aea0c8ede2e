//! Without a relay: the operator's side listens, and devices come straight to it.
//!
//! What the relay does for others is done here: nameplates are drawn, claimed and kept out of use when they are dead,
//! and who guesses them has to wait. The code, its three tries and its time are the same.

use std::net::SocketAddr;

use alongside_protocol::PublicKey;
use alongside_session::IssuedCode;
use alongside_transport::{
    ConnectError, QuicConnection,
    straight::{Listener, Visit},
};

use super::{
    Command, Operator, OperatorEnd, OperatorError, OperatorEvent, Until,
    drive::Driven,
    issue,
    plates::{Fate, Plates},
};
use crate::{clock, search::Search};

/// How a visit went.
enum Visited {
    /// The code, if it lives on.
    Over(Option<IssuedCode>),
    Ends(OperatorEnd),
}

impl Operator {
    pub(super) async fn run_alone(
        mut self,
        at: SocketAddr,
        until: Until,
    ) -> Result<OperatorEnd, ConnectError> {
        let failed = |source| ConnectError::Listen { at, source };
        let identity = self.config.identity.clone();
        let network = self.config.relay.network();
        let listener = Listener::bind(identity, network.as_ref(), at).map_err(failed)?;
        let listens = listener.local_addr().map_err(failed)?;
        self.tell(OperatorEvent::Listening(listens));
        self.tell(OperatorEvent::Ready);
        let end = self.serve_alone(&listener, until).await;
        listener.close().await;
        Ok(end)
    }

    async fn serve_alone(&mut self, listener: &Listener, until: Until) -> OperatorEnd {
        let mut plates = Plates::default();
        let mut visits = listener.visits();
        let mut issued: Option<IssuedCode> = None;
        loop {
            let expiry = issued.as_ref().map(IssuedCode::expires_at);
            tokio::select! {
                biased;
                command = self.desk.next() => match command {
                    Some(Command::Code { ttl, reply, .. }) => {
                        let now = clock::now();
                        if let Some(old) = issued.take() {
                            plates.retire(now, &old, Fate::Replaced);
                        }
                        let Some(nameplate) = plates.draw(now, crate::random::bytes) else {
                            let _ = reply.send(Err(OperatorError::NoNameplate));
                            continue;
                        };
                        let (code, shown) = issue::issue(nameplate, ttl);
                        issued = Some(code);
                        let _ = reply.send(Ok(shown));
                    }
                    Some(Command::Act { reply, .. }) => drop(reply.send(Err(OperatorError::NotConnected))),
                    Some(Command::End { reply }) => {
                        let _ = reply.send(Ok(()));
                        return OperatorEnd::Stopped;
                    }
                    None => return OperatorEnd::Stopped,
                },
                () = clock::sleep_until(expiry) => if let Some(old) = issued.take() {
                    plates.retire(clock::now(), &old, Fate::Expired);
                    self.tell(OperatorEvent::CodeExpired);
                },
                visit = visits.next() => {
                    let claimed = plates.claim(clock::now(), visit.source(), visit.claim().nameplate, issued.as_ref());
                    let code = match claimed {
                        Ok(()) => issued.take(),
                        Err((reason, wait)) => {
                            visit.refuse(reason, wait);
                            continue;
                        }
                    };
                    let Some(code) = code else { continue };
                    match self.receive(listener, visit, code, &mut plates, until).await {
                        Visited::Over(code) => issued = code,
                        Visited::Ends(end) => return end,
                    }
                }
            }
        }
    }

    /// Lets a device prove the code, and helps it if it does.
    async fn receive(
        &mut self,
        listener: &Listener,
        visit: Visit,
        code: IssuedCode,
        plates: &mut Plates,
        until: Until,
    ) -> Visited {
        let key = visit.key();
        let nameplate = code.code().nameplate();
        let own = self.config.identity.public_key();
        let expires_in = code.expires_at().saturating_duration_since(clock::now());
        let admitted = self.desk.unless_ended(visit.admit(own, expires_in)).await;
        let connection = match admitted {
            Ok(Some(connection)) => connection,
            Ok(None) => return Visited::Over(Some(code)),
            Err(_) => return Visited::Ends(OperatorEnd::Stopped),
        };
        let driven = self
            .drive(connection, None, search(listener, key), code)
            .await;
        let now = clock::now();
        match driven {
            Driven::NotProved(code) => Visited::Over(Some(code)),
            Driven::Burnt => {
                plates.retire_number(now, nameplate, Fate::Burnt);
                match until {
                    Until::FirstSession => Visited::Ends(OperatorEnd::CodeBurnt),
                    Until::Stopped => Visited::Over(None),
                }
            }
            Driven::Expired => {
                plates.retire_number(now, nameplate, Fate::Expired);
                self.tell(OperatorEvent::CodeExpired);
                Visited::Over(None)
            }
            Driven::GivenUp => Visited::Ends(OperatorEnd::Stopped),
            Driven::Ended { by, reason } => {
                plates.retire_number(now, nameplate, Fate::Spent);
                match until {
                    Until::FirstSession => Visited::Ends(OperatorEnd::Session { by, reason }),
                    Until::Stopped => Visited::Over(None),
                }
            }
        }
    }
}

/// The wait for further connections of the same device.
fn search(listener: &Listener, key: PublicKey) -> Search<QuicConnection> {
    let listener = listener.clone();
    Search::with(move || {
        let listener = listener.clone();
        Box::pin(async move { listener.accept_again(key).await })
    })
}
