//! What an operator's side can be told to do.

use std::{path::PathBuf, time::Duration};

use alongside::operator::SettingsAsk;
use alongside::protocol::{
    PanelPoint, PanelSize,
    annotation::{self, Annotation, MAX_POINTS, StrokeId, StrokePoint, StrokeWidth},
    ids::ModeId,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    label::Ticket,
    setting::{self, SettingPath, SettingValue, SettingsVersion},
    units::{Color, PanelRect, Pressure},
};
use serde::Deserialize;

pub use super::field::SecretText;
use super::{error::Failure, field, request::commands};

commands! {
    /// A command to an operator's side.
    pub enum Command {
        /// Make an access code; the one before it is burnt.
        "code" => Code(Code),
        /// Ask the device for a mode.
        "mode" => Mode(Mode),
        /// The pointer moved or a button of it did.
        "pointer" => Pointer(Pointer),
        /// Begin a stroke, or add to the one of the same id.
        "stroke" => Stroke(Stroke),
        /// Take back the newest stroke.
        "undo" => Undo,
        /// Take back every stroke.
        "clear" => Clear,
        /// A key went down or up.
        "key" => Key(Key),
        /// Type a text.
        "text" => Text(Text),
        /// Read settings.
        "settings-get" => SettingsGet(SettingsGet),
        /// Read what settings there are.
        "settings-schema" => SettingsSchema,
        /// Change settings.
        "settings-apply" => SettingsApply(SettingsApply),
        /// Take the last change of settings back.
        "settings-undo" => SettingsUndo,
        /// Write the last applied picture to a file.
        "snapshot" => Snapshot(Snapshot),
        /// Show a part of the picture exactly before anything else.
        "exact" => Exact(Exact),
        /// The operator is still there: answers an `idle` event.
        "still-here" => StillHere,
        /// Hand something to the active mode, as its part of the console would.
        "console" => Console(Console),
        /// End the session.
        "end" => End,
    }
}

impl Command {
    /// Refuses what lies outside of a panel of `size`.
    ///
    /// # Errors
    ///
    /// `bad-request` that names the point. A pointer that leaves may do so outside.
    pub fn check(&self, size: PanelSize) -> Result<(), Failure> {
        match self {
            Self::Pointer(pointer) if pointer.phase != PointerPhase::Leave => {
                field::on_panel(pointer.at(), size)
            }
            Self::Stroke(stroke) => stroke
                .points
                .iter()
                .try_for_each(|point| field::on_panel(point.at, size)),
            Self::Code(_)
            | Self::Mode(_)
            | Self::Pointer(_)
            | Self::Undo
            | Self::Clear
            | Self::Key(_)
            | Self::Text(_)
            | Self::SettingsGet(_)
            | Self::SettingsSchema
            | Self::SettingsApply(_)
            | Self::SettingsUndo
            | Self::Snapshot(_)
            | Self::Exact(_)
            | Self::StillHere
            | Self::Console(_)
            | Self::End => Ok(()),
        }
    }
}

/// An access code is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// How long it may be entered: 2 minutes to an hour, 10 minutes if not said.
    #[serde(
        rename = "ttl_s",
        default = "ten_minutes",
        deserialize_with = "field::seconds::<_, 120, 3600>"
    )]
    pub ttl: Duration,
    /// The support ticket that the relay's records shall name.
    #[serde(default)]
    pub ticket: Option<Ticket>,
}

const fn ten_minutes() -> Duration {
    Duration::from_secs(600)
}

/// A mode is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Which.
    #[serde(deserialize_with = "field::mode")]
    pub mode: ModeId,
}

/// The operator's pointer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointer {
    #[serde(deserialize_with = "field::coordinate")]
    x: i32,
    #[serde(deserialize_with = "field::coordinate")]
    y: i32,
    #[serde(deserialize_with = "field::pointer_phase")]
    phase: PointerPhase,
    #[serde(default, deserialize_with = "field::buttons")]
    buttons: Option<Buttons>,
    #[serde(default = "field::full_pressure", deserialize_with = "field::pressure")]
    pressure: Pressure,
}

impl Pointer {
    /// Where.
    pub const fn at(&self) -> PanelPoint {
        PanelPoint {
            x: self.x,
            y: self.y,
        }
    }

    /// The event. Buttons that were not said are the left one while the pointer touches, else none.
    pub fn event(&self) -> PointerEvent {
        let touching = matches!(self.phase, PointerPhase::Down | PointerPhase::Move);
        let buttons = self.buttons.unwrap_or(if touching {
            Buttons::LEFT
        } else {
            Buttons::NONE
        });
        PointerEvent {
            at: self.at(),
            phase: self.phase,
            buttons,
            pressure: self.pressure,
        }
    }
}

/// Points of a stroke.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stroke {
    /// Which stroke.
    #[serde(deserialize_with = "field::stroke_id")]
    pub id: StrokeId,
    /// Its colour; that of the first command counts.
    #[serde(deserialize_with = "field::color")]
    pub color: Color,
    /// Its width; that of the first command counts.
    #[serde(deserialize_with = "field::width")]
    pub width: StrokeWidth,
    /// The points to add.
    #[serde(deserialize_with = "field::points")]
    pub points: Vec<StrokePoint>,
    /// Whether the pen was lifted after the last point.
    #[serde(default)]
    pub done: bool,
}

impl Stroke {
    /// The stroke as operations that each fit into a message; only the last of them may be done.
    pub fn operations(&self) -> Vec<Annotation> {
        let operation = |points: &[StrokePoint], done| {
            let (id, color, width) = (self.id, self.color, self.width);
            Annotation::Stroke(annotation::Stroke {
                id,
                color,
                width,
                points: points.to_vec(),
                done,
            })
        };
        let count = self.points.len().div_ceil(MAX_POINTS);
        if count == 0 {
            return vec![operation(&[], self.done)];
        }
        let chunks = self.points.chunks(MAX_POINTS).enumerate();
        chunks
            .map(|(n, points)| operation(points, self.done && n + 1 == count))
            .collect()
    }
}

/// A key of the panel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    #[serde(deserialize_with = "field::key")]
    key: KeyName,
    #[serde(rename = "down", deserialize_with = "field::motion")]
    motion: KeyMotion,
}

impl Key {
    /// The event.
    pub fn event(&self) -> KeyEvent {
        KeyEvent {
            key: self.key.clone(),
            motion: self.motion,
        }
    }
}

/// Text to type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// At most 256 bytes.
    #[serde(deserialize_with = "field::secret_text::<_, 256>")]
    pub text: SecretText,
}

/// Something for the active mode.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Whatever the mode understands.
    pub message: serde_json::Value,
}

/// Settings to read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsGet {
    /// Where they hang in the tree; empty means all.
    #[serde(default, deserialize_with = "field::group")]
    pub path: Option<SettingPath>,
}

/// Settings to change, all or none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsApply {
    /// The changes.
    pub changes: Vec<SettingChange>,
}

impl SettingsApply {
    /// What is asked of the device.
    ///
    /// # Errors
    ///
    /// `bad-request` if the changes were seen in different versions: all are made, or none.
    pub fn ask(self) -> Result<SettingsAsk, Failure> {
        let mut versions = self.changes.iter().filter_map(|change| change.if_version);
        let if_version = versions.next();
        if versions.any(|version| Some(version) != if_version) {
            return Err(Failure::bad_request(
                "`changes`: all must have the same `if_version`",
            ));
        }
        let change = |change: SettingChange| setting::SettingChange {
            path: change.path,
            value: change.value,
        };
        Ok(SettingsAsk::Apply {
            if_version,
            changes: self.changes.into_iter().map(change).collect(),
        })
    }
}

/// One change of a setting.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingChange {
    /// Which setting.
    pub path: SettingPath,
    /// What it shall be; `null` takes it out.
    #[serde(deserialize_with = "field::setting")]
    pub value: Option<SettingValue>,
    /// The version that the operator saw; the change is a conflict if it is another now.
    #[serde(default)]
    pub if_version: Option<SettingsVersion>,
}

/// A picture to write.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Where to; an older file of that name is replaced.
    pub file: PathBuf,
}

/// A part of the picture to make exact; all of it, if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exact {
    /// Its left edge in pixels.
    #[serde(default)]
    pub x: u16,
    /// Its top edge.
    #[serde(default)]
    pub y: u16,
    /// Its width.
    #[serde(default = "everything")]
    pub width: u16,
    /// Its height.
    #[serde(default = "everything")]
    pub height: u16,
}

const fn everything() -> u16 {
    u16::MAX
}

impl Exact {
    /// The part.
    pub const fn rect(self) -> PanelRect {
        PanelRect {
            x: self.x,
            y: self.y,
            width: self.width,
            height: self.height,
        }
    }
}
