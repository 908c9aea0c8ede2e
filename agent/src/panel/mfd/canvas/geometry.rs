//! Whole-pixel rectangles, and cutting them up.

/// A position in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::panel::mfd) struct Point {
    /// From the left.
    pub(in crate::panel::mfd) x: i32,
    /// From the top.
    pub(in crate::panel::mfd) y: i32,
}

/// A rectangle of pixels; screens are cut from one by the methods here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    pub(in crate::panel::mfd) const fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    pub(in crate::panel) const fn right(self) -> i32 {
        self.x + self.w
    }

    pub(in crate::panel) const fn bottom(self) -> i32 {
        self.y + self.h
    }

    /// Whether the pixel (`x`, `y`) lies in it.
    pub(in crate::panel) const fn holds(self, x: i32, y: i32) -> bool {
        self.contains(Point { x, y })
    }

    pub(in crate::panel::mfd) const fn contains(self, at: Point) -> bool {
        at.x >= self.x && at.x < self.right() && at.y >= self.y && at.y < self.bottom()
    }

    pub(in crate::panel::mfd) const fn center(self) -> Point {
        Point {
            x: self.x + self.w / 2,
            y: self.y + self.h / 2,
        }
    }

    /// Smaller by `by` on every side; larger if negative.
    pub(in crate::panel::mfd) const fn inset(self, by: i32) -> Self {
        self.inset_xy(by, by)
    }

    pub(in crate::panel::mfd) const fn inset_xy(self, x: i32, y: i32) -> Self {
        Self::new(self.x + x, self.y + y, self.w - 2 * x, self.h - 2 * y)
    }

    pub(in crate::panel::mfd) const fn moved(self, x: i32, y: i32) -> Self {
        Self::new(self.x + x, self.y + y, self.w, self.h)
    }

    /// A box of this size in the middle.
    pub(in crate::panel::mfd) const fn center_box(self, w: i32, h: i32) -> Self {
        Self::new(self.x + (self.w - w) / 2, self.y + (self.h - h) / 2, w, h)
    }

    /// The upper `h` pixels, and what is left below a gap.
    pub(in crate::panel::mfd) const fn cut_top(self, h: i32, gap: i32) -> (Self, Self) {
        let rest = Self::new(self.x, self.y + h + gap, self.w, self.h - h - gap);
        (Self::new(self.x, self.y, self.w, h), rest)
    }

    /// The lower `h` pixels, and what is left above a gap.
    pub(in crate::panel::mfd) const fn cut_bottom(self, h: i32, gap: i32) -> (Self, Self) {
        let rest = Self::new(self.x, self.y, self.w, self.h - h - gap);
        (Self::new(self.x, self.bottom() - h, self.w, h), rest)
    }

    /// The left `w` pixels, and what is left right of a gap.
    pub(in crate::panel::mfd) const fn cut_left(self, w: i32, gap: i32) -> (Self, Self) {
        let rest = Self::new(self.x + w + gap, self.y, self.w - w - gap, self.h);
        (Self::new(self.x, self.y, w, self.h), rest)
    }

    /// The right `w` pixels, and what is left of a gap.
    pub(in crate::panel::mfd) const fn cut_right(self, w: i32, gap: i32) -> (Self, Self) {
        let rest = Self::new(self.x, self.y, self.w - w - gap, self.h);
        (Self::new(self.right() - w, self.y, w, self.h), rest)
    }

    /// `N` columns of equal width.
    pub(in crate::panel::mfd) fn columns<const N: usize>(self, gap: i32) -> [Self; N] {
        let n = N as i32;
        let room = self.w - gap * (n - 1);
        std::array::from_fn(|i| {
            let i = i as i32;
            let (from, to) = (room * i / n, room * (i + 1) / n);
            Self::new(self.x + from + gap * i, self.y, to - from, self.h)
        })
    }

    /// `N` rows of equal height.
    pub(in crate::panel::mfd) fn rows<const N: usize>(self, gap: i32) -> [Self; N] {
        let n = N as i32;
        let room = self.h - gap * (n - 1);
        std::array::from_fn(|i| {
            let i = i as i32;
            let (from, to) = (room * i / n, room * (i + 1) / n);
            Self::new(self.x, self.y + from + gap * i, self.w, to - from)
        })
    }

    /// The smallest rectangle around both.
    pub(in crate::panel) fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        );
        Self::new(x, y, right - x, bottom - y)
    }

    /// What lies in both; `None` if nothing does.
    pub(in crate::panel) fn intersection(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        (right > x && bottom > y).then(|| Self::new(x, y, right - x, bottom - y))
    }
}
