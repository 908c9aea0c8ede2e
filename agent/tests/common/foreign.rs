//! A hand that is not the agent's: another client of the X server, as any device of the customer's would look.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "all events of all extensions"
)]

use std::{sync::mpsc, thread, time::Duration};

use x11rb::{
    connection::Connection as _,
    protocol::{
        Event,
        xinput::{self, ConnectionExt as _, XIEventMask},
        xproto::{
            Atom, AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, Window,
            WindowClass,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

/// The customer's hand.
pub struct Foreign {
    connection: RustConnection,
    root: Window,
}

/// What every device did, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Milliseconds.
    pub time: u32,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Motion,
    Press,
    Release,
    KeyDown(u8),
    KeyUp(u8),
}

impl Foreign {
    pub fn new(display: &str) -> Self {
        let (connection, number) = RustConnection::connect(Some(display)).expect("the X server");
        let root = connection.setup().roots[number].root;
        Self { connection, root }
    }

    /// Puts the pointer somewhere.
    pub fn move_to(&self, (x, y): (i32, i32)) {
        self.fake(6, 0, (x, y));
    }

    /// Presses the left button there, and lets it go.
    pub fn click(&self, at: (i32, i32)) {
        self.fake(6, 0, at);
        self.fake(4, 1, at);
        self.fake(5, 1, at);
    }

    /// Moves a key, by its code.
    pub fn key(&self, code: u8, is_down: bool) {
        self.fake(if is_down { 2 } else { 3 }, code, (0, 0));
    }

    /// Types characters that need no other key.
    pub fn type_in(&self, text: &str) {
        for c in text.chars() {
            let (code, _) = self.code(u32::from(c));
            self.key(code, true);
            self.key(code, false);
        }
    }

    /// The key for a symbol, and in which column of the layout it is.
    pub fn code(&self, symbol: u32) -> (u8, usize) {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self
            .connection
            .get_keyboard_mapping(first, last - first + 1);
        let map = map.expect("sent").reply().expect("a layout");
        let columns = usize::from(map.keysyms_per_keycode);
        let at = map.keysyms.iter().position(|known| *known == symbol);
        let at = at.expect("the layout has it");
        (
            first + u8::try_from(at / columns).expect("a code"),
            at % columns,
        )
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i32, i32)) {
        let (x, y) = (x as i16, y as i16);
        self.connection
            .xtest_fake_input(kind, detail, 0, self.root, x, y, 0)
            .expect("sent")
            .check()
            .expect("done");
    }

    /// The window of the program of this class, once it is on the screen.
    pub fn window(&self, class: &str) -> Window {
        loop {
            let tree = self.connection.query_tree(self.root).expect("sent");
            for window in tree.reply().expect("windows").children {
                let is_it = self.connection.get_property(
                    false,
                    window,
                    AtomEnum::WM_CLASS,
                    AtomEnum::STRING,
                    0,
                    64,
                );
                let name = is_it.expect("sent").reply().map(|reply| reply.value);
                let shown = self.connection.get_window_attributes(window);
                let shown = shown.expect("sent").reply().map(|reply| reply.map_state);
                let is_named = name.is_ok_and(|name| {
                    String::from_utf8_lossy(&name)
                        .to_lowercase()
                        .contains(class)
                });
                if is_named && shown.is_ok_and(|state| u8::from(state) == 2) {
                    return window;
                }
            }
        }
    }

    /// Puts a window somewhere and answers its size.
    pub fn place(&self, window: Window, (x, y): (i32, i32)) -> (i32, i32) {
        let aux = ConfigureWindowAux::new().x(x).y(y);
        let placed = self.connection.configure_window(window, &aux);
        placed.expect("sent").check().expect("done");
        let geometry = self.connection.get_geometry(window).expect("sent");
        let geometry = geometry.reply().expect("a size");
        (geometry.width.into(), geometry.height.into())
    }

    /// Tells of everything that any device does from now on.
    pub fn watch(display: &str) -> mpsc::Receiver<Seen> {
        let watcher = Self::new(display);
        let connection = watcher.connection;
        connection
            .xinput_xi_query_version(2, 2)
            .expect("sent")
            .reply()
            .expect("XInput");
        let mask = XIEventMask::RAW_KEY_PRESS
            | XIEventMask::RAW_KEY_RELEASE
            | XIEventMask::RAW_BUTTON_PRESS
            | XIEventMask::RAW_BUTTON_RELEASE
            | XIEventMask::RAW_MOTION;
        let masks = [xinput::EventMask {
            deviceid: 1,
            mask: vec![mask],
        }];
        let selected = connection.xinput_xi_select_events(watcher.root, &masks);
        selected.expect("sent").check().expect("selected");
        let (sender, seen) = mpsc::channel();
        thread::spawn(move || {
            while let Ok(event) = connection.wait_for_event() {
                let (time, what) = match event {
                    Event::XinputRawMotion(event) => (event.time, What::Motion),
                    Event::XinputRawButtonPress(event) => (event.time, What::Press),
                    Event::XinputRawButtonRelease(event) => (event.time, What::Release),
                    Event::XinputRawKeyPress(event) => {
                        (event.time, What::KeyDown(event.detail as u8))
                    }
                    Event::XinputRawKeyRelease(event) => {
                        (event.time, What::KeyUp(event.detail as u8))
                    }
                    _ => continue,
                };
                if sender.send(Seen { time, what }).is_err() {
                    return;
                }
            }
        });
        seen
    }

    /// The clipboard's text, if somebody has some.
    pub fn clipboard(&self) -> Option<String> {
        let atom = |name: &str| -> Atom {
            let asked = self.connection.intern_atom(false, name.as_bytes());
            asked.expect("sent").reply().expect("an atom").atom
        };
        let window = self.connection.generate_id().expect("an id");
        self.connection
            .create_window(
                0,
                window,
                self.root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                0,
                &CreateWindowAux::new(),
            )
            .expect("sent");
        let (clipboard, text, here) = (atom("CLIPBOARD"), atom("UTF8_STRING"), atom("HERE"));
        self.connection
            .convert_selection(window, clipboard, text, here, 0u32)
            .expect("sent");
        self.connection.flush().expect("sent");
        loop {
            match self.connection.wait_for_event().expect("the server lives") {
                Event::SelectionNotify(event) if event.property == 0 => return None,
                Event::SelectionNotify(event) => {
                    let got =
                        self.connection
                            .get_property(true, window, event.property, 0u32, 0, 1024);
                    let got = got.expect("sent").reply().expect("a text").value;
                    return String::from_utf8(got).ok();
                }
                _ => {}
            }
        }
    }
}

/// The first thing of this kind that is seen.
pub fn first(seen: &mpsc::Receiver<Seen>, what: What) -> Seen {
    loop {
        let next = seen.recv_timeout(LIMIT).expect("something is seen");
        if next.what == what {
            return next;
        }
    }
}
