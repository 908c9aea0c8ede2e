//! The device's side: takes the code that a customer types, and lets the operator behind it help.

use std::sync::Arc;

use alongside_protocol::{Serial, label::Label};
use alongside_session::EntryGuard;
use alongside_transport::Identity;
use tokio::sync::mpsc;

use crate::{
    Relay, clock,
    compartment::{Compartment, CompartmentError},
    ports::{Customer, Panel},
    status::Status,
};

mod attempt;
mod camera;
mod drive;
mod event;
mod handle;
mod refusal;

use attempt::{Tried, Way};
pub use event::{DeviceEnd, DeviceEvent, DeviceEvents, Until};
use handle::Command;
pub use handle::{DeviceError, DeviceHandle};

/// Commands that may wait before the callers have to.
const COMMANDS: usize = 256;

/// What a device is and which relay it asks.
#[derive(Clone, Debug)]
pub struct DeviceConfig {
    /// The relay.
    pub relay: Relay,
    /// The device's serial number, which the operator and the relay's records show.
    pub serial: Serial,
    /// What kind of device it is, in the maker's words.
    pub model: Label<64>,
    /// The folder that keeps the device's key and its count of wrong codes.
    pub compartment: Compartment,
}

/// One device, ready to run.
///
/// [`Device::run`] is one future; it starts no task and no thread, except that captures of the panel run where tokio
/// runs blocking work.
#[derive(Debug)]
pub struct Device {
    config: DeviceConfig,
    identity: Arc<Identity>,
    guard: EntryGuard,
    panel: Arc<dyn Panel>,
    customer: Arc<dyn Customer>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::UnboundedSender<DeviceEvent>,
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
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::unbounded_channel();
        let device = Self {
            config,
            identity,
            guard,
            panel,
            customer,
            commands,
            events,
        };
        Ok((device, DeviceHandle { commands: sender }, receiver))
    }

    /// Waits for codes and serves their sessions.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends a live session without a goodbye; the operator notices within 15 s.
    pub async fn run(mut self, until: Until) -> DeviceEnd {
        let mut way = None;
        self.show(&Status::Idle);
        let end = loop {
            let Some(command) = self.commands.recv().await else {
                break DeviceEnd::Stopped;
            };
            let (code, reply) = match command {
                Command::EnterCode { code, reply } => (code, reply),
                Command::Exit { reply } => {
                    let _ = reply.send(Err(DeviceError::NotConnected));
                    continue;
                }
                Command::StopKey(_) | Command::Touched => continue,
                Command::Stop => break DeviceEnd::Stopped,
            };
            let end = match self.try_code(&mut way, code, reply).await {
                Tried::Session { by, reason } => {
                    way = None;
                    DeviceEnd::Session { by, reason }
                }
                Tried::Refused(refusal) => {
                    self.show(&Status::CodeRefused(refusal.clone()));
                    self.emit(DeviceEvent::CodeRefused(refusal.clone()));
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
        if let Some(Way { leg, .. }) = way {
            leg.close().await;
        }
        end
    }

    /// Counts an entry as wrong until its code is proved.
    fn charge_entry(&mut self) {
        self.guard.charge(clock::since_epoch());
        self.keep_guard();
    }

    /// The last entry was right after all.
    fn clear_entries(&mut self) {
        self.guard.proved();
        self.keep_guard();
    }

    fn keep_guard(&self) {
        if let Err(error) = self.config.compartment.keep_entry_guard(&self.guard) {
            tracing::error!(error = %crate::session_io::chain(&error), "the count of wrong codes is not kept over a restart");
        }
    }

    fn show(&self, status: &Status) {
        self.customer.show(status);
    }

    fn emit(&self, event: DeviceEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }
}
