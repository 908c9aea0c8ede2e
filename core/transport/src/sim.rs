//! A network inside one process, for tests: delay, loss, order, rate, address translation and blocking, in virtual time.
//!
//! Under tokio's paused clock a minute takes milliseconds. Everything random follows the seed. The sockets are
//! quinn's, so endpoints run over them unchanged.

use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use quinn::{AsyncUdpSocket, udp::EcnCodepoint};
use tokio::{sync::mpsc, time::Instant};

mod nat;
mod socket;
mod stream;

use nat::Translator;
pub use nat::{Dependence, Nat};
use socket::{Arrival, Queue, SimSocket};
pub use stream::SimListener;
use stream::{Link, Waiting};

/// Bytes of IP and UDP headers that a packet costs on a link.
const HEADERS: usize = 28;

/// How good a host's connection to the network is, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Time that a packet takes.
    pub delay: Duration,
    /// Packets lost, in parts per thousand.
    pub loss_permille: u32,
    /// Packets that come twice, in parts per thousand.
    pub twice_permille: u32,
    /// Packets that others overtake, in parts per thousand: they take up to half as long again, and [`JITTER`] more.
    pub late_permille: u32,
    /// What passes at most; no limit if `None`.
    pub rate: Option<Rate>,
}

/// What a packet that is overtaken takes longer at most, beside half of the delay.
pub const JITTER: Duration = Duration::from_millis(10);

/// A bottleneck and the queue in front of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Bits per second.
    pub bits_per_second: u64,
    /// Bytes that wait at most; what comes beyond is dropped.
    pub queue: u64,
}

impl Quality {
    /// A perfect line of `delay` each way.
    pub fn with_delay(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }
}

/// What a host sent and received on its link, headers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that left the host.
    pub sent: u64,
    /// Bytes that arrived.
    pub received: u64,
}

/// A simulated network; clones are the same one.
#[derive(Clone, Debug)]
pub struct SimNet(Arc<Mutex<Net>>);

/// A host on a [`SimNet`].
#[derive(Clone, Debug)]
pub struct Host {
    net: SimNet,
    id: usize,
}

#[derive(Debug)]
struct Net {
    hosts: Vec<Node>,
    blocked: BTreeSet<(usize, usize)>,
    names: BTreeMap<String, usize>,
    /// Who listens for streams, by host and port.
    listeners: BTreeMap<(usize, u16), Arc<Waiting>>,
    /// Streams, by the two hosts.
    streams: Vec<Weak<Link>>,
    random: u64,
    sequence: u64,
}

#[derive(Debug)]
struct Node {
    address: IpAddr,
    quality: Quality,
    translator: Translator,
    /// When the bottleneck is free again: out of the host, and into it.
    free_at: [Instant; 2],
    sockets: BTreeMap<u16, Arc<Queue>>,
    next_port: u16,
    traffic: Traffic,
    stream_traffic: Traffic,
    /// Who wants the size of every packet that leaves.
    sizes: Option<mpsc::UnboundedSender<usize>>,
    udp: Reach,
    streams: Reach,
}

/// A packet between two addresses.
struct Packet<'a> {
    from: SocketAddr,
    to: SocketAddr,
    ecn: Option<EcnCodepoint>,
    bytes: &'a [u8],
}

impl SimNet {
    /// An empty network whose chances follow `seed`.
    pub fn new(seed: u64) -> Self {
        let net = Net {
            hosts: Vec::new(),
            blocked: BTreeSet::new(),
            names: BTreeMap::new(),
            listeners: BTreeMap::new(),
            streams: Vec::new(),
            random: seed | 1,
            sequence: 0,
        };
        Self(Arc::new(Mutex::new(net)))
    }

    /// A host that the network knows as `address`: its own, or that of the translator in front of it.
    pub fn host(&self, address: IpAddr, quality: Quality, nat: Nat) -> Host {
        let now = Instant::now();
        let mut net = self.lock();
        net.hosts.push(Node {
            address,
            quality,
            translator: Translator::new(nat),
            free_at: [now; 2],
            sockets: BTreeMap::new(),
            next_port: 40_000,
            traffic: Traffic::default(),
            stream_traffic: Traffic::default(),
            sizes: None,
            udp: Reach::Open,
            streams: Reach::Open,
        });
        Host {
            net: self.clone(),
            id: net.hosts.len() - 1,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Net> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// A socket on `port`, or on a free one if it is 0. A socket that was on the port before hears no more.
    pub fn socket(&self, port: u16) -> Arc<dyn AsyncUdpSocket> {
        let mut net = self.net.lock();
        let Some(node) = net.hosts.get_mut(self.id) else {
            unreachable!("hosts are never removed")
        };
        let port = if port == 0 {
            node.next_port += 1;
            node.next_port
        } else {
            port
        };
        let queue = Arc::new(Queue::default());
        node.sockets.insert(port, Arc::clone(&queue));
        let local = SocketAddr::new(node.translator.inner_address(node.address), port);
        Arc::new(SimSocket::new(self.clone(), local, queue))
    }

    /// The address at which the network reaches `port` of a host without translation.
    pub fn address(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.with(|node| node.address), port)
    }

    /// Changes the host's link.
    pub fn set_quality(&self, quality: Quality) {
        self.with(|node| node.quality = quality);
    }

    /// Lets nothing pass between this host and `other`, or lets it pass again.
    pub fn set_reachable(&self, other: &Self, reach: Reach) {
        let mut net = self.net.lock();
        for pair in [(self.id, other.id), (other.id, self.id)] {
            match reach {
                Reach::Open => net.blocked.remove(&pair),
                Reach::Blocked => net.blocked.insert(pair),
            };
        }
    }

    /// Lets UDP in and out, or streams alone.
    pub fn set_udp(&self, reach: Reach) {
        self.with(|node| node.udp = reach);
    }

    /// Lets bytes of streams in and out, or UDP alone.
    pub fn set_streams(&self, reach: Reach) {
        self.with(|node| node.streams = reach);
    }

    /// Lets `name` lead to this host.
    pub fn set_name(&self, name: &str) {
        self.net.lock().names.insert(name.to_owned(), self.id);
    }

    /// Makes the translator forget every mapping, as after its restart: the next packets come from new ports.
    pub fn forget_mappings(&self) {
        self.with(|node| node.translator.forget());
    }

    /// What went over the host's link so far as UDP.
    pub fn traffic(&self) -> Traffic {
        self.with(|node| node.traffic)
    }

    /// What went over it so far in streams, with a header for each segment of at most 1460 bytes and without
    /// acknowledgements.
    pub fn stream_traffic(&self) -> Traffic {
        self.with(|node| node.stream_traffic)
    }

    /// The size of each packet that leaves the host from now on, headers included.
    pub fn sizes(&self) -> mpsc::UnboundedReceiver<usize> {
        let (sender, sizes) = mpsc::unbounded_channel();
        self.with(|node| node.sizes = Some(sender));
        sizes
    }

    fn with<T>(&self, act: impl FnOnce(&mut Node) -> T) -> T {
        let mut net = self.net.lock();
        match net.hosts.get_mut(self.id) {
            Some(node) => act(node),
            None => unreachable!("hosts are never removed"),
        }
    }

    fn send(&self, packet: &Packet<'_>) {
        self.net.lock().send(self.id, packet);
    }
}

/// Whether two hosts reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Packets pass.
    Open,
    /// Packets vanish.
    Blocked,
}

/// Direction on a host's link.
#[derive(Clone, Copy)]
enum Direction {
    Out,
    In,
}

impl Node {
    fn free_at(&mut self, direction: Direction) -> &mut Instant {
        let [out, into] = &mut self.free_at;
        match direction {
            Direction::Out => out,
            Direction::In => into,
        }
    }

    /// When `size` bytes that come to the bottleneck at `at` are through it.
    fn take_turn(&mut self, direction: Direction, at: Instant, size: usize) -> Instant {
        let Some(rate) = self.quality.rate else {
            return at;
        };
        let free_at = self.free_at(direction);
        let time = Duration::from_secs_f64(size as f64 * 8.0 / rate.bits_per_second as f64);
        *free_at = at.max(*free_at) + time;
        *free_at
    }
}

impl Net {
    fn send(&mut self, from: usize, packet: &Packet<'_>) {
        let now = Instant::now();
        let size = packet.bytes.len() + HEADERS;
        let Some(node) = self.hosts.get_mut(from) else {
            return;
        };
        let source = SocketAddr::new(
            node.address,
            node.translator.outgoing(packet.from.port(), packet.to),
        );
        node.traffic.sent += size as u64;
        if let Some(sizes) = &node.sizes {
            // Whoever asked may have gone.
            let _ = sizes.send(size);
        }
        let Some(left) = self.cross(from, Direction::Out, now, size) else {
            return;
        };
        let Some(to) = self
            .hosts
            .iter()
            .position(|node| node.address == packet.to.ip())
        else {
            return;
        };
        let lets_udp = |host: usize| {
            self.hosts
                .get(host)
                .is_some_and(|node| node.udp == Reach::Open)
        };
        if self.blocked.contains(&(from, to)) || !lets_udp(from) || !lets_udp(to) {
            return;
        }
        let Some(arrives) = self.cross(to, Direction::In, left, size) else {
            return;
        };
        let Some(node) = self.hosts.get_mut(to) else {
            return;
        };
        let Some(port) = node.translator.incoming(packet.to.port(), source) else {
            return;
        };
        let Some(queue) = node.sockets.get(&port) else {
            return;
        };
        node.traffic.received += size as u64;
        let queue = Arc::clone(queue);
        let (twice, late) = [from, to]
            .iter()
            .filter_map(|host| self.hosts.get(*host))
            .fold((0, 0), |(twice, late), node| {
                let quality = node.quality;
                (twice + quality.twice_permille, late + quality.late_permille)
            });
        let copies = if self.happens(twice) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = arrives.saturating_duration_since(now);
            let later = if self.happens(late) {
                let most = delay / 2 + JITTER;
                Duration::from_micros(self.next_random() % (most.as_micros() as u64).max(1))
            } else {
                Duration::ZERO
            };
            self.sequence += 1;
            queue.push(Arrival {
                at: arrives + later,
                sequence: self.sequence,
                from: source,
                ecn: packet.ecn,
                bytes: packet.bytes.to_vec(),
            });
        }
    }

    fn happens(&mut self, permille: u32) -> bool {
        permille > 0 && self.next_random() % 1000 < u64::from(permille)
    }

    /// When a packet that enters a host's link at `at` has passed it; `None` if it is lost.
    fn cross(
        &mut self,
        host: usize,
        direction: Direction,
        at: Instant,
        size: usize,
    ) -> Option<Instant> {
        let chance = self.next_random() % 1000;
        let node = self.hosts.get_mut(host)?;
        if chance < u64::from(node.quality.loss_permille) {
            return None;
        }
        if let Some(rate) = node.quality.rate {
            let waits = node.free_at(direction).saturating_duration_since(at);
            let waiting = waits.as_secs_f64() * rate.bits_per_second as f64 / 8.0;
            if waiting > rate.queue as f64 {
                return None;
            }
        }
        Some(node.take_turn(direction, at, size) + node.quality.delay)
    }

    /// Marsaglia's xorshift64 (2003).
    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 11
    }
}

type Arrivals = BinaryHeap<std::cmp::Reverse<Arrival>>;

#[cfg(test)]
mod tests;
