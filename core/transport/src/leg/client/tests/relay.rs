//! The least that is a relay: lets legs in, introduces the one operator to the one device, forwards by token.

use std::{
    collections::BTreeMap,
    io::{self, IoSliceMut},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, ready},
};

use alongside_protocol::{
    LegToken, PublicKey, RendezvousId, cid,
    label::Label,
    relay::{Auth, Challenge, Closing, Departure, OperatorCard, Refused},
};
use aws_lc_rs::hmac::{HMAC_SHA256, Key};
use quinn::{
    UdpPoller,
    udp::{RecvMeta, Transmit},
};
use rcgen::CertifiedKey;
use rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::leg::{
    auth::{LegBinding, verify},
    cid::endpoint_config,
    shared_socket::split::split,
    tls::{quic_server, relay_server_config},
    tuning,
};

pub(super) const RENDEZVOUS: RendezvousId = RendezvousId([5; 16]);

pub(super) struct TestRelay {
    pub(super) ca: Vec<u8>,
    pub(super) endpoint: quinn::Endpoint,
    pub(super) legs: Legs,
}

pub(super) type Legs = Arc<Mutex<BTreeMap<LegToken, LegEntry>>>;

pub(super) struct LegEntry {
    address: SocketAddr,
    auth: Auth,
    say: mpsc::UnboundedSender<FromRelay>,
}

impl LegEntry {
    pub(super) fn key(&self) -> PublicKey {
        self.auth.key
    }
}

impl TestRelay {
    /// A relay named `relay.test` over `io`.
    pub(super) fn start(io: Arc<dyn AsyncUdpSocket>) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["relay.test".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let tls = relay_server_config(vec![cert.der().clone()], key).unwrap();
        let legs = Legs::default();
        let socket = Arc::new(Forwarder {
            io,
            legs: Arc::clone(&legs),
        });
        let server = quic_server(tls, tuning::relay_control()).unwrap();
        let runtime = Arc::new(quinn::TokioRuntime);
        // Token and reset key outlive the process, as in any real relay.
        let mut config = endpoint_config(LegToken(*b"relay!!!"));
        config.reset_key(Arc::new(Key::new(HMAC_SHA256, &[9; 32])));
        let endpoint =
            quinn::Endpoint::new_with_abstract_socket(config, Some(server), socket, runtime);
        let relay = Self {
            ca: cert.pem().into_bytes(),
            endpoint: endpoint.unwrap(),
            legs,
        };
        let (endpoint, legs) = (relay.endpoint.clone(), Arc::clone(&relay.legs));
        tokio::spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                let legs = Arc::clone(&legs);
                tokio::spawn(async move {
                    if let Ok(connection) = incoming.await {
                        serve(connection, legs).await;
                    }
                });
            }
        });
        relay
    }

    pub(super) fn announce_closing(&self) {
        for leg in self.legs.lock().unwrap().values() {
            leg.say.send(Closing {}.into()).unwrap();
        }
    }
}

async fn serve(connection: quinn::Connection, legs: Legs) {
    let (send, recv) = connection.open_bi().await.unwrap();
    let mut writer = ControlWriter::<FromRelay, _>::new(send);
    let mut reader = ControlReader::<ToRelay, _>::new(recv);
    let challenge = Challenge {
        version: 1,
        nonce: [3; 32],
        time: 0,
    };
    writer.send(challenge.clone()).await.unwrap();
    let Ok(Some(ToRelay::Auth(auth))) = reader.next().await else {
        return;
    };
    let binding = LegBinding::of(&connection).unwrap();
    if verify(&auth, &challenge, binding).is_err() {
        return;
    }
    let (say, mut said) = mpsc::unbounded_channel();
    let address = connection.remote_address();
    writer
        .send(Welcome {
            observed: address,
            relay: Label::new("relay.test").unwrap(),
        })
        .await
        .unwrap();
    let token = auth.token;
    legs.lock()
        .unwrap()
        .insert(token, LegEntry { address, auth, say });
    loop {
        tokio::select! {
            Some(message) = said.recv() => writer.send(message).await.unwrap(),
            message = reader.next() => match message {
                Ok(Some(message)) => if let Some(answer) = answer(&legs, token, message) {
                    writer.send(answer).await.unwrap();
                },
                Ok(None) | Err(_) => break,
            }
        }
    }
    legs.lock().unwrap().remove(&token);
}

fn answer(legs: &Legs, from: LegToken, message: ToRelay) -> Option<FromRelay> {
    let legs = legs.lock().unwrap();
    let other = legs.iter().find(|(token, _)| **token != from);
    let tell_other = |message: FromRelay| other.unwrap().1.say.send(message).unwrap();
    let (rendezvous, known) = (RENDEZVOUS, Nameplate::new(12_345).unwrap());
    if let ToRelay::Check(check) = message {
        return Some(check.into());
    }
    if let ToRelay::Allocate(allocate) = message {
        let (nameplate, expires_in_s) = (known, allocate.ttl_s);
        return Some(
            Allocated {
                nameplate,
                rendezvous,
                expires_in_s,
            }
            .into(),
        );
    }
    if let ToRelay::Claim(Claim { nameplate, serial }) = message {
        if nameplate != known {
            let (reason, retry_after_s) = (RelayRefusal::CodeUnknown, None);
            return Some(
                Refused {
                    reason,
                    retry_after_s,
                }
                .into(),
            );
        }
        let key = legs[&from].auth.key;
        tell_other(
            Peer {
                rendezvous,
                serial,
                key,
                token: from,
            }
            .into(),
        );
        let (token, key) = other.map(|(token, leg)| (*token, leg.auth.key)).unwrap();
        let operator = OperatorCard {
            key,
            name: None,
            organisation: None,
        };
        return Some(
            Prepare {
                rendezvous,
                operator,
                token,
                expires_in_s: 60,
            }
            .into(),
        );
    }
    if let ToRelay::Release(Release { rendezvous, reason }) = message {
        let how = Departure::Released(reason);
        tell_other(PeerGone { rendezvous, how }.into());
    }
    None
}

/// Sends on what belongs to a leg, keeps the rest.
#[derive(Debug)]
struct Forwarder {
    io: Arc<dyn AsyncUdpSocket>,
    legs: Legs,
}

impl fmt::Debug for LegEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl AsyncUdpSocket for Forwarder {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.io).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = ready!(self.io.poll_recv(cx, buffers, metas))?;
        let legs = self.legs.lock().unwrap();
        for (buffer, meta) in buffers.iter_mut().zip(metas).take(received) {
            let (stride, ecn) = (meta.stride, meta.ecn);
            let class = |packet: &[u8]| {
                Some(
                    cid::destination(packet)
                        .and_then(|to| legs.get(&to))
                        .map(|leg| leg.address),
                )
            };
            meta.len = split(buffer, meta.len, stride, class, None, |run| {
                let destination = cid::destination(run)
                    .and_then(|to| legs.get(&to))
                    .unwrap()
                    .address;
                let segment_size = (run.len() > stride).then_some(stride);
                let transmit = Transmit {
                    destination,
                    ecn,
                    contents: run,
                    segment_size,
                    src_ip: None,
                };
                self.io.try_send(&transmit).unwrap();
            });
        }
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.io.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.io.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.io.may_fragment()
    }
}
