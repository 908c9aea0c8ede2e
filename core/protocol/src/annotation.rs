//! What a mode draws over the panel: vectors in panel coordinates, never pixels.

use serde::{Deserialize, Deserializer, Serialize};

use crate::units::{Color, PanelPoint, Pressure};

/// Names a stroke within its session; the operator's side counts up from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StrokeId(pub u32);

/// Width of a stroke at full pressure, 1 to 32 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct StrokeWidth(u8);

impl StrokeWidth {
    /// A width in pixels; `None` outside 1 to 32.
    pub const fn new(pixels: u8) -> Option<Self> {
        if pixels >= 1 && pixels <= 32 {
            Some(Self(pixels))
        } else {
            None
        }
    }

    /// The width in pixels.
    pub const fn pixels(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for StrokeWidth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u8::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("stroke width outside 1 to 32"))
    }
}

/// A point of a stroke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StrokePoint {
    /// Where, in panel coordinates.
    pub at: PanelPoint,
    /// How hard the pen pressed.
    pub pressure: Pressure,
}

/// Most points that one operation may carry; a longer stroke is several operations with the same id.
///
/// 256 points of at most 12 bytes stay below the mode channel's 4 KiB.
pub const MAX_POINTS: usize = 256;

/// One change of what is drawn over the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Annotation {
    /// The operator's pointer stands here; it fades by itself.
    Pointer {
        /// Where, in panel coordinates.
        at: PanelPoint,
        /// Its colour.
        color: Color,
    },
    /// The pointer is gone.
    PointerGone,
    /// Begins a stroke, or adds points to the stroke of the same id.
    Stroke(Stroke),
    /// Takes back the newest stroke, or the one named.
    Undo(Option<StrokeId>),
    /// Takes back everything.
    Clear,
}

/// Points of one stroke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stroke {
    /// Which stroke.
    pub id: StrokeId,
    /// Its colour; that of the first operation counts.
    pub color: Color,
    /// Its width; that of the first operation counts.
    pub width: StrokeWidth,
    /// The points to add, at most [`MAX_POINTS`].
    #[serde(deserialize_with = "at_most_max_points")]
    pub points: Vec<StrokePoint>,
    /// Whether the pen was lifted after the last point.
    pub done: bool,
}

fn at_most_max_points<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<StrokePoint>, D::Error> {
    let points = Vec::<StrokePoint>::deserialize(deserializer)?;
    if points.len() > MAX_POINTS {
        return Err(serde::de::Error::custom(
            "too many points in one stroke operation",
        ));
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_is_1_to_32_pixels_wide() {
        for (pixels, allowed) in [(0, false), (1, true), (32, true), (33, false)] {
            assert_eq!(StrokeWidth::new(pixels).is_some(), allowed, "{pixels}");
            assert_eq!(
                postcard::from_bytes::<StrokeWidth>(&[pixels]).is_ok(),
                allowed,
                "{pixels} from the network"
            );
        }
    }
}
