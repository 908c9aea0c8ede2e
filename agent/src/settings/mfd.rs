//! Settings of the demo's multifunction printer: in a JSON file of the compartment, with the rules of such a machine.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use alongside::settings::{
    Fault, Problem, Reading, Schema, SchemaError, SettingChange, SettingPath, SettingValue,
    Settings, SettingsError, SettingsVersion, Shown, Undo,
};

use super::file::{FileSettings, FilesError, Form, SettingsFile};

/// Entries of the address book.
const SLOTS: usize = 40;

/// The settings of the demo's machine.
#[derive(Debug)]
pub struct MfdSettings(FileSettings);

/// Why the machine's settings cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MfdError {
    /// The schema is not in order.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The schema and the file do not go together.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The file cannot be made.
    #[error("cannot make the machine's settings file")]
    Make(#[source] io::Error),
}

impl MfdSettings {
    /// The machine's settings in `folder`; as they leave the factory if there are none yet.
    ///
    /// # Errors
    ///
    /// [`MfdError`] if the file cannot be made.
    pub fn open(folder: &Path) -> Result<Self, MfdError> {
        let path = folder.join("mfd.json");
        if !path.exists() {
            make(&folder.join("mfd.new"), &path).map_err(MfdError::Make)?;
        }
        let file = SettingsFile {
            path,
            form: Form::Json,
            group: String::new(),
        };
        let schema: Schema = schema_text().parse()?;
        Ok(Self(FileSettings::new(schema, vec![file], None)?))
    }

    /// What a setting would be after `changes`.
    fn after(reading: &Reading, changes: &[SettingChange], path: &str) -> Option<SettingValue> {
        let path = SettingPath::new(path).ok()?;
        match changes.iter().find(|change| change.path == path) {
            Some(change) => change.value.clone(),
            None => match reading.values.get(&path)? {
                Shown::Value(value) => Some(value.clone()),
                Shown::Secret | Shown::Absent => None,
            },
        }
    }
}

/// Makes the file as it leaves the factory, for nobody else to read: passwords will be in it.
fn make(fresh: &Path, path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(fresh)?;
    file.write_all(include_bytes!("mfd/factory.json"))?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

/// The schema, with the entries of the address book written out.
fn schema_text() -> String {
    let mut slots = String::new();
    for n in 1..=SLOTS {
        let comma = if n == SLOTS { "" } else { "," };
        let _ = write!(
            slots,
            r#""{n:02}": {{ "type": "object", "title": "Entry {n}", "properties": {{
                "name": {{ "type": "string", "title": "Name", "maxLength": 40 }},
                "mail": {{ "type": "string", "title": "Mail address", "maxLength": 254, "pattern": "^[^@ ]+@[^@ ]+$" }},
                "fax": {{ "type": "string", "title": "Fax number", "maxLength": 24, "pattern": "^[0-9+ -]+$" }},
                "folder": {{ "type": "string", "title": "Network folder", "maxLength": 255 }}
            }} }}{comma}"#
        );
    }
    include_str!("mfd.json").replace(r#""@slots": { "type": "boolean" }"#, &slots)
}

/// A rule that no single setting can break.
type Rule = (&'static str, fn(&Get<'_>) -> bool, &'static str);
type Get<'a> = dyn Fn(&str) -> Option<SettingValue> + 'a;

/// The machine's rules: what a broken one is told at, when it is broken, and the words.
const RULES: [Rule; 4] = [
    (
        "timers.sleep",
        |get| {
            matches!(
                (get("timers.sleep"), get("timers.energy-saver")),
                (Some(SettingValue::Integer(sleep)), Some(SettingValue::Integer(saver))) if sleep < saver
            )
        },
        "the machine cannot sleep before it saves energy",
    ),
    (
        "network.address",
        |get| {
            get("network.dhcp") == Some(SettingValue::Bool(false))
                && get("network.address").is_none()
        },
        "without DHCP the machine needs an address",
    ),
    (
        "network.prefix",
        |get| {
            get("network.dhcp") == Some(SettingValue::Bool(false))
                && get("network.prefix").is_none()
        },
        "without DHCP the machine needs a prefix length",
    ),
    (
        "mail.sender",
        |get| get("mail.host").is_some() && get("mail.sender").is_none(),
        "a mail server needs a sender",
    ),
];

impl Settings for MfdSettings {
    fn schema(&self) -> Arc<Schema> {
        self.0.schema()
    }

    fn read(&self) -> Result<Reading, SettingsError> {
        self.0.read()
    }

    fn validate(&self, changes: &[SettingChange]) -> Result<(), SettingsError> {
        self.0.validate(changes)?;
        let reading = self.0.read()?;
        let before = |path: &str| Self::after(&reading, &[], path);
        let after = |path: &str| Self::after(&reading, changes, path);
        let broken = RULES
            .iter()
            .filter(|(_, is_broken, _)| is_broken(&after) && !is_broken(&before));
        let problems: Vec<_> = broken
            .filter_map(|(at, _, words)| {
                let path = SettingPath::new(at).ok()?;
                Some(Problem::new(&path, Fault::Device((*words).to_owned())))
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
        self.0.prepare(seen, changes)
    }

    fn apply(&self, seen: SettingsVersion, changes: &[SettingChange]) -> Result<(), SettingsError> {
        self.0.apply(seen, changes)
    }

    fn roll_back(&self, undo: &Undo) -> Result<(), SettingsError> {
        self.0.roll_back(undo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, json: &str) -> SettingChange {
        SettingChange {
            path: SettingPath::new(path).expect("a path"),
            value: serde_json::from_str(json).expect("a value"),
        }
    }

    fn problems(settings: &MfdSettings, changes: &[SettingChange]) -> Vec<String> {
        match settings.validate(changes) {
            Ok(()) => Vec::new(),
            Err(SettingsError::Invalid(problems)) => {
                problems.iter().map(ToString::to_string).collect()
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_machine_from_the_factory_keeps_its_own_schema() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = MfdSettings::open(folder.path()).expect("settings");
        let reading = settings.read().expect("read");
        let schema = settings.schema();
        assert!(schema.settings().len() > 190, "{}", schema.settings().len());
        let as_changes: Vec<_> = reading
            .values
            .iter()
            .filter_map(|(path, shown)| match shown {
                Shown::Value(value) => Some(SettingChange {
                    path: path.clone(),
                    value: Some(value.clone()),
                }),
                Shown::Secret | Shown::Absent => None,
            })
            .collect();
        assert!(as_changes.len() > 30);
        assert_eq!(schema.check(&as_changes).as_ref(), Ok(&as_changes));
        for setting in schema
            .settings()
            .iter()
            .filter(|setting| setting.is_required)
        {
            assert!(
                reading.values.contains_key(&setting.path),
                "{}",
                setting.path
            );
        }
    }

    #[test]
    fn the_machine_has_rules_that_no_single_setting_can_break() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = MfdSettings::open(folder.path()).expect("settings");
        assert_eq!(
            problems(&settings, &[change("timers.sleep", "5")]),
            ["timers.sleep: the machine cannot sleep before it saves energy"]
        );
        let both = [
            change("timers.sleep", "5"),
            change("timers.energy-saver", "5"),
        ];
        assert_eq!(problems(&settings, &both), Vec::<String>::new());
        assert_eq!(
            problems(&settings, &[change("network.dhcp", "false")]).len(),
            2
        );
        assert_eq!(
            problems(&settings, &[change("mail.host", "\"mail.example.com\"")]),
            ["mail.sender: a mail server needs a sender"]
        );
    }

    #[test]
    fn a_change_stays_over_a_restart_and_goes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = MfdSettings::open(folder.path()).expect("settings");
        let seen = settings.read().expect("read").version;
        let changes = [
            change("trays.tray-1.size", "\"Letter\""),
            change("address-book.07.name", "\"Night shift\""),
            change("mail.password", "\"a secret\""),
        ];
        let undo = settings.prepare(seen, &changes).expect("prepared");
        settings.apply(seen, &changes).expect("applied");
        let again = MfdSettings::open(folder.path()).expect("settings");
        let values = again.read().expect("read").values;
        let at = |path: &str| {
            values
                .get(&SettingPath::new(path).expect("a path"))
                .cloned()
        };
        assert_eq!(at("mail.password"), Some(Shown::Secret));
        assert_eq!(
            at("address-book.07.name"),
            SettingValue::text("Night shift").map(Shown::Value)
        );
        again.roll_back(&undo).expect("taken back");
        let text = fs::read_to_string(folder.path().join("mfd.json")).expect("there");
        assert_eq!(text, include_str!("mfd/factory.json"));
    }
}
