//! The operator's console.

use std::sync::Arc;

use alongside::{Frame, operator::Screen, protocol::units::PanelRect};

use super::page::{Page, PageError, Pictures};
use crate::{
    api::{Event, event::Role},
    assist::commands::Desk,
    fan::Fan,
};

/// Serves the console of the operator behind `desk`.
///
/// # Errors
///
/// [`PageError`] when no port of 127.0.0.1 can be had, or no random bytes.
pub async fn start(desk: Desk, events: Fan<Event>) -> Result<Page, PageError> {
    let pictures = Arc::new(desk.handle().screen().clone());
    Page::start(Role::Operator, Arc::new(desk), &events, pictures).await
}

impl Pictures for Screen {
    fn with(&self, look: &mut dyn FnMut(&Frame, &[PanelRect])) {
        Self::with(self, |shown| shown.map(|shown| look(&shown.frame, &[])));
    }
}
