//! One stream of events for several listeners, none of which can hold up another.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// Sends every event to every listener.
///
/// Listeners are few and local; each has an unbounded queue and is dropped from the list when it stops listening.
#[derive(Debug)]
pub struct Fan<T>(Arc<Mutex<Vec<mpsc::UnboundedSender<T>>>>);

impl<T> Default for Fan<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Fan<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone + Send + 'static> Fan<T> {
    /// A new listener; hears everything from now on.
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<T> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().push(sender);
        receiver
    }

    /// Tells everybody.
    pub fn send(&self, event: T) {
        self.lock()
            .retain(|listener| listener.send(event.clone()).is_ok());
    }

    /// Lets everybody know that nothing more comes.
    pub fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<mpsc::UnboundedSender<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
