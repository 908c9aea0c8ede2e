//! The front panel of the device that the agent draws itself.

use std::sync::{Arc, Mutex, PoisonError};

use alongside::{Frame, ports::Panel, protocol::units::PanelRect};

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

/// A picture of a panel, and where on it no annotation is drawn.
type Look = (Arc<Frame>, Vec<PanelRect>);

/// The newest one.
#[derive(Clone, Debug, Default)]
struct Newest(Arc<Mutex<Option<Look>>>);

impl Pictures for Newest {
    fn with(&self, look: &mut dyn FnMut(&Frame, &[PanelRect])) {
        let newest = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((frame, clear)) = newest {
            look(&frame, &clear);
        }
    }
}

/// Looks at the panel whenever it has changed, where blocking is allowed.
async fn watch(panel: MfdPanel, newest: Newest, page: Changes) {
    let mut changes = panel.changes();
    changes.mark_changed();
    while changes.changed().await.is_ok() {
        let panel = panel.clone();
        let Ok(front) = tokio::task::spawn_blocking(move || panel.front()).await else {
            return;
        };
        *newest.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(front);
        page.notify();
    }
}
