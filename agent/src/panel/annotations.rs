//! What the operator points out on a panel: a layer of vectors over the picture, never in it.

use std::time::Duration;

use alongside::protocol::{
    PanelPoint,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    units::Color,
};

/// Time that a pointer stays clear after it has moved (our choice: long enough to find it).
const POINTER_STAYS: Duration = Duration::from_millis(2_500);
/// Time in which it then fades away.
const POINTER_FADES: Duration = Duration::from_millis(700);
/// Most points that all strokes may have together; the oldest strokes go first. At 16 bytes a point, 512 KiB.
const MAX_POINTS: usize = 32_768;

/// The operator's pointer, as it is to be drawn now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnPointer {
    /// Where.
    pub at: PanelPoint,
    /// Its colour.
    pub color: Color,
    /// How much of it is left, from 1 down to 0.
    pub opacity: f32,
}

/// A stroke of the pen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnStroke {
    /// Which stroke.
    pub id: StrokeId,
    /// Its colour.
    pub color: Color,
    /// Its width at full pressure.
    pub width: StrokeWidth,
    /// Its points, each with the pressure of the pen.
    pub points: Vec<StrokePoint>,
    /// Whether the pen was lifted.
    pub done: bool,
}

/// A snapshot of the layer, to be drawn over the picture in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// The strokes, oldest first.
    pub strokes: Vec<DrawnStroke>,
    /// The pointer, over them; `None` once it has faded.
    pub pointer: Option<DrawnPointer>,
}

/// The layer.
#[derive(Debug, Default)]
pub struct Annotations {
    pointer: Option<Pointer>,
    strokes: Vec<DrawnStroke>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Pointer {
    at: PanelPoint,
    color: Color,
    moved: Duration,
}

impl Annotations {
    /// Draws, or takes back, at `now`.
    pub fn apply(&mut self, annotation: &Annotation, now: Duration) {
        match annotation {
            Annotation::Pointer { at, color } => {
                self.pointer = Some(Pointer {
                    at: *at,
                    color: *color,
                    moved: now,
                })
            }
            Annotation::PointerGone => self.pointer = None,
            Annotation::Stroke(stroke) => self.stroke(stroke),
            Annotation::Undo(None) => drop(self.strokes.pop()),
            Annotation::Undo(Some(id)) => self.strokes.retain(|stroke| stroke.id != *id),
            Annotation::Clear => self.strokes.clear(),
        }
    }

    fn stroke(&mut self, added: &Stroke) {
        if let Some(stroke) = self.strokes.iter_mut().find(|stroke| stroke.id == added.id) {
            stroke.points.extend_from_slice(&added.points);
            stroke.done = added.done;
        } else {
            let Stroke {
                id,
                color,
                width,
                ref points,
                done,
            } = *added;
            self.strokes.push(DrawnStroke {
                id,
                color,
                width,
                points: points.clone(),
                done,
            });
        }
        let mut points: usize = self.strokes.iter().map(|stroke| stroke.points.len()).sum();
        while points > MAX_POINTS && !self.strokes.is_empty() {
            points -= self.strokes.remove(0).points.len();
        }
    }

    /// Takes everything away: the session is over.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Everything as it is to be drawn at `now`.
    pub fn drawn(&self, now: Duration) -> Drawn {
        Drawn {
            pointer: self.pointer(now),
            strokes: self.strokes.clone(),
        }
    }

    /// The pointer as it is to be drawn at `now`; `None` once it has faded.
    pub fn pointer(&self, now: Duration) -> Option<DrawnPointer> {
        let Pointer { at, color, moved } = self.pointer?;
        let fading = now.saturating_sub(moved).saturating_sub(POINTER_STAYS);
        let opacity = 1.0 - fading.as_secs_f32() / POINTER_FADES.as_secs_f32();
        (opacity > 0.0).then_some(DrawnPointer { at, color, opacity })
    }

    /// The strokes, oldest first.
    pub fn strokes(&self) -> &[DrawnStroke] {
        &self.strokes
    }

    /// Whether the pointer is fading at `now`, so that the layer looks different a moment later.
    pub fn is_fading(&self, now: Duration) -> bool {
        self.pointer(now)
            .is_some_and(|pointer| pointer.opacity < 1.0)
    }

    /// When the pointer begins to fade; `None` without a pointer or once it has begun.
    pub fn fades_at(&self, now: Duration) -> Option<Duration> {
        let at = self.pointer?.moved + POINTER_STAYS;
        (at > now).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use alongside::protocol::units::Pressure;

    use super::*;

    fn stroke(id: u32, points: usize, done: bool) -> Annotation {
        let point = StrokePoint {
            at: PanelPoint::from_pixels(10, 20),
            pressure: Pressure::FULL,
        };
        Annotation::Stroke(Stroke {
            id: StrokeId(id),
            color: Color::rgb(255, 0, 0),
            width: StrokeWidth::new(6).expect("a width"),
            points: vec![point; points],
            done,
        })
    }

    #[test]
    fn the_pointer_stays_then_fades_then_is_gone() {
        let at = Duration::from_millis;
        let mut layer = Annotations::default();
        layer.apply(
            &Annotation::Pointer {
                at: PanelPoint::default(),
                color: Color::rgb(1, 2, 3),
            },
            at(1_000),
        );
        assert_eq!(layer.pointer(at(3_400)).map(|p| p.opacity), Some(1.0));
        assert_eq!(layer.fades_at(at(3_400)), Some(at(3_500)));
        assert!(layer.is_fading(at(3_800)));
        assert_eq!(layer.pointer(at(4_300)), None);
    }

    #[test]
    fn points_of_one_stroke_are_joined_and_undo_takes_the_newest_or_the_named() {
        let mut layer = Annotations::default();
        for annotation in [
            stroke(1, 3, false),
            stroke(1, 2, true),
            stroke(2, 1, true),
            stroke(3, 1, true),
        ] {
            layer.apply(&annotation, Duration::ZERO);
        }
        assert_eq!(
            layer.strokes().first().map(|s| (s.points.len(), s.done)),
            Some((5, true))
        );
        layer.apply(&Annotation::Undo(Some(StrokeId(1))), Duration::ZERO);
        layer.apply(&Annotation::Undo(None), Duration::ZERO);
        assert_eq!(
            layer.strokes().iter().map(|s| s.id).collect::<Vec<_>>(),
            [StrokeId(2)]
        );
    }

    #[test]
    fn an_endless_stroke_does_not_fill_the_memory() {
        let mut layer = Annotations::default();
        for n in 0..400 {
            layer.apply(&stroke(n / 40, 256, false), Duration::ZERO);
        }
        assert!(
            layer
                .strokes()
                .iter()
                .map(|s| s.points.len())
                .sum::<usize>()
                <= MAX_POINTS
        );
    }
}
