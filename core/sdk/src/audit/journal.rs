//! A driver's way to its store: what waits to be written, and what is being written.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{PublicKey, SessionId, control::Seal};
use alongside_session::Record;
use tokio::task::JoinHandle;

use super::{AuditError, AuditStore, Entry, What, history::History};
use crate::clock;

/// How long a write may take before it counts as failed (our choice: a card that is busy with itself takes a second or
/// two, and a person waits no longer than this for an answer).
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The records of one session on their way to the store. Without a store they are only traced.
#[derive(Debug)]
pub(crate) struct Journal {
    store: Option<Arc<dyn AuditStore>>,
    /// On a device: who countersigns.
    operator: Option<PublicKey>,
    session: Option<SessionId>,
    waiting: Vec<Entry>,
    /// What the session comes to, for the card after it.
    history: History,
    writing: Option<JoinHandle<Result<Vec<Seal>, AuditError>>>,
    /// What is durable and to be countersigned.
    seals: Vec<Seal>,
}

impl Journal {
    pub(crate) fn new(store: Option<Arc<dyn AuditStore>>) -> Self {
        Self {
            store,
            operator: None,
            session: None,
            waiting: Vec::new(),
            history: History::default(),
            writing: None,
            seals: Vec::new(),
        }
    }

    /// The journal of a device, whose records this operator countersigns.
    pub(crate) const fn countersigned_by(mut self, operator: PublicKey) -> Self {
        self.operator = Some(operator);
        self
    }

    /// What has become durable and is to be countersigned.
    pub(crate) fn take_seals(&mut self) -> Vec<Seal> {
        std::mem::take(&mut self.seals)
    }

    /// Takes a record of the session.
    pub(crate) fn record(&mut self, record: Record) {
        tracing::info!(target: "alongside::record", ?record);
        if let Record::SessionStarted { session, .. } = &record {
            self.session = Some(*session);
        }
        self.note(What::Record(record));
    }

    /// Takes anything else worth a line.
    pub(crate) fn note(&mut self, what: What) {
        if self.store.is_some() {
            let entry = Entry {
                at: clock::unix_ms(),
                session: self.session,
                what,
            };
            if entry.is_on_card() {
                self.history.add(&entry);
            }
            self.waiting.push(entry);
        }
    }

    /// What the session has come to.
    pub(crate) fn take_history(&mut self) -> History {
        std::mem::take(&mut self.history)
    }

    /// Makes durable whatever was taken. Cancel safe: the write goes on, and the next call waits for it.
    pub(crate) async fn flush(&mut self) -> Result<(), AuditError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        loop {
            if let Some(writing) = &mut self.writing {
                let written = writing.await;
                self.writing = None;
                let written =
                    written.unwrap_or_else(|panic| Err(AuditError::Store(Box::new(panic))));
                self.seals.extend(written?);
            }
            if self.waiting.is_empty() {
                return Ok(());
            }
            let (store, entries) = (Arc::clone(store), std::mem::take(&mut self.waiting));
            let operator = self.operator;
            self.writing = Some(tokio::task::spawn_blocking(move || match operator {
                Some(operator) => store.append_sealed(&entries, operator),
                None => store.append(&entries).map(|()| Vec::new()),
            }));
        }
    }

    /// As [`Journal::flush`], with [`PATIENCE`].
    pub(crate) async fn flush_in_time(&mut self) -> Result<(), AuditError> {
        tokio::time::timeout(PATIENCE, self.flush())
            .await
            .unwrap_or(Err(AuditError::Stalled))
    }
}
