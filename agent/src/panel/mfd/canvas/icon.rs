//! Line icons, drawn on a grid of 24 by 24 with a pen of 2.

use tiny_skia::{Path, PathBuilder, Rect as FloatRect};

/// A picture in place of, or beside, words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) enum Icon {
    Back,
    Copy,
    Scan,
    Address,
    Jobs,
    Settings,
    Assistance,
    Person,
    Eye,
    Hand,
    Note,
    Check,
    Warning,
    Cross,
    Erase,
    Shift,
    NoLink,
    Clock,
    Question,
    Stop,
    Minus,
    Plus,
}

impl Icon {
    /// Every icon, for the test that each of them draws something.
    #[cfg(test)]
    pub(super) const ALL: [Self; 22] = [
        Self::Back,
        Self::Copy,
        Self::Scan,
        Self::Address,
        Self::Jobs,
        Self::Settings,
        Self::Assistance,
        Self::Person,
        Self::Eye,
        Self::Hand,
        Self::Note,
        Self::Check,
        Self::Warning,
        Self::Cross,
        Self::Erase,
        Self::Shift,
        Self::NoLink,
        Self::Clock,
        Self::Question,
        Self::Stop,
        Self::Minus,
        Self::Plus,
    ];

    /// The path to stroke.
    pub(super) fn path(self) -> Option<Path> {
        let pen = Pen(PathBuilder::new());
        let pen = match self {
            Self::Back => pen.line(&[(14.5, 5.5), (8.0, 12.0), (14.5, 18.5)]),
            Self::Copy => pen
                .boxed(8.5, 3.5, 11.5, 14.0, 1.8)
                .line(&[(15.5, 20.5), (5.8, 20.5), (4.2, 19.0), (4.2, 7.5)])
                .line(&[(11.5, 8.0), (17.0, 8.0)])
                .line(&[(11.5, 11.5), (17.0, 11.5)]),
            Self::Scan => pen
                .line(&[(3.5, 8.0), (3.5, 5.2), (5.2, 3.5), (8.0, 3.5)])
                .line(&[(16.0, 3.5), (18.8, 3.5), (20.5, 5.2), (20.5, 8.0)])
                .line(&[(20.5, 16.0), (20.5, 18.8), (18.8, 20.5), (16.0, 20.5)])
                .line(&[(8.0, 20.5), (5.2, 20.5), (3.5, 18.8), (3.5, 16.0)])
                .line(&[(3.0, 12.0), (21.0, 12.0)]),
            Self::Address => pen
                .boxed(5.0, 3.0, 15.0, 18.0, 2.0)
                .circle(12.5, 9.5, 2.4)
                .curve((8.5, 16.5), (9.0, 12.9), (16.0, 12.9), (16.5, 16.5))
                .line(&[(3.0, 7.5), (5.0, 7.5)])
                .line(&[(3.0, 12.0), (5.0, 12.0)])
                .line(&[(3.0, 16.5), (5.0, 16.5)]),
            Self::Jobs => pen
                .line(&[(4.2, 6.0), (5.2, 7.0), (7.4, 4.8)])
                .line(&[(4.2, 12.0), (5.2, 13.0), (7.4, 10.8)])
                .line(&[(4.2, 18.0), (5.2, 19.0), (7.4, 16.8)])
                .line(&[(11.0, 6.0), (20.0, 6.0)])
                .line(&[(11.0, 12.0), (20.0, 12.0)])
                .line(&[(11.0, 18.0), (20.0, 18.0)]),
            Self::Settings => pen
                .line(&[(3.5, 7.0), (12.6, 7.0)])
                .line(&[(17.4, 7.0), (20.5, 7.0)])
                .circle(15.0, 7.0, 2.4)
                .line(&[(3.5, 17.0), (6.6, 17.0)])
                .line(&[(11.4, 17.0), (20.5, 17.0)])
                .circle(9.0, 17.0, 2.4),
            // A headset: what a support person wears.
            Self::Assistance => pen
                .curve((4.0, 14.0), (4.0, 1.2), (20.0, 1.2), (20.0, 14.0))
                .boxed(3.0, 12.5, 4.0, 6.0, 1.6)
                .boxed(17.0, 12.5, 4.0, 6.0, 1.6)
                .curve((19.5, 18.5), (19.2, 20.6), (17.0, 21.0), (14.0, 21.0))
                .circle(12.6, 21.0, 1.0),
            Self::Person => pen.circle(12.0, 8.0, 4.0).curve(
                (4.0, 20.5),
                (4.8, 12.8),
                (19.2, 12.8),
                (20.0, 20.5),
            ),
            Self::Eye => pen
                .curve((2.5, 12.0), (6.5, 4.0), (17.5, 4.0), (21.5, 12.0))
                .curve((21.5, 12.0), (17.5, 20.0), (6.5, 20.0), (2.5, 12.0))
                .circle(12.0, 12.0, 3.0),
            Self::Hand => pen
                .line(&[(9.0, 13.5), (9.0, 5.0)])
                .curve((9.0, 5.0), (9.0, 2.9), (12.2, 2.9), (12.2, 5.0))
                .line(&[(12.2, 5.0), (12.2, 11.0), (17.2, 12.2)])
                .curve((17.2, 12.2), (19.6, 12.8), (19.4, 14.6), (19.0, 16.5))
                .line(&[(19.0, 16.5), (18.0, 20.5), (10.5, 20.5), (5.6, 14.8)])
                .curve((5.6, 14.8), (4.6, 13.2), (6.4, 11.8), (9.0, 14.2)),
            Self::Note => pen
                .line(&[
                    (14.0, 3.0),
                    (5.5, 3.0),
                    (5.5, 21.0),
                    (18.5, 21.0),
                    (18.5, 7.5),
                    (14.0, 3.0),
                    (14.0, 7.5),
                    (18.5, 7.5),
                ])
                .line(&[(8.8, 12.5), (15.2, 12.5)])
                .line(&[(8.8, 16.5), (13.5, 16.5)]),
            Self::Check => pen.line(&[(4.5, 12.5), (9.5, 17.5), (19.5, 6.5)]),
            Self::Warning => pen
                .line(&[
                    (12.0, 3.6),
                    (21.4, 20.0),
                    (2.6, 20.0),
                    (12.0, 3.6),
                    (21.4, 20.0),
                ])
                .line(&[(12.0, 9.6), (12.0, 13.8)])
                .line(&[(12.0, 16.9), (12.0, 17.0)]),
            Self::Cross => pen
                .line(&[(6.0, 6.0), (18.0, 18.0)])
                .line(&[(18.0, 6.0), (6.0, 18.0)]),
            Self::Erase => pen
                .line(&[
                    (8.5, 5.0),
                    (21.0, 5.0),
                    (21.0, 19.0),
                    (8.5, 19.0),
                    (2.5, 12.0),
                    (8.5, 5.0),
                    (21.0, 5.0),
                ])
                .line(&[(11.5, 9.0), (17.0, 15.0)])
                .line(&[(17.0, 9.0), (11.5, 15.0)]),
            Self::Shift => pen.line(&[
                (12.0, 3.5),
                (20.0, 12.0),
                (15.5, 12.0),
                (15.5, 20.0),
                (8.5, 20.0),
                (8.5, 12.0),
                (4.0, 12.0),
                (12.0, 3.5),
                (20.0, 12.0),
            ]),
            Self::NoLink => pen
                .curve((2.5, 9.5), (7.5, 4.2), (16.5, 4.2), (21.5, 9.5))
                .curve((6.0, 13.4), (9.5, 10.2), (14.5, 10.2), (18.0, 13.4))
                .circle(12.0, 18.0, 0.9)
                .line(&[(4.0, 3.5), (20.0, 20.5)]),
            Self::Clock => {
                pen.circle(12.0, 12.0, 9.0)
                    .line(&[(12.0, 6.8), (12.0, 12.0), (15.6, 14.2)])
            }
            Self::Question => pen
                .circle(12.0, 12.0, 9.2)
                .curve((9.2, 9.6), (9.2, 5.6), (15.2, 5.8), (14.9, 9.8))
                .curve((14.9, 9.8), (14.6, 11.6), (12.0, 11.6), (12.0, 13.8))
                .line(&[(12.0, 17.0), (12.0, 17.1)]),
            Self::Stop => pen.boxed(5.5, 5.5, 13.0, 13.0, 1.5),
            Self::Minus => pen.line(&[(5.5, 12.0), (18.5, 12.0)]),
            Self::Plus => pen
                .line(&[(5.5, 12.0), (18.5, 12.0)])
                .line(&[(12.0, 5.5), (12.0, 18.5)]),
        };
        pen.0.finish()
    }
}

/// Side of the grid.
pub(super) const GRID: f32 = 24.0;

struct Pen(PathBuilder);

type At = (f32, f32);

impl Pen {
    fn line(mut self, points: &[At]) -> Self {
        let mut points = points.iter();
        if let Some((x, y)) = points.next() {
            self.0.move_to(*x, *y);
        }
        points.for_each(|(x, y)| self.0.line_to(*x, *y));
        self
    }

    fn curve(mut self, from: At, a: At, b: At, to: At) -> Self {
        self.0.move_to(from.0, from.1);
        self.0.cubic_to(a.0, a.1, b.0, b.1, to.0, to.1);
        self
    }

    fn circle(mut self, x: f32, y: f32, radius: f32) -> Self {
        self.0.push_circle(x, y, radius);
        self
    }

    fn boxed(mut self, x: f32, y: f32, w: f32, h: f32, radius: f32) -> Self {
        if let Some(rect) = FloatRect::from_xywh(x, y, w, h) {
            super::paint::push_rounded(&mut self.0, rect, radius);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_draws_inside_its_grid() {
        for icon in Icon::ALL {
            let bounds = icon.path().expect("a path").bounds();
            assert!(
                bounds.left() >= 1.0
                    && bounds.top() >= 1.0
                    && bounds.right() <= 23.0
                    && bounds.bottom() <= 23.0,
                "{icon:?}"
            );
        }
    }
}
