//! The one queue of what the driver must do.

use std::collections::VecDeque;

use alongside_protocol::frame::Channel;

use super::{Event, Output};
use crate::Record;

/// Outputs in the order in which they must happen.
#[derive(Debug, Default)]
pub(super) struct Outbox(VecDeque<Output>);

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    pub(super) fn record(&mut self, record: Record) {
        self.push(Output::Record(record));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.0.pop_front()
    }

    /// Takes out the records, in order; what they precede stays.
    pub(super) fn take_records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        let rest = std::mem::take(&mut self.0).into_iter();
        self.0 = rest
            .filter_map(|output| match output {
                Output::Record(record) => {
                    records.push(record);
                    None
                }
                output @ (Output::Event(_)
                | Output::Send(_)
                | Output::ModeEvent { .. }
                | Output::Wait(_)) => Some(output),
            })
            .collect();
        records
    }

    /// Drops everything.
    pub(super) fn drop_acts(&mut self) {
        self.0.clear();
    }

    /// Drops what a mode wanted and has not happened yet.
    pub(super) fn drop_scope(&mut self) {
        self.0.retain(|output| match output {
            Output::ModeEvent { .. } | Output::Event(Event::Console(_)) => false,
            Output::Send(outbound) => outbound.channel == Channel::Control,
            Output::Record(_) | Output::Event(_) | Output::Wait(_) => true,
        });
    }
}
