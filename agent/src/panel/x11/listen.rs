//! What the customer does on the screen, told from the operator's hand: a thread that hears every device.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use alongside::protocol::{
    PanelPoint,
    input::{KeyMotion, PointerPhase},
};
use tokio::{sync::Notify, time::Instant};
use x11rb::{
    connection::Connection as _,
    errors::ReplyError,
    protocol::{
        Event,
        xinput::{self, ConnectionExt as _, XIEventMask},
        xproto::{ConnectionExt as _, KeyButMask, KeyPressEvent, Visibility, Window},
    },
    rust_connection::RustConnection,
};

use super::{
    X11Error,
    inject::Hand,
    keysym::{self, Keysym},
    ledger::{Deed, Told},
    request,
};
use crate::panel::{
    Corner, StopKey,
    mfd::{MfdPanel, Typed},
};

/// The customer's moves are told at most this often; presses always.
const MOVES: Duration = Duration::from_millis(100);

/// All master devices, which is every keyboard and pointer that reaches a program.
const MASTERS: u16 = 1;

/// What is held to end a session, in terms of this screen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    Key(Keysym),
    Corner(Corner, (i32, i32)),
}

/// Hears the devices.
pub(super) struct Listener {
    pub(super) connection: Arc<RustConnection>,
    pub(super) root: Window,
    pub(super) overlay: Window,
    pub(super) hand: Arc<Hand>,
    pub(super) front: MfdPanel,
    pub(super) stop: Stop,
    pub(super) covered: Arc<Notify>,
    pub(super) bell: Window,
}

/// What the thread remembers.
#[derive(Default)]
struct Heard {
    /// The key, or the button, that the stop is held by.
    stopping: Option<Deed>,
    told_at: Option<Instant>,
    /// Whether a finger is down on a window of ours.
    touches: bool,
}

impl Stop {
    /// What `stop` means on a keyboard or a screen; refuses a key that the keyboard does not have.
    pub(super) fn new(stop: &StopKey, hand: &Hand, size: (i32, i32)) -> Result<Self, X11Error> {
        let key = match stop {
            StopKey::Corner(corner) => return Ok(Self::Corner(*corner, size)),
            StopKey::Key(key) => key.as_str(),
        };
        keysym::from_name(key)
            .filter(|symbol| hand.keymap(|keymap| keymap.has(*symbol)))
            .map(Self::Key)
            .ok_or_else(|| X11Error::NoStopKey {
                key: key.to_owned(),
            })
    }
}

impl Listener {
    /// Starts the thread; it ends when it hears the bell, or with the server.
    pub(super) fn start(self) -> Result<JoinHandle<()>, X11Error> {
        self.select()
            .map_err(|error| request("asking for what the devices do", error))?;
        thread::Builder::new()
            .name("x11-hands".to_owned())
            .spawn(move || self.run())
            .map_err(|error| X11Error::Request {
                doing: "starting the thread that hears the devices",
                source: error.into(),
            })
    }

    fn select(&self) -> Result<(), ReplyError> {
        // From 2.1 on raw events come even while another program has the device to itself; 2.2 has touches.
        self.connection.xinput_xi_query_version(2, 2)?.reply()?;
        let mask = XIEventMask::RAW_KEY_PRESS
            | XIEventMask::RAW_KEY_RELEASE
            | XIEventMask::RAW_BUTTON_PRESS
            | XIEventMask::RAW_BUTTON_RELEASE
            | XIEventMask::RAW_MOTION
            | XIEventMask::RAW_TOUCH_BEGIN
            | XIEventMask::RAW_TOUCH_UPDATE
            | XIEventMask::RAW_TOUCH_END;
        let masks = [xinput::EventMask {
            deviceid: MASTERS,
            mask: vec![mask],
        }];
        self.connection
            .xinput_xi_select_events(self.root, &masks)?
            .check()
    }

    fn run(&self) {
        let mut heard = Heard::default();
        loop {
            match self.connection.wait_for_event_with_sequence() {
                Ok((Event::ClientMessage(message), _)) if message.window == self.bell => return,
                Ok((event, request)) => self.on_event(&mut heard, &event, request),
                Err(error) => {
                    tracing::debug!(%error, "nothing more is heard of the X server's devices");
                    return;
                }
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all events of all extensions"
    )]
    fn on_event(&self, heard: &mut Heard, event: &Event, request: u64) {
        let code = |detail: u32| u8::try_from(detail).unwrap_or(0);
        match event {
            Event::XinputRawKeyPress(event) => {
                self.on_raw(heard, request, Deed::KeyDown(code(event.detail)));
            }
            Event::XinputRawKeyRelease(event) => {
                self.on_raw(heard, request, Deed::KeyUp(code(event.detail)));
            }
            Event::XinputRawButtonPress(event) => {
                self.on_raw(heard, request, Deed::Press(code(event.detail)));
            }
            Event::XinputRawButtonRelease(event) => {
                self.on_raw(heard, request, Deed::Release(code(event.detail)));
            }
            Event::XinputRawMotion(_) => self.on_raw(heard, request, Deed::Motion),
            // Nothing that is injected is a touch.
            Event::XinputRawTouchBegin(_) => self.on_customer(heard, Deed::Press(1)),
            Event::XinputRawTouchUpdate(_) => self.on_customer(heard, Deed::Motion),
            Event::XinputRawTouchEnd(_) => self.on_customer(heard, Deed::Release(1)),
            Event::ButtonPress(event) if event.detail == 1 => {
                let is_own = self.hand.owns(Told::InWindow, request, Deed::Press(1));
                heard.touches |= !is_own;
                let phase = if is_own {
                    PointerPhase::Hover
                } else {
                    PointerPhase::Down
                };
                self.touch(event.root_x, event.root_y, phase);
            }
            Event::ButtonRelease(event) if event.detail == 1 => {
                let is_own = self.hand.owns(Told::InWindow, request, Deed::Release(1));
                if std::mem::take(&mut heard.touches) {
                    let phase = if is_own {
                        PointerPhase::Leave
                    } else {
                        PointerPhase::Up
                    };
                    self.touch(event.root_x, event.root_y, phase);
                }
            }
            Event::MotionNotify(event) if heard.touches => {
                let is_own = self.hand.owns(Told::InWindow, request, Deed::Motion);
                let phase = if is_own {
                    PointerPhase::Hover
                } else {
                    PointerPhase::Move
                };
                self.touch(event.root_x, event.root_y, phase);
            }
            Event::KeyPress(event) => self.typed(event, request),
            Event::VisibilityNotify(event) if event.state != Visibility::UNOBSCURED => {
                self.covered.notify_one();
            }
            Event::MappingNotify(_) => self.hand.reload(),
            _ => {}
        }
    }

    fn on_raw(&self, heard: &mut Heard, request: u64, deed: Deed) {
        if !self.hand.owns(Told::Raw, request, deed) {
            self.on_customer(heard, deed);
        }
    }

    /// Something that the customer did. The stop comes before everything else.
    fn on_customer(&self, heard: &mut Heard, deed: Deed) {
        self.look_for_stop(heard, deed);
        let now = Instant::now();
        let is_move = deed == Deed::Motion;
        let is_news = heard.told_at.is_none_or(|told| now >= told + MOVES);
        if is_move && !is_news {
            return;
        }
        heard.told_at = Some(now);
        self.hand.give_way();
        self.front.used_elsewhere();
    }

    fn look_for_stop(&self, heard: &mut Heard, deed: Deed) {
        let begins = match (self.stop, deed, heard.stopping) {
            (Stop::Key(symbol), Deed::KeyDown(code), None) => self.types(code, symbol),
            (Stop::Corner(corner, size), Deed::Press(_), None) => {
                self.pointer().is_some_and(|at| corner.holds(at, size))
            }
            _ => false,
        };
        let ends = match (self.stop, deed, heard.stopping) {
            (Stop::Key(_), Deed::KeyUp(code), Some(held)) => held == Deed::KeyDown(code),
            (Stop::Corner(..), Deed::Release(button), Some(held)) => held == Deed::Press(button),
            (Stop::Corner(corner, size), Deed::Motion, Some(_)) => {
                !self.pointer().is_some_and(|at| corner.holds(at, size))
            }
            _ => false,
        };
        if begins {
            heard.stopping = Some(deed);
            self.stop_moved(KeyMotion::Down);
        }
        if ends {
            heard.stopping = None;
            self.stop_moved(KeyMotion::Up);
        }
    }

    fn stop_moved(&self, motion: KeyMotion) {
        self.hand.stop_moved(motion);
        self.front.stop_key(motion);
    }

    /// Whether a key types `symbol` as the modifiers are now.
    fn types(&self, code: u8, symbol: Keysym) -> bool {
        if !self.hand.keymap(|keymap| keymap.can_type(code, symbol)) {
            return false;
        }
        let state = self.modifiers();
        self.hand.keymap(|keymap| keymap.symbol(code, state)) == symbol
    }

    fn modifiers(&self) -> KeyButMask {
        let answer = self
            .connection
            .query_pointer(self.root)
            .map_err(ReplyError::from)
            .and_then(|cookie| cookie.reply());
        answer.map(|pointer| pointer.mask).unwrap_or_default()
    }

    fn pointer(&self) -> Option<(i32, i32)> {
        let pointer = self
            .connection
            .query_pointer(self.root)
            .ok()?
            .reply()
            .ok()?;
        Some((pointer.root_x.into(), pointer.root_y.into()))
    }

    fn touch(&self, x: i16, y: i16, phase: PointerPhase) {
        let side = |n: i16| u16::try_from(n).unwrap_or(0);
        self.front
            .touch(PanelPoint::from_pixels(side(x), side(y)), phase);
    }

    /// A key of the device's keyboard while no other program gets it.
    fn typed(&self, event: &KeyPressEvent, request: u64) {
        let deed = Deed::KeyDown(event.detail);
        if self.hand.owns(Told::InWindow, request, deed) {
            return;
        }
        debug_assert_eq!(event.event, self.overlay, "no other window asks for keys");
        let symbol = self
            .hand
            .keymap(|keymap| keymap.symbol(event.detail, event.state));
        // Digits of the keypad lie on the level that Num Lock chooses.
        let keypad = (0xffb0..=0xffb9).find(|digit| {
            (0xff95..=0xff9f).contains(&symbol)
                && self
                    .hand
                    .keymap(|keymap| keymap.can_type(event.detail, *digit))
        });
        let typed = match symbol {
            0xff0d | 0xff8d => Typed::Confirm,
            0xff08 => Typed::Erase,
            0xffff => Typed::Clear,
            0xff1b => Typed::Cancel,
            symbol => match keysym::to_char(keypad.unwrap_or(symbol)) {
                Some(c) => Typed::Letter(c),
                None => return,
            },
        };
        self.front.type_key(typed);
    }
}
