use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use alongside_protocol::relay::Role;
use quinn::udp::EcnCodepoint;

use super::*;
use crate::leg::probe::{Probe, ProbeKeys};

const OWN: LegToken = LegToken(*b"our own!");
const PEER: LegToken = LegToken(*b"the peer");

/// A socket that receives what the test gives it and remembers what it was told to send.
#[derive(Debug, Default)]
struct Script {
    incoming: Mutex<VecDeque<Waiting>>,
    waker: Mutex<Option<Waker>>,
    sent: Mutex<Vec<(SocketAddr, Vec<u8>)>>,
}

impl Script {
    fn receive(&self, from: SocketAddr, packets: &[&[u8]]) {
        let stride = packets.first().unwrap().len();
        let bytes = packets.concat();
        let meta = RecvMeta {
            addr: from,
            len: bytes.len(),
            stride,
            ecn: Some(EcnCodepoint::Ect0),
            dst_ip: Some([10, 0, 0, 1].into()),
        };
        self.incoming
            .lock()
            .unwrap()
            .push_back(Waiting { bytes, meta });
        self.waker
            .lock()
            .unwrap()
            .take()
            .into_iter()
            .for_each(Waker::wake);
    }
}

impl AsyncUdpSocket for Script {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        unreachable!("no test waits to send")
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.sent
            .lock()
            .unwrap()
            .push((transmit.destination, transmit.contents.to_vec()));
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        match self.incoming.lock().unwrap().pop_front() {
            Some(Waiting { bytes, meta }) => {
                buffers[0][..bytes.len()].copy_from_slice(&bytes);
                metas[0] = meta;
                Poll::Ready(Ok(1))
            }
            None => Poll::Pending,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok("10.0.0.1:5000".parse().unwrap())
    }
}

/// Counts how often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

struct Pair {
    script: Arc<Script>,
    shared: Arc<SharedSocket>,
    control: Arc<dyn AsyncUdpSocket>,
    end_to_end: Arc<dyn AsyncUdpSocket>,
}

fn relay() -> SocketAddr {
    "192.0.2.1:443".parse().unwrap()
}

fn start() -> Pair {
    let script = Arc::new(Script::default());
    let shared =
        SharedSocket::new(Arc::clone(&script) as Arc<dyn AsyncUdpSocket>, OWN, relay()).unwrap();
    Pair {
        control: shared.control(),
        end_to_end: shared.end_to_end(),
        script,
        shared,
    }
}

/// What one poll gives: the packets, and where they seem to come from.
fn poll(socket: &Arc<dyn AsyncUdpSocket>, waker: &Waker) -> Poll<Option<(Vec<u8>, RecvMeta)>> {
    let (mut bytes, mut metas) = ([0; 2000], [RecvMeta::default()]);
    let mut buffers = [IoSliceMut::new(&mut bytes)];
    socket
        .poll_recv(&mut Context::from_waker(waker), &mut buffers, &mut metas)
        .map(|result| {
            assert_eq!(result.unwrap(), 1);
            let [meta] = metas;
            (meta.len > 0).then(|| (bytes[..meta.len].to_vec(), meta))
        })
}

fn short(token: LegToken, fill: u8) -> Vec<u8> {
    [&[0x41], token.0.as_slice(), &[fill; 30]].concat()
}

#[tokio::test]
async fn a_mixed_buffer_reaches_both_endpoints_and_wakes_the_one_that_did_not_receive() {
    let Pair {
        script,
        shared,
        control,
        end_to_end,
    } = start();
    let (ours, theirs) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    let (control_waker, e2e_waker) = (
        Waker::from(Arc::clone(&ours)),
        Waker::from(Arc::clone(&theirs)),
    );
    assert!(poll(&control, &control_waker).is_pending());
    assert!(poll(&end_to_end, &e2e_waker).is_pending());

    let (e2e, relayed) = (short(OWN, 1), short(LegToken([9; 8]), 2));
    script.receive(relay(), &[&e2e, &e2e, &relayed, &e2e, &relayed[..20]]);
    assert_eq!(
        (ours.0.load(Relaxed), theirs.0.load(Relaxed)),
        (1, 1),
        "both tasks look"
    );

    let Poll::Ready(Some((bytes, meta))) = poll(&control, &control_waker) else {
        panic!("nothing for control")
    };
    assert_eq!(bytes, [&relayed[..], &relayed[..20]].concat());
    assert_eq!(
        (meta.addr, meta.stride),
        (SharedSocket::relay_address(), e2e.len())
    );

    let mut packets = Vec::new();
    while let Poll::Ready(Some((bytes, meta))) = poll(&end_to_end, &e2e_waker) {
        assert_eq!(
            (meta.addr, meta.dst_ip, meta.ecn),
            (shared.peer_address(), None, Some(EcnCodepoint::Ect0))
        );
        packets.extend(bytes);
    }
    assert_eq!(packets, [&e2e[..], &e2e, &e2e].concat());

    // And once it waits again, what the other receives for it wakes it.
    assert!(poll(&control, &control_waker).is_pending());
    let before = ours.0.load(Relaxed);
    script.receive(relay(), &[&relayed]);
    assert!(matches!(poll(&end_to_end, &e2e_waker), Poll::Ready(None)));
    assert!(ours.0.load(Relaxed) > before);
    assert!(matches!(
        poll(&control, &control_waker),
        Poll::Ready(Some(_))
    ));
}

#[tokio::test]
async fn nothing_from_anywhere_but_the_relay_reaches_an_endpoint() {
    let Pair {
        script,
        control,
        end_to_end,
        ..
    } = start();
    for packet in [short(OWN, 1), short(LegToken([9; 8]), 2)] {
        script.receive("192.0.2.9:443".parse().unwrap(), &[&packet]);
        assert!(matches!(
            poll(&end_to_end, Waker::noop()),
            Poll::Ready(None)
        ));
        assert!(poll(&control, Waker::noop()).is_pending());
    }
}

#[tokio::test]
async fn packets_go_to_the_relay_when_their_id_names_a_peer_and_nowhere_else() {
    let Pair {
        script,
        shared,
        end_to_end,
        ..
    } = start();
    let packet = [&[0xc3, 0, 0, 0, 1, 16], PEER.0.as_slice(), &[7; 30]].concat();
    let send = |contents: &[u8]| {
        let destination = shared.peer_address();
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: None,
            src_ip: None,
        };
        end_to_end.try_send(&transmit).unwrap();
    };
    send(&packet);
    assert!(script.sent.lock().unwrap().is_empty());
    shared.add_peer(PEER);
    send(&packet);
    assert_eq!(*script.sent.lock().unwrap(), [(relay(), packet)]);
}

#[tokio::test]
async fn a_stateless_reset_is_addressed_to_every_peer_and_keeps_its_token() {
    let Pair {
        script,
        shared,
        end_to_end,
        ..
    } = start();
    shared.add_peer(PEER);
    shared.add_peer(LegToken(*b"another!"));
    let reset = [&[0x5c][..], &[0xee; 25], b"the reset token!"].concat();
    let (destination, contents) = (shared.peer_address(), reset.as_slice());
    end_to_end
        .try_send(&Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: None,
            src_ip: None,
        })
        .unwrap();
    let sent = script.sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    for ((to, packet), peer) in sent.iter().zip([b"the peer", b"another!"]) {
        assert_eq!(*to, relay());
        assert_eq!(&packet[1..9], peer);
        assert_eq!(&packet[9..], &reset[9..]);
    }
}

#[test]
fn an_ipv4_relay_is_reached_from_a_dual_stack_socket() {
    let dual = "[::]:0".parse().unwrap();
    assert_eq!(
        as_socket_wants(relay(), dual),
        "[::ffff:192.0.2.1]:443".parse().unwrap()
    );
    assert_eq!(
        as_socket_wants(relay(), "0.0.0.0:0".parse().unwrap()),
        relay()
    );
}

#[tokio::test]
async fn a_peer_that_is_not_admitted_is_told_nothing_and_sends_this_side_nowhere() {
    let Pair { script, shared, .. } = start();
    shared.add_peer(PEER);
    let exported: [u8; 72] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let keys = |role| ProbeKeys::from_exported(&exported, role, PEER).unwrap();
    let peer = keys(Role::Device);
    let at = |last| SocketAddr::from(([192, 0, 2, last], 4000));
    let now = Instant::now().into_std();
    shared.add_direct(keys(Role::Operator), vec![at(1)]);
    let list = (10..18).map(at).collect();
    let told = peer.seal(&Probe::Candidates { n: 1, list });
    assert!(shared.take_probe(now, None, &told));
    let ping = peer.seal(&Probe::Ping { n: 1 });
    assert!(shared.take_probe(now, Some(at(10)), &ping));
    assert!(!shared.is_direct(now, at(10), &short(OWN, 1)));
    for seconds in 0..60 {
        assert_eq!(
            shared.tend_direct(now + Duration::from_secs(seconds), PEER),
            None
        );
    }
    assert_eq!(*script.sent.lock().unwrap(), []);

    let half_way = Duration::from_millis(30);
    shared.admit_direct(now, half_way, PEER);
    shared.tend_direct(now, PEER).unwrap();
    let sent = std::mem::take(&mut *script.sent.lock().unwrap());
    let [(to, packet)] = sent.as_slice() else {
        panic!("only our candidates are sent at once: {sent:?}")
    };
    let list = vec![at(1)];
    assert_eq!(
        (*to, peer.open(packet)),
        (relay(), Some(Probe::Candidates { n: 1, list }))
    );
    shared.tend_direct(now + half_way, PEER).unwrap();
    let sent = script.sent.lock().unwrap();
    let to: Vec<SocketAddr> = sent.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, (10..18).map(at).collect::<Vec<_>>());
}
