//! What ties a proof to the one connection it runs over.

use std::fmt;

use alongside_protocol::PublicKey;

/// The end-to-end connection as both of its ends see it, and nobody else can.
#[derive(Clone)]
pub struct Binding {
    /// Keying material exported from the connection's TLS under
    /// [`EXPORTER_LABEL`](alongside_protocol::proof::EXPORTER_LABEL): 32 bytes that name the connection, then 16 that
    /// name the run of the proof.
    pub exporter: [u8; 48],
    /// Our own long-term key.
    pub local: PublicKey,
    /// The key that the other side has shown; TLS has checked that it holds the private half.
    pub peer: PublicKey,
}

impl Binding {
    /// Names the connection: no other one has these bytes.
    pub(crate) fn channel(&self) -> &[u8] {
        self.exporter.get(..32).unwrap_or(&[])
    }

    /// Names this run of the proof.
    pub(crate) fn run(&self) -> [u8; 16] {
        self.exporter.last_chunk().copied().unwrap_or_default()
    }
}

/// Keying material is not shown.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("local", &self.local)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
