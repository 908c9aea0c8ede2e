//! Noticing that the screen has changed.

use std::{sync::Arc, thread, time::Duration};

use tokio::sync::watch;
use x11rb::{
    connection::Connection,
    errors::{ConnectionError, ReplyError, ReplyOrIdError},
    protocol::{
        Event,
        damage::{ConnectionExt as _, Damage, ReportLevel},
        xfixes::ConnectionExt as _,
        xproto::{
            ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, Window, WindowClass,
        },
    },
    rust_connection::RustConnection,
};

use super::{X11Error, request};

/// Time between two guesses that something has changed, where the server cannot tell (ten pictures a second).
const GUESS: Duration = Duration::from_millis(100);

/// Counts changes of the screen on a thread of its own, until it is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    connection: Arc<RustConnection>,
    /// `None` where the server has no DAMAGE and the thread guesses.
    damage: Option<Damage>,
    /// A window that is never shown: what is sent to it wakes the thread to end.
    bell: Window,
    changes: Arc<watch::Sender<u64>>,
}

impl Watcher {
    pub(super) fn start(connection: Arc<RustConnection>, root: Window) -> Result<Self, X11Error> {
        let bell = bell(&connection, root)
            .map_err(|error| request("making a window to be woken by", error))?;
        let damage = match damage(&connection, root) {
            Ok(damage) => Some(damage),
            Err(error) => {
                tracing::debug!(%error, "the X server cannot tell what changes");
                None
            }
        };
        let watcher = Self {
            connection,
            damage,
            bell,
            changes: Arc::new(watch::Sender::new(0)),
        };
        let connection = Arc::clone(&watcher.connection);
        let changes = Arc::clone(&watcher.changes);
        let has_damage = watcher.damage.is_some();
        thread::Builder::new()
            .name("x11-panel".to_owned())
            .spawn(move || {
                if has_damage {
                    listen(&connection, bell, &changes);
                } else {
                    guess(&connection, bell, &changes);
                }
            })
            .map_err(|error| X11Error::Request {
                doing: "starting the thread that watches it",
                source: error.into(),
            })?;
        Ok(watcher)
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The picture counts as another one.
    pub(super) fn poke(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    /// Asks to be told of the next change: the server tells once, then waits for this.
    pub(super) fn rearm(&self) -> Result<(), ConnectionError> {
        if let Some(damage) = self.damage {
            self.connection
                .damage_subtract(damage, x11rb::NONE, x11rb::NONE)?;
        }
        Ok(())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        ring(&self.connection, self.bell);
    }
}

/// Wakes whoever waits for events of `connection`, to end.
pub(super) fn ring(connection: &RustConnection, bell: Window) {
    let none = x11rb::protocol::xproto::AtomEnum::NONE;
    let wake = ClientMessageEvent::new(32, bell, none, [0; 5]);
    // If the server is gone, so is the thread.
    let _ = connection.send_event(false, bell, EventMask::NO_EVENT, wake);
    let _ = connection.flush();
}

/// A window that is never shown, to send events to.
pub(super) fn bell(connection: &RustConnection, root: Window) -> Result<Window, ReplyOrIdError> {
    let bell = connection.generate_id()?;
    connection
        .create_window(
            0,
            bell,
            root,
            -1,
            -1,
            1,
            1,
            0,
            WindowClass::INPUT_ONLY,
            x11rb::COPY_FROM_PARENT,
            &CreateWindowAux::new(),
        )?
        .check()?;
    Ok(bell)
}

fn damage(connection: &RustConnection, root: Window) -> Result<Damage, ReplyOrIdError> {
    // DAMAGE needs XFIXES to have been asked for its version; both answer with what they have.
    connection.xfixes_query_version(5, 0)?.reply()?;
    connection.damage_query_version(1, 1)?.reply()?;
    let damage = connection.generate_id()?;
    connection
        .damage_create(damage, root, ReportLevel::NON_EMPTY)?
        .check()?;
    Ok(damage)
}

fn listen(connection: &RustConnection, bell: Window, changes: &watch::Sender<u64>) {
    loop {
        match connection.wait_for_event() {
            Ok(Event::DamageNotify(_)) => changes.send_modify(|n| *n += 1),
            Ok(event) if is_bell(&event, bell) => return,
            Ok(_) => {}
            Err(error) => return lost(error.into(), changes),
        }
    }
}

fn guess(connection: &RustConnection, bell: Window, changes: &watch::Sender<u64>) {
    loop {
        thread::sleep(GUESS);
        changes.send_modify(|n| *n += 1);
        match connection.poll_for_event() {
            Ok(Some(event)) if is_bell(&event, bell) => return,
            Ok(_) => {}
            Err(error) => return lost(error.into(), changes),
        }
    }
}

fn is_bell(event: &Event, bell: Window) -> bool {
    matches!(event, Event::ClientMessage(message) if message.window == bell)
}

/// The server is gone: whoever waits for a change finds out by the next capture.
fn lost(error: ReplyError, changes: &watch::Sender<u64>) {
    tracing::warn!(%error, "lost the X server");
    changes.send_modify(|n| *n += 1);
}
