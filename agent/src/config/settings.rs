//! Which settings a device offers: files, as the configuration says, or those of the panel that the agent draws.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alongside::settings::{Schema, SchemaError, Settings};
use serde::Deserialize;

use super::ConfigError;
use crate::{
    cli::PanelKind,
    settings::{
        file::{FileSettings, FilesError, Form, Reload, SettingsFile},
        mfd::{MfdError, MfdSettings},
    },
};

/// `[settings]` in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SettingsSection {
    /// File with the schema, in JSON.
    schema: PathBuf,
    files: Vec<FileSection>,
    /// Program and arguments; no shell is between.
    reload: Option<Vec<String>>,
    health: Option<Vec<String>>,
    #[serde(default = "quarter_minute")]
    time_limit_s: u64,
}

/// One of `[[settings.files]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileSection {
    path: PathBuf,
    format: FormWord,
    /// The group of the schema that is in it; all of it without.
    #[serde(default)]
    group: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormWord {
    Toml,
    Json,
    Ini,
}

const fn quarter_minute() -> u64 {
    Reload::LIMIT.as_secs()
}

/// The settings that a device offers.
#[derive(Clone, Debug)]
pub enum SettingsSource {
    /// Files, read and written through a schema.
    Files {
        /// The schema.
        schema: Box<Schema>,
        /// The files.
        files: Vec<SettingsFile>,
        /// What makes the programs look again that read them.
        reload: Option<Reload>,
    },
    /// The settings of the multifunction printer that the agent draws.
    Mfd,
    /// None.
    None,
}

/// Why settings cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Schema and files do not go together.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The machine's own.
    #[error(transparent)]
    Mfd(#[from] MfdError),
}

impl SettingsSource {
    pub(super) fn resolve(
        section: Option<SettingsSection>,
        panel: PanelKind,
    ) -> Result<Self, ConfigError> {
        let Some(section) = section else {
            return Ok(match panel {
                PanelKind::Mfd => Self::Mfd,
                PanelKind::X11 => Self::None,
            });
        };
        let path = section.schema;
        let text = fs::read_to_string(&path).map_err(|source| ConfigError::Read {
            path: path.clone(),
            source,
        })?;
        let schema = text
            .parse()
            .map_err(|source: SchemaError| ConfigError::Schema { path, source })?;
        let limit = section.time_limit_s;
        if !(1..=45).contains(&limit) {
            return Err(ConfigError::Value {
                key: "settings.time-limit-s",
                value: limit.to_string(),
                why: "1 to 45, so that a change can be confirmed within a minute".to_owned(),
            });
        }
        let reload = match (section.reload, section.health) {
            (Some(command), health) => Some(Reload {
                command,
                health,
                limit: Duration::from_secs(limit),
            }),
            (None, Some(_)) => {
                return Err(ConfigError::Value {
                    key: "settings.health",
                    value: String::new(),
                    why: "there is no reload command after which it could be checked".to_owned(),
                });
            }
            (None, None) => None,
        };
        let file = |file: FileSection| SettingsFile {
            path: file.path,
            form: match file.format {
                FormWord::Toml => Form::Toml,
                FormWord::Json => Form::Json,
                FormWord::Ini => Form::Ini,
            },
            group: file.group,
        };
        Ok(Self::Files {
            schema: Box::new(schema),
            files: section.files.into_iter().map(file).collect(),
            reload,
        })
    }

    /// Opens them; the machine's own are kept in `state`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if schema and files do not go together, or a file cannot be made.
    pub fn open(&self, state: &Path) -> Result<Option<Arc<dyn Settings>>, SourceError> {
        Ok(match self {
            Self::None => None,
            Self::Mfd => Some(Arc::new(MfdSettings::open(state)?)),
            Self::Files {
                schema,
                files,
                reload,
            } => {
                let schema = Schema::clone(schema);
                let settings = FileSettings::new(schema, files.clone(), reload.clone())?;
                Some(Arc::new(settings))
            }
        })
    }
}
