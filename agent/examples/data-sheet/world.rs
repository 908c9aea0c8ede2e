//! A relay, a device and an operator on a simulated network.

use std::{fs, net::IpAddr, sync::Arc, time::Duration};

use alongside::{
    Compartment, Device, DeviceConfig, DeviceEvent, DeviceHandle, Identity, Operator,
    OperatorConfig, OperatorEvent, OperatorHandle, Relay,
    audit::MemoryAudit,
    device::{self, AdminIdEntry, DeviceEvents},
    operator::{self, OperatorEvents},
    ports::{AdminId, AdminVerdict, Customer, Panel},
    protocol::{
        AccessCode, PublicKey, Serial,
        ids::ModeId,
        label::{Label, Name},
        reason::ModePhase,
    },
    transport::{
        Paths,
        sim::{Host, Nat, Quality, Rate, SimNet},
    },
};
use alongside_agent::settings::mfd::MfdSettings;
use alongside_relay::{Config, Relay as RelayServer, Running, Socket, StateDir};
use tokio::time::{Instant, timeout};

/// Virtual time after which nothing is waited for any more.
const PATIENCE: Duration = Duration::from_secs(600);

/// The system administrator's ID of the simulated device.
const ADMIN_ID: &str = "40721986";

/// Serial number of the device.
pub(crate) const SERIAL: &str = "B7-0042-771";
/// Names of the operator that the relay confirms.
pub(crate) const NAMES: [&str; 2] = ["Dana Reyes", "Example Support"];

/// A line of `ms` milliseconds each way between a host and the relay.
pub(crate) fn line(ms: u64) -> Quality {
    Quality::with_delay(Duration::from_millis(ms))
}

/// The same with a bottleneck of `kbps` and half a second of queue in front of it.
pub(crate) fn narrow(ms: u64, kbps: u64) -> Quality {
    let bits_per_second = kbps * 1_000;
    Quality {
        rate: Some(Rate {
            bits_per_second,
            queue: (bits_per_second / 16).max(8_192),
        }),
        ..line(ms)
    }
}

/// Where a session can take place.
pub(crate) struct World {
    folder: tempfile::TempDir,
    _relay: Running,
    ca: Vec<u8>,
    device_host: Host,
    operator_host: Host,
    identity: Arc<Identity>,
}

/// Both sides of a session, and their links to the network.
pub(crate) struct Stage {
    pub(crate) device: DeviceHandle,
    pub(crate) device_events: DeviceEvents,
    pub(crate) device_host: Host,
    pub(crate) operator: OperatorHandle,
    pub(crate) operator_events: OperatorEvents,
    pub(crate) operator_host: Host,
    pub(crate) key: PublicKey,
    /// From the relay's answer to the code until the device knew that the operator holds it.
    pub(crate) proved_in: Duration,
    _world: World,
}

/// The device's check of its system administrator's ID.
#[derive(Debug)]
struct OneId;

impl AdminId for OneId {
    fn verify(&self, id: &str) -> AdminVerdict {
        assert_eq!(id, ADMIN_ID);
        AdminVerdict::Ok
    }
}

impl World {
    /// Both sides at the end of such a line, where packets have to go through the relay.
    pub(crate) fn new(quality: Quality) -> Self {
        let net = SimNet::new(7);
        let host = |address: [u8; 4], quality, nat| net.host(IpAddr::from(address), quality, nat);
        let relay_host = host([203, 0, 113, 1], Quality::default(), Nat::None);
        relay_host.set_name("relay.test");
        let folder = tempfile::tempdir().unwrap();
        let identity = Arc::new(Identity::generate().unwrap());
        let path = folder.path().join("relay");
        let state = StateDir::open(&path).unwrap();
        let [name, organisation] = NAMES;
        let table = format!(
            "[operators.{}]\nname = \"{name}\"\norganisation = \"{organisation}\"\n",
            identity.public_key()
        );
        fs::write(path.join("operators.toml"), table).unwrap();
        let mut config = Config::default();
        config.tls.names = vec!["relay.test".into()];
        let socket = Socket::Given(relay_host.socket(443));
        let relay = RelayServer::start(&config, state, socket).unwrap();
        let ca = fs::read(relay.ca().unwrap()).unwrap();
        Self {
            folder,
            _relay: relay,
            ca,
            device_host: host([192, 0, 2, 1], quality, Nat::Cone),
            operator_host: host([198, 51, 100, 1], quality, Nat::Symmetric),
            identity,
        }
    }

    fn reached_from(&self, host: &Host) -> Relay {
        Relay::new("relay.test")
            .unwrap()
            .with_ca(self.ca.clone())
            .with_paths(Paths {
                // The simulated relay has UDP alone.
                relay_tls: false,
                relay_proxy: false,
                ..Paths::default()
            })
            .over(Arc::new(host.clone()))
    }

    /// Brings both into a session.
    pub(crate) async fn session(self, panel: Arc<dyn Panel>, customer: Arc<dyn Customer>) -> Stage {
        let config = DeviceConfig {
            relay: self.reached_from(&self.device_host),
            serial: Serial::new(SERIAL).unwrap(),
            model: Label::new("Alongside MFD 7").unwrap(),
            compartment: Compartment::open(&self.folder.path().join("device")).unwrap(),
        };
        let (device, device_handle, device_events) = Device::new(config, panel, customer).unwrap();
        let device = device
            .with_admin_id(Arc::new(OneId))
            .with_audit(Arc::new(MemoryAudit::default()));
        let settings = MfdSettings::open(self.folder.path()).unwrap();
        let device = device.with_settings(Arc::new(settings)).unwrap();
        tokio::spawn(device.run(device::Until::Stopped));
        let (operator, operator_handle, operator_events) = Operator::new(OperatorConfig {
            relay: self.reached_from(&self.operator_host),
            identity: Arc::clone(&self.identity),
            name: Name::new(NAMES[0]).ok(),
        });
        tokio::spawn(operator.run(operator::Until::Stopped));
        let mut stage = Stage {
            device: device_handle,
            device_events,
            device_host: self.device_host.clone(),
            operator: operator_handle,
            operator_events,
            operator_host: self.operator_host.clone(),
            key: self.identity.public_key(),
            proved_in: Duration::ZERO,
            _world: self,
        };
        let code = stage.operator.code(PATIENCE, None).await.unwrap();
        let code = AccessCode::parse(&code.digits).unwrap();
        stage.device.enter_code(code).await.unwrap();
        let claimed = Instant::now();
        stage
            .device_tells(|event| matches!(event, DeviceEvent::Connected { .. }))
            .await;
        stage.proved_in = claimed.elapsed();
        stage
            .operator_tells(|event| matches!(event, OperatorEvent::Connected(_)))
            .await;
        stage
    }
}

impl Stage {
    /// Brings `mode` about: asked for by the operator, allowed by the customer with the administrator's ID.
    pub(crate) async fn enter(&mut self, mode: &str) {
        if mode != ModeId::USER_GUIDE {
            self.operator
                .mode(ModeId::new(mode).unwrap())
                .await
                .unwrap();
            self.device_tells(|event| matches!(event, DeviceEvent::Asked(_)))
                .await;
            let id = AdminIdEntry::new(ADMIN_ID.to_owned().into());
            self.device.allow(id).await.unwrap();
        }
        self.operator_tells(|event| {
            matches!(event, OperatorEvent::Mode(state)
                if state.mode.as_str() == mode && state.phase == ModePhase::Active)
        })
        .await;
    }

    /// Waits until the operator's picture is the panel's.
    pub(crate) async fn see(&mut self) {
        self.operator_tells(|event| matches!(event, OperatorEvent::Panel(update) if update.exact))
            .await;
    }

    async fn device_tells(&mut self, wanted: impl Fn(&DeviceEvent) -> bool) {
        let told = async { while !wanted(&self.device_events.recv().await.unwrap()) {} };
        timeout(PATIENCE, told).await.unwrap();
    }

    async fn operator_tells(&mut self, wanted: impl Fn(&OperatorEvent) -> bool) {
        let told = async { while !wanted(&self.operator_events.recv().await.unwrap()) {} };
        timeout(PATIENCE, told).await.unwrap();
    }
}
