//! The device's panel as the operator sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alongside_panel::Frame;

use super::PanelUpdate;

/// The picture of the panel as it was last applied, shared with whoever shows it.
#[derive(Clone, Debug, Default)]
pub struct Screen(Arc<Mutex<Option<Shown>>>);

/// A picture and what is known of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The picture.
    pub frame: Frame,
    /// Count of the last message applied.
    pub number: u64,
    /// Whether it equals the device's picture at the time of that message.
    pub exact: bool,
}

impl Screen {
    /// Looks at the picture; `None` before the first message. Keep it short: the session waits meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(Option<&Shown>) -> T) -> T {
        look(self.lock().as_ref())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shown>> {
        // A poisoned lock means that a reader panicked; the picture itself is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the picture: another device's comes.
    pub(super) fn clear(&self) {
        *self.lock() = None;
    }

    pub(super) fn update(&self, picture: &Frame, update: &PanelUpdate) {
        let mut shown = self.lock();
        match shown
            .as_mut()
            .filter(|shown| shown.frame.size() == picture.size())
        {
            Some(shown) => {
                for rect in &update.damage {
                    shown.frame.copy_rect(picture, *rect);
                }
                shown.number = update.frame;
                shown.exact = update.exact;
            }
            None => {
                *shown = Some(Shown {
                    frame: picture.clone(),
                    number: update.frame,
                    exact: update.exact,
                })
            }
        }
    }
}
