//! The device's side: takes the code that a customer types, and lets the operator behind it help.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside_protocol::{AccessCode, Serial, label::Label};
use alongside_session::{EntryGuard, Limits, OperatorIdentity};
use alongside_transport::{Connection, Identity};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use crate::{
    Relay, Volume,
    audit::{AuditStore, history::History},
    clock::{self, SteadyClock},
    compartment::{Compartment, CompartmentError},
    modes::{Means, Modes},
    ports::{AdminId, Customer, OwnerPolicy, Panel},
    search::Search,
    settings::{Desk, DeskError, Settings},
    status::Status,
};

mod alone;
mod asking;
mod attempt;
mod board;
mod camera;
mod changes;
mod drive;
mod event;
mod hand;
mod handle;
mod refusal;
mod way;

use attempt::Tried;
pub use event::{DeviceEnd, DeviceEvent, DeviceEvents, Until};
use hand::{Entry, Hand};
use handle::Command;
pub use handle::{AdminIdEntry, DeviceError, DeviceHandle};
use way::Way;

/// Commands that may wait before the callers have to.
const COMMANDS: usize = 256;

/// Events that may wait to be read; the newest are dropped beyond, so that nobody has to read them.
const EVENTS: usize = 1024;

/// How long the way to the relay stays open after a code that led to nothing: the time to hear the right one and to
/// type it (our choice).
const WAY_KEPT: Duration = Duration::from_secs(120);

/// What a device is and which relay it asks.
#[derive(Clone, Debug)]
pub struct DeviceConfig {
    /// The relay, or [none](Relay::none); [`DeviceHandle::use_relay`] names another later.
    pub relay: Relay,
    /// The device's serial number, which the operator and the relay's records show.
    pub serial: Serial,
    /// What kind of device it is, in the maker's words.
    pub model: Label<64>,
    /// The folder that keeps the device's key, its count of wrong codes and its audit.
    pub compartment: Compartment,
}

/// One device, ready to run.
///
/// [`Device::run`] is one future; it starts no task and no thread, except that captures of the panel and writes to
/// the compartment run where tokio runs blocking work.
#[derive(Debug)]
pub struct Device {
    config: DeviceConfig,
    /// The relay that is asked now.
    relay: watch::Receiver<Relay>,
    identity: Arc<Identity>,
    guard: EntryGuard,
    /// Whether the disk has the guard as it is.
    guard_is_kept: bool,
    clock: SteadyClock,
    panel: Arc<dyn Panel>,
    customer: Arc<dyn Customer>,
    admin_id: Option<Arc<dyn AdminId>>,
    audit: Arc<dyn AuditStore>,
    modes: Modes,
    desk: Option<Desk>,
    /// Where the operator's side listens, if codes are not tried at the relay.
    operator_at: Option<SocketAddr>,
    /// The session that has just ended, until its card is shown.
    history: Option<History>,
    policy: Option<Arc<dyn OwnerPolicy>>,
    hand: Hand,
    events: mpsc::Sender<DeviceEvent>,
    volume: Volume,
}

impl Device {
    /// A device with its panel and the person in front of it, a handle for what that person does, and its events.
    ///
    /// # Errors
    ///
    /// [`CompartmentError`] if the device's key cannot be read or made.
    pub fn new(
        config: DeviceConfig,
        panel: Arc<dyn Panel>,
        customer: Arc<dyn Customer>,
    ) -> Result<(Self, DeviceHandle, DeviceEvents), CompartmentError> {
        let identity = config.compartment.identity()?;
        let guard = config.compartment.entry_guard()?;
        let audit = config.compartment.audit(Arc::clone(&identity));
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::channel(EVENTS);
        let (relay, asked) = watch::channel(config.relay.clone());
        let device = Self {
            config,
            relay: asked,
            identity,
            guard,
            guard_is_kept: true,
            clock: SteadyClock::start(),
            panel,
            customer,
            admin_id: None,
            audit: Arc::new(audit),
            modes: Modes::built_in(),
            desk: None,
            operator_at: None,
            history: None,
            policy: None,
            hand: Hand::new(commands),
            events,
            volume: Volume::default(),
        };
        let handle = DeviceHandle {
            commands: sender,
            relay: Arc::new(relay),
            volume: device.volume.clone(),
        };
        Ok((device, handle, receiver))
    }

    /// Checks the system administrator's ID with `admin_id`. Without one, what wants the ID is refused.
    #[must_use]
    pub fn with_admin_id(mut self, admin_id: Arc<dyn AdminId>) -> Self {
        self.admin_id = Some(admin_id);
        self
    }

    /// Keeps the records of its sessions in `audit` and not in the compartment.
    #[must_use]
    pub fn with_audit(mut self, audit: Arc<dyn AuditStore>) -> Self {
        self.audit = audit;
        self
    }

    /// Has these modes and not the built-in ones alone.
    #[must_use]
    pub fn with_modes(mut self, modes: Modes) -> Self {
        self.modes = modes;
        self
    }

    /// Lets operators read and change the device's settings, each change with the customer's word. Reads the journal of
    /// changes in the compartment; what was under way when the program ended is taken back before the first code.
    ///
    /// # Errors
    ///
    /// [`DeskError`] if the journal cannot be read. The settings are then left as they are.
    pub fn with_settings(self, settings: Arc<dyn Settings>) -> Result<Self, DeskError> {
        let desk = Desk::open(settings, &self.config.compartment)?;
        Ok(self.with_desk(desk))
    }

    /// As [`Device::with_settings`], with a desk that is open already.
    #[must_use]
    pub fn with_desk(mut self, desk: Desk) -> Self {
        self.desk = Some(desk);
        self
    }

    /// Asks `policy` which operators may work in sleep. Without one, nobody may.
    #[must_use]
    pub fn with_policy(mut self, policy: Arc<dyn OwnerPolicy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Tries its codes at this address, at which the operator's side [listens](crate::Operator::listening_on), and at
    /// no relay. The device opens the connection as ever and listens nowhere.
    #[must_use]
    pub const fn calling(mut self, operator: SocketAddr) -> Self {
        self.operator_at = Some(operator);
        self
    }

    /// Waits for codes and serves their sessions.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a live session without a goodbye; the operator notices within 15 s.
    pub async fn run(mut self, until: Until) -> DeviceEnd {
        let mut way = None;
        self.show(&Status::Idle);
        self.settle().await;
        let end = loop {
            let Some(entry) = self.next_entry(&mut way).await else {
                break DeviceEnd::Stopped;
            };
            let tried = match entry.at.or(self.operator_at) {
                Some(at) => self.try_code_at(at, entry).await,
                None => self.try_code(&mut way, entry).await,
            };
            self.hand.use_up_stop_key();
            let end = match tried {
                Tried::Session { by, reason } => {
                    way = None;
                    self.hand_over_card().await;
                    DeviceEnd::Session { by, reason }
                }
                Tried::Refused(refusal) => {
                    self.refuse(&refusal);
                    DeviceEnd::Refused(refusal)
                }
                Tried::GivenUp => {
                    self.show(&Status::Idle);
                    continue;
                }
                Tried::Stopped => break DeviceEnd::Stopped,
            };
            if until == Until::FirstCode {
                break end;
            }
        };
        if let Some(way) = way {
            way.close().await;
        }
        self.settle().await;
        end
    }

    /// Serves one session over a connection of the embedder's own, instead of going through a relay.
    ///
    /// The connection must be accepted from the holder of `operator.key`, who has issued `code`.
    ///
    /// # Cancel safety
    ///
    /// As [`Device::run`].
    pub async fn run_over<C: Connection>(
        mut self,
        connection: C,
        operator: OperatorIdentity,
        code: AccessCode,
    ) -> DeviceEnd {
        self.settle().await;
        let tried = match self.check_entry().await {
            Ok(()) => {
                self.show(&Status::Connecting {
                    operator: operator.clone(),
                });
                self.drive(connection, None, Search::nowhere(), operator, code)
                    .await
                    .into()
            }
            Err(refusal) => Tried::Refused(refusal),
        };
        self.hand_over_card().await;
        match tried {
            Tried::Session { by, reason } => DeviceEnd::Session { by, reason },
            Tried::Refused(refusal) => {
                self.refuse(&refusal);
                DeviceEnd::Refused(refusal)
            }
            Tried::GivenUp | Tried::Stopped => {
                self.show(&Status::Idle);
                DeviceEnd::Stopped
            }
        }
    }

    /// Next code that the customer enters; `None` once told to stop. Leaves the relay when nobody tries again.
    async fn next_entry(&mut self, way: &mut Option<Way>) -> Option<Entry> {
        let lapses = clock::now() + WAY_KEPT;
        loop {
            let event = tokio::select! {
                biased;
                entry = self.hand.entry() => return entry,
                event = changes::next(&mut self.desk) => event,
                () = way::unused(way, lapses) => {
                    *way = None;
                    continue;
                }
            };
            self.on_desk_alone(event).await;
        }
    }

    /// What this device has for this operator's modes to work with.
    fn means(&self, now: Instant, operator: &OperatorIdentity) -> Means {
        let policy = self.policy.as_ref();
        let sleep = policy
            .and_then(|policy| policy.sleep(operator.key, &self.config.serial, clock::unix_ms()));
        // Longer than any session lasts is for ever.
        let longest = Limits::default().cap();
        Means {
            settings: self.desk.is_some(),
            surface: self.panel.service_surface().is_some(),
            sleeps_until: sleep.map(|sleep| now + sleep.min(longest)),
        }
    }

    /// Shows what the session that has ended came to, once what it left open has been taken back.
    async fn hand_over_card(&mut self) {
        self.settle().await;
        if let Some(mut card) = self.history.take().and_then(History::into_last) {
            if let Some(desk) = &self.desk {
                card.name_settings(&desk.schema());
            }
            self.customer.session_over(&card);
        }
    }

    fn show(&self, status: &Status) {
        self.customer.show(status);
    }

    fn emit(&self, event: DeviceEvent) {
        // Nobody has to listen.
        if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
            tracing::warn!(?event, "events are not read: one is lost");
        }
    }
}
