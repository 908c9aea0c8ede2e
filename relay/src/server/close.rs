//! Why the relay closes a control connection, as QUIC's application error code.

use quinn::VarInt;

/// Application error codes of control connections (RFC 9000, section 20.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCode {
    /// Nothing is wrong.
    Done,
    /// The leg was refused; the reason was the last message.
    Refused,
    /// The leg broke the protocol.
    Protocol,
    /// The leg did not authenticate in time, sent too much or takes nothing.
    Limit,
    /// The same leg came back on another connection.
    Replaced,
    /// The relay shuts down.
    Shutdown,
}

impl From<CloseCode> for VarInt {
    fn from(code: CloseCode) -> Self {
        Self::from_u32(match code {
            CloseCode::Done => 0,
            CloseCode::Refused => 1,
            CloseCode::Protocol => 2,
            CloseCode::Limit => 3,
            CloseCode::Replaced => 4,
            CloseCode::Shutdown => 5,
        })
    }
}
