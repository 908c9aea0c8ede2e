//! Does the jobs of a change: the only code that writes, and in this order.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use alongside_protocol::setting::{SettingChange, SettingsVersion};

use super::{
    Settings, SettingsError, Shown,
    difference::{differences, shown},
    journal::{Book, Entry, Journal},
    transaction::{Job, NotApplied, Plan, Proposal, Reason, Report, Stage, TransactionId, Wish},
};
use crate::session_io;

/// Called with the name of each point of [`FAILPOINTS`] that a change passes: a test ends the program there.
pub type Failpoint = Arc<dyn Fn(&'static str) + Send + Sync>;

/// The points that a change passes, in order; at each of them the program may die.
pub const FAILPOINTS: [&str; 10] = [
    "apply",
    "apply-prepared",
    "apply-recorded",
    "apply-done",
    "confirm",
    "confirm-recorded",
    "confirm-done",
    "roll-back",
    "roll-back-done",
    "roll-back-recorded",
];

/// The port and the book of changes.
pub(super) struct Worker {
    pub(super) settings: Arc<dyn Settings>,
    journal: Mutex<Journal>,
    failpoint: Option<Failpoint>,
}

impl Worker {
    pub(super) fn new(
        settings: Arc<dyn Settings>,
        journal: Journal,
        failpoint: Option<Failpoint>,
    ) -> Self {
        Self {
            settings,
            journal: Mutex::new(journal),
            failpoint,
        }
    }

    /// The number of the last change that was begun, and the one that was left open.
    pub(super) fn left(&self) -> (u64, Option<TransactionId>) {
        self.with_journal(|journal| {
            let book = journal.book();
            let open = book.open.as_ref();
            (book.last_id, open.map(|entry| TransactionId(entry.id)))
        })
    }

    /// Does a job. Blocks.
    pub(super) fn run(&self, job: Job) -> Report {
        match job {
            Job::Plan(wish) => Report::Planned(self.plan(wish)),
            Job::Apply(id, plan) => Report::Applied(self.apply(id, &plan)),
            Job::Confirm(id) => Report::Confirmed(self.confirm(id)),
            Job::RollBack(id) => Report::RolledBack(self.roll_back(id)),
        }
    }

    /// What it means that a job broke down.
    pub(super) fn broke_down(job: &Job) -> Report {
        let words = SettingsError::Broken.to_string();
        match job {
            Job::Plan(_) => Report::Planned(Err(Stage::Failed(words))),
            Job::Apply(..) => Report::Applied(Err(NotApplied::Touched(Reason::Failed(words)))),
            Job::Confirm(_) => Report::Confirmed(Err(words)),
            Job::RollBack(_) => Report::RolledBack(Err(words)),
        }
    }

    fn plan(&self, wish: Wish) -> Result<Plan, Stage> {
        let reading = self.settings.read().map_err(stage_of)?;
        let (changes, if_version) = match wish {
            Wish::Change(Proposal {
                changes,
                if_version,
            }) => (changes, if_version),
            Wish::UndoLast => (self.last_backwards(&reading.values)?, None),
        };
        if if_version.is_some_and(|seen| seen != reading.version) {
            return Err(Stage::Conflict);
        }
        let schema = self.settings.schema();
        let changes = schema.check(&changes).map_err(Stage::Invalid)?;
        let (changes, differences) = differences(&schema, &reading.values, changes);
        if changes.is_empty() {
            return Err(Stage::Unchanged);
        }
        self.settings.validate(&changes).map_err(stage_of)?;
        let set = changes
            .iter()
            .map(|change| (change.path.clone(), shown(&schema, change)));
        Ok(Plan {
            version: reading.version,
            set: set.collect(),
            changes,
            differences,
        })
    }

    /// The change that undoes the last one, unless somebody has changed the same since.
    fn last_backwards(
        &self,
        values: &std::collections::BTreeMap<super::SettingPath, Shown>,
    ) -> Result<Vec<SettingChange>, Stage> {
        let kept = self.with_journal(|journal| journal.book().kept.clone());
        let kept = kept.ok_or(Stage::Unchanged)?;
        let is_as_set =
            |(path, set): &(_, Shown)| values.get(path).unwrap_or(&Shown::Absent) == set;
        if !kept.set.iter().all(is_as_set) {
            return Err(Stage::Conflict);
        }
        Ok(kept.undo.inverse.clone())
    }

    fn apply(&self, id: TransactionId, plan: &Plan) -> Result<(), NotApplied> {
        let (version, changes): (SettingsVersion, _) = (plan.version, plan.changes.as_slice());
        self.pass("apply");
        let untouched = |error| NotApplied::Untouched(stage_of(error));
        let undo = self.settings.prepare(version, changes).map_err(untouched)?;
        self.pass("apply-prepared");
        let entry = Entry {
            id: id.0,
            set: plan.set.clone(),
            undo,
        };
        let written = self.with_journal(|journal| {
            journal.write(Book {
                last_id: id.0,
                open: Some(entry),
                kept: journal.book().kept.clone(),
            })
        });
        written.map_err(|error| NotApplied::Untouched(Stage::NotRecorded(words(&error))))?;
        self.pass("apply-recorded");
        let applied = self.settings.apply(version, changes);
        applied.map_err(|error| NotApplied::Touched(reason_of(&error)))?;
        self.pass("apply-done");
        Ok(())
    }

    fn confirm(&self, id: TransactionId) -> Result<(), String> {
        self.pass("confirm");
        let written = self.with_journal(|journal| {
            let book = journal.book();
            let kept = book.open.clone().filter(|entry| entry.id == id.0);
            journal.write(Book {
                last_id: book.last_id,
                open: None,
                kept,
            })
        });
        written.map_err(|error| words(&error))?;
        self.pass("confirm-recorded");
        self.settings.confirm();
        self.pass("confirm-done");
        Ok(())
    }

    fn roll_back(&self, id: TransactionId) -> Result<(), String> {
        self.pass("roll-back");
        let open = self.with_journal(|journal| journal.book().open.clone());
        let Some(entry) = open.filter(|entry| entry.id == id.0) else {
            // It was never written down, so nothing has been touched.
            return Ok(());
        };
        self.settings
            .roll_back(&entry.undo)
            .map_err(|error| words(&error))?;
        self.pass("roll-back-done");
        let written = self.with_journal(|journal| {
            let book = journal.book();
            journal.write(Book {
                last_id: book.last_id,
                open: None,
                kept: book.kept.clone(),
            })
        });
        written.map_err(|error| words(&error))?;
        self.pass("roll-back-recorded");
        Ok(())
    }

    fn with_journal<T>(&self, use_it: impl FnOnce(&mut Journal) -> T) -> T {
        // The book is replaced as a whole, so one whose writer broke down is still whole.
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(&mut journal)
    }

    fn pass(&self, point: &'static str) {
        if let Some(failpoint) = &self.failpoint {
            failpoint(point);
        }
    }
}

/// How a change stands that could not be planned or begun.
fn stage_of(error: SettingsError) -> Stage {
    match error {
        SettingsError::Conflict => Stage::Conflict,
        SettingsError::Invalid(problems) => Stage::Invalid(problems),
        SettingsError::Failed { .. } | SettingsError::Slow { .. } | SettingsError::Broken => {
            Stage::Failed(words(&error))
        }
    }
}

/// Why a change is taken back that failed with `error`.
fn reason_of(error: &SettingsError) -> Reason {
    match error {
        SettingsError::Conflict => Reason::Conflict,
        SettingsError::Invalid(_)
        | SettingsError::Failed { .. }
        | SettingsError::Slow { .. }
        | SettingsError::Broken => Reason::Failed(words(error)),
    }
}

/// An error and its causes in one line.
fn words(error: &(dyn Error + 'static)) -> String {
    session_io::chain(error).to_string()
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
