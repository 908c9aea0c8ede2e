//! Settings in files of a Linux device: TOML, JSON and INI, with comments and order kept.
//!
//! Each file holds one part of the settings' tree. A change replaces files as a whole, written beside and renamed over, with
//! their owner and permissions; then the reload command runs, and the health check until it succeeds. If anything fails
//! the files are put back as they were and the reload command runs again.
//!
//! What somebody edits by hand while a change is under way stays when that change is taken back: only what still is as the
//! change had set it is set back.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use alongside::settings::{
    Fault, Problem, Reading, Schema, SettingChange, SettingPath, SettingValue, Settings,
    SettingsError, SettingsVersion, Shown, Undo, VersionKey,
};
use serde::{Deserialize, Serialize};

mod disk;
mod document;
mod ini;
mod json;
mod reload;
#[cfg(test)]
mod tests;
mod toml;

use disk::Disk;
use document::Document;
pub use document::Form;
pub use reload::Reload;

/// A file that holds a part of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// The file. One that is not there yet is made.
    pub path: PathBuf,
    /// How it is written.
    pub form: Form,
    /// The group of the schema whose settings it holds; empty for all of them.
    pub group: String,
}

/// Settings in files.
pub struct FileSettings {
    schema: Arc<Schema>,
    parts: Vec<Part>,
    reload: Option<Reload>,
    key: VersionKey,
}

/// Why settings in files cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// No file, or more than one, holds this setting.
    #[error("setting `{0}` must be held by exactly one settings file")]
    NotOnce(SettingPath),
    /// A file's group is none of the schema's.
    #[error("the settings file {} holds the group `{group}`, which the schema does not have", path.display())]
    NoGroup {
        /// The file.
        path: PathBuf,
        /// The group.
        group: String,
    },
}

#[derive(Debug)]
struct Part {
    group: String,
    form: Form,
    disk: Disk,
}

/// A file before and after a change; `None` if it is not there.
#[derive(Serialize, Deserialize)]
struct Image {
    part: usize,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
}

impl FileSettings {
    /// Settings of `schema` in `files`. `reload` makes the programs that read them look again.
    ///
    /// # Errors
    ///
    /// [`FilesError`] if a setting is held by no file or by two.
    pub fn new(
        schema: Schema,
        files: Vec<SettingsFile>,
        reload: Option<Reload>,
    ) -> Result<Self, FilesError> {
        for SettingsFile { path, group, .. } in &files {
            let is_group = |known: &alongside::settings::Group| known.path.as_str() == group;
            if !group.is_empty() && !schema.groups().iter().any(is_group) {
                let (path, group) = (path.clone(), group.clone());
                return Err(FilesError::NoGroup { path, group });
            }
        }
        for setting in schema.settings() {
            let holds = |file: &&SettingsFile| setting.path.is_within(&file.group);
            if files.iter().filter(holds).count() != 1 {
                return Err(FilesError::NotOnce(setting.path.clone()));
            }
        }
        let part = |file: SettingsFile| Part {
            group: file.group,
            form: file.form,
            disk: Disk::new(file.path),
        };
        Ok(Self {
            schema: Arc::new(schema),
            parts: files.into_iter().map(part).collect(),
            reload,
            key: VersionKey::new(),
        })
    }

    /// The bytes of all files, as they are now.
    fn load(&self) -> Result<Vec<Option<Vec<u8>>>, SettingsError> {
        self.parts.iter().map(|part| part.disk.read()).collect()
    }

    fn version(&self, files: &[Option<Vec<u8>>]) -> SettingsVersion {
        let mut all = Vec::new();
        for file in files {
            let length = file.as_ref().map(|bytes| bytes.len() as u64 + 1);
            all.extend_from_slice(&length.unwrap_or(0).to_be_bytes());
            all.extend_from_slice(file.as_deref().unwrap_or_default());
        }
        self.key.version(&all)
    }

    /// The files at `seen`, or a conflict.
    fn load_at(&self, seen: SettingsVersion) -> Result<Vec<Option<Vec<u8>>>, SettingsError> {
        let files = self.load()?;
        if self.version(&files) == seen {
            Ok(files)
        } else {
            Err(SettingsError::Conflict)
        }
    }

    /// What is set, secrets included.
    fn values(
        &self,
        files: &[Option<Vec<u8>>],
    ) -> Result<BTreeMap<SettingPath, SettingValue>, SettingsError> {
        let mut values = BTreeMap::new();
        for (part, bytes) in self.parts.iter().zip(files) {
            let document = part.parse(bytes.as_deref())?;
            for setting in self.schema.settings() {
                let Some(names) = part.names(&setting.path) else {
                    continue;
                };
                let found = document.get(&names, setting.kind.of());
                let found = found
                    .map_err(|words| part.failed("use", format!("`{}` {words}", setting.path)))?;
                if let Some(value) = found {
                    // A whole number where any number may be, and the like.
                    let value = setting.normal(&value).unwrap_or(value);
                    values.insert(setting.path.clone(), value);
                }
            }
        }
        Ok(values)
    }

    /// The files that change, and what is in them then.
    fn edit(
        &self,
        files: &[Option<Vec<u8>>],
        changes: &[SettingChange],
    ) -> Result<Vec<(usize, Vec<u8>)>, SettingsError> {
        let mut edited = Vec::new();
        let mut problems = Vec::new();
        for (at, (part, bytes)) in self.parts.iter().zip(files).enumerate() {
            let mine: Vec<_> = changes
                .iter()
                .filter_map(|change| Some((part.names(&change.path)?, change)))
                .collect();
            if mine.is_empty() {
                continue;
            }
            let mut document = part.parse(bytes.as_deref())?;
            for (names, change) in &mine {
                if let Err(words) = document.set(names, change.value.as_ref()) {
                    problems.push(Problem::new(&change.path, Fault::Device(words)));
                }
            }
            let text = document.to_text();
            if problems.is_empty() {
                self.read_back(part, &text, &mine)?;
            }
            edited.push((at, text.into_bytes()));
        }
        if problems.is_empty() {
            Ok(edited)
        } else {
            Err(SettingsError::Invalid(problems))
        }
    }

    /// What was written must be what is read, or the next one to read it has another opinion.
    fn read_back(
        &self,
        part: &Part,
        text: &str,
        changes: &[(Vec<&str>, &SettingChange)],
    ) -> Result<(), SettingsError> {
        let document = part.parse(Some(text.as_bytes()))?;
        for (names, change) in changes {
            let Some(setting) = self.schema.setting(&change.path) else {
                continue;
            };
            let normal = |value: SettingValue| setting.normal(&value).unwrap_or(value);
            let found = document.get(names, setting.kind.of());
            if found.map(|found| found.map(normal)) != Ok(change.value.clone().map(normal)) {
                let fault = Fault::Device("does not read back as it is written".to_owned());
                let problem = Problem::new(&change.path, fault);
                return Err(SettingsError::Invalid(vec![problem]));
            }
        }
        Ok(())
    }

    fn reload(&self) -> Result<(), SettingsError> {
        self.reload.as_ref().map_or(Ok(()), Reload::run)
    }

    /// Puts one file back.
    fn put_back(&self, image: &Image, undo: &Undo) -> Result<(), SettingsError> {
        let part = self.parts.get(image.part).ok_or_else(|| {
            SettingsError::failed(
                "take a change back",
                "the device's settings files are others now",
            )
        })?;
        let now = part.disk.read()?;
        if now == image.before {
            return Ok(());
        }
        if now.as_ref() == Some(&image.after) {
            return match &image.before {
                Some(before) => part.disk.replace(before),
                None => part.disk.remove(),
            };
        }
        // Edited by hand since. Only what still is as the change had set it is set back.
        let mut document = part.parse(now.as_deref())?;
        let set = part.parse(Some(&image.after))?;
        for change in &undo.inverse {
            let (Some(names), Some(setting)) =
                (part.names(&change.path), self.schema.setting(&change.path))
            else {
                continue;
            };
            let kind = setting.kind.of();
            if document.get(&names, kind) == set.get(&names, kind) {
                let back = document.set(&names, change.value.as_ref());
                back.map_err(|words| part.failed("put back", words))?;
            }
        }
        part.disk.replace(document.to_text().as_bytes())
    }
}

impl Settings for FileSettings {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn read(&self) -> Result<Reading, SettingsError> {
        let files = self.load()?;
        let shown = |(path, value): (SettingPath, SettingValue)| {
            let is_secret = self
                .schema
                .setting(&path)
                .is_none_or(|setting| setting.is_secret);
            let shown = if is_secret {
                Shown::Secret
            } else {
                Shown::Value(value)
            };
            (path, shown)
        };
        Ok(Reading {
            version: self.version(&files),
            values: self.values(&files)?.into_iter().map(shown).collect(),
        })
    }

    fn validate(&self, changes: &[SettingChange]) -> Result<(), SettingsError> {
        self.edit(&self.load()?, changes).map(drop)
    }

    fn prepare(
        &self,
        seen: SettingsVersion,
        changes: &[SettingChange],
    ) -> Result<Undo, SettingsError> {
        let files = self.load_at(seen)?;
        let values = self.values(&files)?;
        let back = |change: &SettingChange| SettingChange {
            path: change.path.clone(),
            value: values.get(&change.path).cloned(),
        };
        let image = |(part, after): (usize, Vec<u8>)| Image {
            part,
            before: files.get(part).cloned().flatten(),
            after,
        };
        let images: Vec<_> = self.edit(&files, changes)?.into_iter().map(image).collect();
        let image = postcard::to_extend(&images, Vec::new());
        Ok(Undo {
            inverse: changes.iter().map(back).collect(),
            image: image
                .map_err(|error| SettingsError::failed("keep the settings files", error))?,
        })
    }

    fn apply(&self, seen: SettingsVersion, changes: &[SettingChange]) -> Result<(), SettingsError> {
        let files = self.load_at(seen)?;
        let edited = self.edit(&files, changes)?;
        for (at, bytes) in edited {
            if let Some(part) = self.parts.get(at) {
                part.disk.replace(&bytes)?;
            }
        }
        self.reload()
    }

    fn roll_back(&self, undo: &Undo) -> Result<(), SettingsError> {
        let images: Vec<Image> = postcard::from_bytes(&undo.image)
            .map_err(|error| SettingsError::failed("read what takes a change back", error))?;
        for image in &images {
            self.put_back(image, undo)?;
        }
        // Also where every file is as it was: the last try may have ended between the files and this.
        self.reload()
    }
}

impl Part {
    /// The names of a setting inside of this file; `None` if it is not held here.
    fn names<'a>(&self, path: &'a SettingPath) -> Option<Vec<&'a str>> {
        let depth = if self.group.is_empty() {
            0
        } else {
            self.group.split('.').count()
        };
        path.is_within(&self.group)
            .then(|| path.names().skip(depth).collect())
    }

    fn parse(&self, bytes: Option<&[u8]>) -> Result<Document, SettingsError> {
        let text = std::str::from_utf8(bytes.unwrap_or_default())
            .map_err(|error| self.failed("read", error.to_string()))?;
        Document::parse(self.form, text).map_err(|words| self.failed("read", words))
    }

    fn failed(&self, doing: &str, words: String) -> SettingsError {
        SettingsError::failed(format!("{doing} {}", self.disk.path().display()), words)
    }
}

impl fmt::Debug for FileSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSettings")
            .field("parts", &self.parts)
            .field("reload", &self.reload)
            .finish_non_exhaustive()
    }
}
