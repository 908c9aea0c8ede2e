//! The panel as a port: a lock, a clock, counters of changes, and the layer of annotations.

use std::{
    collections::VecDeque,
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use alongside::{
    DeviceHandle, Frame,
    audit::SessionCard,
    device::{AdminIdEntry, DeviceError},
    ports::{
        Action, AdminChange, AdminId, AdminVerdict, Awake, Capture, Customer, Panel, PanelError,
        PanelInfo,
    },
    protocol::{
        PanelPoint, PanelSize,
        annotation::Annotation,
        input::{KeyMotion, KeyName, PointerPhase},
        label::Label,
        units::PanelRect,
    },
    status::{ModeName, Status},
};
use futures_util::future::OptionFuture;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{Administrator, Facts, Mfd, Preferences, Route, Scene, Target, Typed, Upkeep};
use crate::{
    panel::{Annotations, CustomerAction, Drawn, StopKey},
    text::Text,
};

/// Time between two pictures while a pointer fades.
const FADING: Duration = Duration::from_millis(50);

/// A panel that lives. Clones are the same panel.
#[derive(Clone)]
pub struct MfdPanel {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Counts pictures.
    pictures: watch::Sender<u64>,
    /// Counts states of the layer of annotations.
    layers: watch::Sender<u64>,
    /// Something happened that may be an action or may have to be animated.
    stirred: Notify,
    /// What is set on the panel's settings page of Remote Assistance.
    preferences: watch::Sender<Preferences>,
    /// The way to the service as it is chosen there.
    route: watch::Sender<Route>,
    /// The check behind that page.
    admin_id: OnceLock<Arc<dyn AdminId>>,
    /// What else stands behind it.
    upkeep: OnceLock<Arc<dyn Upkeep>>,
}

struct State {
    mfd: Mfd,
    annotations: Annotations,
    actions: VecDeque<CustomerAction>,
    started: Instant,
}

impl fmt::Debug for MfdPanel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MfdPanel").finish_non_exhaustive()
    }
}

impl Default for MfdPanel {
    fn default() -> Self {
        Self::new()
    }
}

impl MfdPanel {
    /// A panel in English.
    pub fn new() -> Self {
        Self::with_text(Text::default())
    }

    /// A panel that speaks `text`, with Remote Assistance turned on.
    pub fn with_text(text: Text) -> Self {
        Self::of(Mfd::new(text))
    }

    /// A panel as it was set.
    pub fn with_preferences(preferences: Preferences) -> Self {
        Self::of(Mfd::with_preferences(preferences))
    }

    /// A layer over a screen of other programs.
    pub fn overlay(size: PanelSize, preferences: Preferences) -> Self {
        Self::of(Mfd::overlay(size, preferences))
    }

    fn of(mfd: Mfd) -> Self {
        let preferences = mfd.preferences();
        let state = State {
            mfd,
            annotations: Annotations::default(),
            actions: VecDeque::new(),
            started: Instant::now(),
        };
        let shared = Shared {
            state: Mutex::new(state),
            pictures: watch::Sender::new(0),
            layers: watch::Sender::new(0),
            stirred: Notify::new(),
            preferences: watch::Sender::new(preferences),
            route: watch::Sender::default(),
            admin_id: OnceLock::new(),
            upkeep: OnceLock::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Puts the settings page of Remote Assistance behind `admin_id`. Only the first counts.
    #[must_use]
    pub fn behind(self, admin_id: Arc<dyn AdminId>) -> Self {
        let admin_id = self.shared.admin_id.get_or_init(|| admin_id);
        let administrator = standing(&**admin_id);
        self.with(|state, _| state.mfd.set_administrator(administrator));
        self
    }

    /// Puts `upkeep` behind the settings page of Remote Assistance, with the way to the service that was chosen there
    /// before. Only the first counts.
    #[must_use]
    pub fn kept_by(self, upkeep: Arc<dyn Upkeep>, route: Route) -> Self {
        let _first = self.shared.upkeep.get_or_init(|| upkeep);
        self.with(|state, _| state.mfd.set_route(route));
        self
    }

    /// What the customer holds to end a session, in the place of `#`.
    #[must_use]
    pub fn stopped_by(self, stop: StopKey) -> Self {
        self.with(|state, _| state.mfd.set_stop_key(stop));
        self
    }

    /// Shows `facts` on that page.
    pub fn set_facts(&self, facts: Facts) {
        self.with(|state, _| state.mfd.set_facts(facts));
    }

    /// What is set on that page, now and whenever it changes.
    pub fn preferences(&self) -> watch::Receiver<Preferences> {
        self.shared.preferences.subscribe()
    }

    /// The way to the service as it is chosen on that page, now and whenever it changes.
    pub fn route(&self) -> watch::Receiver<Route> {
        self.shared.route.subscribe()
    }

    /// Says on that page whether the last change was kept.
    pub fn set_kept(&self, is_kept: bool) {
        self.with(|state, _| state.mfd.set_kept(is_kept));
    }

    /// The customer's finger.
    pub fn touch(&self, at: PanelPoint, phase: PointerPhase) {
        self.with(|state, _| state.mfd.touch(at, phase));
    }

    /// A hard key under the customer's finger.
    pub fn key(&self, name: &KeyName, motion: KeyMotion) {
        self.with(|state, _| state.mfd.key(name, motion));
    }

    /// What lies over the screen of other programs now.
    pub fn scene(&self) -> Scene {
        self.with(|state, _| state.mfd.scene())
    }

    /// A counter that moves whenever [`MfdPanel::scene`] looks different.
    pub fn scene_changes(&self) -> watch::Receiver<u64> {
        self.shared.pictures.subscribe()
    }

    /// A key of the device's keyboard under the customer's finger.
    pub fn type_key(&self, typed: Typed) {
        self.with(|state, _| state.mfd.type_key(typed));
    }

    /// What stands for the stop key is held, or no longer.
    pub fn stop_key(&self, motion: KeyMotion) {
        self.with(|state, _| state.mfd.stop_key(motion));
    }

    /// The customer used the screen where this layer shows nothing.
    pub fn used_elsewhere(&self) {
        self.with(|state, _| state.mfd.used_elsewhere());
    }

    /// Whether an operator's hand may be on the screen at all.
    pub fn admits(&self) -> bool {
        self.with(|state, _| state.mfd.admits())
    }

    /// Tells the customer what the operator did elsewhere on the screen.
    pub fn acted(&self, action: &Action) {
        self.with(|state, _| state.mfd.acted(action));
    }

    /// The middle of something to touch; `None` if it is not on the screen or out of use.
    pub fn find(&self, target: Target) -> Option<PanelPoint> {
        self.with(|state, _| state.mfd.find(target))
    }

    /// The picture for whoever stands in front of the panel, and where on it no annotation is drawn; of the same moment.
    pub fn front(&self) -> (Arc<Frame>, Vec<PanelRect>) {
        self.with(|state, _| (state.mfd.render(), state.mfd.kept_clear()))
    }

    /// What is drawn over the picture now.
    pub fn annotations(&self) -> Drawn {
        self.with(|state, now| state.annotations.drawn(now))
    }

    /// A counter that moves whenever [`MfdPanel::annotations`] looks different.
    pub fn annotation_changes(&self) -> watch::Receiver<u64> {
        self.shared.layers.subscribe()
    }

    /// Takes the oldest thing that the customer did and nobody has heard of; waits for one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: an action is either given or still there.
    pub async fn action(&self) -> CustomerAction {
        loop {
            let stirred = self.shared.stirred.notified();
            let mut stirred = pin!(stirred);
            stirred.as_mut().enable();
            if let Some(action) = self.with(|state, _| state.actions.pop_front()) {
                return action;
            }
            stirred.await;
        }
    }

    /// Lets time pass on the panel: bars move, pointers fade. Never comes back.
    pub async fn animate(&self) {
        loop {
            let stirred = self.shared.stirred.notified();
            let mut stirred = pin!(stirred);
            stirred.as_mut().enable();
            let due: OptionFuture<_> = self.tick().map(tokio::time::sleep_until).into();
            tokio::select! {
                Some(()) = due => {}
                () = stirred => {}
            }
        }
    }

    /// Tells `device` what the customer does, and lets time pass. Comes back when the device has stopped.
    ///
    /// A code that is being tried does not keep EXIT or the stop key waiting.
    pub async fn serve(&self, device: &DeviceHandle) {
        tokio::select! {
            () = self.animate() => {}
            () = self.forward(device) => {}
        }
    }

    async fn forward(&self, device: &DeviceHandle) {
        let mut trying: OptionFuture<_> = None.into();
        let mut answering: OptionFuture<_> = None.into();
        let mut checking: OptionFuture<_> = None.into();
        let mut changing: OptionFuture<_> = None.into();
        let mut testing: OptionFuture<_> = None.into();
        let mut looking: OptionFuture<_> = Some(Box::pin(self.look())).into();
        loop {
            let told = tokio::select! {
                Some(tried) = &mut trying => {
                    trying = None.into();
                    tried
                }
                Some(answered) = &mut answering => {
                    answering = None.into();
                    self.answered(&answered);
                    answered
                }
                Some(verdict) = &mut checking => {
                    checking = None.into();
                    self.with(|state, _| state.mfd.id_checked(verdict));
                    Ok(())
                }
                Some(change) = &mut changing => {
                    changing = None.into();
                    self.with(|state, _| state.mfd.id_changed(change));
                    Ok(())
                }
                Some(()) = &mut looking => {
                    looking = None.into();
                    Ok(())
                }
                Some(()) = &mut testing => {
                    testing = None.into();
                    Ok(())
                }
                action = self.action() => match action {
                    CustomerAction::EnterCode(code) => {
                        trying = Some(Box::pin(device.enter_code(code))).into();
                        Ok(())
                    }
                    CustomerAction::Exit => device.exit().await,
                    CustomerAction::StopKey(motion) => device.stop_key(motion).await,
                    CustomerAction::Touched => match device.touched().await {
                        // While a question is open it covers the panel: every touch is one in its dialog.
                        Ok(()) => device.dialog_key().await,
                        gone => gone,
                    },
                    CustomerAction::Elsewhere => device.touched().await,
                    CustomerAction::Allow(id) => {
                        answering = Some(Box::pin(device.allow(id))).into();
                        Ok(())
                    }
                    CustomerAction::Refuse => device.refuse().await,
                    CustomerAction::TakeBack => device.take_back().await,
                    CustomerAction::CheckId(id) => {
                        checking = Some(Box::pin(self.check(id))).into();
                        Ok(())
                    }
                    CustomerAction::ChangeId { old, new } => {
                        changing = Some(Box::pin(self.change(old, new))).into();
                        Ok(())
                    }
                    CustomerAction::Test(route) => {
                        testing = Some(Box::pin(self.test(route))).into();
                        Ok(())
                    }
                    CustomerAction::OpenSettings => {
                        looking = Some(Box::pin(self.look())).into();
                        Ok(())
                    }
                },
            };
            match told {
                Ok(()) => {}
                Err(DeviceError::Stopped) => return,
                // The panel shows by its status how things stand; a touch that came too late is no fault.
                Err(error) => {
                    tracing::debug!(%error, "the device did not take what the customer did")
                }
            }
        }
    }

    /// Tells the panel what came of the administrator's ID that was typed for a question.
    fn answered(&self, answer: &Result<(), DeviceError>) {
        let verdict = match answer {
            Err(DeviceError::AdminIdWrong { tries_left, wait }) => AdminVerdict::Wrong {
                tries_left: *tries_left,
                wait: *wait,
            },
            Err(DeviceError::AdminIdLocked { wait }) => AdminVerdict::Locked { wait: *wait },
            Err(DeviceError::AdminIdUnavailable) => AdminVerdict::Unavailable,
            _ => AdminVerdict::Ok,
        };
        self.with(|state, _| state.mfd.ask_answered(verdict));
    }

    /// Checks an ID where it may block.
    async fn check(&self, id: AdminIdEntry) -> AdminVerdict {
        let Some(admin_id) = self.shared.admin_id.get().map(Arc::clone) else {
            return AdminVerdict::Unavailable;
        };
        tokio::task::spawn_blocking(move || admin_id.verify(id.as_str()))
            .await
            .unwrap_or(AdminVerdict::Unavailable)
    }

    /// Changes the ID where it may block.
    async fn change(&self, old: Option<AdminIdEntry>, new: AdminIdEntry) -> AdminChange {
        let Some(admin_id) = self.shared.admin_id.get().map(Arc::clone) else {
            return AdminChange::Failed;
        };
        let old_and_new = move || {
            let old = old.as_ref().map(AdminIdEntry::as_str);
            admin_id.change(old, new.as_str())
        };
        tokio::task::spawn_blocking(old_and_new)
            .await
            .unwrap_or(AdminChange::Failed)
    }

    /// Looks where it may block what others may have changed: whether an ID is set, and who was connected.
    async fn look(&self) {
        let admin_id = self.shared.admin_id.get().map(Arc::clone);
        let upkeep = self.shared.upkeep.get().map(Arc::clone);
        let seen = tokio::task::spawn_blocking(move || {
            (
                admin_id.map(|admin_id| standing(&*admin_id)),
                upkeep.map(|upkeep| upkeep.sessions()),
            )
        });
        let Ok((administrator, sessions)) = seen.await else {
            return;
        };
        self.with(|state, _| {
            if let Some(administrator) = administrator {
                state.mfd.set_administrator(administrator);
            }
            if let Some(sessions) = sessions {
                state.mfd.set_sessions(&sessions);
            }
        });
    }

    /// Tries the ways to the service, and shows what comes of each.
    async fn test(&self, route: Route) {
        if let Some(upkeep) = self.shared.upkeep.get() {
            let tell = |way, outcome| self.with(|state, _| state.mfd.tested(way, outcome));
            upkeep.test(route, &tell).await;
        }
        self.with(|state, _| state.mfd.test_over());
    }

    /// Brings the panel up to now; answers when it next looks different by itself.
    fn tick(&self) -> Option<Instant> {
        self.with(|state, now| {
            let layer = if state.annotations.is_fading(now) {
                self.shared.layers.send_modify(|n| *n += 1);
                Some(now + FADING)
            } else {
                state.annotations.fades_at(now)
            };
            let picture = state.mfd.pace().map(|pace| now + pace);
            let due = [picture, layer].into_iter().flatten().min()?;
            Some(state.started + due)
        })
    }

    /// Does something with the panel as it is now, and tells those who wait what came of it.
    fn with<T>(&self, act: impl FnOnce(&mut State, Duration) -> T) -> T {
        let mut state = self.lock();
        let now = state.started.elapsed();
        let version = state.mfd.version();
        let pace = state.mfd.pace();
        state.mfd.tick(now);
        let answer = act(&mut state, now);
        let actions = state.mfd.take_actions();
        let stirs = !actions.is_empty() || state.mfd.pace() != pace;
        state.actions.extend(actions);
        let is_new = state.mfd.version() != version;
        let preferences = state.mfd.preferences();
        let route =
            (*self.shared.route.borrow() != *state.mfd.route()).then(|| state.mfd.route().clone());
        drop(state);
        if let Some(route) = route {
            self.shared.route.send_replace(route);
        }
        self.shared.preferences.send_if_modified(|known| {
            let is_changed = *known != preferences;
            *known = preferences;
            is_changed
        });
        if is_new {
            self.shared.pictures.send_modify(|n| *n += 1);
        }
        if stirs {
            self.shared.stirred.notify_waiters();
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a screen must not take the way out with it: the state is a picture, never half a promise.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is of an administrator's ID. Without a way to set it, whatever is typed is checked in vain.
fn standing(admin_id: &dyn AdminId) -> Administrator {
    let can_change = admin_id.can_change();
    if can_change && !admin_id.is_set() {
        Administrator::Unset
    } else {
        Administrator::Set { can_change }
    }
}

impl Panel for MfdPanel {
    fn describe(&self) -> PanelInfo {
        #[expect(
            clippy::unwrap_used,
            reason = "a short plain word, and a test describes the panel"
        )]
        let kind = Label::new("mfd").unwrap();
        PanelInfo {
            kind,
            size: self.with(|state, _| state.mfd.size),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        // Both of the same moment: a mask of another one would show what it is there to hide.
        Ok(self.with(|state, _| Capture {
            masked: state.mfd.masked(),
            frame: state.mfd.render(),
        }))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.pictures.subscribe()
    }

    fn annotate(&self, annotation: &Annotation) {
        self.with(|state, now| state.annotations.apply(annotation, now));
        self.shared.layers.send_modify(|n| *n += 1);
        self.shared.stirred.notify_waiters();
    }

    fn inject(&self, action: &Action) -> Result<(), PanelError> {
        self.with(|state, _| state.mfd.inject(action))
            .then_some(())
            .ok_or(PanelError::Unsupported)
    }

    fn hold_awake(&self, hold: Awake) {
        self.with(|state, _| state.mfd.hold_awake(hold));
    }
}

impl Customer for MfdPanel {
    fn offers(&self, modes: &[ModeName]) {
        self.with(|state, _| state.mfd.offers(modes));
    }

    fn session_over(&self, card: &SessionCard) {
        self.with(|state, _| state.mfd.over(card));
    }

    fn locale(&self) -> String {
        self.shared.preferences.borrow().locale.tag().to_owned()
    }

    fn show(&self, status: &Status) {
        let is_over = matches!(status, Status::Idle | Status::Ended { .. });
        self.with(|state, _| {
            state.mfd.set_clock(alongside::unix_ms());
            state.mfd.show(status);
            if is_over {
                state.annotations.clear();
            }
        });
        if is_over {
            self.shared.layers.send_modify(|n| *n += 1);
        }
        self.shared.stirred.notify_waiters();
    }
}
