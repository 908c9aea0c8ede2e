//! What a mode says of itself before any of its code runs: `mode.json`.

use std::{collections::BTreeMap, fmt};

use alongside_protocol::{ids::ModeId, label::Label};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{abi, body::Line, capability::Capabilities};

/// Longest manifest, in bytes (our choice: the longest that the fields below allow is about a third of it).
pub const MAX_MANIFEST_LEN: usize = 16 * 1024;

/// A mode's manifest, checked.
///
/// The host reads it from the file beside the module, shows it and judges it before it loads the module; the module
/// carries the same text. A key that this version does not know is an error, so that a misspelt one cannot pass
/// silently; keys that begin with `x-` belong to whoever wrote them and are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Names the mode: a built-in name, or a name with a dot that its vendor owns, such as `example.label-printer`.
    pub id: ModeId,
    /// What people call it.
    pub name: Label<64>,
    /// Version of the mode, such as `1.2.0`.
    pub version: Label<32>,
    /// Who made it.
    pub vendor: Label<64>,
    /// Major version of the ABI that it is built for.
    pub abi: u32,
    /// Wire schemas that it speaks: the bodies of events and effects.
    pub wire: Span,
    /// Versions of the halves' own protocol that it speaks.
    pub peer: Span,
    /// What it wants to do.
    #[serde(serialize_with = "put_names", deserialize_with = "get_names")]
    pub capabilities: Capabilities,
    /// How the customer is asked before it may do any of it.
    pub consent: Consent,
    /// The reason for each capability, by its name; shown to people as the vendor's words.
    pub why: BTreeMap<String, Line>,
    /// Its part of the operator's console, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<Console>,
}

/// A range of versions, both ends included; written `[1, 2]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(u16, u16);

impl Span {
    /// A range; `None` if it is empty or begins below 1.
    pub const fn new(oldest: u16, newest: u16) -> Option<Self> {
        if oldest == 0 || oldest > newest {
            None
        } else {
            Some(Self(oldest, newest))
        }
    }

    /// The oldest version in it.
    pub const fn oldest(self) -> u16 {
        self.0
    }

    /// The newest version in it.
    pub const fn newest(self) -> u16 {
        self.1
    }

    /// The newest version that both ranges have.
    pub fn newest_common(self, other: Self) -> Option<u16> {
        let newest = self.1.min(other.1);
        (newest >= self.0.max(other.0)).then_some(newest)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == self.1 {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{} to {}", self.0, self.1)
        }
    }
}

/// How a customer is asked before a mode may do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Not at all; only together with the capability `silent`, and only where the owner's policy names the mode.
    None,
    /// The customer is told, and may stop it.
    Notice,
    /// The customer has to agree once in a session.
    Ask,
    /// The customer has to agree each time.
    AskEach,
}

/// A mode's part of the operator's console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// The one file it consists of, relative to the manifest: an ES module.
    pub panel: Label<128>,
    /// The custom element that the file defines.
    pub element: Label<64>,
    /// Where the element lives.
    #[serde(default)]
    pub trust: Trust,
}

/// Where a mode's part of the console lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// In a frame of an origin of its own, which reaches nothing of the console's page.
    #[default]
    Sandbox,
    /// In the console's page itself; built-in modes only.
    Page,
}

/// Why a text is not the manifest of a mode.
#[derive(Debug)]
#[non_exhaustive]
pub enum ManifestError {
    /// Longer than [`MAX_MANIFEST_LEN`].
    TooLong {
        /// Length given, in bytes.
        got: usize,
    },
    /// Not JSON, or not of the shape of a manifest: an unknown key, a missing one, a value of the wrong type.
    Json(serde_json::Error),
    /// The id is neither a built-in name nor labels with dots between them.
    Id(ModeId),
    /// A range of versions is empty or begins below 1.
    Span {
        /// The key, `wire` or `peer`.
        key: &'static str,
    },
    /// The ABI's major version is not one that there has ever been.
    Abi(u32),
    /// A capability is asked for without a reason.
    NoReason(&'static str),
    /// A reason is given for something that is not asked for.
    StrayReason(String),
    /// Without consent, and not silent; or the other way round.
    SilentConsent,
    /// The console's file is not a plain relative path to a `.js` file.
    ConsolePanel,
    /// The console's element is not a custom element's name: lower case, with a hyphen.
    ConsoleElement,
}

impl Manifest {
    /// Reads and checks the text of a `mode.json`.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] for the first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST_LEN {
            return Err(ManifestError::TooLong { got: text.len() });
        }
        let mut keys: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(ManifestError::Json)?;
        keys.retain(|key, _| !key.starts_with("x-"));
        let manifest: Self = serde_json::from_value(keys.into()).map_err(ManifestError::Json)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        const BUILT_IN: [&str; 3] = [
            ModeId::USER_GUIDE,
            ModeId::OPERATOR_CONTROL,
            ModeId::ENGINEER_CONFIG,
        ];
        if !is_vendors(&self.id) && !BUILT_IN.contains(&self.id.as_str()) {
            return Err(ManifestError::Id(self.id.clone()));
        }
        if self.abi == 0 || self.abi > abi::MAX_MAJOR {
            return Err(ManifestError::Abi(self.abi));
        }
        for (key, span) in [("wire", self.wire), ("peer", self.peer)] {
            if Span::new(span.0, span.1).is_none() {
                return Err(ManifestError::Span { key });
            }
        }
        if let Some(name) = self
            .capabilities
            .names()
            .find(|name| !self.why.contains_key(*name))
        {
            return Err(ManifestError::NoReason(name));
        }
        let asked = |name: &str| {
            Capabilities::named(name)
                .is_some_and(|capability| self.capabilities.contains(capability))
        };
        if let Some(stray) = self.why.keys().find(|name| !asked(name)) {
            return Err(ManifestError::StrayReason(stray.clone()));
        }
        let silent = self.capabilities.contains(Capabilities::SILENT);
        if silent != (self.consent == Consent::None) {
            return Err(ManifestError::SilentConsent);
        }
        self.console.as_ref().map_or(Ok(()), Console::check)
    }
}

/// Whether it is an id of a vendor's own: two labels or more, none of them empty. Packages lie in folders of this name,
/// so it must not lead out of one.
fn is_vendors(id: &ModeId) -> bool {
    let mut labels = id.as_str().split('.');
    labels.clone().count() > 1 && labels.all(|label| !label.is_empty())
}

impl Console {
    fn check(&self) -> Result<(), ManifestError> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        let path = self.panel.as_str();
        if !path.ends_with(".js") || !path.split('/').all(plain) {
            return Err(ManifestError::ConsolePanel);
        }
        let element = self.element.as_str();
        let letters = element
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !letters
            || !element.contains('-')
            || !element.starts_with(|c: char| c.is_ascii_lowercase())
        {
            return Err(ManifestError::ConsoleElement);
        }
        Ok(())
    }
}

fn put_names<S: Serializer>(capabilities: &Capabilities, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(capabilities.names())
}

fn get_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Capabilities, D::Error> {
    let mut set = Capabilities::NONE;
    for name in Vec::<String>::deserialize(deserializer)? {
        let Some(capability) = Capabilities::named(&name) else {
            return Err(serde::de::Error::custom(format_args!(
                "unknown capability {name:?}"
            )));
        };
        set = set | capability;
    }
    Ok(set)
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { got } => write!(
                f,
                "manifest of {got} bytes where at most {MAX_MANIFEST_LEN} are allowed"
            ),
            Self::Json(_) => f.write_str("manifest does not read"),
            Self::Id(id) => write!(
                f,
                "mode id {id} is not a built-in name, and a vendor's own id has a dot between two labels"
            ),
            Self::Span { key } => write!(
                f,
                "`{key}` is not a range of versions from 1 on, oldest first"
            ),
            Self::Abi(major) => write!(f, "`abi` names version {major}, which there is not"),
            Self::NoReason(name) => write!(
                f,
                "capability `{name}` is asked for without a reason under `why`"
            ),
            Self::StrayReason(name) => write!(
                f,
                "`why` gives a reason for {name:?}, which is not asked for"
            ),
            Self::SilentConsent => {
                f.write_str("consent `none` and capability `silent` go only together")
            }
            Self::ConsolePanel => {
                f.write_str("`console.panel` is not a plain relative path to a .js file")
            }
            Self::ConsoleElement => {
                f.write_str("`console.element` is not the name of a custom element")
            }
        }
    }
}

impl std::error::Error for ManifestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(source) => Some(source),
            Self::TooLong { .. }
            | Self::Id(_)
            | Self::Span { .. }
            | Self::Abi(_)
            | Self::NoReason(_)
            | Self::StrayReason(_)
            | Self::SilentConsent
            | Self::ConsolePanel
            | Self::ConsoleElement => None,
        }
    }
}

#[cfg(test)]
mod tests;
