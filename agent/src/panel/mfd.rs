//! A multifunction printer's touch panel: 1024 by 600 pixels and hard keys.
//!
//! [`Mfd`] is a state machine without clock, thread or window: touches, keys, the session's [`Status`] and the time
//! go in, a [`Frame`] and [`CustomerAction`]s come out. [`MfdPanel`] is the shell that makes it a port.

mod assistance;
mod banner;
mod canvas;
mod edit;
mod entry;
pub mod gallery;
mod hand;
mod id_pad;
mod key;
mod machine;
mod new_id;
mod remote;
mod screens;
mod shell;
mod skin;
mod target;
mod theme;
mod trial;
mod upkeep;
mod view;

fn panel_rect(Rect { x, y, w, h }: Rect) -> PanelRect {
    let side = |n: i32| u16::try_from(n).unwrap_or(0);
    PanelRect {
        x: side(x),
        y: side(y),
        width: side(w),
        height: side(h),
    }
}

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use alongside::{
    Frame,
    audit::SessionCard,
    ports::{Action, AdminChange, AdminVerdict, Awake},
    protocol::{
        PanelPoint, PanelSize,
        input::{KeyMotion, KeyName, PointerPhase},
        units::PanelRect,
    },
    status::{Ask, ModeName, Status},
};

pub use assistance::Past;
pub use canvas::font::use_own as use_font;
pub use canvas::{Flaw, geometry::Rect};
pub use edit::fits;
pub use key::HardKey;
pub use machine::{Choice, Step};
pub use remote::{Administrator, Allowed, Facts, Field, NO_PROXY, Preferences, Route};
pub use shell::MfdPanel;
pub use skin::{Scene, Typed};
pub use target::{Place, Target};
pub use theme::Scale;
pub use trial::{Outcome, TrialWay};
pub use upkeep::{Tell, Testing, Upkeep};

use assistance::{Assistance, Stage};
use banner::Act;
use canvas::{Painter, Point, Sketch};
use edit::Edit;
use id_pad::IdPad;
use machine::{Machine, Work};
use new_id::NewId;
use remote::Gate;
use skin::{Edge, Skin};
use trial::Trial;
use view::{Spot, View};

use super::{CustomerAction, StopKey};
use crate::text::{ModeNames, Text};

/// Size of the screen in pixels.
pub const SIZE: PanelSize = match PanelSize::new(1024, 600) {
    Some(size) => size,
    None => unreachable!(),
};

/// Time without a touch after which the panel goes back to its first screen.
const AUTO_RESET: Duration = Duration::from_secs(60);
/// The same while the customer reads the notice or types a code: they are on the phone.
const AUTO_RESET_ASSISTANCE: Duration = Duration::from_secs(300);
/// Time between two pictures while something moves: ten in a second are enough for a bar and a ring.
const MOVING: Duration = Duration::from_millis(100);

/// Time between two looks at whether the panel should go back to its first screen.
const WAITING: Duration = Duration::from_secs(1);

/// Whose hand it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    /// The person in front of the panel.
    Customers,
    /// The operator's, under a grant. Reaches the machine's own controls and nothing that speaks for the customer.
    Operators,
}

/// A finger on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Touch {
    hand: Hand,
    target: Target,
    /// Whether it is still on the target it went down on.
    on_target: bool,
}

/// The panel.
pub struct Mfd {
    skin: Skin,
    size: PanelSize,
    /// Where the banner stands, if other programs draw the screen.
    edge: Edge,
    stop: StopKey,
    text: Text,
    names: Arc<ModeNames>,
    preferences: Preferences,
    facts: Facts,
    administrator: Administrator,
    gate: Gate,
    /// Another ID that is being chosen in the place of the one that counts.
    new_id: Option<NewId>,
    /// The way to the service, as far as it was chosen here.
    route: Route,
    /// The setting of it that is being typed.
    edit: Option<Edit>,
    /// The test of it.
    trial: Option<Trial>,
    /// Which of several pages the place shows.
    page: usize,
    now: Duration,
    place: Place,
    machine: Machine,
    assistance: Assistance,
    touch: Option<Touch>,
    last_touch: Duration,
    awake: Awake,
    actions: Vec<CustomerAction>,
    sketch: Sketch,
    spots: Vec<Spot>,
    masked: Option<Rect>,
    islands: Vec<Rect>,
    /// Whether state has changed since `sketch` was made.
    is_stale: bool,
    /// Counts sketches that differ.
    version: u64,
    painter: Painter,
    frame: Arc<Frame>,
    /// The sketch that `frame` shows; `None` before the first.
    painted: Option<Sketch>,
}

/// What is on the screen can be a code, so Debug shows none of it.
impl fmt::Debug for Mfd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mfd")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Mfd {
    /// A panel that speaks `text`, at its home screen, with Remote Assistance turned on.
    pub fn new(text: Text) -> Self {
        Self::with_preferences(Preferences {
            allowed: Allowed::On,
            locale: text.locale(),
            scale: Scale::default(),
        })
    }

    /// A panel at its home screen.
    pub fn with_preferences(preferences: Preferences) -> Self {
        Self::wearing(Skin::Machine, SIZE, preferences)
    }

    fn wearing(skin: Skin, size: PanelSize, preferences: Preferences) -> Self {
        #[expect(
            clippy::unwrap_used,
            reason = "a panel's size is never empty nor beyond what a pixmap can have"
        )]
        let painter = Painter::new(size).unwrap();
        let mut mfd = Self {
            skin,
            size,
            edge: Edge::default(),
            stop: StopKey::default(),
            text: Text::new(preferences.locale),
            names: Arc::default(),
            preferences,
            facts: Facts::default(),
            administrator: Administrator::None,
            gate: Gate::None,
            new_id: None,
            route: Route::default(),
            edit: None,
            trial: None,
            page: 0,
            now: Duration::ZERO,
            place: Place::Home,
            machine: Machine::default(),
            assistance: Assistance::default(),
            touch: None,
            last_touch: Duration::ZERO,
            awake: Awake::Release,
            actions: Vec::new(),
            sketch: Sketch::default(),
            spots: Vec::new(),
            masked: None,
            islands: Vec::new(),
            is_stale: true,
            version: 0,
            painter,
            frame: Arc::new(Frame::black(size)),
            painted: None,
        };
        mfd.refresh();
        mfd
    }

    /// The customer's finger. A second finger is not told apart.
    pub fn touch(&mut self, at: PanelPoint, phase: PointerPhase) {
        self.finger(Hand::Customers, at, phase);
    }

    /// What the customer holds to end a session, in the place of `#`.
    pub fn set_stop_key(&mut self, stop: StopKey) {
        self.stop = stop;
        self.is_stale = true;
    }

    /// A hard key under the customer's finger. Names of keys that this panel does not have do nothing.
    pub fn key(&mut self, name: &KeyName, motion: KeyMotion) {
        if let Some(key) = HardKey::from_name(name) {
            self.customers_key(key, motion);
        }
    }

    /// What others set and the settings page shows.
    pub fn set_facts(&mut self, facts: Facts) {
        self.facts = facts;
        self.is_stale = true;
    }

    /// The last change of a setting was kept, or could not be.
    pub fn set_kept(&mut self, is_kept: bool) {
        self.is_stale |= self.facts.is_not_kept == is_kept;
        self.facts.is_not_kept = !is_kept;
    }

    /// The way to the service as it was chosen on the panel before.
    pub fn set_route(&mut self, route: Route) {
        self.route = route;
        self.is_stale = true;
    }

    /// The way to the service, as far as it is chosen on the panel.
    pub const fn route(&self) -> &Route {
        &self.route
    }

    /// What is set of the way to the service, wherever it was set.
    fn route_value(&self, field: Field) -> Option<&str> {
        let chosen = (!self.facts.fixed.contains(&field))
            .then(|| self.route.get(field))
            .flatten();
        chosen
            .or_else(|| self.facts.route.get(field))
            .filter(|value| *value != NO_PROXY)
    }

    /// The sessions that this device has had, newest first, as its audit has them.
    pub fn set_sessions(&mut self, cards: &[SessionCard]) {
        self.assistance.set_past(cards);
        self.is_stale = true;
    }

    /// What came of a way to the service that is being tested.
    pub fn tested(&mut self, way: TrialWay, outcome: Outcome) {
        if let Some(trial) = &mut self.trial {
            trial.take(way, outcome);
            self.is_stale = true;
        }
    }

    /// The test is over.
    pub fn test_over(&mut self) {
        if let Some(trial) = &mut self.trial {
            trial.finish();
            self.last_touch = self.now;
            self.is_stale = true;
        }
    }

    /// What this device has of an administrator's ID, which the settings page of Remote Assistance then asks for.
    pub fn set_administrator(&mut self, administrator: Administrator) {
        self.administrator = administrator;
        // Whoever is about to type is asked for what there is.
        let is_untouched = match &self.gate {
            Gate::Shut(pad) => pad.is_untouched(),
            Gate::First(new) => new.is_untouched(),
            Gate::None | Gate::Open => false,
        };
        if is_untouched {
            self.gate = self.shut_gate();
        }
        self.is_stale = true;
    }

    /// What can be changed on the settings page of Remote Assistance.
    pub const fn preferences(&self) -> Preferences {
        self.preferences
    }

    /// The wall clock reads `unix_ms` milliseconds since 1970 now.
    pub fn set_clock(&mut self, unix_ms: u64) {
        self.assistance.set_clock(unix_ms, self.now);
    }

    /// The administrator's ID that was typed for the pages behind it has been checked.
    pub fn id_checked(&mut self, verdict: AdminVerdict) {
        match &mut self.gate {
            // One that was shut anew meanwhile waits for an ID of its own.
            Gate::Shut(pad) if !pad.is_checking() => {}
            Gate::Shut(_) if verdict == AdminVerdict::Ok => self.gate = Gate::Open,
            Gate::Shut(pad) => pad.told(verdict, self.now),
            Gate::First(_) | Gate::None | Gate::Open => {
                if let Some(new) = &mut self.new_id {
                    new.checked(verdict, self.now);
                }
            }
        }
        self.is_stale = true;
    }

    /// What came of the answer to a question: it opens nothing but what was asked for.
    pub fn ask_answered(&mut self, verdict: AdminVerdict) {
        self.assistance.told(verdict, self.now);
        self.is_stale = true;
    }

    /// What came of the administrator's ID that was chosen on the panel.
    pub fn id_changed(&mut self, change: AdminChange) {
        let now = self.now;
        if let Gate::First(new) = &mut self.gate {
            if new.changed(change, now) {
                self.gate = Gate::Open;
                self.administrator = Administrator::Set { can_change: true };
            }
        } else if let Some(new) = &mut self.new_id
            && new.changed(change, now)
        {
            self.new_id = None;
            self.place = Place::Remote;
        }
        self.is_stale = true;
    }

    /// The gate as whoever comes next finds it.
    fn shut_gate(&self) -> Gate {
        match self.administrator {
            Administrator::None => Gate::None,
            Administrator::Unset => Gate::First(NewId::first()),
            Administrator::Set { .. } => Gate::Shut(IdPad::default()),
        }
    }

    /// What of the picture the operator must not see.
    pub fn masked(&mut self) -> Vec<PanelRect> {
        self.refresh();
        self.masked.map(panel_rect).into_iter().collect()
    }

    /// Where no annotation is drawn: over the banner, and over nothing at all of what the customer has to decide or to
    /// enter.
    pub fn kept_clear(&mut self) -> Vec<PanelRect> {
        self.refresh();
        if self.admits() {
            self.islands.iter().copied().map(panel_rect).collect()
        } else {
            vec![panel_rect(self.whole())]
        }
    }

    /// The open question, if there is one.
    fn ask(&self) -> Option<&Ask> {
        self.assistance.live()?.ask.as_ref()
    }

    /// The pad that an ID is being typed on.
    fn pad(&mut self) -> Option<&mut IdPad> {
        // A question lies over everything: what is typed now is for it, or for nothing.
        if self.ask().is_some() {
            let is_asked_for = self.assistance.is_typing_id();
            return is_asked_for.then_some(&mut self.assistance.asking.pad);
        }
        if !self.place.is_administrators() {
            return None;
        }
        match &mut self.gate {
            Gate::Shut(pad) => Some(pad),
            Gate::First(new) => Some(&mut new.pad),
            Gate::None | Gate::Open => Some(&mut self.new_id.as_mut()?.pad),
        }
    }

    /// An operator's action under a grant; answers whether the panel has a place or key for it.
    ///
    /// It never reaches the banner, a question to the customer, code entry or the stop key, and nothing at all while
    /// a question is open.
    pub fn inject(&mut self, action: &Action) -> bool {
        if !self.admits() {
            return false;
        }
        match action {
            Action::Pointer(event) => {
                self.finger(Hand::Operators, event.at, event.phase);
                self.size.contains(event.at)
            }
            Action::Key(event) => match HardKey::from_name(&event.key) {
                Some(key) => {
                    if event.motion == KeyMotion::Down {
                        let act = Act::Pressed(event.key.clone());
                        self.assistance.acted(act, self.now);
                        self.machine_key(key);
                    }
                    self.is_stale = true;
                    true
                }
                None => false,
            },
            Action::Text(text) => {
                let has_place = self.place == Place::Address;
                if has_place {
                    self.assistance.acted(Act::Typed, self.now);
                    text.as_str().chars().for_each(|c| self.machine.letter(c));
                }
                self.is_stale = true;
                has_place
            }
        }
    }

    /// Takes what the audit says of the session that has just ended, for its card.
    pub fn over(&mut self, card: &SessionCard) {
        self.assistance.over(card);
        self.is_stale = true;
    }

    /// Takes what people call the modes of the session that begins.
    pub fn offers(&mut self, modes: &[ModeName]) {
        Arc::make_mut(&mut self.names).learn(modes);
        self.is_stale = true;
    }

    /// Shows how the session stands.
    pub fn show(&mut self, status: &Status) {
        let leaves_assistance = self.assistance.show(status, self.now);
        let in_assistance = matches!(self.place, Place::Notice | Place::Entry | Place::Session)
            || self.place.is_administrators();
        if leaves_assistance && in_assistance {
            self.go(Place::Home);
        }
        if self.assistance.wants_entry() {
            self.place = Place::Entry;
        }
        if self.place == Place::Session && !self.assistance.is_live() {
            self.place = Place::Home;
        }
        // A finger that was down on a screen which is gone touches nothing.
        self.is_stale = true;
    }

    /// Lets time pass up to `now`, which counts from any start and never goes back.
    pub fn tick(&mut self, now: Duration) {
        let was_moving = self.is_moving();
        self.now = self.now.max(now);
        let on_the_phone =
            self.assistance.is_waiting() || matches!(self.place, Place::Notice | Place::Entry);
        let limit = if on_the_phone {
            AUTO_RESET_ASSISTANCE
        } else {
            AUTO_RESET
        };
        let is_held_awake = self.awake == Awake::Hold
            || self.assistance.is_busy()
            || self.is_testing()
            || self.machine.is_working(self.now);
        if is_held_awake {
            self.last_touch = self.now;
        } else if self.now.saturating_sub(self.last_touch) >= limit && !self.is_at_rest() {
            self.reset();
        }
        if was_moving || self.is_moving() {
            self.is_stale = true;
        }
    }

    /// How often the panel wants [`Mfd::tick`] as it stands; `None` while time changes nothing on it.
    pub fn pace(&self) -> Option<Duration> {
        if self.is_moving() {
            return Some(MOVING);
        }
        (!self.is_at_rest()).then_some(WAITING)
    }

    /// Keeps the panel from going back to its first screen by itself, or lets it.
    pub const fn hold_awake(&mut self, hold: Awake) {
        self.awake = hold;
    }

    /// The picture now; the same one as before unless something has changed, and painted only where it has.
    pub fn render(&mut self) -> Arc<Frame> {
        self.refresh();
        let everything = self.whole();
        let damage = match &self.painted {
            None => Some(everything),
            Some(painted) => self.sketch.damage(painted),
        };
        if let Some(damage) = damage {
            self.painter
                .paint(&self.sketch, damage, Arc::make_mut(&mut self.frame));
            self.painted = Some(self.sketch.clone());
        }
        Arc::clone(&self.frame)
    }

    /// A counter that moves whenever [`Mfd::render`] would give another picture than before.
    pub fn version(&mut self) -> u64 {
        self.refresh();
        self.version
    }

    /// What the customer did since the last call, in order.
    pub fn take_actions(&mut self) -> Vec<CustomerAction> {
        std::mem::take(&mut self.actions)
    }

    /// The middle of something to touch; `None` if it is not on the screen or out of use.
    pub fn find(&mut self, target: Target) -> Option<PanelPoint> {
        self.refresh();
        let spot = self
            .spots
            .iter()
            .find(|spot| spot.target == target && spot.state == view::State::Enabled)?;
        let Point { x, y } = spot.rect.center();
        (view::hit(&self.spots, Point { x, y }) == Some(target))
            .then(|| PanelPoint::from_pixels(x.try_into().unwrap_or(0), y.try_into().unwrap_or(0)))
    }

    /// Text of the present screen that a customer would not see whole.
    pub fn flaws(&mut self) -> Vec<Flaw> {
        self.refresh();
        self.sketch.flaws().to_vec()
    }

    /// Makes the sketch anew if something has changed.
    fn refresh(&mut self) {
        if !std::mem::take(&mut self.is_stale) {
            return;
        }
        let pressed = self
            .touch
            .filter(|touch| touch.on_target)
            .map(|touch| touch.target);
        let mut view = View::new(
            self.text,
            Arc::clone(&self.names),
            self.preferences.scale,
            pressed,
        );
        view.skin = self.skin;
        let whole = self.whole();
        view.sketch.is_small = whole.w < skin::SHEET.0 || whole.h < skin::SHEET.1;
        screens::draw(self, &mut view);
        let drawn = view.into_parts();
        if drawn.sketch.damage(&self.sketch).is_some() || drawn.islands != self.islands {
            self.version += 1;
        }
        (self.sketch, self.spots) = (drawn.sketch, drawn.spots);
        (self.masked, self.islands) = (drawn.masked, drawn.islands);
    }

    /// All of the screen.
    fn whole(&self) -> Rect {
        let (width, height) = (self.size.width(), self.size.height());
        Rect::new(0, 0, i32::from(width), i32::from(height))
    }
}
