//! One stream of events for several listeners, none of which can hold up another.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Events that may wait for a listener; one that lets more wait is cut off.
pub const MOST_WAITING: usize = 4_096;
/// So many may wait before only the newest of those is kept that a newer one makes needless.
const CROWDED: usize = 256;

/// What can be told to listeners.
pub trait Tells: Clone + Send + 'static {
    /// Whether whoever has not heard this yet need not hear it once `newer` has happened.
    fn is_outdone_by(&self, newer: &Self) -> bool;
}

/// Sends every event to every listener.
///
/// Listeners are few and local. What waits for each is bounded: of events that outdo each other the older ones are
/// left out once many wait, and a listener that hears nothing at all for [`MOST_WAITING`] others is cut off.
#[derive(Debug)]
pub struct Fan<T>(Arc<Mutex<Vec<Arc<Queue<T>>>>>);

/// One listener's end of a [`Fan`].
#[derive(Debug)]
pub struct Ear<T>(Arc<Queue<T>>);

#[derive(Debug)]
struct Queue<T> {
    state: Mutex<State<T>>,
    stirred: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    stands: Stands,
}

/// How a listener stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// It listens.
    Listening,
    /// Nothing more comes.
    Closed,
    /// It has let too much wait.
    CutOff,
    /// It listens no longer.
    Gone,
}

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

impl<T: Tells> Fan<T> {
    /// A new listener; hears everything from now on.
    pub fn subscribe(&self) -> Ear<T> {
        let queue = Arc::new(Queue {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                stands: Stands::Listening,
            }),
            stirred: Notify::new(),
        });
        self.lock().push(Arc::clone(&queue));
        Ear(queue)
    }

    /// Tells everybody.
    pub fn send(&self, event: T) {
        self.lock().retain(|listener| listener.push(event.clone()));
    }

    /// Lets everybody know that nothing more comes.
    pub fn close(&self) {
        for listener in self.lock().drain(..) {
            listener.leave(Stands::Closed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Queue<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Ear<T> {
    /// The next event; `None` once nothing more comes.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: an event is either given or still there.
    pub async fn recv(&self) -> Option<T> {
        loop {
            let mut stirred = pin!(self.0.stirred.notified());
            stirred.as_mut().enable();
            {
                let mut state = self.0.lock();
                if let Some(event) = state.waiting.pop_front() {
                    return Some(event);
                }
                if state.stands != Stands::Listening {
                    return None;
                }
            }
            stirred.await;
        }
    }

    /// An event that waits already.
    pub fn try_recv(&self) -> Option<T> {
        self.0.lock().waiting.pop_front()
    }

    /// Comes back if this listener is cut off because it let too much wait.
    pub async fn cut_off(&self) {
        loop {
            let mut stirred = pin!(self.0.stirred.notified());
            stirred.as_mut().enable();
            if self.0.lock().stands == Stands::CutOff {
                return;
            }
            stirred.await;
        }
    }
}

impl<T> Drop for Ear<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.stands = Stands::Gone;
        state.waiting.clear();
    }
}

impl<T: Tells> Queue<T> {
    /// Whether it still listens.
    fn push(&self, event: T) -> bool {
        let mut state = self.lock();
        if state.stands != Stands::Listening {
            return false;
        }
        if state.waiting.len() >= CROWDED
            && let Some(outdone) = state
                .waiting
                .iter()
                .rposition(|old| old.is_outdone_by(&event))
        {
            state.waiting.remove(outdone);
        }
        if state.waiting.len() >= MOST_WAITING {
            drop(state);
            self.leave(Stands::CutOff);
            return false;
        }
        state.waiting.push_back(event);
        drop(state);
        self.stirred.notify_waiters();
        true
    }
}

impl<T> Queue<T> {
    fn leave(&self, stands: Stands) {
        let mut state = self.lock();
        if state.stands == Stands::Listening {
            state.stands = stands;
        }
        drop(state);
        self.stirred.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of some kind; only the newest of kind 0 counts.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Told(u8, usize);

    impl Tells for Told {
        fn is_outdone_by(&self, newer: &Self) -> bool {
            self.0 == 0 && newer.0 == 0
        }
    }

    #[tokio::test]
    async fn whoever_is_slow_hears_everything_that_still_counts() {
        let fan = Fan::default();
        let ear = fan.subscribe();
        for n in 0..CROWDED {
            fan.send(Told(1, n));
        }
        for n in 0..10 * MOST_WAITING {
            fan.send(Told(0, n));
        }
        fan.close();
        for n in 0..CROWDED {
            assert_eq!(ear.recv().await, Some(Told(1, n)));
        }
        assert_eq!(ear.recv().await, Some(Told(0, 10 * MOST_WAITING - 1)));
        assert_eq!(ear.recv().await, None);
    }

    #[tokio::test]
    async fn whoever_never_listens_is_cut_off_and_nobody_else_is() {
        let fan = Fan::default();
        let deaf = fan.subscribe();
        let hears = fan.subscribe();
        for n in 0..=MOST_WAITING {
            fan.send(Told(1, n));
            assert_eq!(hears.recv().await, Some(Told(1, n)));
        }
        deaf.cut_off().await;
        fan.send(Told(1, 0));
        assert_eq!(hears.recv().await, Some(Told(1, 0)));
    }
}
