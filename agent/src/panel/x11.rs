//! A whole X11 screen as a panel: what any program of the device draws is what the operator sees.
//!
//! The picture is read from the root window, through memory shared with the server where it can be. A change is
//! noticed by the DAMAGE extension. What the customer is shown lies in windows over those of the programs, and is
//! part of the picture; what they do is told from what the operator does by taking off the agent's own injections.

mod grab;
mod inject;
mod ink;
mod keymap;
mod keysym;
mod ledger;
mod leftover;
mod listen;
mod saver;
mod watch;
mod windows;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alongside::{
    DeviceHandle,
    audit::SessionCard,
    ports::{Action, AdminId, Awake, Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{
        PanelSize,
        annotation::Annotation,
        input::{KeyMotion, PointerPhase},
        label::Label,
    },
    status::{ModeName, Status},
};
use tokio::sync::Notify;
use x11rb::{
    connection::Connection,
    errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError},
    protocol::xproto::{self, ImageOrder, VisualClass},
    rust_connection::RustConnection,
};

use super::{
    StopKey,
    mfd::{Facts, MfdPanel, Preferences, Route, Upkeep},
};
use grab::Grabber;
use inject::Hand;
use listen::{Listener, Stop};
use saver::Saver;
use watch::Watcher;
use windows::{Outcome, Windows};

/// Time between two attempts to bring windows to the top, so that two programs that both want to be there do not keep
/// the server busy (our choice).
const RAISES: Duration = Duration::from_millis(50);
/// Time between two attempts to take the keyboard from another program.
const KEYS: Duration = Duration::from_millis(200);
/// Time between two resets of a screen saver that cannot be suspended (our choice: below any timeout in use).
const WAKES: Duration = Duration::from_secs(20);

/// An X11 screen.
pub struct X11Panel {
    inner: Arc<Inner>,
    /// Wakes the thread that hears the devices, to end.
    bell: xproto::Window,
}

struct Inner {
    size: PanelSize,
    /// Pictures have a connection of their own: they are large, and hands do not wait for them.
    grabber: Mutex<Grabber>,
    watcher: Watcher,
    hands: Arc<RustConnection>,
    hand: Arc<Hand>,
    windows: Windows,
    saver: Saver,
    front: MfdPanel,
    covered: Arc<Notify>,
    awake: tokio::sync::watch::Sender<bool>,
}

/// Why an X11 screen cannot be a panel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum X11Error {
    /// Neither an option nor the environment says where the X server is.
    #[error("no X server is named: give `--x11-display :0`, say, or set DISPLAY")]
    NoDisplay,
    /// There is no X server there, or it does not want us.
    #[error("cannot connect to the X server at {display}")]
    Connect {
        /// The display that was asked for.
        display: String,
        /// Why not.
        source: ConnectError,
    },
    /// The server has no screen of that number.
    #[error("the X server has no screen {0}")]
    NoScreen(usize),
    /// The screen's pixels are not 32 bits with 8 bits for each colour.
    #[error("the screen has {depth} bits a pixel in a layout that is not 8 bits for each colour")]
    Layout {
        /// Bits of colour in a pixel.
        depth: u8,
    },
    /// The screen is larger than a panel may be.
    #[error("the screen has {width} by {height} pixels, more than a panel may have")]
    Size {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
    },
    /// The keyboard has no such key to end a session with.
    #[error(
        "the screen's keyboard has no key `{key}` to hold against a session: name another with --stop-key, or a corner such as corner-top-left"
    )]
    NoStopKey {
        /// The key that was asked for.
        key: String,
    },
    /// The server did not take a request.
    #[error("the X server refused while {doing}")]
    Request {
        /// What was being done.
        doing: &'static str,
        /// What it answered.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl X11Panel {
    /// Opens the screen of `display`, or of `$DISPLAY`, with `#` as the stop key.
    ///
    /// # Errors
    ///
    /// As [`X11Panel::open_with`].
    pub fn open(display: Option<&str>) -> Result<Self, X11Error> {
        Self::open_with(display, Preferences::default(), &StopKey::default())
    }

    /// Opens the screen of `display`, or of `$DISPLAY`. The windows come with [`X11Panel::serve`].
    ///
    /// # Errors
    ///
    /// [`X11Error`] if there is no such screen, its pixels cannot be read, nothing can be injected or heard, or its
    /// keyboard has no such stop key.
    pub fn open_with(
        display: Option<&str>,
        preferences: Preferences,
        stop: &StopKey,
    ) -> Result<Self, X11Error> {
        let named = display
            .map(str::to_owned)
            .or_else(|| std::env::var("DISPLAY").ok())
            .filter(|named| !named.is_empty())
            .ok_or(X11Error::NoDisplay)?;
        let connect = || {
            RustConnection::connect(Some(&named)).map_err(|source| X11Error::Connect {
                display: named.clone(),
                source,
            })
        };
        let (pictures, number) = connect()?;
        let screen = Screen::find(&pictures, number)?;
        let pictures = Arc::new(pictures);
        let watcher = Watcher::start(Arc::clone(&pictures), screen.root)?;
        let grabber = Grabber::new(pictures, &screen);

        let hands = Arc::new(connect()?.0);
        let hand = Hand::new(Arc::clone(&hands), screen.root)
            .map_err(|error| request("asking for its XTEST extension", error))?;
        let (width, height) = (screen.size.width(), screen.size.height());
        let hand = Arc::new(hand);
        let stops_by = Stop::new(stop, &hand, (width.into(), height.into()))?;
        let windows = Windows::new(Arc::clone(&hands), screen)
            .map_err(|error| request("making windows", error))?;
        let front = MfdPanel::overlay(screen.size, preferences).stopped_by(stop.clone());
        let bell = watch::bell(&hands, screen.root)
            .map_err(|error| request("making a window to be woken by", error))?;
        let covered = Arc::new(Notify::new());
        let listener = Listener {
            connection: Arc::clone(&hands),
            root: screen.root,
            overlay: windows.overlay,
            hand: Arc::clone(&hand),
            front: front.clone(),
            stop: stops_by,
            covered: Arc::clone(&covered),
            bell,
        };
        listener.start()?;
        let inner = Inner {
            size: screen.size,
            grabber: Mutex::new(grabber),
            watcher,
            saver: Saver::new(&hands),
            hands,
            hand,
            windows,
            front,
            covered,
            awake: tokio::sync::watch::Sender::new(false),
        };
        Ok(Self {
            inner: Arc::new(inner),
            bell,
        })
    }

    /// Puts the settings page of Remote Assistance behind `admin_id`. Only the first counts.
    #[must_use]
    pub fn behind(self, admin_id: Arc<dyn AdminId>) -> Self {
        drop(self.inner.front.clone().behind(admin_id));
        self
    }

    /// Puts `upkeep` behind that page, with the way to the service that was chosen there before. Only the first counts.
    #[must_use]
    pub fn kept_by(self, upkeep: Arc<dyn Upkeep>, route: Route) -> Self {
        drop(self.inner.front.clone().kept_by(upkeep, route));
        self
    }

    /// The way to the service as it is chosen on that page, now and whenever it changes.
    pub fn route(&self) -> tokio::sync::watch::Receiver<Route> {
        self.inner.front.route()
    }

    /// Says on that page whether the last change was kept.
    pub fn set_kept(&self, is_kept: bool) {
        self.inner.front.set_kept(is_kept);
    }

    /// Shows `facts` on that page.
    pub fn set_facts(&self, facts: Facts) {
        self.inner.front.set_facts(facts);
    }

    /// What is set on that page, now and whenever it changes.
    pub fn preferences(&self) -> tokio::sync::watch::Receiver<Preferences> {
        self.inner.front.preferences()
    }

    /// Shows the customer what there is to see, and tells `device` what they do. Comes back when the device has stopped.
    pub async fn serve(&self, device: &DeviceHandle) {
        tokio::select! {
            () = self.inner.front.serve(device) => {}
            () = self.show_scenes() => {}
            () = self.stay_on_top() => {}
            () = self.stay_awake() => {}
        }
    }

    async fn show_scenes(&self) {
        let mut scenes = self.inner.front.scene_changes();
        let mut layers = self.inner.front.annotation_changes();
        loop {
            scenes.borrow_and_update();
            layers.borrow_and_update();
            let inner = Arc::clone(&self.inner);
            let shown = tokio::task::spawn_blocking(move || inner.show()).await;
            let lacks_keys = match shown {
                Ok(Ok(outcome)) => outcome.lacks_keys,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the X server does not show what it should");
                    false
                }
                Err(error) => {
                    tracing::error!(%error, "what is to be shown could not be drawn");
                    false
                }
            };
            tokio::select! {
                changed = scenes.changed() => drop(changed),
                changed = layers.changed() => drop(changed),
                () = tokio::time::sleep(KEYS), if lacks_keys => {}
            }
        }
    }

    async fn stay_on_top(&self) {
        loop {
            self.inner.covered.notified().await;
            let inner = Arc::clone(&self.inner);
            let raised = tokio::task::spawn_blocking(move || inner.windows.raise()).await;
            if let Ok(Err(error)) = raised {
                tracing::debug!(%error, "windows could not be raised");
            }
            tokio::time::sleep(RAISES).await;
        }
    }

    async fn stay_awake(&self) {
        let mut awake = self.inner.awake.subscribe();
        if !self.inner.saver.needs_waking() {
            return std::future::pending().await;
        }
        loop {
            if awake.wait_for(|awake| *awake).await.is_err() {
                return std::future::pending().await;
            }
            let _ = self.inner.saver.wake(&self.inner.hands);
            tokio::time::sleep(WAKES).await;
        }
    }
}

impl Inner {
    /// Brings the windows up to what they are to show.
    fn show(&self) -> Result<Outcome, ReplyError> {
        let outcome = self.windows.show(&self.front.scene(), &self.hand)?;
        self.windows.draw(&self.front.annotations())?;
        if outcome.is_mask_new {
            // The picture is another one to the operator, whether or not a pixel differs.
            self.watcher.poke();
        }
        Ok(outcome)
    }
}

impl Drop for X11Panel {
    fn drop(&mut self) {
        self.inner.hand.let_go();
        self.inner.hand.tidy();
        watch::ring(&self.inner.hands, self.bell);
    }
}

impl fmt::Debug for X11Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X11Panel")
            .field("size", &self.inner.size)
            .finish_non_exhaustive()
    }
}

impl Panel for X11Panel {
    fn describe(&self) -> PanelInfo {
        #[expect(
            clippy::unwrap_used,
            reason = "a short plain word, and the lab test describes the panel"
        )]
        let kind = Label::new("x11").unwrap();
        PanelInfo {
            kind,
            size: self.inner.size,
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        // What changes from here on is told again, so no change falls between two pictures.
        self.inner
            .watcher
            .rearm()
            .map_err(|error| PanelError::Gone(error.into()))?;
        // No window comes or goes meanwhile, so what is masked is masked in this very picture.
        let still = self.inner.windows.hold_still();
        let mut grabber = self
            .inner
            .grabber
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let frame = grabber
            .grab()
            .map_err(|error| PanelError::Gone(error.into()))?;
        Ok(Capture {
            frame: Arc::new(frame),
            masked: still.masked(),
        })
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.watcher.changes()
    }

    fn annotate(&self, annotation: &Annotation) {
        self.inner.front.annotate(annotation);
    }

    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        let frees = match action {
            Action::Pointer(event) => {
                matches!(event.phase, PointerPhase::Up | PointerPhase::Leave)
            }
            Action::Key(event) => event.motion == KeyMotion::Up,
            Action::Text(_) => false,
        };
        if !frees && !self.inner.front.admits() {
            return Err(PanelError::Unsupported);
        }
        self.inner.hand.act(action)?;
        self.inner.front.acted(action);
        Ok(())
    }

    fn hold_awake(&self, hold: Awake) {
        self.inner.awake.send_replace(hold == Awake::Hold);
        if let Err(error) = self.inner.saver.hold(&self.inner.hands, hold) {
            tracing::warn!(%error, "the screen saver could not be told");
        }
    }
}

impl Customer for X11Panel {
    fn offers(&self, modes: &[ModeName]) {
        self.inner.front.offers(modes);
    }

    fn session_over(&self, card: &SessionCard) {
        self.inner.front.session_over(card);
    }

    fn locale(&self) -> String {
        self.inner.front.locale()
    }

    fn show(&self, status: &Status) {
        self.inner.front.show(status);
        if matches!(status, Status::Idle | Status::Ended { .. }) {
            self.inner.hand.let_go();
            self.inner.hand.tidy();
        }
    }
}

/// The screen of a connection, as far as reading it needs.
#[derive(Clone, Copy, Debug)]
struct Screen {
    root: xproto::Window,
    size: PanelSize,
    depth: u8,
    /// Order of the four bytes of a pixel.
    order: ImageOrder,
}

impl Screen {
    fn find(connection: &RustConnection, number: usize) -> Result<Self, X11Error> {
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or(X11Error::NoScreen(number))?;
        let depth = screen.root_depth;
        let is_32_bits = setup
            .pixmap_formats
            .iter()
            .any(|format| format.depth == depth && format.bits_per_pixel == 32);
        let visual = screen
            .allowed_depths
            .iter()
            .flat_map(|depth| &depth.visuals)
            .find(|visual| visual.visual_id == screen.root_visual);
        let is_rgb = visual.is_some_and(|visual| {
            let masks = (visual.red_mask, visual.green_mask, visual.blue_mask);
            visual.class == VisualClass::TRUE_COLOR
                && masks == (0x00ff_0000, 0x0000_ff00, 0x0000_00ff)
        });
        if !is_32_bits || !is_rgb {
            return Err(X11Error::Layout { depth });
        }
        // The root's size now; the setup has that of the server's start.
        let answer = xproto::get_geometry(connection, screen.root)
            .map_err(ReplyError::from)
            .and_then(|cookie| cookie.reply());
        let geometry =
            answer.map_err(|error| request("asking for the size of the screen", error))?;
        let (width, height) = (geometry.width, geometry.height);
        let size = PanelSize::new(width, height).ok_or(X11Error::Size { width, height })?;
        Ok(Self {
            root: screen.root,
            size,
            depth,
            order: setup.image_byte_order,
        })
    }
}

fn request(doing: &'static str, source: impl Into<Failure>) -> X11Error {
    X11Error::Request {
        doing,
        source: source.into().0,
    }
}

/// Any of the ways in which a request can fail.
struct Failure(Box<dyn std::error::Error + Send + Sync>);

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        Self(error.into())
    }
}

impl From<ReplyError> for Failure {
    fn from(error: ReplyError) -> Self {
        Self(error.into())
    }
}

impl From<ReplyOrIdError> for Failure {
    fn from(error: ReplyOrIdError) -> Self {
        Self(error.into())
    }
}
