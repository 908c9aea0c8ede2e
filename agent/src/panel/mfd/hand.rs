//! What fingers and keys do to the panel, and what comes of it.

use super::*;

impl Mfd {
    pub(super) fn finger(&mut self, hand: Hand, at: PanelPoint, phase: PointerPhase) {
        // The person at the panel wins.
        if hand == Hand::Operators
            && self
                .touch
                .is_some_and(|touch| touch.hand == Hand::Customers)
        {
            return;
        }
        self.refresh();
        let (x, y) = at.to_pixels();
        if hand == Hand::Customers {
            self.corner((x, y), phase);
        }
        let under = view::hit(&self.spots, Point { x, y })
            .filter(|target| hand == Hand::Customers || target.is_machines());
        match phase {
            PointerPhase::Hover => return,
            PointerPhase::Down => {
                self.touched(hand);
                self.touch = under.map(|target| Touch {
                    hand,
                    target,
                    on_target: true,
                });
            }
            PointerPhase::Move => {
                if let Some(touch) = self.touch.as_mut().filter(|touch| touch.hand == hand) {
                    touch.on_target = under == Some(touch.target);
                }
            }
            PointerPhase::Up => {
                if let Some(touch) = self.touch.take_if(|touch| touch.hand == hand) {
                    self.touched(hand);
                    if under == Some(touch.target) {
                        self.act(touch.target);
                    }
                }
            }
            PointerPhase::Leave => drop(self.touch.take_if(|touch| touch.hand == hand)),
        }
        self.is_stale = true;
    }

    /// What stands for the stop key is held, or no longer.
    pub(super) fn stop_moved(&mut self, motion: KeyMotion) {
        if self.assistance.stop_key(motion, self.now) {
            self.actions.push(CustomerAction::StopKey(motion));
        }
        self.is_stale = true;
    }

    /// A finger in the corner that stands for the stop key.
    fn corner(&mut self, at: (i32, i32), phase: PointerPhase) {
        let StopKey::Corner(corner) = self.stop else {
            return;
        };
        let size = (self.size.width().into(), self.size.height().into());
        match phase {
            PointerPhase::Down if corner.holds(at, size) => self.stop_moved(KeyMotion::Down),
            PointerPhase::Move if corner.holds(at, size) => {}
            PointerPhase::Hover => {}
            PointerPhase::Down | PointerPhase::Move | PointerPhase::Up | PointerPhase::Leave => {
                self.stop_moved(KeyMotion::Up);
            }
        }
    }

    pub(super) fn customers_key(&mut self, key: HardKey, motion: KeyMotion) {
        // The stop key is told whatever the panel shows: stopping must not depend on a screen being right.
        let is_stop = match &self.stop {
            StopKey::Key(name) => HardKey::from_name(name) == Some(key),
            StopKey::Corner(_) => false,
        };
        if is_stop {
            self.stop_moved(motion);
        }
        if motion == KeyMotion::Up {
            return;
        }
        self.touched(Hand::Customers);
        self.is_stale = true;
        // A question has the keys to itself.
        if self.pad().is_some() {
            self.pad_key(key);
            return;
        }
        if self.ask().is_some() {
            if matches!(key, HardKey::Stop | HardKey::Reset) {
                self.act(Target::Refuse);
            }
            return;
        }
        let is_editing = self.place == Place::RemoteEdit && !self.assistance.has_ended();
        match self.assistance.stage() {
            Stage::Idle | Stage::Live(_) if is_editing => self.edit_key(key),
            Stage::Connecting(_) if matches!(key, HardKey::Stop | HardKey::Reset) => {
                self.act(Target::CancelConnecting)
            }
            Stage::Connecting(_) => {}
            Stage::Refused(_) if matches!(key, HardKey::Start | HardKey::Clear) => {
                self.act(Target::TryAgain)
            }
            Stage::Refused(_) if matches!(key, HardKey::Stop | HardKey::Reset) => {
                self.act(Target::CloseRefusal)
            }
            Stage::Refused(_) => {}
            Stage::Idle | Stage::Live(_) if self.assistance.has_ended() => {
                let target = self.assistance.on_with_ended();
                self.act(target);
            }
            Stage::Idle if self.place == Place::Entry => self.entry_key(key),
            Stage::Idle | Stage::Live(_) => self.machine_key(key),
        }
    }

    pub(super) fn entry_key(&mut self, key: HardKey) {
        match key {
            HardKey::Digit(digit) => self.assistance.entry.digit(digit),
            HardKey::Star => self.assistance.entry.erase(),
            HardKey::Clear => self.assistance.entry.clear(),
            HardKey::Start => self.act(Target::Connect),
            HardKey::Stop | HardKey::Reset => self.go(Place::Home),
            HardKey::Hash => {}
        }
    }

    /// A hard key while a setting of the way to the service is typed.
    fn edit_key(&mut self, key: HardKey) {
        match key {
            HardKey::Digit(digit) => self.act(Target::EditLetter(char::from(b'0' + digit))),
            HardKey::Star => self.act(Target::EditErase),
            HardKey::Clear => self.on_edit(Edit::clear),
            HardKey::Start => self.act(Target::EditKeep),
            HardKey::Stop | HardKey::Reset => self.go(Place::Remote),
            HardKey::Hash => {}
        }
    }

    pub(super) fn pad_key(&mut self, key: HardKey) {
        let now = self.now;
        let Some(pad) = self.pad() else { return };
        match key {
            HardKey::Digit(digit) => pad.letter(char::from(b'0' + digit), now),
            HardKey::Star => pad.erase(),
            HardKey::Clear => pad.clear(),
            HardKey::Start => self.act(Target::ConfirmId),
            HardKey::Stop | HardKey::Reset if self.ask().is_some() => self.act(Target::Refuse),
            HardKey::Stop | HardKey::Reset => self.leave_pad(),
            HardKey::Hash => {}
        }
    }

    /// A hard key as the machine takes it, from either hand.
    pub(super) fn machine_key(&mut self, key: HardKey) {
        match (key, self.place) {
            (HardKey::Digit(digit), Place::Copy) => self.machine.copies_digit(digit),
            (HardKey::Clear, Place::Copy) => self.machine.clear_copies(),
            (HardKey::Digit(digit), Place::Address) => {
                self.machine.letter(char::from(b'0' + digit))
            }
            (HardKey::Star, Place::Address) => self.machine.letter('*'),
            (HardKey::Clear, Place::Address) => self.machine.typing.clear(),
            (HardKey::Start, Place::Copy | Place::Scan) => self.start(),
            (HardKey::Stop, _) => self.machine.stop(self.now),
            (HardKey::Reset, _) => self.reset(),
            (
                HardKey::Digit(_) | HardKey::Star | HardKey::Hash | HardKey::Start | HardKey::Clear,
                _,
            ) => {}
        }
    }

    pub(super) fn touched(&mut self, hand: Hand) {
        self.last_touch = self.now;
        if hand == Hand::Customers && self.assistance.is_live() {
            self.actions.push(CustomerAction::Touched);
        }
    }

    pub(super) fn act(&mut self, target: Target) {
        match target {
            Target::Go(place) => self.go(place),
            Target::Choose(choice) => self.machine.choose(choice),
            Target::Step(step) => self.machine.step(step),
            Target::Start => self.start(),
            Target::StopJob => self.machine.stop(self.now),
            Target::Letter(letter) => self.machine.letter(letter),
            Target::Shift => self.machine.upper = !self.machine.upper,
            Target::EraseLetter => self.machine.erase_letter(),
            Target::SaveAddress => {
                if self.machine.save_address() {
                    self.go(Place::Scan);
                }
            }
            Target::Digit(digit) => self.assistance.entry.digit(digit),
            Target::EraseDigit => self.assistance.entry.erase(),
            Target::ClearCode => self.assistance.entry.clear(),
            Target::Group(group) => self.assistance.entry.retype(usize::from(group)),
            Target::Connect => {
                if let Some(Ok(code)) = self.assistance.entry.code() {
                    self.assistance.entered();
                    self.actions.push(CustomerAction::EnterCode(code));
                }
            }
            Target::CancelConnecting => {
                self.assistance.cancel();
                self.actions.push(CustomerAction::Exit);
                self.go(Place::Home);
            }
            Target::TryAgain => {
                if self.assistance.close_refusal(self.now) {
                    self.go(Place::Entry);
                }
            }
            Target::CloseRefusal => {
                self.assistance.cancel();
                self.go(Place::Home);
            }
            Target::Exit => self.actions.push(CustomerAction::Exit),
            Target::MoveBanner => self.edge = self.edge.other(),
            // Any touch is a sign of life, and this one has been told as such.
            Target::StayConnected => {}
            Target::Allow => self.actions.push(CustomerAction::Allow(None)),
            Target::MoreChanges => self.assistance.asking.page += 1,
            Target::Refuse => {
                self.assistance.asking = assistance::Asking::default();
                self.actions.push(CustomerAction::Refuse);
            }
            Target::EnterId => self.assistance.asking.step = assistance::Step::Id,
            Target::TakeBack => self.actions.push(CustomerAction::TakeBack),
            Target::ConfirmId => self.confirm_id(),
            Target::IdLetter(letter) => {
                let now = self.now;
                self.on_pad(|pad| pad.letter(letter, now));
            }
            Target::IdErase => self.on_pad(IdPad::erase),
            Target::IdShift => self.on_pad(IdPad::shift),
            Target::IdKeys => self.on_pad(IdPad::turn),
            Target::Allowed(allowed) => self.prefer(|preferences| preferences.allowed = allowed),
            Target::Language(locale) => self.prefer(|preferences| preferences.locale = locale),
            Target::TextSize(scale) => self.prefer(|preferences| preferences.scale = scale),
            Target::Edit(field) => {
                self.go(Place::RemoteEdit);
                self.edit = Some(Edit::new(field, self.route_value(field)));
            }
            Target::EditLetter(letter) => self.on_edit(|edit| edit.letter(letter)),
            Target::EditErase => self.on_edit(Edit::erase),
            Target::EditShift => self.on_edit(|edit| edit.upper = !edit.upper),
            Target::EditKeep => self.keep_edit(),
            Target::Test => {
                self.go(Place::RemoteTest);
                self.trial = Some(Trial::default());
                self.actions.push(CustomerAction::Test(self.route.clone()));
            }
            Target::MoreSessions => self.page += 1,
            Target::MoreEnded => self.assistance.turn_ended(),
            Target::CloseEnded => self.assistance.close_ended(),
        }
        self.is_stale = true;
    }

    fn on_edit(&mut self, act: impl FnOnce(&mut Edit)) {
        if let Some(edit) = self.edit.as_mut().filter(|_| self.gate.is_open()) {
            act(edit);
        }
    }

    /// Takes what was typed, if it can be what it is for.
    fn keep_edit(&mut self) {
        let Some(edit) = self.edit.as_mut().filter(|_| self.gate.is_open()) else {
            return;
        };
        let field = edit.field;
        if let Some(value) = edit.keep() {
            self.route.set(field, value);
            self.go(Place::Remote);
        }
    }

    /// Whether a test of the way to the service is under way.
    pub(super) fn is_testing(&self) -> bool {
        self.place == Place::RemoteTest && self.trial.as_ref().is_some_and(|trial| !trial.is_over())
    }

    pub(super) fn on_pad(&mut self, act: impl FnOnce(&mut IdPad)) {
        if let Some(pad) = self.pad() {
            act(pad);
        }
    }

    /// Away from a pad that is no question's.
    pub(super) fn leave_pad(&mut self) {
        let place = if self.place == Place::RemoteId {
            Place::Remote
        } else if self.skin == Skin::Overlay {
            Place::Home
        } else {
            Place::Settings
        };
        self.go(place);
    }

    pub(super) fn confirm_id(&mut self) {
        let (now, is_asked) = (self.now, self.ask().is_some());
        if !is_asked {
            let new = match &mut self.gate {
                Gate::First(new) => Some(new),
                Gate::Shut(_) => None,
                Gate::None | Gate::Open => self.new_id.as_mut(),
            };
            if let Some(new) = new {
                self.actions.extend(new.confirm(now));
                return;
            }
        }
        let Some(id) = self.pad().and_then(|pad| pad.confirm(now)) else {
            return;
        };
        self.actions.push(if is_asked {
            CustomerAction::Allow(Some(id))
        } else {
            CustomerAction::CheckId(id)
        });
    }

    pub(super) fn prefer(&mut self, change: impl FnOnce(&mut Preferences)) {
        if self.gate.is_open() {
            change(&mut self.preferences);
            self.text = Text::new(self.preferences.locale);
        }
    }

    pub(super) fn go(&mut self, place: Place) {
        let place = self.skin.place(place);
        // Whoever leaves the pages has to type the ID again.
        let stays = self.place.is_administrators() && self.gate.is_open();
        if !place.is_administrators() {
            self.gate = Gate::None;
        } else if !stays {
            self.gate = self.shut_gate();
            self.actions.push(CustomerAction::OpenSettings);
        }
        self.new_id = (place == Place::RemoteId).then(NewId::change);
        self.edit = None;
        self.trial = None;
        self.page = 0;
        // Digits of a code do not lie about on a screen that nobody looks at.
        if place != Place::Entry || self.place != Place::Entry {
            self.assistance.entry.clear();
        }
        // During a session the icon shows who is connected; a second code has no use.
        let is_session = place == Place::Notice && self.assistance.is_live();
        self.place = if is_session { Place::Session } else { place };
    }

    pub(super) fn start(&mut self) {
        let work = match self.place {
            Place::Copy => Work::Copying,
            Place::Scan if self.machine.address.is_some() => Work::Scanning,
            Place::Scan
            | Place::Home
            | Place::Address
            | Place::Jobs
            | Place::Settings
            | Place::Notice
            | Place::Entry
            | Place::Session
            | Place::Remote
            | Place::RemoteId
            | Place::RemoteEdit
            | Place::RemoteTest
            | Place::RemoteSessions => return,
        };
        if self.machine.start(self.now, work) {
            self.go(Place::Jobs);
        }
    }

    pub(super) fn reset(&mut self) {
        self.machine.reset();
        self.assistance.cancel();
        self.go(Place::Home);
        self.is_stale = true;
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.place == Place::Home && !self.assistance.is_waiting()
    }

    pub(super) fn is_moving(&self) -> bool {
        let pad = match &self.gate {
            Gate::Shut(pad) => Some(pad),
            Gate::First(new) => Some(&new.pad),
            Gate::None | Gate::Open => self.new_id.as_ref().map(|new| &new.pad),
        };
        let counts = pad.is_some_and(|pad| pad.is_waiting(self.now));
        counts
            || self.is_testing()
            || self.machine.is_working(self.now)
            || self.assistance.is_moving(self.now)
    }
}
