//! The search for another connection to the same peer, once one is lost.

use std::{pin::Pin, time::Duration};

use alongside_transport::{Lost, connection::close_code};

use crate::clock;

/// A search that goes on until it has found one.
pub(crate) type Found<C> = Pin<Box<dyn Future<Output = C> + Send>>;

/// Pause before another connection is looked for when one did not prove what it had to (our choice: nobody honest has to
/// wait for it).
const PAUSE: Duration = Duration::from_secs(1);

/// Finds connections, one after the other.
pub(crate) struct Search<C> {
    start: Option<Box<dyn Fn() -> Found<C> + Send + Sync>>,
    going: Option<Found<C>>,
    has_found: bool,
}

impl<C: Send + 'static> Search<C> {
    /// Searches as `start` does.
    pub(crate) fn with(start: impl Fn() -> Found<C> + Send + Sync + 'static) -> Self {
        Self {
            start: Some(Box::new(start)),
            going: None,
            has_found: false,
        }
    }

    /// There is nowhere to search: the connection is the embedder's, and the session ends with it.
    pub(crate) const fn nowhere() -> Self {
        Self {
            start: None,
            going: None,
            has_found: false,
        }
    }

    pub(crate) const fn is_possible(&self) -> bool {
        self.start.is_some()
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.going.is_some()
    }

    /// Starts to search, at once for the first time.
    pub(crate) fn begin(&mut self) {
        let Some(found) = self.start.as_ref().map(|start| start()) else {
            return;
        };
        let waits = std::mem::take(&mut self.has_found);
        self.going = Some(Box::pin(async move {
            if waits {
                clock::sleep_until(Some(clock::now() + PAUSE)).await;
            }
            found.await
        }));
    }

    /// The next connection; waits for ever while nobody searches. Cancel safe.
    pub(crate) async fn next(&mut self) -> C {
        let Some(going) = &mut self.going else {
            return std::future::pending().await;
        };
        let found = going.as_mut().await;
        self.going = None;
        self.has_found = true;
        found
    }

    /// The session goes on over what was found.
    pub(crate) const fn settle(&mut self) {
        self.has_found = false;
    }
}

/// Whether a session may go on over another connection after this one was lost so: nobody has ended it.
pub(crate) const fn may_go_on(lost: &Lost) -> bool {
    match lost {
        Lost::Silent | Lost::Restarted | Lost::Broken => true,
        Lost::ClosedByPeer { code, .. } => *code == close_code::REPLACED,
        Lost::ClosedHere | Lost::Refused { .. } | _ => false,
    }
}
