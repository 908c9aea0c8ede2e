//! The front panel of the device that the agent draws itself.

use std::sync::{Arc, Mutex, PoisonError};

use alongside::{Frame, ports::Panel};

use super::page::{Changes, Page, PageError, Pictures};
use crate::{
    api::{Event, event::Role},
    device::commands::Front,
    fan::Fan,
    panel::mfd::MfdPanel,
};

/// Serves the front panel that shows `panel`; touches and keys go to `front`.
///
/// # Errors
///
/// [`PageError`] when no port of 127.0.0.1 can be had, or no random bytes.
pub async fn start(front: Front, panel: MfdPanel, events: Fan<Event>) -> Result<Page, PageError> {
    let newest = Newest::default();
    let mut page = Page::start(
        Role::Device,
        Arc::new(front),
        &events,
        Arc::new(newest.clone()),
    )
    .await?;
    page.keep(tokio::spawn(watch(panel, newest, page.changes())));
    Ok(page)
}

/// The newest picture of a panel.
#[derive(Clone, Debug, Default)]
struct Newest(Arc<Mutex<Option<Arc<Frame>>>>);

impl Pictures for Newest {
    fn with(&self, look: &mut dyn FnMut(&Frame)) {
        let frame = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(frame) = frame {
            look(&frame);
        }
    }
}

/// Captures the panel whenever it has changed, where blocking is allowed.
async fn watch(panel: MfdPanel, newest: Newest, page: Changes) {
    let mut changes = panel.changes();
    changes.mark_changed();
    while changes.changed().await.is_ok() {
        let panel = panel.clone();
        match tokio::task::spawn_blocking(move || panel.capture()).await {
            Ok(Ok(taken)) => {
                *newest.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken.frame);
            }
            Ok(Err(error)) => tracing::warn!(%error, "the front panel shows an old picture"),
            Err(_) => return,
        }
        page.notify();
    }
}
