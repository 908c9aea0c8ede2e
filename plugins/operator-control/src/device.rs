//! The half beside the panel: it asks for the operator's input to be done, and shows the customer whose hand it is.

use std::time::Duration;

use alongside_mode::protocol::{
    PanelPoint, PanelSize,
    annotation::Annotation,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
};
use alongside_mode::{Effects, Event, GiveUp, Granted, Half, Line, Refused};

use crate::{
    age::{Ages, TOO_OLD},
    message::{Input, Problem, ToDevice, ToOperator},
    ripples::{HAND, Ripples},
};

/// How long the pointer may rest before it goes, as in the user guide.
pub const POINTER_REST: Duration = Duration::from_secs(3);

/// Most keys of which it is remembered that they are down; the session allows no more.
const MAX_KEYS: usize = 10;

const POINTER_TIMER: u32 = 1;
const RIPPLE_TIMER: u32 = 2;

/// The half beside the panel.
#[derive(Debug, Default)]
pub struct AtDevice {
    /// Known from the start event on.
    panel: Option<PanelSize>,
    ages: Ages,
    ripples: Ripples,
    keys: Vec<KeyName>,
    is_pointer_down: bool,
    /// When the pointer that is shown moved last.
    pointer: Option<Duration>,
    /// A timer is running that looks whether the pointer rests.
    is_watched: bool,
    /// What the operator was told since input got through.
    told: Option<Problem>,
}

type Fx<'a, 'b> = &'a mut Effects<'b, ToOperator>;

impl Half for AtDevice {
    type Sends = ToOperator;
    type Hears = ToDevice;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events, today's and later ones, are the operator half's"
    )]
    fn on_event(
        &mut self,
        at: Duration,
        event: Event<ToDevice>,
        fx: Fx<'_, '_>,
    ) -> Result<(), GiveUp> {
        match event {
            Event::Start(start) => {
                *self = Self {
                    panel: Some(start.panel),
                    ..Self::default()
                }
            }
            Event::Peer(message) => self.on_message(at, message, fx)?,
            Event::Timer(POINTER_TIMER) => self.on_pointer_timer(at, fx)?,
            Event::Timer(RIPPLE_TIMER) => self.on_ripple_timer(at, fx)?,
            _ => {}
        }
        Ok(())
    }
}

impl AtDevice {
    fn on_message(
        &mut self,
        now: Duration,
        message: ToDevice,
        fx: Fx<'_, '_>,
    ) -> Result<(), Refused> {
        let age = self.ages.arrived(now, message.sent);
        match message.input {
            None => Ok(()),
            Some(input) if age > TOO_OLD => self.drop_late(&input, fx),
            Some(Input::Pointer(event)) => self.on_pointer(now, event, fx),
            Some(Input::Key(event)) => self.on_key(event, fx),
            Some(Input::Text(text)) => {
                let granted = fx.type_text(&text)?;
                self.note(granted, fx)
            }
        }
    }

    /// Does nothing of what comes too late, but lets go of what it would have let go of: a gesture that was torn apart
    /// does not count.
    fn drop_late(&mut self, input: &Input, fx: Fx<'_, '_>) -> Result<(), Refused> {
        match input {
            Input::Pointer(event) if self.is_pointer_down => {
                self.is_pointer_down = false;
                let _ = fx.point(&PointerEvent {
                    at: self.nearest(event.at),
                    phase: PointerPhase::Leave,
                    buttons: Buttons::NONE,
                    ..*event
                })?;
            }
            Input::Key(event) if self.keys.contains(&event.key) => {
                self.keys.retain(|key| *key != event.key);
                let _ = fx.press(&KeyEvent {
                    motion: KeyMotion::Up,
                    ..event.clone()
                })?;
            }
            Input::Pointer(_) | Input::Key(_) | Input::Text(_) => {}
        }
        self.tell(Problem::Late, fx)
    }

    fn on_pointer(
        &mut self,
        now: Duration,
        event: PointerEvent,
        fx: Fx<'_, '_>,
    ) -> Result<(), Refused> {
        let is_on_panel = self.panel.is_some_and(|panel| panel.contains(event.at));
        let event = PointerEvent {
            at: self.nearest(event.at),
            ..event
        };
        match event.phase {
            PointerPhase::Leave => self.hide_pointer(fx)?,
            PointerPhase::Down | PointerPhase::Hover if !is_on_panel => {
                return self.hide_pointer(fx);
            }
            PointerPhase::Hover | PointerPhase::Down | PointerPhase::Move | PointerPhase::Up => {
                self.show_pointer(now, event.at, fx)?
            }
        }
        match event.phase {
            PointerPhase::Down => {
                self.is_pointer_down = true;
                self.ripple(now, event.at, fx)?;
            }
            PointerPhase::Move if !self.is_pointer_down => return Ok(()),
            PointerPhase::Up if !self.is_pointer_down => return Ok(()),
            PointerPhase::Up => self.is_pointer_down = event.buttons != Buttons::NONE,
            PointerPhase::Leave => self.is_pointer_down = false,
            PointerPhase::Hover | PointerPhase::Move => {}
        }
        let granted = fx.point(&event)?;
        self.note(granted, fx)
    }

    fn on_key(&mut self, event: KeyEvent, fx: Fx<'_, '_>) -> Result<(), Refused> {
        let is_down = self.keys.contains(&event.key);
        match event.motion {
            KeyMotion::Down if !is_down => {
                if self.keys.len() == MAX_KEYS {
                    return Ok(());
                }
                self.keys.push(event.key.clone());
                // The name of a key is the same in every language.
                if let Ok(line) = Line::new(event.key.as_str()) {
                    fx.notice(&line)?;
                }
            }
            KeyMotion::Up if !is_down => return Ok(()),
            KeyMotion::Up => self.keys.retain(|key| *key != event.key),
            KeyMotion::Down => {}
        }
        let granted = fx.press(&event)?;
        self.note(granted, fx)
    }

    fn show_pointer(
        &mut self,
        now: Duration,
        at: PanelPoint,
        fx: Fx<'_, '_>,
    ) -> Result<(), Refused> {
        if fx.annotate(&Annotation::Pointer { at, color: HAND })? == Granted::Yes {
            self.pointer = Some(now);
            self.watch_pointer(POINTER_REST, fx)?;
        }
        Ok(())
    }

    /// One timer at a time: it looks how long the pointer has rested, instead of being set anew at each move.
    fn watch_pointer(&mut self, after: Duration, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if !self.is_watched {
            self.is_watched = true;
            fx.set_timer(POINTER_TIMER, after)?;
        }
        Ok(())
    }

    fn on_pointer_timer(&mut self, now: Duration, fx: Fx<'_, '_>) -> Result<(), Refused> {
        self.is_watched = false;
        let Some(moved) = self.pointer else {
            return Ok(());
        };
        match POINTER_REST.checked_sub(now.saturating_sub(moved)) {
            Some(left) if !left.is_zero() => self.watch_pointer(left, fx),
            _ if self.is_pointer_down => self.watch_pointer(POINTER_REST, fx),
            _ => self.hide_pointer(fx),
        }
    }

    fn hide_pointer(&mut self, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if self.pointer.take().is_some() {
            let _ = fx.annotate(&Annotation::PointerGone)?;
        }
        Ok(())
    }

    fn ripple(&mut self, now: Duration, at: PanelPoint, fx: Fx<'_, '_>) -> Result<(), Refused> {
        let Some((mark, gone)) = self.ripples.add(now, at) else {
            return Ok(());
        };
        if let Some(gone) = gone {
            let _ = fx.annotate(&gone)?;
        }
        let _ = fx.annotate(&mark)?;
        self.watch_ripples(now, fx)
    }

    fn watch_ripples(&self, now: Duration, fx: Fx<'_, '_>) -> Result<(), Refused> {
        match self.ripples.next(now) {
            Some(after) => fx.set_timer(RIPPLE_TIMER, after),
            None => Ok(()),
        }
    }

    fn on_ripple_timer(&mut self, now: Duration, fx: Fx<'_, '_>) -> Result<(), Refused> {
        while let Some(gone) = self.ripples.due(now) {
            let _ = fx.annotate(&gone)?;
        }
        self.watch_ripples(now, fx)
    }

    /// Remembers whether input gets through.
    fn note(&mut self, granted: Granted, fx: Fx<'_, '_>) -> Result<(), Refused> {
        match granted {
            Granted::Yes => {
                self.told = None;
                Ok(())
            }
            Granted::No => self.tell(Problem::Refused, fx),
        }
    }

    /// Tells the operator once, not at every move.
    fn tell(&mut self, problem: Problem, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if self.told.replace(problem) == Some(problem) {
            return Ok(());
        }
        fx.send(&ToOperator::Problem(problem))
    }

    /// The point itself, or the nearest one on the panel.
    fn nearest(&self, at: PanelPoint) -> PanelPoint {
        let Some(panel) = self.panel else {
            return at;
        };
        let within = |v: i32, side: u16| v.clamp(0, i32::from(side) * PanelPoint::PER_PIXEL - 1);
        PanelPoint {
            x: within(at.x, panel.width()),
            y: within(at.y, panel.height()),
        }
    }
}
