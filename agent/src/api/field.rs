//! Fields of commands: the JSON form of the vocabulary's types, bounds included.
//!
//! The types' own serde is the wire's; what people and scripts write is decimal pixels, `#rrggbb` and words.

use std::{fmt, time::Duration};

use alongside::protocol::{
    PanelPoint, PanelSize,
    annotation::{StrokeId, StrokePoint, StrokeWidth},
    ids::ModeId,
    input::{Buttons, KeyMotion, KeyName, PointerPhase},
    setting::{SettingPath, SettingValue},
    units::{Color, Pressure},
};
use serde::{Deserialize, Deserializer, de::Error};

use super::error::Failure;

/// A group of settings; the empty text is all of them.
pub(super) fn group<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SettingPath>, D::Error> {
    let text = String::deserialize(d)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(Error::custom)
}

/// A setting's value; `null` is none, and leaving it out is a mistake.
pub(super) fn setting<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SettingValue>, D::Error> {
    Option::deserialize(d)
}

/// Text that may be secret: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// Decimal pixels, rounded to 1/16.
pub(super) fn coordinate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    sixteenths(f64::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("far outside of any panel"))
}

fn sixteenths(pixels: f64) -> Option<i32> {
    PanelPoint::from_decimal(pixels, 0.0).map(|point| point.x)
}

/// Pressure from 0 to 1; full when it is absent.
pub(super) fn pressure<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pressure, D::Error> {
    Pressure::from_unit(f64::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("must be from 0 to 1"))
}

pub(super) const fn full_pressure() -> Pressure {
    Pressure::FULL
}

pub(super) fn buttons<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Buttons>, D::Error> {
    let wrong = || D::Error::custom("must be the sum of held buttons: 1 left, 2 right, 4 middle");
    Buttons::new(u8::deserialize(deserializer)?)
        .map(Some)
        .ok_or_else(wrong)
}

pub(super) fn color<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Color, D::Error> {
    Color::parse(&String::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("must be a colour as in #ff3b30"))
}

pub(super) fn width<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StrokeWidth, D::Error> {
    StrokeWidth::new(u8::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("must be 1 to 32 pixels"))
}

pub(super) fn stroke_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StrokeId, D::Error> {
    u32::deserialize(deserializer).map(StrokeId)
}

pub(super) fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyName, D::Error> {
    KeyName::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// A key's `down`.
pub(super) fn motion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyMotion, D::Error> {
    Ok(if bool::deserialize(deserializer)? {
        KeyMotion::Down
    } else {
        KeyMotion::Up
    })
}

/// One of the three built-in names, or a manifest's id, which has a dot.
pub(super) fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ModeId, D::Error> {
    const BUILT_IN: [&str; 3] = [
        ModeId::USER_GUIDE,
        ModeId::OPERATOR_CONTROL,
        ModeId::ENGINEER_CONFIG,
    ];
    let text = String::deserialize(deserializer)?;
    ModeId::new(&text)
        .filter(|_| BUILT_IN.contains(&text.as_str()) || text.contains('.'))
        .ok_or_else(|| {
            D::Error::custom(format!(
                "must be one of {}, or the id of a mode, which has a dot",
                BUILT_IN.join(", ")
            ))
        })
}

/// Seconds within `MIN..=MAX`.
pub(super) fn seconds<'de, D: Deserializer<'de>, const MIN: u64, const MAX: u64>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    bounded::<D, MIN, MAX>(deserializer).map(Duration::from_secs)
}

/// Milliseconds within `MIN..=MAX`.
pub(super) fn millis<'de, D: Deserializer<'de>, const MIN: u64, const MAX: u64>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    bounded::<D, MIN, MAX>(deserializer).map(Duration::from_millis)
}

fn bounded<'de, D: Deserializer<'de>, const MIN: u64, const MAX: u64>(
    deserializer: D,
) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if !(MIN..=MAX).contains(&number) {
        return Err(D::Error::custom(format!("must be {MIN} to {MAX}")));
    }
    Ok(number)
}

/// Text of at most `MAX` bytes.
pub(super) fn secret_text<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<SecretText, D::Error> {
    let text = SecretText::deserialize(deserializer)?;
    if text.0.len() > MAX {
        return Err(D::Error::custom(format!(
            "{} bytes where at most {MAX} are allowed",
            text.0.len()
        )));
    }
    Ok(text)
}

/// What the operator's pointer does.
pub(super) fn pointer_phase<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PointerPhase, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Hover,
        Down,
        Move,
        Up,
        Leave,
    }
    Ok(match Word::deserialize(deserializer)? {
        Word::Hover => PointerPhase::Hover,
        Word::Down => PointerPhase::Down,
        Word::Move => PointerPhase::Move,
        Word::Up => PointerPhase::Up,
        Word::Leave => PointerPhase::Leave,
    })
}

/// Point of a stroke: `[x, y, pressure]`, or `[x, y]` where the pen cannot tell.
#[derive(Deserialize)]
#[serde(untagged, expecting = "must be [x, y] or [x, y, pressure]")]
enum PointFields {
    Full(f64, f64, f64),
    Plain(f64, f64),
}

struct Point(StrokePoint);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (x, y, pressure) = match PointFields::deserialize(deserializer)? {
            PointFields::Full(x, y, pressure) => (x, y, pressure),
            PointFields::Plain(x, y) => (x, y, 1.0),
        };
        let at = PanelPoint::from_decimal(x, y)
            .ok_or_else(|| D::Error::custom("far outside of any panel"))?;
        let pressure = Pressure::from_unit(pressure)
            .ok_or_else(|| D::Error::custom("pressure must be from 0 to 1"))?;
        Ok(Self(StrokePoint { at, pressure }))
    }
}

pub(super) fn points<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<StrokePoint>, D::Error> {
    Ok(Vec::<Point>::deserialize(deserializer)?
        .into_iter()
        .map(|point| point.0)
        .collect())
}

/// Refuses a point outside of the panel.
pub(super) fn on_panel(at: PanelPoint, size: PanelSize) -> Result<(), Failure> {
    if size.contains(at) {
        return Ok(());
    }
    let (x, y) = at.to_decimal();
    let (width, height) = (size.width(), size.height());
    Err(Failure::bad_request(format!(
        "({x}, {y}) is outside of the panel, which is {width}x{height} pixels"
    )))
}
