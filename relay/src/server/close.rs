//! Why the relay closes a control connection, as QUIC's application error code.

use alongside_transport::connection::close_code;
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
    /// The transport's codes where it has one for the matter, and codes from 16 on where it has none.
    fn from(code: CloseCode) -> Self {
        Self::from_u32(match code {
            CloseCode::Done => close_code::DONE,
            CloseCode::Protocol => close_code::PROTOCOL,
            CloseCode::Shutdown => close_code::SHUTDOWN,
            CloseCode::Replaced => close_code::REPLACED,
            CloseCode::Refused => 16,
            CloseCode::Limit => 17,
        })
    }
}
