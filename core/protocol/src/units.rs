//! Units as types, so that no bare number crosses a public function.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// A data rate in kilobits per second; 1 kbps is 1000 bit/s (SI), not 1024.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Kbps(u32);

impl Kbps {
    /// A rate of `kbps` kilobits per second.
    pub const fn new(kbps: u32) -> Self {
        Self(kbps)
    }

    /// The rate in kilobits per second.
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// Whole bytes that fit into `window` at this rate, rounded down.
    pub fn bytes_in(self, window: Duration) -> u64 {
        // kbit/s x us = 10^-3 bit
        let millibits = u128::from(self.0) * window.as_micros();
        u64::try_from(millibits / 8_000).unwrap_or(u64::MAX)
    }

    /// The rate at which `bytes` fill `window`, rounded down; 0 for an empty window.
    pub fn of(bytes: u64, window: Duration) -> Self {
        let micros = window.as_micros();
        if micros == 0 {
            return Self(0);
        }
        Self(u32::try_from(u128::from(bytes) * 8_000 / micros).unwrap_or(u32::MAX))
    }
}

/// A moment in Unix time, in milliseconds; taken from a wall clock, so it may also go back.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Millis(u64);

impl Millis {
    /// The moment `millis` milliseconds after 1970-01-01 00:00 UTC.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// A position on the panel in 1/16 pixel, origin top left.
///
/// Sixteenths carry what a pen or a scaled console view can tell apart and stay exact in an integer. A point from
/// the network lies within [`PanelPoint::MAX_PIXELS`] of the origin, so that differences of two fit an `i32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawPanelPoint")]
pub struct PanelPoint {
    /// Distance from the left edge, in 1/16 pixel.
    pub x: i32,
    /// Distance from the top edge, in 1/16 pixel.
    pub y: i32,
}

impl PanelPoint {
    /// Sixteenths in one pixel.
    pub const PER_PIXEL: i32 = 16;

    /// Furthest that a point from outside may lie from the origin, in pixels: 16 times the longest side of a panel
    /// (our choice: a drag that leaves the window still has its place, and sums cannot overflow).
    pub const MAX_PIXELS: i32 = 65_536;

    /// The top left corner of pixel (`x`, `y`).
    pub const fn from_pixels(x: u16, y: u16) -> Self {
        Self {
            x: x as i32 * Self::PER_PIXEL,
            y: y as i32 * Self::PER_PIXEL,
        }
    }

    /// Position nearest to decimal pixels; `None` unless both are finite and within [`PanelPoint::MAX_PIXELS`].
    pub fn from_decimal(x: f64, y: f64) -> Option<Self> {
        let sixteenths = |v: f64| {
            let scaled = (v * f64::from(Self::PER_PIXEL)).round();
            // In range for i32, as |v| is at most 2^16.
            (v.is_finite() && v.abs() <= f64::from(Self::MAX_PIXELS)).then_some(scaled as i32)
        };
        Some(Self {
            x: sixteenths(x)?,
            y: sixteenths(y)?,
        })
    }

    /// Decimal pixels.
    pub fn to_decimal(self) -> (f64, f64) {
        let scale = f64::from(Self::PER_PIXEL);
        (f64::from(self.x) / scale, f64::from(self.y) / scale)
    }

    /// The pixel that holds the point; negative left of or above the panel.
    pub const fn to_pixels(self) -> (i32, i32) {
        (
            self.x.div_euclid(Self::PER_PIXEL),
            self.y.div_euclid(Self::PER_PIXEL),
        )
    }
}

/// A point as it came, not checked yet.
#[derive(Deserialize)]
struct RawPanelPoint {
    x: i32,
    y: i32,
}

impl TryFrom<RawPanelPoint> for PanelPoint {
    type Error = &'static str;

    fn try_from(RawPanelPoint { x, y }: RawPanelPoint) -> Result<Self, Self::Error> {
        let limit = (Self::MAX_PIXELS * Self::PER_PIXEL).unsigned_abs();
        if x.unsigned_abs() > limit || y.unsigned_abs() > limit {
            return Err("point too far from the panel");
        }
        Ok(Self { x, y })
    }
}

/// Width and height of a panel in pixels; each is 1 to [`PanelSize::MAX_SIDE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawPanelSize")]
pub struct PanelSize {
    width: u16,
    height: u16,
}

impl PanelSize {
    /// Longest side of a panel in pixels (our choice: a 4K screen on its side, and no more memory than
    /// an operator's machine has to spare when a hostile device asks for it).
    pub const MAX_SIDE: u16 = 4096;

    /// A size; `None` if a side is zero or longer than [`PanelSize::MAX_SIDE`].
    pub const fn new(width: u16, height: u16) -> Option<Self> {
        if width == 0 || height == 0 || width > Self::MAX_SIDE || height > Self::MAX_SIDE {
            return None;
        }
        Some(Self { width, height })
    }

    /// Width in pixels.
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(self) -> u16 {
        self.height
    }

    /// Number of pixels.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Whether `point` lies on the panel.
    pub const fn contains(self, point: PanelPoint) -> bool {
        let (x, y) = point.to_pixels();
        x >= 0 && y >= 0 && x < self.width as i32 && y < self.height as i32
    }
}

/// A size as it came, not checked yet.
#[derive(Deserialize)]
struct RawPanelSize {
    width: u16,
    height: u16,
}

impl TryFrom<RawPanelSize> for PanelSize {
    type Error = &'static str;

    fn try_from(RawPanelSize { width, height }: RawPanelSize) -> Result<Self, Self::Error> {
        Self::new(width, height).ok_or("panel size out of bounds")
    }
}

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PanelRect {
    /// Left edge in pixels.
    pub x: u16,
    /// Top edge in pixels.
    pub y: u16,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
}

/// An opaque colour, 8 bits a channel, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Color {
    /// A colour from its channels.
    pub const fn rgb(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b }
    }

    /// Reads `#rrggbb`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self { r, g, b })
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

/// Pen or touch pressure in 1/1023, 0 (none) to 1023 (full).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Pressure(u16);

impl Pressure {
    /// Full pressure; also what a device that cannot measure reports.
    pub const FULL: Self = Self(1023);

    /// Pressure in 1/1023; `None` above 1023.
    pub const fn new(steps: u16) -> Option<Self> {
        if steps > 1023 {
            None
        } else {
            Some(Self(steps))
        }
    }

    /// Pressure from 0.0 to 1.0; `None` outside.
    pub fn from_unit(value: f64) -> Option<Self> {
        // In range for u16, as value is at most 1.
        (0.0..=1.0)
            .contains(&value)
            .then(|| Self((value * 1023.0).round() as u16))
    }

    /// Pressure in 1/1023.
    pub const fn steps(self) -> u16 {
        self.0
    }

    /// Pressure from 0.0 to 1.0.
    pub fn to_unit(self) -> f64 {
        f64::from(self.0) / 1023.0
    }
}

impl<'de> Deserialize<'de> for Pressure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("pressure above 1023"))
    }
}

#[cfg(test)]
mod tests;
