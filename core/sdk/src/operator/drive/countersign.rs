//! The device's records that this side countersigns: looked at, kept, signed.

use std::time::Instant;

use alongside_protocol::{
    control::{Control, Countersigned, Seal},
    frame::Channel,
};
use alongside_session::operator::Input;
use alongside_transport::Connection;

use super::Drive;
use crate::{
    audit::{AuditError, What, seal::Fit},
    clock, session_io,
    wire::Incoming,
};

/// Most things that are listened to after the end (our choice: far more than an honest device has on its way).
const MOST_LATE: u32 = 1_000;

impl<C: Connection> Drive<'_, C> {
    /// Countersigns a record, once it is kept here.
    pub(super) async fn on_seal(&mut self, seal: Seal) {
        if let Some(signed) = self.countersign(seal)
            && self.keep().await
        {
            self.input(Input::Countersigned(signed));
        }
    }

    /// This side's signature for a record, which is to be sent once the journal is durable.
    fn countersign(&mut self, seal: Seal) -> Option<Countersigned> {
        let identity = &self.operator.config.identity;
        match self.countersigner.sign(identity, &seal) {
            Ok(Fit { signed, is_known }) => {
                if !is_known {
                    self.journal.note(What::Kept {
                        device: self.countersigner.device(),
                        seal,
                        key: identity.public_key(),
                        signature: signed.signature,
                    });
                }
                Some(signed)
            }
            Err(error) => {
                tracing::warn!(%error, ?seal, "a record of the device's is not countersigned");
                None
            }
        }
    }

    /// Leaves the device until `until` to ask for the signature for the session's end.
    pub(super) async fn keep_end(&mut self, until: Instant) -> Result<(), AuditError> {
        let mut is_kept = false;
        let mut patience = MOST_LATE;
        while !self.is_unreachable()
            && clock::now() < until
            && patience > 0
            && self.countersigner.waits_for_end()
        {
            patience -= 1;
            tokio::select! {
                biased;
                kept = self.journal.flush(), if !is_kept => {
                    kept?;
                    is_kept = true;
                }
                incoming = self.wire.next() => match incoming {
                    Incoming::Frame(Channel::Control, frame) => {
                        let message = Control::from_frame(frame.kind, &frame.body);
                        if let Ok(Control::Seal(seal)) = message
                            && let Some(signed) = self.countersign(seal)
                        {
                            self.journal.flush_in_time().await?;
                            let frame = Control::from(signed).to_frame();
                            self.wire.send(Channel::Control, frame);
                        }
                    }
                    Incoming::Frame(..) | Incoming::Datagram(_) | Incoming::Drained(_) => {}
                    Incoming::Broken(error) => {
                        tracing::debug!(error = %session_io::chain(&error), "after the end");
                        break;
                    }
                    Incoming::Lost(_) => self.is_lost = true,
                },
                () = clock::sleep_until(Some(until)) => break,
            }
        }
        Ok(())
    }
}
