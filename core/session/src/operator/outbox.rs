//! The one queue of what the driver must do.

use std::collections::VecDeque;

use alongside_protocol::frame::Channel;

use super::{Event, Output};
use crate::{Outbound, Record};

/// Outputs in the order in which they must happen.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Output>,
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
            .retain(|output| !matches!(output, Output::Send(_)));
    }

    /// There is somebody again.
    pub(super) fn unmute(&mut self) {
        self.is_muted = false;
    }

    /// Sends to somebody who has proved nothing yet.
    pub(super) fn ask(&mut self, outbound: Outbound) {
        self.queue.push_back(Output::Send(outbound));
    }

    pub(super) fn record(&mut self, record: Record) {
        self.push(Output::Record(record));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
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
                | Output::ModeEvent { .. }
                | Output::Wait(_)) => Some(output),
            })
            .collect();
        records
    }

    /// Drops everything.
    pub(super) fn drop_acts(&mut self) {
        self.queue.clear();
    }

    /// Drops what a mode wanted and has not happened yet.
    pub(super) fn drop_scope(&mut self) {
        self.queue.retain(|output| match output {
            Output::ModeEvent { .. } | Output::Event(Event::Console(_)) => false,
            Output::Send(outbound) => outbound.channel == Channel::Control,
            Output::Record(_) | Output::Event(_) | Output::Wait(_) => true,
        });
    }
}
