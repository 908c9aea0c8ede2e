//! The layout of connection IDs, by which the relay forwards what it cannot read.
//!
//! A leg issues connection IDs of [`CID_LEN`] bytes: its [`LegToken`], then four random bytes. The first packets of
//! a dial carry [`INITIAL_CID_LEN`] bytes: the peer's token and eight random bytes, since RFC 9000, section 7.2
//! asks for at least eight unpredictable ones. So the token is all a relay needs of any packet (RFC 8999).

use crate::ids::LegToken;

/// Length of a connection ID that a leg issues, in bytes.
pub const CID_LEN: usize = 12;

/// Length of the destination connection ID of a first packet, in bytes.
pub const INITIAL_CID_LEN: usize = 16;

/// Length of a leg token, in bytes.
pub const TOKEN_LEN: usize = 8;

/// Set in the first byte of a packet with a long header (RFC 8999, section 5.1).
const LONG_HEADER: u8 = 0x80;

/// Set in the first byte of every QUIC version 1 packet (RFC 9000, section 17), as long as nobody greases it.
const FIXED_BIT: u8 = 0x40;

/// The token to which a QUIC packet wants to go; `None` if it is none of ours.
pub fn destination(packet: &[u8]) -> Option<LegToken> {
    let first = *packet.first()?;
    let cid = if first & LONG_HEADER != 0 {
        // first byte, version (4), length of the destination connection ID, the ID
        let len = usize::from(*packet.get(5)?);
        packet.get(6..)?.get(..len)?
    } else if first & FIXED_BIT != 0 {
        packet.get(1..)?
    } else {
        return None;
    };
    cid.first_chunk::<TOKEN_LEN>().copied().map(LegToken)
}

/// A connection ID of `token`, filled up with `random`; as many bytes as both have together.
pub fn with_token<const N: usize>(token: LegToken, random: [u8; N]) -> Vec<u8> {
    let mut cid = Vec::with_capacity(TOKEN_LEN + N);
    cid.extend_from_slice(&token.0);
    cid.extend_from_slice(&random);
    cid
}
