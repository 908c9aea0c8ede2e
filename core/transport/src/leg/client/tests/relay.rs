//! The least that is a relay: lets legs in, introduces the one operator to the one device, forwards by token.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, IoSliceMut},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Waker, ready},
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
use crate::{
    leg::{
        auth::{LegBinding, verify},
        cid::endpoint_config,
        http::Head,
        shared_socket::split::split,
        tls::{quic_server, relay_server_config, stream_server_config},
        tuning,
        tunnel::Stream,
        websocket::{self, PacketQueue, Side, carry},
    },
    sim::SimListener,
};

pub(super) const RENDEZVOUS: RendezvousId = RendezvousId([5; 16]);

pub(super) struct TestRelay {
    pub(super) ca: Vec<u8>,
    pub(super) endpoint: quinn::Endpoint,
    pub(super) legs: Legs,
    socket: Arc<Forwarder>,
    stream_tls: rustls::ServerConfig,
}

pub(super) type Legs = Arc<Mutex<BTreeMap<LegToken, LegEntry>>>;

pub(super) struct LegEntry {
    connection: quinn::Connection,
    auth: Auth,
    say: mpsc::UnboundedSender<FromRelay>,
}

impl LegEntry {
    pub(super) fn key(&self) -> PublicKey {
        self.auth.key
    }

    /// Follows the leg wherever its control connection's packets come from.
    fn address(&self) -> SocketAddr {
        self.connection.remote_address()
    }
}

impl TestRelay {
    /// A relay named `relay.test` over `io`.
    pub(super) fn start(io: Arc<dyn AsyncUdpSocket>) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["relay.test".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let stream_tls = stream_server_config(vec![cert.der().clone()], key.clone_key()).unwrap();
        let tls = relay_server_config(vec![cert.der().clone()], key).unwrap();
        let legs = Legs::default();
        let socket = Arc::new(Forwarder {
            io,
            legs: Arc::clone(&legs),
            streams: Mutex::default(),
            arrived: Mutex::default(),
            waker: Mutex::default(),
        });
        let server = quic_server(tls, tuning::relay_control()).unwrap();
        let runtime = Arc::new(quinn::TokioRuntime);
        // Token and reset key outlive the process, as in any real relay.
        let mut config = endpoint_config(LegToken(*b"relay!!!"));
        config.reset_key(Arc::new(Key::new(HMAC_SHA256, &[9; 32])));
        let endpoint = quinn::Endpoint::new_with_abstract_socket(
            config,
            Some(server),
            Arc::clone(&socket) as Arc<dyn AsyncUdpSocket>,
            runtime,
        );
        let relay = Self {
            ca: cert.pem().into_bytes(),
            endpoint: endpoint.unwrap(),
            legs,
            socket,
            stream_tls,
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

    /// Takes legs over streams as well.
    pub(super) fn listen(&self, listener: SimListener) {
        let (socket, tls) = (Arc::clone(&self.socket), Arc::new(self.stream_tls.clone()));
        tokio::spawn(async move {
            for n in 1.. {
                let (stream, _) = listener.accept().await;
                let address =
                    SocketAddr::new(std::net::Ipv6Addr::from(u128::from(n as u16)).into(), 443);
                tokio::spawn(take_stream(
                    Arc::clone(&socket),
                    Arc::clone(&tls),
                    stream,
                    address,
                ));
            }
        });
    }

    pub(super) fn announce_closing(&self) {
        for leg in self.legs.lock().unwrap().values() {
            leg.say.send(Closing {}.into()).unwrap();
        }
    }
}

async fn take_stream(
    socket: Arc<Forwarder>,
    tls: Arc<rustls::ServerConfig>,
    stream: Stream,
    address: SocketAddr,
) {
    let Ok(mut stream) = tokio_rustls::TlsAcceptor::from(tls).accept(stream).await else {
        return;
    };
    let Ok((head, rest)) = Head::read(&mut stream, b"GET ").await else {
        return;
    };
    let answer = websocket::answer(&head).unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let queue = Arc::new(PacketQueue::new(32));
    socket
        .streams
        .lock()
        .unwrap()
        .insert(address, Arc::clone(&queue));
    carry(stream, Side::Server, rest, &queue, |packet| {
        socket.take(address, packet)
    })
    .await;
    socket.streams.lock().unwrap().remove(&address);
}

async fn serve(connection: quinn::Connection, legs: Legs) {
    let Ok((send, recv)) = connection.open_bi().await else {
        return;
    };
    let mut writer = ControlWriter::<FromRelay, _>::new(send);
    let mut reader = ControlReader::<ToRelay, _>::new(recv);
    let challenge = Challenge {
        version: 1,
        nonce: [3; 32],
        time: 0,
    };
    if writer.send(challenge.clone()).await.is_err() {
        return;
    }
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
    let entry = LegEntry {
        connection,
        auth,
        say,
    };
    legs.lock().unwrap().insert(token, entry);
    loop {
        tokio::select! {
            Some(message) = said.recv() => writer.send(message).await.unwrap(),
            message = reader.next() => match message {
                Ok(Some(message)) => {
                    if let Some(answer) = answer(&legs, token, message) {
                        writer.send(answer).await.unwrap();
                    }
                }
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
    streams: Mutex<BTreeMap<SocketAddr, Arc<PacketQueue>>>,
    /// Packets for the relay itself that came over streams.
    arrived: Mutex<VecDeque<(SocketAddr, Vec<u8>)>>,
    waker: Mutex<Option<Waker>>,
}

impl Forwarder {
    fn take(&self, from: SocketAddr, packet: &[u8]) {
        let to = cid::destination(packet)
            .and_then(|to| Some(self.legs.lock().unwrap().get(&to)?.address()));
        let Some(destination) = to else {
            self.arrived
                .lock()
                .unwrap()
                .push_back((from, packet.to_vec()));
            self.waker
                .lock()
                .unwrap()
                .take()
                .into_iter()
                .for_each(Waker::wake);
            return;
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: packet,
            segment_size: None,
            src_ip: None,
        };
        self.send(&transmit);
    }

    fn send(&self, transmit: &Transmit<'_>) {
        let stream = self
            .streams
            .lock()
            .unwrap()
            .get(&transmit.destination)
            .cloned();
        match stream {
            Some(queue) => {
                let size = transmit.segment_size.unwrap_or(transmit.contents.len());
                for packet in transmit.contents.chunks(size) {
                    queue.push(packet);
                }
            }
            None if transmit.destination.is_ipv6() => {} // a stream that is gone
            None => self.io.try_send(transmit).unwrap(),
        }
    }
}

impl fmt::Debug for LegEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

impl AsyncUdpSocket for Forwarder {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.io).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.send(transmit);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        if let Some((from, packet)) = self.arrived.lock().unwrap().pop_front() {
            buffers[0][..packet.len()].copy_from_slice(&packet);
            metas[0] = RecvMeta::default();
            (metas[0].addr, metas[0].len, metas[0].stride) = (from, packet.len(), packet.len());
            return Poll::Ready(Ok(1));
        }
        let received = ready!(self.io.poll_recv(cx, buffers, metas))?;
        let legs = self.legs.lock().unwrap();
        for (buffer, meta) in buffers.iter_mut().zip(metas).take(received) {
            let (stride, ecn) = (meta.stride, meta.ecn);
            let class = |packet: &[u8]| {
                Some(
                    cid::destination(packet)
                        .and_then(|to| legs.get(&to))
                        .map(LegEntry::address),
                )
            };
            meta.len = split(buffer, meta.len, stride, class, None, |run| {
                let destination = cid::destination(run)
                    .and_then(|to| legs.get(&to))
                    .unwrap()
                    .address();
                let segment_size = (run.len() > stride).then_some(stride);
                let transmit = Transmit {
                    destination,
                    ecn,
                    contents: run,
                    segment_size,
                    src_ip: None,
                };
                self.send(&transmit);
            });
        }
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        // Addresses of both families are served.
        Ok(SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), 443))
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
