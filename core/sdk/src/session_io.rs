//! What both sides' drivers do with a session's inputs and outputs.

use std::{error::Error, fmt, time::Duration};

use alongside_protocol::{
    RendezvousId,
    reason::{EndReason, Party},
};
use alongside_session::{Binding, Delivery, Link, Outbound};
use alongside_transport::{Connection, LegEvent, LegEvents, LinkState, connection::close_code};

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
pub(crate) fn log_error<E: Error + 'static>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::warn!(error = %chain(&error), "the other side breaks the protocol");
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
            event => return event,
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
