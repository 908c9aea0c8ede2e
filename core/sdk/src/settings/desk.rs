//! Stands between operators and the settings of a device: one change at a time, blocking work where it may block.

use std::{sync::Arc, time::Instant};

use tokio::task::{JoinHandle, spawn_blocking};

use super::{
    Difference, Failpoint, Proposal, Reading, Schema, Settings, SettingsError, Stage,
    TransactionId,
    journal::{Journal, JournalError},
    transaction::{Input, Job, Output, Report, Transaction, Wish},
    worker::Worker,
};
use crate::{Compartment, clock};

/// One desk for the settings of one device; it outlives sessions, as what is under way does.
#[derive(Debug)]
pub struct Desk {
    transaction: Transaction,
    worker: Arc<Worker>,
    running: Option<(Job, JoinHandle<Report>)>,
    last_id: u64,
    recovered: Option<TransactionId>,
}

/// What a desk tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeskEvent {
    /// Ask the customer whether this may be changed, and tell the desk: [`Desk::allow`] or [`Desk::refuse`].
    Ask {
        /// Which change.
        id: TransactionId,
        /// What it changes.
        differences: Vec<Difference>,
    },
    /// How a change stands.
    Stage {
        /// Which change.
        id: TransactionId,
        /// How it stands.
        stage: Stage,
    },
}

/// Why settings cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The journal of changes cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Desk {
    /// A desk for `settings` that keeps its journal in `compartment`. Blocks for the time of reading a file.
    ///
    /// A change that was under way when the program ended is taken back, first of all: [`Desk::next`] does it.
    ///
    /// # Errors
    ///
    /// [`DeskError::Journal`] if the journal cannot be read. The settings are then left as they are.
    pub fn open(settings: Arc<dyn Settings>, compartment: &Compartment) -> Result<Self, DeskError> {
        Self::with_failpoint(settings, compartment, None)
    }

    /// A desk whose changes call `failpoint` on their way.
    ///
    /// # Errors
    ///
    /// As [`Desk::open`].
    pub fn with_failpoint(
        settings: Arc<dyn Settings>,
        compartment: &Compartment,
        failpoint: Option<Failpoint>,
    ) -> Result<Self, DeskError> {
        let journal = Journal::open(compartment.clone())?;
        let worker = Worker::new(settings, journal, failpoint);
        let (last_id, open) = worker.left();
        Ok(Self {
            transaction: Transaction::new(open),
            worker: Arc::new(worker),
            running: None,
            last_id,
            recovered: open,
        })
    }

    /// The change that was under way when the program ended, if one was. It is taken back.
    pub const fn recovered(&self) -> Option<TransactionId> {
        self.recovered
    }

    /// Whether nothing is under way and nothing waits to be told.
    pub fn is_idle(&self) -> bool {
        self.transaction.is_idle() && self.running.is_none()
    }

    /// What settings there are.
    pub fn schema(&self) -> Arc<Schema> {
        self.worker.settings.schema()
    }

    /// Begins to read all settings, where that may block.
    pub(crate) fn start_reading(&self) -> JoinHandle<Result<Reading, SettingsError>> {
        let settings = Arc::clone(&self.worker.settings);
        spawn_blocking(move || settings.read())
    }

    /// Reads all settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when they cannot be read.
    pub async fn read(&self) -> Result<Reading, SettingsError> {
        let read = self.start_reading().await;
        read.unwrap_or(Err(SettingsError::Broken))
    }

    /// Proposes a change. What becomes of it is told by [`Desk::next`].
    pub fn propose(&mut self, proposal: Proposal) -> TransactionId {
        self.begin(Wish::Change(proposal))
    }

    /// Proposes to undo the last change that stayed, unless somebody has changed the same since.
    pub fn undo(&mut self) -> TransactionId {
        self.begin(Wish::UndoLast)
    }

    /// The customer allows change `id`. An answer that comes too late changes nothing.
    pub fn allow(&mut self, id: TransactionId) {
        self.handle(Input::Allow(id));
    }

    /// The customer does not allow change `id`.
    pub fn refuse(&mut self, id: TransactionId) {
        self.handle(Input::Refuse(id));
    }

    /// The operator still reaches the device after change `id`: it stays.
    pub fn confirm(&mut self, id: TransactionId) {
        self.handle(Input::Confirm(id));
    }

    /// Nobody may change anything any more: what is not confirmed is taken back.
    pub fn withdraw(&mut self) {
        self.handle(Input::Withdraw);
    }

    /// What happens next. Waits for ever while nothing is under way.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what it was waiting for goes on, and the next call comes back to it.
    pub async fn next(&mut self) -> DeskEvent {
        loop {
            match self.transaction.poll() {
                Output::Run(job) => self.start(job),
                Output::Ask(id, differences) => return DeskEvent::Ask { id, differences },
                Output::Tell(id, stage) => return DeskEvent::Stage { id, stage },
                Output::Wait(deadline) => {
                    let input = tokio::select! {
                        report = report(&mut self.running) => Input::Done(report),
                        () = clock::sleep_until(deadline) => Input::Timeout,
                    };
                    self.handle(input);
                }
            }
        }
    }

    /// Withdraws, and waits until nothing is under way any more. Gives up once taking a change back fails: it is tried
    /// again when the program starts the next time.
    pub async fn close(&mut self) {
        self.withdraw();
        while !self.is_idle() {
            match self.next().await {
                DeskEvent::Stage {
                    stage: Stage::Stuck(words),
                    id,
                } => {
                    tracing::error!(id = id.0, %words, "a change of settings cannot be taken back now");
                    return;
                }
                DeskEvent::Stage { id, stage } => {
                    tracing::info!(id = id.0, ?stage, "a change of settings")
                }
                DeskEvent::Ask { id, .. } => self.refuse(id),
            }
        }
    }

    fn begin(&mut self, wish: Wish) -> TransactionId {
        self.last_id += 1;
        let id = TransactionId(self.last_id);
        self.handle(Input::Propose(id, wish));
        id
    }

    fn start(&mut self, job: Job) {
        let worker = Arc::clone(&self.worker);
        let task = job.clone();
        self.running = Some((job, spawn_blocking(move || worker.run(task))));
    }

    fn handle(&mut self, input: Input) {
        let now: Instant = clock::now();
        self.transaction.handle(now, input);
    }
}

/// How the job ended that runs; never, if none does. Cancel safe.
async fn report(running: &mut Option<(Job, JoinHandle<Report>)>) -> Report {
    let Some((job, handle)) = running else {
        return std::future::pending().await;
    };
    let report = handle.await;
    let report = report.unwrap_or_else(|_| Worker::broke_down(job));
    *running = None;
    report
}
