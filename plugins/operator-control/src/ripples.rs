//! Where the operator's hand has pressed, shown to the customer for a moment.

use std::{collections::VecDeque, time::Duration};

use alongside_mode::protocol::{
    PanelPoint,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    units::{Color, Pressure},
};

/// How long a press stays marked (our choice: long enough to be seen, gone before the next page is read).
pub const RIPPLE: Duration = Duration::from_millis(500);

/// Colour of the operator's hand (our choice: an orange that stands out on light and on dark, and that the user guide's
/// pointer does not have, as this one touches).
pub const HAND: Color = Color::rgb(0xf2, 0x7a, 0x0c);

/// Width of the mark in pixels: a fingertip.
const WIDTH: u8 = 28;
/// Most marks at a time; beyond it the oldest goes.
const MAX: usize = 8;

/// The marks that stand.
#[derive(Debug, Default)]
pub(crate) struct Ripples {
    last: u32,
    /// Oldest first, each with its end.
    standing: VecDeque<(StrokeId, Duration)>,
}

impl Ripples {
    /// A press at `at`; gives what to draw and what to take back for it.
    pub(crate) fn add(
        &mut self,
        now: Duration,
        at: PanelPoint,
    ) -> Option<(Annotation, Option<Annotation>)> {
        self.last = self.last.saturating_add(1);
        let id = StrokeId(self.last);
        let gone = if self.standing.len() == MAX {
            self.standing.pop_front()
        } else {
            None
        };
        self.standing.push_back((id, now + RIPPLE));
        let point = StrokePoint {
            at,
            pressure: Pressure::FULL,
        };
        let stroke = Stroke {
            id,
            color: HAND,
            width: StrokeWidth::new(WIDTH)?,
            points: vec![point],
            done: true,
        };
        let gone = gone.map(|(id, _)| Annotation::Undo(Some(id)));
        Some((Annotation::Stroke(stroke), gone))
    }

    /// The next mark whose time is over at `now`.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Annotation> {
        let (id, until) = *self.standing.front()?;
        if until > now {
            return None;
        }
        self.standing.pop_front();
        Some(Annotation::Undo(Some(id)))
    }

    /// Time until the next mark goes.
    pub(crate) fn next(&self, now: Duration) -> Option<Duration> {
        self.standing
            .front()
            .map(|(_, until)| until.saturating_sub(now))
    }
}
