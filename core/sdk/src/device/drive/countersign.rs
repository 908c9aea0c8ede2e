//! The operator's signatures for the device's records: asked for, checked, kept.

use std::time::Instant;

use alongside_protocol::{
    control::{Control, Countersigned},
    frame::Channel,
};
use alongside_session::device::Input;
use alongside_transport::Connection;

use super::Drive;
use crate::{
    audit::{AuditError, What},
    clock,
    wire::Incoming,
};

/// Most things that are listened to after the end (our choice: far more than an honest operator has on its way, and a flood
/// keeps nobody from the next code).
const MOST_LATE: u32 = 1_000;

impl<C: Connection> Drive<'_, C> {
    /// Asks for the operator's signature for what has become durable.
    pub(super) fn ask_to_countersign(&mut self) {
        for seal in self.journal.take_seals() {
            self.unsigned.add(seal.clone());
            self.input(Input::Seal(seal));
        }
    }

    /// Asks again for what has no signature yet: the session goes on over another connection.
    pub(super) fn ask_again_to_countersign(&mut self) {
        for seal in self.unsigned.waiting().to_vec() {
            self.input(Input::Seal(seal));
        }
    }

    /// Takes a signature of the operator's; whether there is a record of it to be kept.
    pub(super) fn on_countersigned(&mut self, signed: &Countersigned) -> bool {
        if !self.unsigned.take(signed) {
            let index = signed.index;
            if self
                .unsigned
                .waiting()
                .iter()
                .any(|seal| seal.index == index)
            {
                tracing::warn!(
                    index,
                    "the operator's signature does not hold for the record"
                );
            } else {
                // It was asked for again after a resume, and both answers came.
                tracing::debug!(index, "the operator signed a record that waits for nothing");
            }
            return false;
        }
        self.journal.note(What::Countersigned {
            of: signed.index,
            key: self.unsigned.operator(),
            signature: signed.signature,
        });
        true
    }

    /// Makes the end durable while the goodbye goes out, and leaves the operator until `until` to countersign it. Nobody
    /// waits for that but this connection: the panel shows the end already.
    pub(super) async fn keep_end(&mut self, until: Instant) -> Result<(), AuditError> {
        let mut is_kept = false;
        let mut patience = MOST_LATE;
        while !self.is_unreachable()
            && clock::now() < until
            && patience > 0
            && (!is_kept || !self.unsigned.waiting().is_empty())
        {
            patience -= 1;
            tokio::select! {
                biased;
                kept = self.journal.flush(), if !is_kept => {
                    kept?;
                    is_kept = true;
                    for seal in self.journal.take_seals() {
                        self.unsigned.add(seal.clone());
                        self.wire.send(Channel::Control, Control::from(seal).to_frame());
                    }
                }
                incoming = self.wire.next() => match incoming {
                    Incoming::Frame(Channel::Control, frame) => {
                        let message = Control::from_frame(frame.kind, &frame.body);
                        if let Ok(Control::Countersigned(signed)) = message {
                            self.on_countersigned(&signed);
                        }
                    }
                    Incoming::Frame(..) | Incoming::Datagram(_) | Incoming::Drained(_) => {}
                    Incoming::Broken(_) => break,
                    Incoming::Lost(lost) => self.lost = Some(lost),
                },
                () = clock::sleep_until(Some(until)) => break,
            }
        }
        Ok(())
    }
}
