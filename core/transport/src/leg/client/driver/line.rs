//! The control connection, or the search for another one.

use std::pin::Pin;

use alongside_protocol::relay::{FromRelay, ToRelay};
use tokio::time::timeout;

use super::{
    super::{
        ConnectError, LegLost,
        connect::{Member, Registrar},
    },
    FAREWELL, LOOK_EVERY, WRITE_STALL,
};
use crate::connection::Lost;

type Search = Pin<Box<dyn Future<Output = Result<Member, ConnectError>> + Send>>;

/// How the relay is spoken to.
pub(super) struct Line {
    registrar: Registrar,
    state: State,
}

enum State {
    Up(Box<Member>),
    Down { search: Search, failures: u32 },
}

/// What a line brings.
pub(super) enum News {
    Message(FromRelay),
    /// The connection is over.
    Broke(LegLost),
    /// There is another connection.
    Back,
    /// A search came to nothing.
    NotBack(ConnectError),
}

impl Line {
    pub(super) fn new(registrar: Registrar, member: Member) -> Self {
        Self {
            registrar,
            state: State::Up(Box::new(member)),
        }
    }

    /// Next thing that happens. Cancel safe.
    pub(super) async fn next(&mut self) -> News {
        match &mut self.state {
            State::Up(member) => match member.reader.next().await {
                Ok(Some(message)) => News::Message(message),
                Ok(None) => News::Broke(member.end_of_stream().await),
                Err(error) => News::Broke(LegLost::of_stream(&error, &member.connection)),
            },
            State::Down { search, failures } => match search.as_mut().await {
                Ok(member) => {
                    self.state = State::Up(Box::new(member));
                    News::Back
                }
                Err(error) => {
                    *failures = failures.saturating_add(1);
                    *search = Box::pin(self.registrar.clone().come_back(*failures));
                    News::NotBack(error)
                }
            },
        }
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Gives the connection up and searches for another.
    pub(super) fn search(&mut self) {
        let search = Box::pin(self.registrar.clone().come_back(0));
        self.state = State::Down {
            search,
            failures: 0,
        };
    }

    /// The connection, while there is one.
    pub(super) fn connection(&self) -> Option<&quinn::Connection> {
        match &self.state {
            State::Up(member) => Some(&member.connection),
            State::Down { .. } => None,
        }
    }

    /// Sends a message; drops it while there is nobody to take it.
    pub(super) async fn send(&mut self, message: ToRelay) -> Result<(), LegLost> {
        let State::Up(member) = &mut self.state else {
            return Ok(());
        };
        match timeout(WRITE_STALL, member.writer.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(LegLost::of_stream(&error, &member.connection)),
            Err(_) => Err(LegLost::Connection(Lost::Silent)),
        }
    }

    /// Closing a connection drops what has not arrived, and a release is worth waiting for.
    pub(super) async fn say_goodbye(&mut self) {
        let State::Up(member) = &mut self.state else {
            return;
        };
        let acknowledged = async {
            member.writer.finish().await.ok()?;
            member.writer.stream().stopped().await.ok()
        };
        let _unheard = timeout(FAREWELL, acknowledged).await;
    }

    pub(super) fn close(&self, code: u32) {
        if let Some(connection) = self.connection() {
            connection.close(code.into(), b"");
        }
    }
}

impl Member {
    /// The relay finished the stream: a moment later comes the reason.
    async fn end_of_stream(&self) -> LegLost {
        match timeout(LOOK_EVERY, self.connection.closed()).await {
            Ok(reason) => reason.into(),
            Err(_) => LegLost::Protocol,
        }
    }
}
