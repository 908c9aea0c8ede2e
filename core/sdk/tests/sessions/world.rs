//! A simulated network with a relay, a device and an operator on it.

use std::{
    future::Future,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use alongside::{
    Compartment, ConnectError, Device, DeviceConfig, DeviceEnd, DeviceEvent, DeviceHandle,
    Identity, Operator, OperatorConfig, OperatorEnd, OperatorEvent, OperatorHandle, Relay,
    device::{self, DeviceError, DeviceEvents},
    operator::{self, OperatorEvents},
    protocol::{
        AccessCode, Serial,
        code::CodeSecret,
        label::Label,
        reason::{EndReason, Party},
        relay::Role,
    },
    transport::{
        Leg, LegConfig, LegEvents, Paths, Proxy, RelayAddress, Trust,
        leg::tunnel::StreamDialer as _,
        sim::{Host, Nat, Quality, Rate, Reach, SimNet},
    },
};
use alongside_relay::{Config, Relay as RelayServer, Running, Socket, StateDir};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::panel::{Shown, TestPanel};

/// Virtual time after which a test waits for nothing any more.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);

pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A line of `ms` each way, between a host and the network's middle.
pub fn line(ms: u64) -> Quality {
    Quality::with_delay(Duration::from_millis(ms))
}

/// The same with a bottleneck of `kbps` and half a second of queue in front of it.
pub fn narrow(ms: u64, kbps: u64) -> Quality {
    Quality {
        rate: Some(Rate {
            bits_per_second: kbps * 1000,
            queue: (kbps * 1000 / 8 / 2).max(8 * 1024),
        }),
        ..line(ms)
    }
}

/// An empty folder, removed with the value.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("alongside-sessions-{}-{n}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _left_over = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct World {
    pub relay: Option<Running>,
    pub relay_host: Host,
    pub device_host: Host,
    pub operator_host: Host,
    ca: Vec<u8>,
    scratch: Scratch,
    /// The ways that both sides may take.
    pub paths: Paths,
    /// A proxy that the device goes through, and what it is known as.
    pub proxy: Option<Host>,
    net: SimNet,
}

/// A running device.
pub struct DeviceSide {
    pub handle: DeviceHandle,
    pub events: DeviceEvents,
    pub panel: Arc<TestPanel>,
    pub shown: Arc<Shown>,
    pub task: JoinHandle<DeviceEnd>,
}

/// A running operator.
pub struct OperatorSide {
    pub handle: OperatorHandle,
    pub events: OperatorEvents,
    pub task: JoinHandle<Result<OperatorEnd, ConnectError>>,
}

impl World {
    /// Device and operator each at the end of such a line, behind translators that only the relay gets through.
    pub fn new(quality: Quality) -> Self {
        Self::behind(quality, [Nat::Cone, Nat::Symmetric])
    }

    /// The same behind translators of these kinds: the device's, and the operator's.
    pub fn behind(quality: Quality, nats: [Nat; 2]) -> Self {
        Self::seeded(11, [quality; 2], nats)
    }

    /// The same, with chances of their own and two lines: the device's, and the operator's.
    pub fn seeded(seed: u64, [near, far]: [Quality; 2], [device, operator]: [Nat; 2]) -> Self {
        let net = SimNet::new(seed);
        let relay_host = net.host(
            IpAddr::from([203, 0, 113, 1]),
            Quality::default(),
            Nat::None,
        );
        let device_host = net.host(IpAddr::from([192, 0, 2, 1]), near, device);
        let operator_host = net.host(IpAddr::from([198, 51, 100, 1]), far, operator);
        relay_host.set_name("relay.test");
        let scratch = Scratch::new();
        let mut world = Self {
            relay: None,
            relay_host,
            device_host,
            operator_host,
            ca: Vec::new(),
            scratch,
            paths: Paths {
                relay_tls: false,
                relay_proxy: false,
                ..Paths::default()
            },
            proxy: None,
            net,
        };
        world.start_relay();
        world
    }

    /// Starts the relay, or another one with the same state.
    pub fn start_relay(&mut self) {
        let path = self.scratch.path().join("relay");
        let state = StateDir::open(&path).unwrap();
        std::fs::write(path.join("operators.toml"), "allow = \"any\"\n").unwrap();
        let mut config = Config::default();
        config.tls.names = vec!["relay.test".into()];
        let (taken, streams) = mpsc::channel(64);
        let listener = self.relay_host.listen(443);
        tokio::spawn(async move { while taken.send(listener.accept().await).await.is_ok() {} });
        let socket = Socket::GivenBoth(self.relay_host.socket(443), streams);
        let relay = RelayServer::start(&config, state, socket).unwrap();
        self.ca = std::fs::read(relay.ca().unwrap()).unwrap();
        self.relay = Some(relay);
    }

    fn reached_from(&self, host: &Host) -> Relay {
        Relay::new("relay.test")
            .unwrap()
            .with_ca(self.ca.clone())
            .with_paths(self.paths)
            .over(Arc::new(host.clone()))
    }

    /// Sets up a proxy that the device goes through where it has to.
    pub fn start_proxy(&mut self) {
        let quality = Quality::default();
        let proxy = self
            .net
            .host(IpAddr::from([192, 0, 2, 9]), quality, Nat::None);
        proxy.set_name("proxy.test");
        let (listener, host) = (proxy.listen(3128), proxy.clone());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await;
                let host = host.clone();
                tokio::spawn(async move {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        head.push(char::from(stream.read_u8().await?));
                    }
                    let mut relay = host.dial("relay.test", 443).await?;
                    let opened = b"HTTP/1.1 200 Connection established\r\n\r\n";
                    stream.write_all(opened).await?;
                    tokio::io::copy_bidirectional(&mut stream, &mut relay).await
                });
            }
        });
        self.proxy = Some(proxy);
    }

    /// A leg of the operator's host, for an operator's program that keeps no rule of its own.
    pub async fn rogue_leg(&self) -> (Leg, LegEvents) {
        let identity = Arc::new(Identity::generate().unwrap());
        let address = RelayAddress::new("relay.test");
        let trust = Trust::CaFile(self.ca.clone());
        let mut config = LegConfig::new(Role::Operator, identity, address, trust);
        config.paths = self.reached_from(&self.operator_host).paths();
        let network = Arc::new(self.operator_host.clone());
        Leg::connect_on(config, network).await.unwrap()
    }

    pub fn device_with(&self, panel: Arc<TestPanel>, until: device::Until) -> DeviceSide {
        self.device_as(panel, until, |device| device)
    }

    /// A device after a `change` to it.
    pub fn device_as(
        &self,
        panel: Arc<TestPanel>,
        until: device::Until,
        change: impl FnOnce(Device) -> Device,
    ) -> DeviceSide {
        let config = DeviceConfig {
            relay: match &self.proxy {
                Some(_) => self
                    .reached_from(&self.device_host)
                    .with_proxy(Proxy::from_argument("proxy.test:3128").unwrap()),
                None => self.reached_from(&self.device_host),
            },
            serial: Serial::new("B7-0042").unwrap(),
            model: Label::new("Example B7").unwrap(),
            compartment: Compartment::open(&self.folder("device")).unwrap(),
        };
        let shown = Arc::new(Shown::default());
        let (device, handle, events) =
            Device::new(config, Arc::clone(&panel) as _, Arc::clone(&shown) as _).unwrap();
        DeviceSide {
            handle,
            events,
            panel,
            shown,
            task: tokio::spawn(change(device).run(until)),
        }
    }

    /// A folder of the world's, which goes with it.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub fn device(&self) -> DeviceSide {
        self.device_with(TestPanel::new(320, 240), device::Until::Stopped)
    }

    /// An operator that is not running yet.
    pub fn operator_at_rest(&self) -> (Operator, OperatorHandle, OperatorEvents) {
        Operator::new(OperatorConfig {
            relay: self.reached_from(&self.operator_host),
            identity: Arc::new(Identity::generate().unwrap()),
            name: None,
        })
    }

    pub fn operator(&self) -> OperatorSide {
        let (operator, handle, events) = self.operator_at_rest();
        OperatorSide {
            handle,
            events,
            task: tokio::spawn(operator.run(operator::Until::Stopped)),
        }
    }

    /// A device and an operator in a session.
    pub async fn session(&self) -> (DeviceSide, OperatorSide) {
        let (mut device, mut operator) = (self.device(), self.operator());
        let code = operator.code().await;
        device.enter(&code).await.unwrap();
        device.connected().await;
        operator.connected().await;
        (device, operator)
    }

    /// Whether packets pass between `host` and the relay.
    pub fn set_reach(&self, host: &Host, reach: Reach) {
        self.relay_host.set_reachable(host, reach);
    }

    /// Whether packets pass between the relay and anybody.
    pub fn set_relay_reach(&self, reach: Reach) {
        self.set_reach(&self.device_host, reach);
        self.set_reach(&self.operator_host, reach);
    }
}

/// Waits for virtual time, but not for ever.
pub async fn patient<F: Future>(work: F) -> F::Output {
    timeout(PATIENCE, work).await.expect("in two hours")
}

impl DeviceSide {
    pub async fn enter(&self, code: &str) -> Result<(), DeviceError> {
        patient(self.handle.enter_code(AccessCode::parse(code).unwrap())).await
    }

    /// What `pick` makes of the first event that it takes; those before are skipped.
    pub async fn event<T>(&mut self, mut pick: impl FnMut(DeviceEvent) -> Option<T>) -> T {
        patient(async {
            loop {
                let event = self.events.recv().await.expect("the device tells it");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        })
        .await
    }

    pub async fn connected(&mut self) {
        self.event(|event| matches!(event, DeviceEvent::Connected { .. }).then_some(()))
            .await;
    }

    /// Whether a session comes of the code that was entered.
    pub async fn is_connected(&mut self) -> bool {
        self.event(|event| match event {
            DeviceEvent::Connected { .. } => Some(true),
            DeviceEvent::CodeRefused(_) => Some(false),
            _ => None,
        })
        .await
    }

    pub async fn ended(&mut self) -> (Party, EndReason) {
        self.event(|event| match event {
            DeviceEvent::Ended { by, reason } => Some((by, reason)),
            _ => None,
        })
        .await
    }
}

impl OperatorSide {
    pub async fn code(&self) -> String {
        let code = patient(self.handle.code(secs(600), None)).await.unwrap();
        code.digits.to_string()
    }

    /// What `pick` makes of the first event that it takes; those before are skipped.
    pub async fn event<T>(&mut self, mut pick: impl FnMut(OperatorEvent) -> Option<T>) -> T {
        patient(async {
            loop {
                let event = self.events.recv().await.expect("the operator is told");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        })
        .await
    }

    pub async fn connected(&mut self) {
        self.event(|event| matches!(event, OperatorEvent::Connected(_)).then_some(()))
            .await;
    }

    pub async fn ended(&mut self) -> (Party, EndReason) {
        self.event(|event| match event {
            OperatorEvent::Ended { by, reason } => Some((by, reason)),
            _ => None,
        })
        .await
    }

    /// Whether the picture here is the panel's, and known to be.
    pub fn sees(&self, panel: &TestPanel) -> bool {
        self.handle
            .screen()
            .with(|shown| shown.is_some_and(|shown| shown.exact && shown.frame == *panel.shows()))
    }

    /// Waits until the picture here is the panel's; how long that took.
    pub async fn see(&mut self, panel: &TestPanel) -> Duration {
        let start = Instant::now();
        while !self.sees(panel) {
            self.event(|event| matches!(event, OperatorEvent::Panel(_)).then_some(()))
                .await;
        }
        start.elapsed()
    }
}

/// The same code with another secret part.
pub fn wrong(code: &str) -> String {
    let code = AccessCode::parse(code).unwrap();
    (0..)
        .filter_map(|n: u8| CodeSecret::draw(&[n; 48]))
        .map(|secret| AccessCode::new(code.nameplate(), secret).reveal())
        .find(|other| *other != code.reveal())
        .unwrap()
}
