//! Pictures of the panel: taken where blocking is allowed, and only when one is wanted.

use std::{sync::Arc, time::Duration};

use alongside_session::device::{Freshness, View};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    clock,
    ports::{Capture, Panel, PanelError},
};

/// What a capture comes to.
type Taken = Result<Capture, PanelError>;

/// Takes pictures of the panel when they are wanted and there is something new to see.
pub(super) struct Camera {
    /// The panel that the customer sees.
    front: Arc<dyn Panel>,
    /// What pictures are taken of; nothing in sleep on a device without a service surface.
    panel: Option<Arc<dyn Panel>>,
    changes: watch::Receiver<u64>,
    wanted: Option<Freshness>,
    /// The picture given last, and what the panel's counter stood at before it was taken.
    last: Option<(u64, Capture)>,
    capturing: Option<(u64, JoinHandle<(Taken, Duration)>)>,
    took: Duration,
}

impl Camera {
    pub(super) fn new(panel: Arc<dyn Panel>) -> Self {
        let changes = panel.changes();
        Self {
            front: Arc::clone(&panel),
            panel: Some(panel),
            changes,
            wanted: None,
            last: None,
            capturing: None,
            took: Duration::ZERO,
        }
    }

    /// Takes pictures of something else from now on. One that is being taken is nobody's any more.
    pub(super) fn look_at(&mut self, view: View) {
        self.panel = match view {
            View::Panel => Some(Arc::clone(&self.front)),
            View::Service => self.front.service_surface(),
        };
        if let Some(panel) = &self.panel {
            self.changes = panel.changes();
        }
        (self.last, self.capturing) = (None, None);
    }

    pub(super) fn want(&mut self, freshness: Freshness) {
        self.wanted = Some(freshness);
    }

    /// How long the last picture took to take; nothing if it had been taken before.
    pub(super) const fn took(&self) -> Duration {
        self.took
    }

    /// Next picture, once one is wanted and there. Cancel safe.
    pub(super) async fn next(&mut self) -> Taken {
        let Some((mut wanted, panel)) = self.wanted.zip(self.panel.as_ref()) else {
            return std::future::pending().await;
        };
        loop {
            if let Some((version, capture)) = &mut self.capturing {
                let version = *version;
                let (taken, took) = capture
                    .await
                    .unwrap_or_else(|error| (Err(PanelError::Gone(error.into())), Duration::ZERO));
                self.took = took;
                self.capturing = None;
                self.wanted = None;
                let capture = taken?;
                self.last = Some((version, capture.clone()));
                return Ok(capture);
            }
            let version = *self.changes.borrow_and_update();
            match (&self.last, wanted) {
                // The panel has not moved: the last picture is still the newest.
                (Some((last, capture)), Freshness::Now) if *last == version => {
                    self.wanted = None;
                    self.took = Duration::ZERO;
                    return Ok(capture.clone());
                }
                (Some((last, _)), Freshness::Changed) if *last == version => {
                    if self.changes.changed().await.is_err() {
                        return std::future::pending().await;
                    }
                    wanted = Freshness::Now;
                    continue;
                }
                (Some(_), Freshness::Now | Freshness::Changed) | (None, _) => {}
            }
            let panel = Arc::clone(panel);
            self.capturing = Some((
                version,
                tokio::task::spawn_blocking(move || {
                    let begin = clock::now();
                    let taken = panel.capture();
                    (taken, clock::now().saturating_duration_since(begin))
                }),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
