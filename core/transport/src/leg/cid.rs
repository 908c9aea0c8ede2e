//! Connection IDs that start with a leg's token, by which the relay forwards.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{
    LegToken,
    cid::{CID_LEN, TOKEN_LEN, with_token},
};
use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig};
use quinn_proto::InvalidCid;

use crate::random::random;

/// Random bytes behind the token in an ID that a leg issues.
const ISSUED_RANDOM: usize = CID_LEN - TOKEN_LEN;
/// Random bytes behind the token in the first packets of a dial.
const DIAL_RANDOM: usize = alongside_protocol::cid::INITIAL_CID_LEN - TOKEN_LEN;

/// A token nobody else has.
pub fn random_token() -> LegToken {
    LegToken(random())
}

/// An endpoint whose connection IDs start with `token`, and which leaves the bit alone that the relay reads
/// (no greasing, RFC 9287).
pub fn endpoint_config(token: LegToken) -> EndpointConfig {
    let mut config = EndpointConfig::default();
    config.cid_generator(move || Box::new(TokenCids { token }));
    config.grease_quic_bit(false);
    config
}

/// Makes the dial that `config` stands for go to the leg that holds `peer`: a configuration is for one dial.
pub fn dial_to(config: &mut quinn::ClientConfig, peer: LegToken) {
    config.initial_dst_cid_provider(Arc::new(move || cid::<DIAL_RANDOM>(peer)));
}

/// Issues connection IDs of one token, and knows them again.
#[derive(Debug)]
struct TokenCids {
    token: LegToken,
}

impl ConnectionIdGenerator for TokenCids {
    fn generate_cid(&mut self) -> ConnectionId {
        cid::<ISSUED_RANDOM>(self.token)
    }

    /// A packet that fails here gets no answer, not even a stateless reset.
    fn validate(&self, cid: &ConnectionId) -> Result<(), InvalidCid> {
        if cid.starts_with(&self.token.0) {
            Ok(())
        } else {
            Err(InvalidCid)
        }
    }

    fn cid_len(&self) -> usize {
        CID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn cid<const RANDOM: usize>(token: LegToken) -> ConnectionId {
    ConnectionId::new(&with_token(token, random::<RANDOM>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_ids_carry_the_token_and_are_known_again() {
        let token = LegToken(*b"our leg!");
        let mut cids = TokenCids { token };
        let (first, second) = (cids.generate_cid(), cids.generate_cid());
        assert_eq!(first.len(), 12);
        assert!(first.starts_with(b"our leg!"));
        assert_ne!(first, second);
        assert!(cids.validate(&first).is_ok());
        assert!(cids.validate(&cid::<4>(LegToken(*b"another!"))).is_err());
        assert!(cids.validate(&ConnectionId::new(b"our")).is_err());
    }
}
