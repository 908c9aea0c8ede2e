//! Settings of a device in two files, so that a change can be cut in the middle.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use alongside::settings::{
    Failpoint, Fault, Problem, Reading, Schema, SettingChange, SettingPath, SettingValue, Settings,
    SettingsError, SettingsVersion, Shown, Undo, VersionKey,
};

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "tray": { "type": "object", "properties": {
            "paper": { "type": "string", "enum": ["a4", "a5", "letter"], "title": "Paper" },
            "sheets": { "type": "integer", "minimum": 0, "maximum": 500, "x-unit": "sheets" }
        }, "required": ["paper"] },
        "mail": { "type": "object", "properties": {
            "host": { "type": "string", "maxLength": 40 },
            "password": { "type": "string", "x-secret": true }
        } }
    }
}"#;

/// What the device does wrong next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    /// The second file cannot be written.
    HalfApply,
    Panic,
    RollBack,
}

pub(crate) struct Shelf {
    schema: Arc<Schema>,
    folder: PathBuf,
    key: VersionKey,
    pub(crate) wrong: Mutex<Wrong>,
    failpoint: Option<Failpoint>,
}

/// Points inside of the device.
pub(crate) const POINTS: [&str; 2] = ["apply-half", "roll-back-half"];

type Values = BTreeMap<SettingPath, SettingValue>;

impl Shelf {
    /// A device that keeps its settings in `folder`, as they are there or new.
    pub(crate) fn open(folder: &Path, failpoint: Option<Failpoint>) -> Arc<Self> {
        let shelf = Self {
            schema: Arc::new(SCHEMA.parse().expect("a schema")),
            folder: folder.to_owned(),
            key: VersionKey::new(),
            wrong: Mutex::new(Wrong::Nothing),
            failpoint,
        };
        if !folder.join("tray").exists() {
            shelf.write("tray", &values(&[("tray.paper", "a4".into())]));
            shelf.write("mail", &values(&[("mail.password", "old secret".into())]));
        }
        Arc::new(shelf)
    }

    /// Everything, secrets included.
    pub(crate) fn contents(&self) -> Values {
        let mut all = self.load("tray");
        all.extend(self.load("mail"));
        all
    }

    /// Somebody edits a setting by hand.
    pub(crate) fn edit(&self, path: &str, value: &str) {
        let group = path.split('.').next().expect("a group");
        let mut all = self.load(group);
        all.extend(values(&[(path, value.into())]));
        self.write(group, &all);
    }

    fn load(&self, group: &str) -> Values {
        let text = fs::read_to_string(self.folder.join(group)).expect("a file");
        serde_json::from_str(&text).expect("values")
    }

    fn write(&self, group: &str, values: &Values) {
        let text = serde_json::to_string(values).expect("JSON");
        let fresh = self.folder.join("new");
        fs::write(&fresh, text).expect("written");
        fs::rename(&fresh, self.folder.join(group)).expect("renamed");
    }

    fn version(&self) -> SettingsVersion {
        let text = serde_json::to_vec(&self.contents()).expect("JSON");
        self.key.version(&text)
    }

    fn make(&self, changes: &[SettingChange], half: &'static str) {
        for group in ["tray", "mail"] {
            let mut all = self.load(group);
            for change in changes.iter().filter(|change| change.path.is_within(group)) {
                match &change.value {
                    Some(value) => all.insert(change.path.clone(), value.clone()),
                    None => all.remove(&change.path),
                };
            }
            self.write(group, &all);
            if group == "tray" {
                if let Some(failpoint) = &self.failpoint {
                    failpoint(half);
                }
                if *self.wrong.lock().expect("whole") == Wrong::HalfApply {
                    return;
                }
            }
        }
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

impl Settings for Shelf {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn read(&self) -> Result<Reading, SettingsError> {
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
            version: self.version(),
            values: self.contents().into_iter().map(shown).collect(),
        })
    }

    fn validate(&self, changes: &[SettingChange]) -> Result<(), SettingsError> {
        let forbidden = SettingValue::text("localhost");
        let bad = changes.iter().filter(|change| change.value == forbidden);
        let problems: Vec<_> = bad
            .map(|change| {
                Problem::new(&change.path, Fault::Device("no mail to oneself".to_owned()))
            })
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(SettingsError::Invalid(problems))
        }
    }

    fn prepare(
        &self,
        seen: SettingsVersion,
        changes: &[SettingChange],
    ) -> Result<Undo, SettingsError> {
        if seen != self.version() {
            return Err(SettingsError::Conflict);
        }
        let now = self.contents();
        let back = |change: &SettingChange| SettingChange {
            path: change.path.clone(),
            value: now.get(&change.path).cloned(),
        };
        Ok(Undo {
            inverse: changes.iter().map(back).collect(),
            image: Vec::new(),
        })
    }

    fn apply(&self, seen: SettingsVersion, changes: &[SettingChange]) -> Result<(), SettingsError> {
        if seen != self.version() {
            return Err(SettingsError::Conflict);
        }
        let wrong = *self.wrong.lock().expect("whole");
        assert_ne!(wrong, Wrong::Panic, "as it was told to");
        self.make(changes, POINTS[0]);
        match wrong {
            Wrong::HalfApply => Err(SettingsError::failed(
                "write the mail settings",
                "disk full",
            )),
            Wrong::Nothing | Wrong::Panic | Wrong::RollBack => Ok(()),
        }
    }

    fn roll_back(&self, undo: &Undo) -> Result<(), SettingsError> {
        if *self.wrong.lock().expect("whole") == Wrong::RollBack {
            return Err(SettingsError::failed(
                "write the tray settings",
                "disk full",
            ));
        }
        *self.wrong.lock().expect("whole") = Wrong::Nothing;
        self.make(&undo.inverse, POINTS[1]);
        Ok(())
    }
}

pub(crate) enum Json {
    Text(String),
    Number(i64),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

fn value(json: &Json) -> SettingValue {
    match json {
        Json::Text(text) => SettingValue::text(text).expect("short"),
        Json::Number(number) => SettingValue::Integer(*number),
    }
}

pub(crate) fn values(pairs: &[(&str, Json)]) -> Values {
    let pair = |(path, json): &(&str, Json)| (SettingPath::new(path).expect("a path"), value(json));
    pairs.iter().map(pair).collect()
}

pub(crate) fn changes(pairs: &[(&str, Json)]) -> Vec<SettingChange> {
    let change = |(path, json): &(&str, Json)| SettingChange {
        path: SettingPath::new(path).expect("a path"),
        value: Some(value(json)),
    };
    pairs.iter().map(change).collect()
}
