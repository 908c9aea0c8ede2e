//! Settings between a session and the desk: what the session wants done is done, what the desk tells is told.

use std::{collections::VecDeque, sync::Arc};

use alongside_protocol::setting::{SettingPath, SettingsVersion, Words};
use alongside_session::{
    Record,
    device::{Input, SettingsAct, SettingsNews},
};
use alongside_transport::Connection;
use tokio::task::JoinHandle;

use super::{Device, drive::Drive};
use crate::{
    audit::{Entry, What, journal::Journal},
    clock, session_io,
    settings::{Desk, DeskEvent, Proposal, Reading, SettingsError, Stage, TransactionId},
};

/// What a session has under way with the desk.
#[derive(Debug, Default)]
pub(super) struct Changes {
    readings: VecDeque<Sought>,
    /// The session's number for the change, and the desk's.
    change: Option<(u64, TransactionId)>,
}

/// Settings that are being read for a session.
#[derive(Debug)]
struct Sought {
    call: u64,
    group: Option<SettingPath>,
    reading: JoinHandle<Result<Reading, SettingsError>>,
}

impl Changes {
    /// Next answer to a call that reads. Waits for ever without one. Cancel safe.
    pub(super) async fn read(&mut self) -> (u64, SettingsNews) {
        let Some(sought) = self.readings.front_mut() else {
            return std::future::pending().await;
        };
        let read = (&mut sought.reading).await;
        let news = match read.unwrap_or(Err(SettingsError::Broken)) {
            Ok(reading) => values(reading, sought.group.as_ref()),
            Err(error) => {
                let words = session_io::chain(&error).to_string();
                SettingsNews::Failed(Words::new(&words))
            }
        };
        let call = sought.call;
        self.readings.pop_front();
        (call, news)
    }
}

fn values(reading: Reading, group: Option<&SettingPath>) -> SettingsNews {
    let version: SettingsVersion = reading.version;
    let group = group.map_or("", SettingPath::as_str);
    let values = reading
        .values
        .into_iter()
        .filter(|(path, _)| path.is_within(group));
    SettingsNews::Values {
        version,
        values: values.collect(),
    }
}

/// What a desk tells next; nothing, for ever, without a desk. Cancel safe.
pub(super) async fn next(desk: &mut Option<Desk>) -> DeskEvent {
    match desk {
        Some(desk) => desk.next().await,
        None => std::future::pending().await,
    }
}

impl<C: Connection> Drive<'_, C> {
    /// The session wants this done with the settings; its records are durable.
    pub(super) fn on_settings(&mut self, call: u64, act: SettingsAct) {
        let is_stopping = self.session.is_stopping(clock::now());
        let Some(desk) = &mut self.device.desk else {
            return;
        };
        let mine = self.changes.change.filter(|(mine, _)| *mine == call);
        let id = mine.map(|(_, id)| id);
        match (act, id) {
            (SettingsAct::Schema, _) => {
                let json = serde_json::to_vec(&*desk.schema()).unwrap_or_default();
                let news = SettingsNews::Schema(json);
                self.input(Input::Settings { call, news });
            }
            (SettingsAct::Read(group), _) => self.changes.readings.push_back(Sought {
                call,
                group,
                reading: desk.start_reading(),
            }),
            (
                SettingsAct::Propose {
                    if_version,
                    changes,
                },
                _,
            ) => {
                let id = desk.propose(Proposal {
                    changes,
                    if_version,
                });
                self.changes.change = Some((call, id));
            }
            (SettingsAct::Undo, _) => self.changes.change = Some((call, desk.undo())),
            // The customer's word has come meanwhile.
            (SettingsAct::Allow, Some(id)) if is_stopping => desk.refuse(id),
            (SettingsAct::Allow, Some(id)) => desk.allow(id),
            (SettingsAct::Refuse, Some(id)) => desk.refuse(id),
            (SettingsAct::Confirm, Some(id)) if !is_stopping => desk.confirm(id),
            (SettingsAct::Withdraw, Some(_)) => desk.withdraw(),
            (
                SettingsAct::Allow
                | SettingsAct::Refuse
                | SettingsAct::Confirm
                | SettingsAct::Withdraw,
                _,
            ) => {}
        }
    }

    /// The desk tells the session, or, where it is about a change from before, the audit.
    pub(super) fn on_desk(&mut self, event: DeskEvent) {
        let (id, news) = match event {
            DeskEvent::Ask { id, differences } => {
                let change = id.0;
                let news = SettingsNews::Ask {
                    change,
                    differences,
                };
                (id, news)
            }
            DeskEvent::Stage { id, stage } => (id, SettingsNews::Stage(stage.into())),
        };
        match self.changes.change {
            Some((call, mine)) if mine == id => self.input(Input::Settings { call, news }),
            Some(_) | None => {
                if let Some(record) = left(id, &news) {
                    self.journal.note(What::Record(record));
                }
            }
        }
    }
}

/// The record of a change that no session is about any more.
fn left(id: TransactionId, news: &SettingsNews) -> Option<Record> {
    match news {
        SettingsNews::Stage(stage) => Some(Record::SettingsStage {
            change: id.0,
            stage: stage.as_str(),
            why: stage.why(),
        }),
        SettingsNews::Schema(_)
        | SettingsNews::Values { .. }
        | SettingsNews::Failed(_)
        | SettingsNews::Ask { .. } => None,
    }
}

impl Device {
    /// What the desk tells while no session is live: what was left open is being taken back.
    pub(super) async fn on_desk_alone(&mut self, event: DeskEvent) {
        match event {
            DeskEvent::Ask { id, .. } => {
                if let Some(desk) = &mut self.desk {
                    desk.refuse(id);
                }
            }
            DeskEvent::Stage { id, stage } => {
                tracing::info!(change = id.0, ?stage, "a change of settings");
                let mut journal = Journal::new(Some(Arc::clone(&self.audit)));
                if let Some(record) = left(id, &SettingsNews::Stage(stage.into())) {
                    if let Some(history) = &mut self.history {
                        history.add(&Entry {
                            at: clock::unix_ms(),
                            session: None,
                            what: What::Record(record.clone()),
                        });
                    }
                    journal.note(What::Record(record));
                }
                if let Err(error) = journal.flush_in_time().await {
                    tracing::error!(error = %session_io::chain(&error), "the audit cannot be kept");
                }
            }
        }
    }

    /// Takes back whatever is not confirmed, and comes back when nothing is under way any more, or when it cannot be
    /// taken back now.
    pub(super) async fn settle(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.withdraw();
        }
        while self.desk.as_ref().is_some_and(|desk| !desk.is_idle()) {
            let event = next(&mut self.desk).await;
            let is_stuck = matches!(
                &event,
                DeskEvent::Stage {
                    stage: Stage::Stuck(_),
                    ..
                }
            );
            self.on_desk_alone(event).await;
            if is_stuck {
                tracing::error!("a change of settings cannot be taken back now");
                return;
            }
        }
    }
}
