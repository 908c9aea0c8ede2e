//! The operator's hand on the screen: pointer, keys and text by XTEST, and what it still holds.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alongside::{
    ports::{Action, PanelError},
    protocol::input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
};
use tokio::time::Instant;
use x11rb::{
    connection::Connection as _,
    errors::ReplyError,
    protocol::{
        xproto::{self, ConnectionExt as _, KeyButMask, Window},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

use super::{
    keymap::{Keymap, Stroke},
    keysym,
    ledger::{Deed, Ledger, Told},
    leftover,
};
use crate::panel::mfd::Rect;

/// How long the stop key is held: the session ends then, and this hand does nothing more by itself.
const STOP: Duration = Duration::from_secs(5);
/// Time after the customer's touch in which nothing is injected, whatever the session knows by then (our choice: longer
/// than the touch takes to reach it; the session's own pause is 2 s).
const GIVES_WAY: Duration = Duration::from_millis(250);
/// Pixels that a press may move and still be a click rather than a drag (the customary threshold).
const CLICK: i32 = 8;

/// The hand.
pub(super) struct Hand {
    connection: Arc<RustConnection>,
    root: Window,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
    keymap: Keymap,
    buttons: Buttons,
    /// Where the first of the buttons went down.
    pressed_at: (i32, i32),
    at: (i32, i32),
    keys: Vec<Down>,
    /// Whether the shift key is down for one of the keys.
    is_shifted: bool,
    /// The customer's own part of the screen.
    islands: Vec<Rect>,
    gives_way_until: Option<Instant>,
    stop_since: Option<Instant>,
}

/// A key that is held.
#[derive(Debug)]
struct Down {
    name: KeyName,
    code: u8,
}

impl std::fmt::Debug for Hand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hand").finish_non_exhaustive()
    }
}

impl Hand {
    pub(super) fn new(connection: Arc<RustConnection>, root: Window) -> Result<Self, ReplyError> {
        connection.xtest_get_version(2, 2)?.reply()?;
        match leftover::let_go(&connection, root) {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "let go of what an agent before this one held"),
            Err(error) => {
                tracing::debug!(%error, "what an agent before this one held is not known")
            }
        }
        let mut state = State::default();
        state.keymap.load(&connection)?;
        Ok(Self {
            connection,
            root,
            state: Mutex::new(state),
        })
    }

    /// Performs an action.
    pub(super) fn act(&self, action: &Action) -> Result<(), PanelError> {
        let mut state = self.lock();
        let frees = match action {
            Action::Pointer(event) => matches!(event.phase, PointerPhase::Up | PointerPhase::Leave),
            Action::Key(event) => event.motion == KeyMotion::Up,
            Action::Text(_) => false,
        };
        if !frees && state.is_barred() {
            return Err(PanelError::Unsupported);
        }
        let done = match action {
            Action::Pointer(event) => self.pointer(&mut state, event),
            Action::Key(event) => self.key(&mut state, event),
            Action::Text(text) => self.text(&mut state, text.as_str()),
        };
        drop(state);
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(PanelError::Unsupported),
            Err(error) => Err(PanelError::Gone(error.into())),
        }
    }

    /// Lets go of everything that is held.
    pub(super) fn let_go(&self) {
        let mut state = self.lock();
        if let Err(error) = self.free(&mut state) {
            tracing::debug!(%error, "what was held could not be let go");
        }
    }

    /// The customer's hand is on the screen: the operator's lets go at once, and gives way for a moment.
    pub(super) fn give_way(&self) {
        let mut state = self.lock();
        state.gives_way_until = Some(Instant::now() + GIVES_WAY);
        if let Err(error) = self.free(&mut state) {
            tracing::debug!(%error, "what was held could not be let go");
        }
    }

    /// What stands for the stop key is held, or no longer.
    pub(super) fn stop_moved(&self, motion: KeyMotion) {
        let mut state = self.lock();
        state.stop_since = match motion {
            KeyMotion::Down => state.stop_since.or_else(|| Some(Instant::now())),
            KeyMotion::Up => None,
        };
    }

    /// The parts of the screen that are the customer's own: nothing is pressed there.
    pub(super) fn keep_off(&self, islands: Vec<Rect>) {
        self.lock().islands = islands;
    }

    /// Whether an event is of this hand; takes it off.
    pub(super) fn owns(&self, told: Told, request: u64, deed: Deed) -> bool {
        self.lock().ledger.takes(told, request, deed)
    }

    /// The layout has changed.
    pub(super) fn reload(&self) {
        let mut state = self.lock();
        if let Err(error) = state.keymap.load(&self.connection) {
            tracing::debug!(%error, "the keyboard's layout cannot be read");
        }
    }

    /// Asks something of the keyboard's layout.
    pub(super) fn keymap<T>(&self, ask: impl FnOnce(&Keymap) -> T) -> T {
        ask(&self.lock().keymap)
    }

    /// Gives back the keys that were lent to characters which the layout lacks.
    pub(super) fn tidy(&self) {
        let mut state = self.lock();
        let done = state.keymap.take_back(&self.connection);
        if let Err(error) = done.and_then(|()| Ok(self.connection.flush()?)) {
            tracing::debug!(%error, "the keyboard's layout could not be put right");
        }
    }

    fn pointer(&self, state: &mut State, event: &PointerEvent) -> Result<bool, ReplyError> {
        let at = event.at.to_pixels();
        match event.phase {
            PointerPhase::Leave => {
                self.cancel(state)?;
                return Ok(true);
            }
            // A hand that comes to the customer's own part stays where it was.
            PointerPhase::Up if state.is_customers(at) => {}
            _ if state.is_customers(at) => return Ok(false),
            PointerPhase::Hover | PointerPhase::Down | PointerPhase::Move | PointerPhase::Up => {
                self.move_to(state, at)?;
            }
        }
        let wanted = match event.phase {
            PointerPhase::Down if event.buttons == Buttons::NONE => Buttons::LEFT,
            PointerPhase::Down | PointerPhase::Up => event.buttons,
            PointerPhase::Hover | PointerPhase::Move | PointerPhase::Leave => state.buttons,
        };
        if event.phase == PointerPhase::Down && state.buttons == Buttons::NONE {
            state.pressed_at = at;
        }
        self.buttons(state, wanted)?;
        self.connection.flush()?;
        Ok(true)
    }

    fn move_to(&self, state: &mut State, at: (i32, i32)) -> Result<(), ReplyError> {
        state.at = at;
        self.inject(state, Deed::Motion)
    }

    /// Presses and releases what differs.
    fn buttons(&self, state: &mut State, wanted: Buttons) -> Result<(), ReplyError> {
        for (bit, button) in [(1, 1), (2, 3), (4, 2)] {
            match (state.buttons.bits() & bit != 0, wanted.bits() & bit != 0) {
                (false, true) => self.inject(state, Deed::Press(button))?,
                (true, false) => self.inject(state, Deed::Release(button))?,
                (true, true) | (false, false) => {}
            }
        }
        state.buttons = wanted;
        Ok(())
    }

    /// Lets go of the pointer's buttons so that a click which was not finished counts as little as can be: over a part
    /// of the screen that takes none, where there is one, and then the pointer is back.
    fn cancel(&self, state: &mut State) -> Result<(), ReplyError> {
        if state.buttons != Buttons::NONE {
            let ((x, y), (from_x, from_y)) = (state.at, state.pressed_at);
            let is_click = (x - from_x).abs() <= CLICK && (y - from_y).abs() <= CLICK;
            let refuge = state.islands.first().filter(|_| is_click);
            if let Some(refuge) = refuge.map(|rect| (rect.x + rect.w / 2, rect.y + rect.h / 2)) {
                self.move_to(state, refuge)?;
            }
            self.buttons(state, Buttons::NONE)?;
            if is_click {
                self.move_to(state, (x, y))?;
            }
            self.connection.flush()?;
        }
        Ok(())
    }

    fn key(&self, state: &mut State, event: &KeyEvent) -> Result<bool, ReplyError> {
        let held = state.keys.iter().position(|down| down.name == event.key);
        match (event.motion, held) {
            // The server repeats a key that is held by itself.
            (KeyMotion::Down, Some(_)) | (KeyMotion::Up, None) => {}
            (KeyMotion::Down, None) => {
                let Some(symbol) = keysym::from_name(event.key.as_str()) else {
                    return Ok(false);
                };
                let modifiers = self.modifiers()?;
                let Some(stroke) = self.stroke(state, symbol, modifiers)? else {
                    return Ok(false);
                };
                self.shift(state, stroke, modifiers)?;
                self.inject(state, Deed::KeyDown(stroke.code))?;
                state.keys.push(Down {
                    name: event.key.clone(),
                    code: stroke.code,
                });
            }
            (KeyMotion::Up, Some(at)) => {
                let down = state.keys.remove(at);
                self.inject(state, Deed::KeyUp(down.code))?;
                if state.keys.is_empty() {
                    self.unshift(state)?;
                }
            }
        }
        self.connection.flush()?;
        Ok(true)
    }

    /// Types all of a text, or nothing of it.
    fn text(&self, state: &mut State, text: &str) -> Result<bool, ReplyError> {
        let symbols: Option<Vec<_>> = text.chars().map(keysym::from_char).collect();
        let Some(symbols) = symbols else {
            return Ok(false);
        };
        let modifiers = self.modifiers()?;
        // A key that is lent twice within one text would type the later character in both places.
        let lacking: HashSet<_> = symbols
            .iter()
            .filter(|symbol| state.keymap.find(**symbol, modifiers).is_none())
            .collect();
        if lacking.len() > state.keymap.spares() {
            return Ok(false);
        }
        for symbol in symbols {
            let Some(stroke) = self.stroke(state, symbol, modifiers)? else {
                return Ok(false);
            };
            self.shift(state, stroke, modifiers)?;
            self.inject(state, Deed::KeyDown(stroke.code))?;
            self.inject(state, Deed::KeyUp(stroke.code))?;
        }
        self.unshift(state)?;
        self.connection.flush()?;
        Ok(true)
    }

    fn stroke(
        &self,
        state: &mut State,
        symbol: u32,
        modifiers: KeyButMask,
    ) -> Result<Option<Stroke>, ReplyError> {
        match state.keymap.find(symbol, modifiers) {
            Some(stroke) => Ok(Some(stroke)),
            None => state.keymap.lend(&self.connection, symbol),
        }
    }

    /// Brings the shift key to where `stroke` needs it.
    fn shift(
        &self,
        state: &mut State,
        stroke: Stroke,
        modifiers: KeyButMask,
    ) -> Result<(), ReplyError> {
        let is_held = state
            .keys
            .iter()
            .any(|down| Some(down.code) == state.keymap.shift())
            || u16::from(modifiers) & u16::from(KeyButMask::SHIFT) != 0 && !state.is_shifted;
        match stroke.shift {
            Some(true) if !state.is_shifted && !is_held => {
                if let Some(code) = state.keymap.shift() {
                    self.inject(state, Deed::KeyDown(code))?;
                    state.is_shifted = true;
                }
            }
            Some(false) => self.unshift(state)?,
            Some(true) | None => {}
        }
        Ok(())
    }

    fn unshift(&self, state: &mut State) -> Result<(), ReplyError> {
        if std::mem::take(&mut state.is_shifted)
            && let Some(code) = state.keymap.shift()
        {
            self.inject(state, Deed::KeyUp(code))?;
        }
        Ok(())
    }

    fn free(&self, state: &mut State) -> Result<(), ReplyError> {
        self.cancel(state)?;
        while let Some(down) = state.keys.pop() {
            self.inject(state, Deed::KeyUp(down.code))?;
        }
        self.unshift(state)?;
        self.connection.flush()?;
        Ok(())
    }

    /// The modifiers that are in force, as any hand has set them.
    fn modifiers(&self) -> Result<KeyButMask, ReplyError> {
        Ok(self.connection.query_pointer(self.root)?.reply()?.mask)
    }

    /// One event, taken down as this hand's own.
    fn inject(&self, state: &mut State, deed: Deed) -> Result<(), ReplyError> {
        let (kind, detail) = match deed {
            Deed::Motion => (xproto::MOTION_NOTIFY_EVENT, 0),
            Deed::Press(button) => (xproto::BUTTON_PRESS_EVENT, button),
            Deed::Release(button) => (xproto::BUTTON_RELEASE_EVENT, button),
            Deed::KeyDown(code) => (xproto::KEY_PRESS_EVENT, code),
            Deed::KeyUp(code) => (xproto::KEY_RELEASE_EVENT, code),
        };
        let side = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
        let (x, y) = (side(state.at.0), side(state.at.1));
        let sent = self.connection.xtest_fake_input(
            kind,
            detail,
            x11rb::CURRENT_TIME,
            self.root,
            x,
            y,
            0,
        )?;
        state.ledger.injected(sent.sequence_number(), deed);
        // Whatever the customer does from here on has another number.
        self.connection.no_operation()?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_customers(&self, (x, y): (i32, i32)) -> bool {
        self.islands.iter().any(|rect| rect.holds(x, y))
    }

    /// Whether the customer's hand keeps the operator's off.
    fn is_barred(&self) -> bool {
        let now = Instant::now();
        self.gives_way_until.is_some_and(|until| now < until)
            || self.stop_since.is_some_and(|since| now >= since + STOP)
    }
}
