//! One half of a mode at work, as its host holds it.
#![expect(unsafe_code, reason = "a module is called through C")]

use std::{fmt, ptr::NonNull, time::Duration};

use super::{
    LogLine, Unfit, Vetted,
    staging::{self, Staging},
};
use crate::{
    abi,
    body::micros,
    capability::{Capabilities, Side},
    effect::Effect,
    event::HostEvent,
};

/// One half of a mode at work.
///
/// Calls the module with one event at a time and gives back what it asked for, if it is allowed. Belongs to no
/// thread: it may move between calls.
pub struct Instance {
    table: &'static abi::Module,
    side: Side,
    /// What the manifest asks for; nothing else is ever granted.
    asked: Capabilities,
    module: NonNull<abi::Instance>,
    /// Made from a box, and lent to the module until it is destroyed.
    host: NonNull<abi::Host>,
    /// Made from a box; `host.ctx` points to it.
    staging: NonNull<Staging>,
    /// Body of the event that is being told; kept, so that it is allocated once.
    body: Vec<u8>,
    failed: bool,
}

// SAFETY: the ABI allows calls from different threads one after the other, and a Rust half is `Send`. Nothing but
// this value holds the pointers, and calling needs it exclusively.
unsafe impl Send for Instance {}

/// Why a call of a mode gave no effects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModeFailure {
    /// The mode could not read the event. For [`HostEvent::Peer`] that is the other half's fault. The mode goes on.
    Malformed {
        /// Kind of the event.
        kind: u32,
    },
    /// The mode gave up.
    GaveUp {
        /// What it logged.
        said: Option<String>,
    },
    /// The mode panicked.
    Panicked {
        /// The message, and where: `message at file:line`.
        said: Option<String>,
    },
    /// The mode answered with a status that there is not.
    Status(i32),
    /// The mode had failed before and was not called.
    AlreadyFailed,
}

impl ModeFailure {
    /// Whether the mode is over: it will not be called again.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Malformed { .. } => false,
            Self::GaveUp { .. } | Self::Panicked { .. } | Self::Status(_) | Self::AlreadyFailed => {
                true
            }
        }
    }
}

impl fmt::Display for ModeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said =
            |said: &Option<String>| said.clone().unwrap_or_else(|| "no reason given".to_owned());
        match self {
            Self::Malformed { kind } => write!(f, "the mode cannot read an event of kind {kind}"),
            Self::GaveUp { said: why } => write!(f, "the mode gave up: {}", said(why)),
            Self::Panicked { said: why } => write!(f, "the mode panicked: {}", said(why)),
            Self::Status(status) => write!(f, "the mode answered with the unknown status {status}"),
            Self::AlreadyFailed => f.write_str("the mode has failed before"),
        }
    }
}

impl std::error::Error for ModeFailure {}

impl Instance {
    /// Looks at a module and makes one half of it. It may do what is in both `granted` and the manifest.
    ///
    /// # Errors
    ///
    /// [`Unfit`] if the module is not in order, or could not make the half.
    pub fn new(
        module: &'static abi::Module,
        side: Side,
        granted: Capabilities,
    ) -> Result<Self, Unfit> {
        Vetted::check(module)?.start(side, granted)
    }

    pub(super) fn create(
        table: &'static abi::Module,
        asked: Capabilities,
        side: Side,
        granted: Capabilities,
    ) -> Result<Self, Unfit> {
        let staging = leak(Staging::new(side, granted & asked));
        let host = leak(abi::Host {
            abi_version: abi::VERSION,
            struct_size: size_of::<abi::Host>() as u32,
            wire_schema: abi::WIRE_SCHEMA,
            reserved: 0,
            ctx: staging.as_ptr().cast(),
            emit: staging::emit,
            log: staging::log,
            extension: Some(staging::extension),
        });
        // SAFETY: the table has been vetted, and the host stays in place until the instance is destroyed.
        let made = unsafe { (table.create)(host.as_ptr(), side.number()) };
        let Some(module) = NonNull::new(made) else {
            // SAFETY: made by `leak`, and a module that has no instance has no use for its host.
            drop(unsafe { Box::from_raw(host.as_ptr()) });
            // SAFETY: as above.
            let staging = unsafe { Box::from_raw(staging.as_ptr()) };
            return Err(Unfit::Create {
                side,
                said: staging.last_error,
            });
        };
        Ok(Self {
            table,
            side,
            asked,
            module,
            host,
            staging,
            body: Vec::new(),
            failed: false,
        })
    }

    /// Which half it is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// What it may do now.
    pub fn granted(&self) -> Capabilities {
        self.staging().granted
    }

    /// Changes what it may do; what the manifest does not ask for is left out.
    ///
    /// [`HostEvent::Start`] and [`HostEvent::Grant`] do the same before the mode hears of them.
    pub fn set_granted(&mut self, granted: Capabilities) {
        let granted = granted & self.asked;
        self.staging_mut().granted = granted;
    }

    /// Tells the mode of an event at `at`, the time since the session began. Gives what is to be done, in order.
    ///
    /// # Errors
    ///
    /// [`ModeFailure`]; nothing that the mode asked for during the call takes place.
    pub fn on_event(
        &mut self,
        at: Duration,
        event: &HostEvent,
    ) -> Result<Vec<Effect>, ModeFailure> {
        match event {
            HostEvent::Start(start) => self.set_granted(start.granted),
            HostEvent::Grant(grant) => self.set_granted(grant.granted),
            HostEvent::Stop(_)
            | HostEvent::Peer(_)
            | HostEvent::Pointer(_)
            | HostEvent::Key(_)
            | HostEvent::Text(_)
            | HostEvent::Draw(_)
            | HostEvent::Timer(_)
            | HostEvent::Console(_)
            | HostEvent::Link(_)
            | HostEvent::Settings(_) => {}
        }
        self.body.clear();
        event.encode(&mut self.body);
        self.exchange(at, event.kind())
    }

    /// Tells the mode of an event of `kind` whose body is in `self.body`.
    fn exchange(&mut self, at: Duration, kind: u32) -> Result<Vec<Effect>, ModeFailure> {
        if self.failed {
            return Err(ModeFailure::AlreadyFailed);
        }
        self.staging_mut().open();
        let status = self.call(at, kind);
        let effects = self.staging_mut().close();
        let failure = match status {
            abi::OK => return Ok(effects),
            // The host is newer than the mode, or the event is not for this half: nothing to do.
            abi::E_UNSUPPORTED => return Ok(Vec::new()),
            abi::E_ARGUMENT => ModeFailure::Malformed { kind },
            abi::E_MODE => ModeFailure::GaveUp {
                said: self.staging_mut().last_error.take(),
            },
            abi::E_PANICKED => ModeFailure::Panicked {
                said: self.staging_mut().last_error.take(),
            },
            status => ModeFailure::Status(status),
        };
        self.failed = failure.is_final();
        Err(failure)
    }

    #[cfg(test)]
    pub(super) fn tell_raw(&mut self, kind: u32, body: &[u8]) -> Result<Vec<Effect>, ModeFailure> {
        self.body = body.to_vec();
        self.exchange(Duration::ZERO, kind)
    }

    /// Takes what the mode has written to the log.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.staging_mut().log)
    }

    /// How many effects were refused so far because the mode did not hold what they need.
    pub fn denied(&self) -> u64 {
        self.staging().denied
    }

    fn call(&mut self, at: Duration, kind: u32) -> i32 {
        let lent = abi::Event {
            abi_version: abi::VERSION,
            struct_size: size_of::<abi::Event>() as u32,
            at_us: micros::to_micros(at),
            kind,
            reserved: 0,
            body: abi::Slice::lend(&self.body),
        };
        // SAFETY: the module made this instance and has not been told to destroy it; `&mut self` keeps a second call
        // out; event and body live until it returns, and we hold no reference to the staging meanwhile.
        unsafe { (self.table.on_event)(self.module.as_ptr(), &raw const lent) }
    }

    fn staging(&self) -> &Staging {
        // SAFETY: made by `leak` and freed in `drop`; the module writes to it only while `call` has us exclusively.
        unsafe { self.staging.as_ref() }
    }

    fn staging_mut(&mut self) -> &mut Staging {
        // SAFETY: as for `staging`.
        unsafe { self.staging.as_mut() }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the module made this instance, and it is destroyed here only.
        unsafe { (self.table.destroy)(self.module.as_ptr()) };
        // SAFETY: made by `leak`; the module is done with its host now that its instance is gone.
        drop(unsafe { Box::from_raw(self.host.as_ptr()) });
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.staging.as_ptr()) });
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("side", &self.side)
            .field("granted", &self.granted())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Puts a value where it stays until [`Box::from_raw`] takes it back.
fn leak<T>(value: T) -> NonNull<T> {
    NonNull::from(Box::leak(Box::new(value)))
}
