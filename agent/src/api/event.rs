//! What the agent tells: replies and events.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use alongside::{
    operator::ConsolePanel,
    protocol::{
        PanelSize, PublicKey, Serial, SessionId,
        annotation::{Annotation, StrokeId, StrokePoint},
        ids::ModeId,
        label::{Label, Name},
        reason::{EndReason, ModePhase, Party, Refusal},
    },
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{difference::Difference, error::Failure};
use crate::fan::Tells;

/// Answer to a command.
pub type Reply = Result<Done, Failure>;

/// A command was accepted and sent, or, where it asks for something here, done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// There is nothing to add.
    Accepted,
    /// A picture was written.
    Snapshot(Snapshot),
}

/// A written picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Which picture it is: counts up.
    pub frame: u64,
    /// Whether every pixel is the device's.
    pub exact: bool,
    /// SHA-256 over its rows of 8-bit RGB, in hexadecimal.
    pub sha256: String,
}

/// One line of output.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// First line: commands are read from now on.
    Ready(Ready),
    /// A command was accepted.
    Ok(Accepted),
    /// A command was not done, or, without an id, something went wrong by itself.
    Error(Problem),
    /// An access code exists.
    Code(Code),
    /// The code is proved and the session runs.
    Connected(Connected),
    /// How a mode stands.
    Mode(Mode),
    /// The modes that can be asked for beside the user guide, which there always is.
    Modes {
        /// One each.
        modes: Vec<ModeCard>,
    },
    /// The active mode says something to its part of the console.
    Console {
        /// The mode's own words.
        message: Value,
    },
    /// The customer is asked for a mode.
    Asked(Asked),
    /// A message of the panel was applied.
    Panel(Panel),
    /// Something was drawn over the panel, or taken back.
    Annotation(Ink),
    /// An action of the operator's was performed on the panel.
    Injected(Injected),
    /// How long the picture takes to the operator's side; at most once a second.
    Latency(Latency),
    /// Which way the packets take, and how well.
    Path(Path),
    /// Whether the other side was heard from.
    Link(Link),
    /// Nobody acts; the session ends unless somebody does.
    Idle {
        /// Seconds until then.
        ends_in_s: u16,
    },
    /// Settings that were asked for.
    Settings {
        /// Version of all settings.
        version: u64,
        /// Path to value, of what is set; `null` for a secret.
        values: Value,
        /// Whether another line with more of them follows.
        #[serde(skip_serializing_if = "is_not")]
        more: bool,
    },
    /// What settings there are.
    SettingsSchema {
        /// Groups and settings, in the order of the device's menus.
        schema: Value,
        /// Whether another line with more of them follows.
        #[serde(skip_serializing_if = "is_not")]
        more: bool,
    },
    /// What the operator sees in sleep, where it is not the panel.
    Surface {
        /// `none`: this device has no service surface.
        surface: &'static str,
    },
    /// How a change of settings stands.
    SettingsResult {
        /// `asked`, `refused`, `applied`, `confirmed`, `rolled-back`, `conflict`, or `stuck`: it has to be taken back and
        /// cannot be now.
        state: String,
        /// Why, in a word.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What is wrong, by path; by the empty path what is about no single setting.
        errors: BTreeMap<String, String>,
        /// Seconds until silence counts as a no, or until it is taken back unless confirmed.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_in_s: Option<u16>,
    },
    /// Pages to open.
    Pages {
        /// The operator's console.
        #[serde(skip_serializing_if = "Option::is_none")]
        operator: Option<String>,
        /// The device's front panel.
        #[serde(skip_serializing_if = "Option::is_none")]
        device: Option<String>,
    },
    /// The session is over. Comes last, and once.
    Ended {
        /// Who ended it.
        #[serde(serialize_with = "word")]
        by: Party,
        /// Why.
        #[serde(serialize_with = "word")]
        reason: EndReason,
    },
}

impl Tells for Event {
    fn is_outdone_by(&self, newer: &Self) -> bool {
        matches!(
            (self, newer),
            (Self::Panel(_), Self::Panel(_))
                | (Self::Latency(_), Self::Latency(_))
                | (Self::Path(_), Self::Path(_))
        )
    }
}

impl Event {
    /// The answer to the command that had `id`.
    pub fn reply(id: Option<u64>, reply: Reply) -> Self {
        match reply {
            Ok(Done::Accepted) => Self::Ok(Accepted { id, snapshot: None }),
            Ok(Done::Snapshot(snapshot)) => Self::Ok(Accepted {
                id,
                snapshot: Some(snapshot),
            }),
            Err(failure) => Self::Error(Problem { id, failure }),
        }
    }

    /// The event as one line of JSON, without a line end, stamped with Unix milliseconds.
    pub fn line(&self, t: u64) -> String {
        #[derive(Serialize)]
        struct Stamped<'a> {
            #[serde(flatten)]
            event: &'a Event,
            t: u64,
        }
        // Keys are strings and numbers are finite, so this cannot fail; an empty line is no event.
        serde_json::to_string(&Stamped { event: self, t }).unwrap_or_default()
    }
}

/// Which side this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The operator's.
    Operator,
    /// The device's.
    Device,
}

/// What this process is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ready {
    /// Which side.
    pub role: Role,
    /// The device's serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// The device's panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<PanelCard>,
    /// Where this operator waits for devices, if there is no relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listens: Option<SocketAddr>,
}

/// A panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PanelCard {
    /// What kind, in a word.
    pub kind: Label<16>,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
}

impl PanelCard {
    /// A panel of `kind` and `size`.
    pub const fn new(kind: Label<16>, size: PanelSize) -> Self {
        Self {
            kind,
            width: size.width(),
            height: size.height(),
        }
    }
}

/// A positive reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Of which command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The picture that was written.
    #[serde(flatten)]
    pub snapshot: Option<Snapshot>,
}

/// A negative reply, or trouble that nobody's command caused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Of which command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What is wrong.
    #[serde(flatten)]
    pub failure: Failure,
}

impl From<Failure> for Event {
    fn from(failure: Failure) -> Self {
        Self::Error(Problem { id: None, failure })
    }
}

/// An access code to read out.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// Its twelve digits.
    pub code: String,
    /// Seconds for which it may be entered.
    pub expires_in_s: u64,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("expires_in_s", &self.expires_in_s)
            .finish_non_exhaustive()
    }
}

/// A session runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Connected {
    /// As the operator's side tells it.
    Operator {
        /// The session.
        #[serde(serialize_with = "word")]
        session: SessionId,
        /// The device's serial number.
        serial: Serial,
        /// What kind of device it is, in the maker's words.
        model: Label<64>,
        /// Its panel.
        panel: PanelCard,
    },
    /// As the device's side tells it.
    Device {
        /// The session.
        #[serde(serialize_with = "word")]
        session: SessionId,
        /// Who is connected.
        operator: OperatorCard,
    },
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorCard {
    /// Name.
    pub name: Option<Name>,
    /// Organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Name>,
    /// Whether the relay confirms name and organisation; if not, the operator alone says so.
    pub confirmed: bool,
    /// The relay that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<Label<255>>,
    /// Long-term key, in hexadecimal; the connection proves it.
    #[serde(serialize_with = "word")]
    pub key: PublicKey,
}

/// How a mode stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// Which.
    pub mode: ModeId,
    /// How it stands.
    #[serde(serialize_with = "word")]
    pub state: ModePhase,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_word")]
    pub reason: Option<Refusal>,
    /// Seconds until an open question counts as a no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u16>,
}

/// Whose word a mode takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// Nobody's any more: the code was enough.
    Code,
    /// The customer's.
    Customer,
    /// The customer's, with the system administrator's ID.
    Administrator,
    /// That of the owner's policy.
    Policy,
}

/// A mode that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModeCard {
    /// Which.
    pub mode: ModeId,
    /// What people call it.
    pub name: Label<64>,
    /// Whose word it takes.
    pub asks: Asks,
    /// Whether it has a part of the console.
    pub has_panel: bool,
    /// That part; pages fetch it, and it is not said.
    #[serde(skip)]
    pub panel: Option<Arc<ConsolePanel>>,
}

/// A question to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// For which mode.
    pub mode: ModeId,
    /// Whether the system administrator's ID is wanted as well.
    pub wants_admin_id: bool,
    /// Seconds until it counts as a no.
    pub expires_in_s: u64,
    /// What would change, if the question is about settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<Vec<Difference>>,
}

/// A message of the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Panel {
    /// Which picture: counts up.
    pub frame: u64,
    /// Bytes of the message.
    pub bytes: u64,
    /// When the device took the picture, in Unix milliseconds of the device's clock.
    pub captured_at: u64,
    /// Whether every pixel is now the device's.
    pub exact: bool,
    /// Whether all of them are at least nearly so.
    pub visible: bool,
    /// Where they are only nearly so: `[x, y, width, height]` each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub soft: Vec<[u16; 4]>,
}

/// Something drawn over the panel, or taken back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ink {
    /// `pointer`, `pointer-gone`, `stroke`, `undo` or `clear`.
    pub op: &'static str,
    /// Which stroke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// `[x, y, pressure]` each.
    pub points: Vec<[f64; 3]>,
    /// Its colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Its width at full pressure, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u8>,
    /// Whether the pen was lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<bool>,
}

impl From<&Annotation> for Ink {
    fn from(annotation: &Annotation) -> Self {
        let bare = |op| Self {
            op,
            id: None,
            points: Vec::new(),
            color: None,
            width: None,
            done: None,
        };
        match annotation {
            Annotation::Pointer { at, color } => {
                let (x, y) = at.to_decimal();
                Self {
                    points: vec![[x, y, 1.0]],
                    color: Some(color.to_string()),
                    ..bare("pointer")
                }
            }
            Annotation::PointerGone => bare("pointer-gone"),
            Annotation::Stroke(stroke) => Self {
                op: "stroke",
                id: Some(stroke.id.0),
                points: stroke.points.iter().map(decimals).collect(),
                color: Some(stroke.color.to_string()),
                width: Some(stroke.width.pixels()),
                done: Some(stroke.done),
            },
            Annotation::Undo(id) => Self {
                id: id.map(|StrokeId(id)| id),
                ..bare("undo")
            },
            Annotation::Clear => bare("clear"),
        }
    }
}

fn decimals(point: &StrokePoint) -> [f64; 3] {
    let (x, y) = point.at.to_decimal();
    [x, y, (point.pressure.to_unit() * 1_000.0).round() / 1_000.0]
}

/// An action of the operator's on the panel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Injected {
    /// Counts up from 1 in a session.
    pub n: u64,
    /// `pointer`, `key` or `text`.
    pub kind: &'static str,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// Which key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the panel took it.
    pub ok: bool,
}

/// How long the parts of a picture's way take, in milliseconds. Painting is the page's own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// The device takes it.
    pub capture_ms: f64,
    /// It finds out what changed, and codes it.
    pub encode_ms: f64,
    /// The message travels.
    pub network_ms: f64,
    /// It is applied here.
    pub decode_ms: f64,
}

/// The way that packets take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Path {
    /// Which way.
    pub kind: PathKind,
    /// Round trip in milliseconds.
    pub rtt_ms: f64,
    /// Rate that comes in, in kbit/s of 1,000 bits.
    pub kbps_in: u32,
    /// Rate that goes out.
    pub kbps_out: u32,
    /// Ways that are closed to this side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<ClosedWay>,
}

/// A way that is closed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosedWay {
    /// Which way.
    pub kind: PathKind,
    /// What stands in it, in a word.
    pub reason: &'static str,
    /// The same in a sentence.
    pub message: String,
    /// Whom to ask.
    pub ask: &'static str,
}

/// A way to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathKind {
    /// UDP between the two machines.
    Direct,
    /// UDP through the relay.
    RelayQuic,
    /// TLS to the relay.
    RelayTls,
    /// TLS to the relay through the customer's proxy.
    RelayProxy,
    /// None now.
    None,
}

/// Whether the other side was heard from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Whether it was.
    pub state: LinkState,
    /// Milliseconds since it last was.
    pub silent_ms: u64,
    /// Milliseconds until the session is over, unless there is a connection again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_in_ms: Option<u64>,
}

/// Whether the other side was heard from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// Lately.
    Ok,
    /// Not for too long.
    Missing,
    /// The connection is gone, and another is being tried.
    Lost,
}

const fn is_not(flag: &bool) -> bool {
    !*flag
}

fn word<T: ToString, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn maybe_word<T: ToString, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => word(value, serializer),
        None => serializer.serialize_none(),
    }
}
