//! The strokes that stand over the panel: how many they may be, and which one gives way.

use std::collections::VecDeque;

use alongside_mode::protocol::{
    PanelPoint, PanelSize,
    annotation::{Stroke, StrokeId, StrokePoint, StrokeWidth},
    units::Color,
};

/// Most points that stand at a time (our choice: some minutes of writing without a pause, and less than 1 MiB on the
/// panel). When there would be more, the oldest strokes go.
pub const MAX_POINTS: usize = 65_536;

/// Points that a stroke counts for at least, so that no more than 512 strokes stand, and one operation makes no more
/// than two others go.
pub const STROKE_COSTS: usize = 128;

/// Most points of one stroke (our choice: a quarter of all). The rest of it is not drawn.
pub const MAX_STROKE_POINTS: usize = 16_384;

/// What stands.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// Oldest first.
    strokes: VecDeque<Held>,
    /// Sum of what the strokes count for.
    cost: usize,
    /// Highest number that a stroke has had. What is at or below it and does not stand has been taken back.
    newest: Option<StrokeId>,
}

/// A stroke without its points: what is needed to go on with it.
#[derive(Debug)]
pub(crate) struct Held {
    id: StrokeId,
    color: Color,
    width: StrokeWidth,
    points: usize,
    done: bool,
}

impl From<&Stroke> for Held {
    fn from(stroke: &Stroke) -> Self {
        let Stroke {
            id,
            color,
            width,
            done,
            ..
        } = *stroke;
        Self {
            id,
            color,
            width,
            points: stroke.points.len(),
            done,
        }
    }
}

impl Held {
    fn cost(&self) -> usize {
        self.points.max(STROKE_COSTS)
    }
}

/// What became of the points that were added.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Added {
    /// All points of the stroke that stand now.
    pub(crate) points: usize,
    /// Strokes that had to go for it.
    pub(crate) gone: Vec<StrokeId>,
}

impl Drawing {
    /// What of `stroke` may be drawn on a panel of size `panel`; `None` if nothing of it.
    ///
    /// Colour and width are those that the stroke began with, and every point lies on the panel or no further from it
    /// than it is large.
    pub(crate) fn admit(&self, mut stroke: Stroke, panel: PanelSize) -> Option<Stroke> {
        let held = match self.find(stroke.id) {
            // It is whole: nothing is added to it any more.
            Some(held) if held.done => return None,
            Some(held) => {
                stroke.color = held.color;
                stroke.width = held.width;
                held.points
            }
            // Taken back, while more of it was on its way.
            None if self.newest >= Some(stroke.id) => return None,
            None if stroke.points.is_empty() => return None,
            None => 0,
        };
        stroke.points.truncate(MAX_STROKE_POINTS - held);
        for StrokePoint { at, .. } in &mut stroke.points {
            *at = near(*at, panel);
        }
        (stroke.done || !stroke.points.is_empty()).then_some(stroke)
    }

    /// Takes note of what was drawn of a stroke, and names the strokes that have to go for it.
    pub(crate) fn add(&mut self, mut drawn: Held) -> Added {
        drawn.points += self.take(drawn.id).map_or(0, |held| held.points);
        let mut gone = Vec::new();
        while self.cost + drawn.cost() > MAX_POINTS {
            let Some(oldest) = self.strokes.pop_front() else {
                break;
            };
            self.cost -= oldest.cost();
            gone.push(oldest.id);
        }
        let points = drawn.points;
        self.cost += drawn.cost();
        self.newest = self.newest.max(Some(drawn.id));
        let at = self.strokes.partition_point(|other| other.id < drawn.id);
        self.strokes.insert(at, drawn);
        Added { points, gone }
    }

    /// Takes back the newest stroke, or the one named; gives which one that was.
    pub(crate) fn undo(&mut self, id: Option<StrokeId>) -> Option<StrokeId> {
        let id = id.or_else(|| self.strokes.back().map(|newest| newest.id))?;
        self.take(id).map(|held| held.id)
    }

    /// Takes back everything.
    pub(crate) fn clear(&mut self) {
        self.strokes.clear();
        self.cost = 0;
    }

    /// Whether no stroke stands.
    pub(crate) fn is_empty(&self) -> bool {
        self.strokes.is_empty()
    }

    fn find(&self, id: StrokeId) -> Option<&Held> {
        let at = self
            .strokes
            .binary_search_by_key(&id, |held| held.id)
            .ok()?;
        self.strokes.get(at)
    }

    fn take(&mut self, id: StrokeId) -> Option<Held> {
        let at = self
            .strokes
            .binary_search_by_key(&id, |held| held.id)
            .ok()?;
        let held = self.strokes.remove(at)?;
        self.cost -= held.cost();
        Some(held)
    }
}

/// The point itself, or the nearest one that is no further from the panel than the panel is large.
fn near(at: PanelPoint, panel: PanelSize) -> PanelPoint {
    let within = |v: i32, side: u16| {
        let side = i32::from(side) * PanelPoint::PER_PIXEL;
        v.clamp(-side, 2 * side)
    };
    PanelPoint {
        x: within(at.x, panel.width()),
        y: within(at.y, panel.height()),
    }
}

#[cfg(test)]
mod tests;
