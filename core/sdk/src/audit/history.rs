//! Past sessions, as the audit has them: who, when, in which modes, and which settings they changed.

use std::{fs, io, path::Path};

use alongside_protocol::{ids::ModeId, setting::SettingPath};
use serde_json::{Map, Value};

use super::{
    Entry,
    entry::Body,
    files,
    verify::{Expect, Line, Lines},
};
use crate::settings::Schema;

/// A session, as far as the audit tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionCard {
    /// Its id.
    pub session: String,
    /// The operator's key.
    pub key: String,
    /// The operator's name, and who confirms it.
    pub name: Option<String>,
    /// The operator's organisation.
    pub organisation: Option<String>,
    /// Who confirms name and organisation.
    pub confirmed_by: Option<String>,
    /// When it began, in milliseconds since 1970 by the device's clock.
    pub from_ms: u64,
    /// When it ended; `None` if that was never written down.
    pub until_ms: Option<u64>,
    /// The modes that ran, in the order in which they first did.
    pub modes: Vec<String>,
    /// Whether a mode ran that was not shown on the panel.
    pub was_silent: bool,
    /// The settings that were set, in order.
    pub settings: Vec<ChangedSetting>,
    /// Who ended it, and why.
    pub end: Option<(String, String)>,
}

/// A setting that was set in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Which setting.
    pub path: String,
    /// What people call it, where somebody who knows has [said](SessionCard::name_settings).
    pub title: Option<String>,
    /// The device's number for the change that it is part of.
    pub change: u64,
    /// How that change stands, such as `confirmed` or `rolled-back`.
    pub stage: String,
}

impl ChangedSetting {
    /// What to call it.
    pub fn name(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.path)
    }

    /// Whether the setting stayed as the session set it.
    pub fn stays(&self) -> bool {
        self.stage == "confirmed"
    }
}

/// Sessions being put together from what the audit says, one line after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Vec<SessionCard>);

impl History {
    /// Takes in an entry that is about to be written.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let mut body = Body::new(0, entry.at);
        entry.write(&mut body);
        let mut text = body.as_bytes().to_vec();
        text.push(b'}');
        // What is read here is what anybody reads in the audit.
        if let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(&text) {
            let session = fields.get("session").and_then(Value::as_str);
            let session = session.map(str::to_owned);
            self.take(entry.at, session.as_deref(), entry.name(), &fields);
        }
    }

    fn read(&mut self, line: &Line<'_>) {
        self.take(line.at, line.session.as_deref(), &line.record, &line.fields);
    }

    /// The last session.
    pub(crate) fn into_last(mut self) -> Option<SessionCard> {
        self.0.pop()
    }

    fn take(&mut self, at: u64, session: Option<&str>, record: &str, fields: &Map<String, Value>) {
        let word = |name: &str| {
            let word = fields.get(name).and_then(Value::as_str);
            word.map(str::to_owned)
        };
        let number = fields.get("change").and_then(Value::as_u64).unwrap_or(0);
        if record == "settings-stage" {
            // It may come long after the session.
            let stage = word("stage").unwrap_or_default();
            let all = self.0.iter_mut().flat_map(|card| &mut card.settings);
            all.filter(|setting| setting.change == number)
                .for_each(|setting| setting.stage.clone_from(&stage));
            return;
        }
        let Some(session) = session else {
            return;
        };
        if record == "session-started" {
            self.0.push(SessionCard {
                session: session.to_owned(),
                key: word("peer").unwrap_or_default(),
                from_ms: at,
                ..SessionCard::default()
            });
            return;
        }
        let known = self.0.iter_mut().rev();
        let Some(card) = known.into_iter().find(|card| card.session == session) else {
            return;
        };
        match record {
            "operator" => {
                card.name = word("name");
                card.organisation = word("organisation");
                card.confirmed_by = word("confirmed_by");
            }
            "mode-activated" => {
                let mode = word("mode").unwrap_or_default();
                let granted = word("granted").unwrap_or_default();
                card.was_silent |= granted.split(" + ").any(|name| name == "silent");
                if !card.modes.contains(&mode) {
                    card.modes.push(mode);
                }
            }
            "setting-set" => card.settings.push(ChangedSetting {
                path: word("path").unwrap_or_default(),
                title: None,
                change: number,
                stage: "allowed".to_owned(),
            }),
            "session-ended" => {
                card.until_ms = Some(at);
                card.end = word("by").zip(word("reason"));
            }
            _ => {}
        }
    }
}

impl SessionCard {
    /// Calls the settings what `schema` calls them; the audit has their paths alone.
    pub fn name_settings(&mut self, schema: &Schema) {
        for setting in &mut self.settings {
            let path = SettingPath::new(&setting.path).ok();
            let known = path.and_then(|path| schema.setting(&path));
            setting.title = known.and_then(|known| known.title.clone());
        }
    }

    /// The modes by their ids.
    pub fn mode_ids(&self) -> impl Iterator<Item = ModeId> {
        self.modes.iter().filter_map(|mode| ModeId::new(mode))
    }
}

/// The last sessions of the audit in `folder`, newest first, `most` of them at most.
///
/// Reads up to the first line that is not as it was written; [`verify`](super::verify) says whether there is one.
///
/// # Errors
///
/// If the files cannot be listed or read.
pub fn last_sessions(folder: &Path, most: usize) -> io::Result<Vec<SessionCard>> {
    let mut bytes = Vec::new();
    for file in files(folder)? {
        bytes.extend(fs::read(file)?);
    }
    let mut history = History::default();
    for line in Lines::new(&bytes, Expect::default()).map_while(Result::ok) {
        history.read(&line);
    }
    let mut cards = history.0;
    cards.reverse();
    cards.truncate(most);
    Ok(cards)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alongside_mode::Capabilities;
    use alongside_protocol::{
        PublicKey, SessionId,
        reason::{EndReason, Party},
    };
    use alongside_session::Record;
    use alongside_transport::Identity;

    use super::*;
    use crate::audit::{AuditLog, AuditStore as _, What};

    fn entries(session: u8) -> Vec<Entry> {
        let id = SessionId([session; 16]);
        let at = u64::from(session) * 1_000;
        let mode = |name, granted| Record::ModeActivated {
            mode: ModeId::new(name).expect("a mode"),
            activation: 1,
            granted,
        };
        let change = u64::from(session);
        let records = [
            Record::SessionStarted {
                session: id,
                peer: PublicKey([7; 32]),
            },
            mode(ModeId::USER_GUIDE, Capabilities::VIEW),
            mode(
                ModeId::ENGINEER_CONFIG,
                Capabilities::SETTINGS_WRITE | Capabilities::SILENT,
            ),
            Record::SettingSet {
                change,
                path: SettingPath::new("tray.paper").expect("a path"),
            },
            Record::SettingsStage {
                change,
                stage: "applied",
                why: None,
            },
            Record::SessionEnded {
                by: Party::Customer,
                reason: EndReason::Exit,
            },
        ];
        let mut entries: Vec<_> = records
            .into_iter()
            .map(|record| Entry {
                at,
                session: Some(id),
                what: What::Record(record),
            })
            .collect();
        // After the session, by the device alone.
        entries.push(Entry {
            at: at + 5,
            session: None,
            what: What::Record(Record::SettingsStage {
                change,
                stage: "rolled-back",
                why: Some("withdrawn"),
            }),
        });
        entries
    }

    #[test]
    fn the_card_is_what_the_audit_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = Arc::new(Identity::generate().expect("a key"));
        let log = AuditLog::new(folder.path(), identity);
        let mut cards = Vec::new();
        for session in 1..=12 {
            let entries = entries(session);
            log.append(&entries).expect("written");
            let mut history = History::default();
            entries.iter().for_each(|entry| history.add(entry));
            cards.push(history.into_last().expect("a session"));
        }
        cards.reverse();
        cards.truncate(10);
        let read = last_sessions(folder.path(), 10).expect("read");
        assert_eq!(read, cards);
        assert!(read.iter().all(|card| card.was_silent));
        assert_eq!(read[0].settings[0].stage, "rolled-back");
        assert_eq!(read[0].from_ms, 12_000);
    }

    #[test]
    fn settings_are_called_what_the_schema_calls_them() {
        let schema: Schema = r#"{
            "type": "object",
            "properties": {
                "tray": {
                    "type": "object",
                    "properties": {
                        "paper": { "type": "string", "title": "Paper in tray 1" },
                        "size": { "type": "string" }
                    }
                }
            }
        }"#
        .parse()
        .expect("a schema");
        let setting = |path: &str| ChangedSetting {
            path: path.to_owned(),
            title: None,
            change: 1,
            stage: "confirmed".to_owned(),
        };
        let mut card = SessionCard {
            settings: ["tray.paper", "tray.size", "gone.since"]
                .map(setting)
                .into(),
            ..SessionCard::default()
        };
        card.name_settings(&schema);
        let names: Vec<_> = card.settings.iter().map(ChangedSetting::name).collect();
        assert_eq!(names, ["Paper in tray 1", "tray.size", "gone.since"]);
    }
}
