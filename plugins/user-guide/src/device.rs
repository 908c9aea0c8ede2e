//! The half beside the panel: it decides what stands over the panel.

use std::time::Duration;

use alongside_mode::protocol::{
    PanelPoint, PanelSize,
    annotation::{Annotation, Stroke, StrokeId},
    units::Color,
};
use alongside_mode::{Capabilities, Effects, Event, GiveUp, Granted, Half, Refused};

use crate::{
    drawing::{Added, Drawing, Held},
    message::{Shown, ToDevice, ToOperator},
};

/// How long the pointer may rest before it goes (our choice: long enough to say "this key here").
pub const POINTER_REST: Duration = Duration::from_secs(3);

/// The one timer of this half.
const POINTER_TIMER: u32 = 1;

/// The half beside the panel.
#[derive(Debug, Default)]
pub struct AtDevice {
    /// Known from the start event on.
    panel: Option<PanelSize>,
    drawing: Drawing,
    pointer: Pointer,
    /// The operator knows that nothing is drawn for want of permission.
    told_refused: bool,
}

#[derive(Debug, Default)]
struct Pointer {
    shown: bool,
    /// Number of the newest message about it.
    seen: u32,
    /// When it moved last.
    moved_at: Duration,
    /// A timer is running that looks whether it rests.
    watched: bool,
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
            Event::Stop(_) => self.clear(fx)?,
            Event::Grant(grant) if !grant.granted.contains(Capabilities::ANNOTATE) => {
                self.clear(fx)?;
                self.refuse(fx)?;
            }
            Event::Grant(_) => self.told_refused = false,
            Event::Peer(ToDevice::Pointer {
                n,
                at: point,
                color,
            }) => self.on_pointer(at, n, point, color, fx)?,
            Event::Peer(ToDevice::PointerGone { n }) => {
                self.pointer.seen = self.pointer.seen.max(n);
                self.hide_pointer(fx)?;
            }
            Event::Peer(ToDevice::Stroke(stroke)) => self.on_stroke(stroke, fx)?,
            Event::Peer(ToDevice::Undo(id)) => self.on_undo(id, fx)?,
            Event::Peer(ToDevice::Clear) => self.clear(fx)?,
            Event::Timer(POINTER_TIMER) => self.on_pointer_timer(at, fx)?,
            _ => {}
        }
        Ok(())
    }
}

impl AtDevice {
    fn on_pointer(
        &mut self,
        now: Duration,
        n: u32,
        at: PanelPoint,
        color: Color,
        fx: Fx<'_, '_>,
    ) -> Result<(), Refused> {
        // A newer message came another way and was faster.
        if n <= self.pointer.seen {
            return Ok(());
        }
        self.pointer.seen = n;
        if !self.panel.is_some_and(|panel| panel.contains(at)) {
            return self.hide_pointer(fx);
        }
        if fx.annotate(&Annotation::Pointer { at, color })? == Granted::No {
            return self.refuse(fx);
        }
        self.told_refused = false;
        self.pointer.moved_at = now;
        if !self.pointer.shown {
            self.pointer.shown = true;
            tell(Shown::Pointer(true), fx)?;
        }
        self.watch_pointer(POINTER_REST, fx)
    }

    /// One timer at a time: it looks how long the pointer has rested, instead of being set anew at each move.
    fn watch_pointer(&mut self, after: Duration, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if !self.pointer.watched {
            self.pointer.watched = true;
            fx.set_timer(POINTER_TIMER, after)?;
        }
        Ok(())
    }

    fn on_pointer_timer(&mut self, now: Duration, fx: Fx<'_, '_>) -> Result<(), Refused> {
        self.pointer.watched = false;
        if !self.pointer.shown {
            return Ok(());
        }
        let rested = now.saturating_sub(self.pointer.moved_at);
        match POINTER_REST.checked_sub(rested) {
            Some(left) if !left.is_zero() => self.watch_pointer(left, fx),
            _ => self.hide_pointer(fx),
        }
    }

    fn hide_pointer(&mut self, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if !self.pointer.shown {
            return Ok(());
        }
        self.pointer.shown = false;
        take_back(&Annotation::PointerGone, fx)?;
        tell(Shown::Pointer(false), fx)
    }

    fn on_stroke(&mut self, stroke: Stroke, fx: Fx<'_, '_>) -> Result<(), Refused> {
        let Some(stroke) = self
            .panel
            .and_then(|panel| self.drawing.admit(stroke, panel))
        else {
            return Ok(());
        };
        let (id, done, drawn) = (stroke.id, stroke.done, Held::from(&stroke));
        if fx.annotate(&Annotation::Stroke(stroke))? == Granted::No {
            return self.refuse(fx);
        }
        self.told_refused = false;
        let Added { points, gone } = self.drawing.add(drawn);
        for id in gone {
            self.gone(id, fx)?;
        }
        let points = u32::try_from(points).unwrap_or(u32::MAX);
        tell(Shown::Stroke { id, points, done }, fx)
    }

    fn on_undo(&mut self, id: Option<StrokeId>, fx: Fx<'_, '_>) -> Result<(), Refused> {
        match self.drawing.undo(id) {
            Some(id) => self.gone(id, fx),
            None => Ok(()),
        }
    }

    fn gone(&self, id: StrokeId, fx: Fx<'_, '_>) -> Result<(), Refused> {
        take_back(&Annotation::Undo(Some(id)), fx)?;
        tell(Shown::Gone { id }, fx)
    }

    fn clear(&mut self, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if self.drawing.is_empty() && !self.pointer.shown {
            return Ok(());
        }
        self.drawing.clear();
        self.pointer.shown = false;
        take_back(&Annotation::Clear, fx)?;
        tell(Shown::Cleared, fx)
    }

    /// Tells the operator once that nothing is drawn, not at every move.
    fn refuse(&mut self, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if self.told_refused {
            return Ok(());
        }
        self.told_refused = true;
        tell(Shown::Refused, fx)
    }
}

/// Takes back what stands, which needs no permission.
fn take_back(annotation: &Annotation, fx: Fx<'_, '_>) -> Result<(), Refused> {
    match fx.annotate(annotation)? {
        Granted::Yes | Granted::No => Ok(()),
    }
}

fn tell(shown: Shown, fx: Fx<'_, '_>) -> Result<(), Refused> {
    fx.send(&ToOperator::Shown(shown))
}
