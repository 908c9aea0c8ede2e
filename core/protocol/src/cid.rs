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

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: LegToken = LegToken([1, 2, 3, 4, 5, 6, 7, 8]);

    #[test]
    fn connection_ids_start_with_the_token_and_have_their_length() {
        assert_eq!(
            with_token(TOKEN, [9; CID_LEN - TOKEN_LEN]),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]
        );
        assert_eq!(
            with_token(TOKEN, [9; INITIAL_CID_LEN - TOKEN_LEN]).len(),
            INITIAL_CID_LEN
        );
    }

    #[test]
    fn both_kinds_of_header_lead_to_the_token() {
        let short = [&[0x40][..], &with_token(TOKEN, [9; 4]), &[0xaa; 30]].concat();
        assert_eq!(destination(&short), Some(TOKEN));
        let long = [
            &[0xc3, 0, 0, 0, 1, 16][..],
            &with_token(TOKEN, [9; 8]),
            &[0xaa; 30],
        ]
        .concat();
        assert_eq!(destination(&long), Some(TOKEN));
    }

    #[test]
    fn packets_of_nobody_have_no_destination() {
        assert_eq!(destination(&[]), None);
        assert_eq!(
            destination(&[0x00; 40]),
            None,
            "neither long header nor fixed bit: STUN and the like"
        );
        assert_eq!(
            destination(&[0x40, 1, 2, 3, 4, 5, 6, 7]),
            None,
            "shorter than a token"
        );
        assert_eq!(
            destination(&[0xc0, 0, 0, 0, 1]),
            None,
            "ends before its length"
        );
        assert_eq!(
            destination(&[0xc0, 0, 0, 0, 1, 16, 1, 2, 3]),
            None,
            "ends within its ID"
        );
        assert_eq!(
            destination(&[0xc0, 0, 0, 0, 1, 7, 1, 2, 3, 4, 5, 6, 7, 8]),
            None,
            "an ID shorter than a token"
        );
    }
}
