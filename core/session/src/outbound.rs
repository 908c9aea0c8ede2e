//! What goes onto the wire.

use std::fmt;

use alongside_protocol::frame::Channel;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// In order, on the stream of its channel.
    Reliable,
    /// As a datagram: may be lost.
    Datagram,
}

/// One message for the other side. Debug shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Where it belongs.
    pub channel: Channel,
    /// How it travels.
    pub delivery: Delivery,
    /// A whole frame with its header, or a whole datagram.
    pub bytes: Vec<u8>,
}

impl Outbound {
    pub(crate) const fn reliable(channel: Channel, bytes: Vec<u8>) -> Self {
        Self {
            channel,
            delivery: Delivery::Reliable,
            bytes,
        }
    }

    pub(crate) const fn datagram(channel: Channel, bytes: Vec<u8>) -> Self {
        Self {
            channel,
            delivery: Delivery::Datagram,
            bytes,
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Outbound({:?}, {:?}, {} bytes)",
            self.channel,
            self.delivery,
            self.bytes.len()
        )
    }
}
