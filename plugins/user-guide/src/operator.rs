//! The half beside the operator: it numbers what the operator draws, and tells the console what is shown.

use std::{collections::VecDeque, time::Duration};

use alongside_mode::protocol::{
    PanelPoint,
    annotation::{Annotation, Stroke, StrokeId},
    input::PointerPhase,
    units::Color,
};
use alongside_mode::{Effects, Event, GiveUp, Half, Refused};
use serde::Serialize;

use crate::{
    drawing::{MAX_POINTS, STROKE_COSTS},
    message::{Shown, ToDevice, ToOperator},
};

/// Colour of the pointer unless the console chooses one (our choice: a red that stands out on light and on dark).
pub const POINTER_COLOR: Color = Color::rgb(0xe5, 0x2b, 0x50);

/// Most strokes whose numbers are remembered: as many as can stand.
const MAX_NUMBERED: usize = MAX_POINTS / STROKE_COSTS;

/// Highest number that is taken over from the console; those beyond are kept for strokes that get another (our choice:
/// two thousand million each).
const MAX_TAKEN_OVER: u32 = u32::MAX / 2;

/// The half beside the operator.
#[derive(Debug, Default)]
pub struct AtOperator {
    /// Counts messages about the pointer.
    pointer: u32,
    /// Chosen by the console.
    color: Option<Color>,
    strokes: Numbers,
}

/// Gives each stroke a number of its own for the life of the mode: the console's, as long as those count up.
///
/// A console starts over when its page is loaded again, while the strokes that it drew before still stand.
#[derive(Debug, Default)]
struct Numbers {
    /// Highest so far.
    last: u32,
    /// Newest last.
    known: VecDeque<Numbered>,
}

#[derive(Debug)]
struct Numbered {
    /// What the console calls it.
    console: StrokeId,
    /// What both halves call it.
    id: StrokeId,
    done: bool,
}

/// What the console is told.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum ToConsole {
    Shown(Shown),
}

type Fx<'a, 'b> = &'a mut Effects<'b, ToDevice>;

impl Half for AtOperator {
    type Sends = ToDevice;
    type Hears = ToOperator;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events, today's and later ones, change nothing here"
    )]
    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<ToOperator>,
        fx: Fx<'_, '_>,
    ) -> Result<(), GiveUp> {
        match event {
            Event::Start(_) => *self = Self::default(),
            Event::Pointer(pointer) if pointer.phase == PointerPhase::Leave => {
                self.pointer_gone(fx)?
            }
            Event::Pointer(pointer) => {
                self.pointer_at(pointer.at, self.color.unwrap_or(POINTER_COLOR), fx)?
            }
            Event::Draw(Annotation::Pointer { at, color }) => self.pointer_at(at, color, fx)?,
            Event::Draw(Annotation::PointerGone) => self.pointer_gone(fx)?,
            Event::Draw(Annotation::Stroke(stroke)) => {
                let id = self.strokes.number(&stroke);
                fx.send(&ToDevice::Stroke(Stroke { id, ..stroke }))?;
            }
            Event::Draw(Annotation::Undo(None)) => fx.send(&ToDevice::Undo(None))?,
            Event::Draw(Annotation::Undo(Some(console))) => {
                if let Some(id) = self.strokes.of_console(console) {
                    fx.send(&ToDevice::Undo(Some(id)))?;
                }
            }
            Event::Draw(Annotation::Clear) => fx.send(&ToDevice::Clear)?,
            Event::Console(message) => self.on_console(&message),
            Event::Peer(ToOperator::Shown(shown)) => self.on_shown(shown, fx)?,
            _ => {}
        }
        Ok(())
    }
}

impl AtOperator {
    fn pointer_at(&mut self, at: PanelPoint, color: Color, fx: Fx<'_, '_>) -> Result<(), Refused> {
        self.pointer = self.pointer.saturating_add(1);
        fx.send_latest(&ToDevice::Pointer {
            n: self.pointer,
            at,
            color,
        })
    }

    fn pointer_gone(&mut self, fx: Fx<'_, '_>) -> Result<(), Refused> {
        self.pointer = self.pointer.saturating_add(1);
        fx.send(&ToDevice::PointerGone { n: self.pointer })
    }

    fn on_console(&mut self, message: &serde_json::Value) {
        let color = message
            .pointer("/pointer/color")
            .and_then(serde_json::Value::as_str);
        if let Some(color) = color.and_then(Color::parse) {
            self.color = Some(color);
        }
    }

    /// Passes on what is shown, in the console's own numbers.
    fn on_shown(&self, shown: Shown, fx: Fx<'_, '_>) -> Result<(), Refused> {
        let shown = match shown {
            Shown::Stroke { id, points, done } => self
                .strokes
                .to_console(id)
                .map(|id| Shown::Stroke { id, points, done }),
            Shown::Gone { id } => self.strokes.to_console(id).map(|id| Shown::Gone { id }),
            Shown::Cleared | Shown::Pointer(_) | Shown::Refused => Some(shown),
        };
        shown.map_or(Ok(()), |shown| fx.console(&ToConsole::Shown(shown)))
    }
}

impl Numbers {
    /// The number of the stroke that this operation begins or goes on with.
    fn number(&mut self, stroke: &Stroke) -> StrokeId {
        let open = self
            .known
            .iter_mut()
            .rev()
            .find(|known| known.console == stroke.id && !known.done);
        if let Some(known) = open {
            known.done = stroke.done;
            return known.id;
        }
        let StrokeId(wanted) = stroke.id;
        self.last = if wanted > self.last && wanted <= MAX_TAKEN_OVER {
            wanted
        } else {
            self.last.saturating_add(1)
        };
        let id = StrokeId(self.last);
        if self.known.len() == MAX_NUMBERED {
            self.known.pop_front();
        }
        self.known.push_back(Numbered {
            console: stroke.id,
            id,
            done: stroke.done,
        });
        id
    }

    fn of_console(&self, console: StrokeId) -> Option<StrokeId> {
        self.known
            .iter()
            .rev()
            .find(|known| known.console == console)
            .map(|known| known.id)
    }

    fn to_console(&self, id: StrokeId) -> Option<StrokeId> {
        let at = self
            .known
            .binary_search_by_key(&id, |known| known.id)
            .ok()?;
        self.known.get(at).map(|known| known.console)
    }
}
