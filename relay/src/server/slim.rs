//! TLS of control connections that keeps of itself only what it still needs.
//!
//! After the handshake the library's connection holds some KiB that nothing asks for again: a control connection
//! resumes nothing, and exports once. Thousands of legs wait for years.

use std::{
    any::Any,
    io::Cursor,
    sync::{Arc, Mutex, PoisonError},
};

use quinn_proto::{
    ConnectionId, Side, TransportError, TransportErrorCode,
    crypto::{
        ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig, Session,
        UnsupportedVersion, rustls::QuicServerConfig,
    },
    transport_parameters::TransportParameters,
};
use rustls::quic::{Connection, KeyChange, ServerConnection, Version};

mod late;

use late::LateKeys;

/// QUIC version 1 (RFC 9000), the only one that legs speak.
pub(super) const VERSION_1: u32 = 1;

/// Starts such connections.
pub(super) struct SlimTls {
    quic: Arc<QuicServerConfig>,
    tls: Arc<rustls::ServerConfig>,
}

impl SlimTls {
    pub(super) fn new(quic: QuicServerConfig, tls: Arc<rustls::ServerConfig>) -> Self {
        Self {
            quic: Arc::new(quic),
            tls,
        }
    }
}

impl ServerConfig for SlimTls {
    fn initial_keys(&self, version: u32, id: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        if version != VERSION_1 {
            return Err(UnsupportedVersion);
        }
        self.quic.initial_keys(version, id)
    }

    fn retry_tag(&self, version: u32, id: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.quic.retry_tag(version, id, packet)
    }

    fn start_session(
        self: Arc<Self>,
        _version: u32,
        parameters: &TransportParameters,
    ) -> Box<dyn Session> {
        let mut bytes = Vec::new();
        parameters.write(&mut bytes);
        // Refused are configurations that no relay has: without TLS 1.3 or a suite for QUIC, or with early data.
        let connection = ServerConnection::new(Arc::clone(&self.tls), Version::V1, bytes).ok();
        Box::new(SlimSession {
            quic: Arc::clone(&self.quic),
            connection: Mutex::new(connection.map(|connection| Box::new(connection.into()))),
            next: None,
            has_begun: false,
        })
    }
}

struct SlimSession {
    quic: Arc<QuicServerConfig>,
    /// Until the one export.
    connection: Mutex<Option<Box<Connection>>>,
    next: Option<LateKeys>,
    has_begun: bool,
}

impl SlimSession {
    fn with<T>(&self, ask: impl FnOnce(&Connection) -> Option<T>) -> Option<T> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connection.as_deref().and_then(ask)
    }

    fn connection(&mut self) -> Option<&mut Connection> {
        let connection = self
            .connection
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        connection.as_deref_mut()
    }
}

impl Session for SlimSession {
    fn initial_keys(&self, id: &ConnectionId, _ours: Side) -> Keys {
        let keys = self.quic.initial_keys(VERSION_1, id);
        keys.unwrap_or_else(|_| unreachable!("the one version there is"))
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        None
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        None
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }

    fn early_data_accepted(&self) -> Option<bool> {
        None
    }

    fn is_handshaking(&self) -> bool {
        self.with(|connection| Some(connection.is_handshaking()))
            .unwrap_or(false)
    }

    fn read_handshake(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        let Some(connection) = self.connection() else {
            let reason = "nothing of TLS may follow the handshake".to_owned();
            return Err(broken(TransportErrorCode::PROTOCOL_VIOLATION, reason));
        };
        if let Err(error) = connection.read_hs(bytes) {
            let alert = connection.alert().map(u8::from);
            let code = alert.map_or(
                TransportErrorCode::PROTOCOL_VIOLATION,
                TransportErrorCode::crypto,
            );
            return Err(broken(code, error.to_string()));
        }
        let knows_protocol = connection.alpn_protocol().is_some();
        let begins = knows_protocol && !self.has_begun;
        self.has_begun |= knows_protocol;
        Ok(begins)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        let bytes =
            self.with(|connection| connection.quic_transport_parameters().map(<[u8]>::to_vec));
        let Some(bytes) = bytes else { return Ok(None) };
        Ok(Some(TransportParameters::read(
            Side::Server,
            &mut Cursor::new(bytes),
        )?))
    }

    fn write_handshake(&mut self, out: &mut Vec<u8>) -> Option<Keys> {
        let keys = match self.connection()?.write_hs(out)? {
            KeyChange::Handshake { keys } => keys,
            KeyChange::OneRtt { keys, next } => {
                self.next = Some(LateKeys::new(next));
                keys
            }
        };
        Some(Keys {
            header: KeyPair {
                local: Box::new(keys.local.header),
                remote: Box::new(keys.remote.header),
            },
            packet: KeyPair {
                local: Box::new(keys.local.packet),
                remote: Box::new(keys.remote.packet),
            },
        })
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        Some(self.next.as_mut()?.next_pair())
    }

    fn is_valid_retry(&self, _id: &ConnectionId, _header: &[u8], _payload: &[u8]) -> bool {
        false
    }

    /// Fills `output` once; the connection is gone after it.
    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let connection = connection.ok_or(ExportKeyingMaterialError)?;
        connection
            .export_keying_material(output, label, Some(context))
            .map(|_| ())
            .map_err(|_| ExportKeyingMaterialError)
    }
}

fn broken(code: TransportErrorCode, reason: String) -> TransportError {
    TransportError {
        code,
        frame: None,
        reason,
    }
}
