//! Keys of the next key phase, made when they are first needed: hardly any leg ever does.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::BytesMut;
use quinn_proto::crypto::{CryptoError, KeyPair, PacketKey};
use rustls::quic::{PacketKeySet, Secrets};

/// Makes the keys of one key phase after the other.
pub(super) struct LateKeys {
    secrets: Arc<Mutex<Secrets>>,
    /// The pair handed out last: it comes before the next in the order of phases.
    last: Option<Arc<Pair>>,
}

struct Pair {
    secrets: Arc<Mutex<Secrets>>,
    keys: OnceLock<PacketKeySet>,
}

impl LateKeys {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self {
            secrets: Arc::new(Mutex::new(secrets)),
            last: None,
        }
    }

    /// Both keys of the next phase.
    pub(super) fn next_pair(&mut self) -> KeyPair<Box<dyn PacketKey>> {
        if let Some(last) = &self.last {
            last.keys();
        }
        let pair = Arc::new(Pair {
            secrets: Arc::clone(&self.secrets),
            keys: OnceLock::new(),
        });
        self.last = Some(Arc::clone(&pair));
        KeyPair {
            local: Box::new(LateKey(Arc::clone(&pair), Whose::Ours)),
            remote: Box::new(LateKey(pair, Whose::Theirs)),
        }
    }
}

impl Pair {
    fn keys(&self) -> &PacketKeySet {
        self.keys.get_or_init(|| {
            let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.next_packet_keys()
        })
    }
}

/// What a key is for.
#[derive(Clone, Copy)]
enum Whose {
    /// For what the relay sends.
    Ours,
    /// For what the leg sends.
    Theirs,
}

struct LateKey(Arc<Pair>, Whose);

impl LateKey {
    fn key(&self) -> &dyn PacketKey {
        let keys = self.0.keys();
        match self.1 {
            Whose::Ours => &keys.local,
            Whose::Theirs => &keys.remote,
        }
    }
}

impl PacketKey for LateKey {
    fn encrypt(&self, packet: u64, bytes: &mut [u8], header_len: usize) {
        self.key().encrypt(packet, bytes, header_len);
    }

    fn decrypt(
        &self,
        packet: u64,
        header: &[u8],
        payload: &mut BytesMut,
    ) -> Result<(), CryptoError> {
        self.key().decrypt(packet, header, payload)
    }

    fn tag_len(&self) -> usize {
        self.key().tag_len()
    }

    fn confidentiality_limit(&self) -> u64 {
        self.key().confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.key().integrity_limit()
    }
}
