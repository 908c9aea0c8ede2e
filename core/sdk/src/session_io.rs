//! What both sides' drivers do with a session's inputs and outputs.

use std::{error::Error, fmt, time::Duration};

use alongside_protocol::{
    RendezvousId,
    reason::{EndReason, Party},
    relay::Departure,
};
use alongside_session::{Binding, Delivery, Link, Outbound, SessionError};
use alongside_transport::{
    Connection, LegEvent, LegEvents, LegLost, LinkState, Lost, connection::close_code,
};

use crate::wire::Wire;

/// How long a goodbye may take to reach the other side before the connection is closed over it.
///
/// One second is three round trips of a slow mobile path (our choice); the person who ended the session sees its end
/// at once in any case.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// What the session proves the code against.
pub(crate) fn binding<C: Connection>(connection: &C) -> Binding {
    let binding = connection.binding();
    Binding {
        exporter: binding.exporter,
        local: binding.local,
        peer: binding.peer,
    }
}

/// Hands a message of the session to the connection.
pub(crate) fn send<C: Connection>(wire: &mut Wire<C>, outbound: Outbound) {
    match outbound.delivery {
        Delivery::Reliable => wire.send(outbound.channel, outbound.bytes),
        Delivery::Datagram => wire.send_datagram(outbound.bytes),
    }
}

/// A session that fails has closed itself; the reason is worth a line.
pub(crate) fn log_error(result: Result<(), SessionError>) {
    match result {
        Ok(()) => {}
        Err(error) if error.is_peers_fault() => {
            tracing::warn!(error = %chain(&error), "the other side breaks the protocol");
        }
        Err(error) => tracing::debug!(error = %chain(&error), "input not taken"),
    }
}

/// What the relay's news mean for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegNews {
    /// Whether the relay can be heard changed.
    Link(Link),
    /// Nothing reaches the other side any more.
    PeerLost,
    /// The relay has ended the meeting, and nothing goes through it any more.
    RelayClosed,
    /// Nothing that matters here.
    Nothing,
}

/// What an event of the leg means for the session whose meeting it is about.
///
/// On a direct way the session needs no relay: what ends it comes from the other side, or is silence.
pub(crate) fn leg_news(event: LegEvent, is_direct: bool) -> LegNews {
    match event {
        LegEvent::PeerGone(_) | LegEvent::Lost(_) if is_direct => {
            tracing::info!(
                ?event,
                "the relay is out of it; the session goes on without"
            );
            LegNews::Nothing
        }
        LegEvent::PeerGone(gone) => {
            tracing::info!(how = ?gone.how, "the relay says that the meeting is over");
            match gone.how {
                Departure::Relay => LegNews::RelayClosed,
                Departure::Released(_) => LegNews::PeerLost,
                // It may come back.
                Departure::LegLost => LegNews::Nothing,
            }
        }
        LegEvent::Link(state) => LegNews::Link(link(state)),
        LegEvent::Lost(lost) => {
            tracing::warn!(error = %lost, "the relay is gone");
            match lost {
                LegLost::Connection(Lost::Silent) => LegNews::PeerLost,
                LegLost::Connection(_) | LegLost::Protocol | LegLost::ClosedHere | _ => {
                    LegNews::RelayClosed
                }
            }
        }
        LegEvent::Closing => {
            tracing::warn!("the relay shuts down; the session holds on until it is back");
            LegNews::Nothing
        }
        LegEvent::Peer(_) | _ => LegNews::Nothing,
    }
}

/// What the relay says, as far as it concerns this meeting; waits for ever without a leg.
pub(crate) async fn next_leg_event(leg: &mut Option<(&mut LegEvents, RendezvousId)>) -> LegEvent {
    let Some((events, rendezvous)) = leg else {
        return std::future::pending().await;
    };
    loop {
        match events.next().await {
            LegEvent::PeerGone(gone) if gone.rendezvous != *rendezvous => {}
            LegEvent::Lost(lost) => {
                // Told once; the session goes on as long as its own connection does.
                *leg = None;
                return LegEvent::Lost(lost);
            }
            event @ (LegEvent::Peer(_)
            | LegEvent::PeerGone(_)
            | LegEvent::Closing
            | LegEvent::Link(_)
            | _) => return event,
        }
    }
}

/// The application close code of a connection whose session ended so.
pub(crate) const fn code_of(ended: Option<(Party, EndReason)>) -> u32 {
    match ended {
        None | Some((_, EndReason::CodeNotProved)) => close_code::PROOF,
        Some((_, EndReason::Protocol)) => close_code::PROTOCOL,
        Some((_, EndReason::Shutdown)) => close_code::SHUTDOWN,
        Some(_) => close_code::DONE,
    }
}

/// The words that go with [`code_of`]; for logs of the other side.
pub(crate) const fn reason_of(ended: Option<(Party, EndReason)>) -> &'static str {
    match ended {
        None => EndReason::CodeNotProved.as_str(),
        Some((_, reason)) => reason.as_str(),
    }
}

/// Whether the relay can be heard, in the session's terms.
pub(crate) const fn link(link: LinkState) -> Link {
    match link {
        LinkState::Ok => Link::Ok,
        LinkState::Missing { silent } => Link::Missing { silent },
    }
}

/// An error and its causes, for one line of log.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Display + 'a {
    struct Chain<'a>(&'a (dyn Error + 'static));
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::Display::fmt(self.0, f)?;
            let mut cause = self.0.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
            Ok(())
        }
    }
    Chain(error)
}
