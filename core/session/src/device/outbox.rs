//! The one queue of what the driver must do.

use std::collections::VecDeque;

use alongside_protocol::frame::Channel;

use super::{Event, Output, SettingsAct};
use crate::{
    Outbound, Record,
    action::{Action, Deed, Held},
};

/// Outputs in the order in which they must happen.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Output>,
    /// What is pressed by the actions that have left.
    held: Held,
    /// Actions in the queue that let go of what is pressed: they are never dropped.
    letting_go: Vec<u64>,
    /// Whether there is nobody to send anything to.
    is_muted: bool,
}

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        if !(self.is_muted && matches!(output, Output::Send(_))) {
            self.queue.push_back(output);
        }
    }

    /// There is nobody to send anything to: what waits is dropped, and so is what comes.
    pub(super) fn mute(&mut self) {
        self.is_muted = true;
        self.queue
            .retain(|output| !matches!(output, Output::Send(_) | Output::WantFrame(_)));
    }

    /// There is somebody again.
    pub(super) fn unmute(&mut self) {
        self.is_muted = false;
    }

    /// Sends to somebody who has proved nothing yet.
    pub(super) fn answer(&mut self, outbound: Outbound) {
        self.queue.push_back(Output::Send(outbound));
    }

    pub(super) fn record(&mut self, record: Record) {
        self.push(Output::Record(record));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    /// An action on the panel; its record is in the queue.
    pub(super) fn inject(&mut self, n: u64, action: Action) {
        self.event(Event::Inject { n, action });
    }

    /// An action that lets go of what is pressed, with its record.
    pub(super) fn let_go(&mut self, activation: u16, n: u64, deed: Deed, action: Action) {
        self.letting_go.push(n);
        self.record(Record::Input {
            activation,
            n,
            deed,
        });
        self.inject(n, action);
    }

    /// The actions that let go of everything that is pressed by what has left the queue.
    pub(super) fn take_held(&mut self) -> Vec<Action> {
        self.held.let_go()
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        let output = self.queue.pop_front();
        if let Some(Output::Event(Event::Inject { n, action })) = &output {
            self.held.follow(action);
            self.letting_go.retain(|kept| kept != n);
        }
        output
    }

    /// Takes out the records, in order; what they precede stays.
    pub(super) fn take_records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        let rest = std::mem::take(&mut self.queue).into_iter();
        self.queue = rest
            .filter_map(|output| match output {
                Output::Record(record) => {
                    records.push(record);
                    None
                }
                output @ (Output::Event(_)
                | Output::Send(_)
                | Output::WantFrame(_)
                | Output::ModeEvent { .. }
                | Output::Wait(_)) => Some(output),
            })
            .collect();
        records
    }

    /// Drops everything but what lets go of what is pressed.
    pub(super) fn drop_acts(&mut self) {
        let kept = &self.letting_go;
        self.queue.retain(|output| match output {
            Output::Record(Record::Input { n, .. }) | Output::Event(Event::Inject { n, .. }) => {
                kept.contains(n)
            }
            Output::Record(_)
            | Output::Event(_)
            | Output::Send(_)
            | Output::WantFrame(_)
            | Output::ModeEvent { .. }
            | Output::Wait(_) => false,
        });
    }

    /// Drops what the operator wanted done on the panel and has not happened yet, with its records.
    pub(super) fn drop_input(&mut self) {
        let kept = &self.letting_go;
        self.queue.retain(|output| match output {
            Output::Record(Record::Input { n, .. }) | Output::Event(Event::Inject { n, .. }) => {
                kept.contains(n)
            }
            Output::Record(_)
            | Output::Event(_)
            | Output::Send(_)
            | Output::WantFrame(_)
            | Output::ModeEvent { .. }
            | Output::Wait(_) => true,
        });
    }

    /// Drops what would change settings for good and has not happened yet.
    pub(super) fn drop_settings(&mut self) {
        self.queue.retain(|output| match output {
            Output::Event(Event::Settings { act, .. }) => {
                !matches!(act, SettingsAct::Allow | SettingsAct::Confirm)
            }
            Output::Record(Record::SettingSet { .. } | Record::SettingsConfirm { .. }) => false,
            Output::Record(_)
            | Output::Event(_)
            | Output::Send(_)
            | Output::WantFrame(_)
            | Output::ModeEvent { .. }
            | Output::Wait(_) => true,
        });
    }

    /// Drops everything that acts for the operator and has not happened yet, with its records.
    pub(super) fn drop_scope(&mut self) {
        self.drop_input();
        self.drop_settings();
        self.queue.retain(|output| match output {
            Output::Record(
                Record::Released { .. }
                | Record::SettingsRead { .. }
                | Record::SettingsProposed { .. }
                | Record::SettingsUndo { .. },
            )
            | Output::WantFrame(_)
            | Output::ModeEvent { .. }
            | Output::Event(Event::Annotate(_) | Event::Notice(_) | Event::Settings { .. }) => {
                false
            }
            Output::Send(outbound) => outbound.channel == Channel::Control,
            Output::Record(_) | Output::Event(_) | Output::Wait(_) => true,
        });
    }
}
