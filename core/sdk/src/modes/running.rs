//! One half of one mode at work, wherever it runs.

#[cfg(feature = "dynamic-modes")]
use std::sync::Arc;
use std::time::Duration;

use alongside_mode::{
    Capabilities, Effect, HostEvent, Side,
    abi::Module,
    host::{Instance, LogLine, ModeFailure, Unfit},
};

#[cfg(feature = "dynamic-modes")]
use super::{
    Boxing,
    loader::Loader,
    package::Package,
    sealed::{Sealed, SealedFailure},
};

/// One half of one mode at work.
///
/// The sessions of [`Device`](crate::Device) and [`Operator`](crate::Operator) have theirs; one of your own is for
/// trying a mode out.
#[derive(Debug)]
pub struct Running(Where);

#[derive(Debug)]
enum Where {
    Here(Instance),
    #[cfg(feature = "dynamic-modes")]
    Sealed(Box<Sealed>),
}

/// Why a half gives no answer. Unless it says otherwise, the half is over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunFailure {
    /// The module is not in order, or could not make the half.
    #[error("the module cannot be started")]
    Unfit(#[source] Unfit),
    /// The half failed.
    #[error(transparent)]
    Mode(ModeFailure),
    /// The module inside this process is not the one that was judged.
    #[cfg(feature = "dynamic-modes")]
    #[error("{module}: {why}")]
    Loaded {
        /// The module's file.
        module: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The half's own process failed.
    #[cfg(feature = "dynamic-modes")]
    #[error(transparent)]
    Sealed(SealedFailure),
}

impl RunFailure {
    /// Whether the half is over.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Mode(failure) => failure.is_final(),
            Self::Unfit(_) => true,
            #[cfg(feature = "dynamic-modes")]
            Self::Loaded { .. } | Self::Sealed(_) => true,
        }
    }
}

impl Running {
    /// Makes one half of a mode that is linked in.
    ///
    /// # Errors
    ///
    /// [`RunFailure::Unfit`] if the module is not in order.
    pub fn linked(
        module: &'static Module,
        side: Side,
        granted: Capabilities,
    ) -> Result<Self, RunFailure> {
        let made = Instance::new(module, side, granted).map_err(RunFailure::Unfit)?;
        Ok(Self(Where::Here(made)))
    }

    /// Makes one half of the mode in `package`, where the package's [`Boxing`] says. A sealed half starts meanwhile, and
    /// its first answer tells if it could not.
    ///
    /// # Errors
    ///
    /// [`RunFailure`] if the module cannot be loaded, or no process be started for it.
    #[cfg(feature = "dynamic-modes")]
    pub fn loaded(
        package: &Arc<Package>,
        loader: &Loader,
        side: Side,
        granted: Capabilities,
    ) -> Result<Self, RunFailure> {
        if package.boxing() == Boxing::InProcess {
            return Self::linked(loader.in_process(package)?, side, granted);
        }
        let package = Arc::clone(package);
        let sealed = Sealed::start(package, loader.program(), side, granted);
        let sealed = sealed.map_err(RunFailure::Sealed)?;
        Ok(Self(Where::Sealed(Box::new(sealed))))
    }

    /// Tells it of event `seq` at `at`, the time since the session began. Gives the answer if it runs in this process,
    /// and nothing if [`Running::answer`] will.
    pub fn tell(
        &mut self,
        seq: u64,
        at: Duration,
        event: &HostEvent,
    ) -> Option<Result<Vec<Effect>, RunFailure>> {
        let _ = seq;
        match &mut self.0 {
            Where::Here(instance) => Some(instance.on_event(at, event).map_err(RunFailure::Mode)),
            #[cfg(feature = "dynamic-modes")]
            Where::Sealed(sealed) => sealed
                .tell(seq, at, event)
                .err()
                .map(|failure| Err(RunFailure::Sealed(failure))),
        }
    }

    /// The number of the next event that is answered, and the answer; waits for ever where nothing is asked.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn answer(&mut self) -> (u64, Result<Vec<Effect>, RunFailure>) {
        match &mut self.0 {
            Where::Here(_) => std::future::pending().await,
            #[cfg(feature = "dynamic-modes")]
            Where::Sealed(sealed) => {
                let (seq, answered) = sealed.answer().await;
                (seq, answered.map_err(RunFailure::Sealed))
            }
        }
    }

    /// Takes what the half has written to its log.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        match &mut self.0 {
            Where::Here(instance) => instance.take_log(),
            #[cfg(feature = "dynamic-modes")]
            Where::Sealed(sealed) => std::mem::take(&mut sealed.log),
        }
    }

    /// How many effects were refused so far because the half did not hold what they need.
    pub fn denied(&self) -> u64 {
        match &self.0 {
            Where::Here(instance) => instance.denied(),
            #[cfg(feature = "dynamic-modes")]
            Where::Sealed(sealed) => u64::from(sealed.denied()),
        }
    }

    /// How many events took a sealed half longer than 5 ms.
    pub fn slow(&self) -> u32 {
        match &self.0 {
            Where::Here(_) => 0,
            #[cfg(feature = "dynamic-modes")]
            Where::Sealed(sealed) => sealed.slow(),
        }
    }

    /// Whether the half is made and has begun to answer.
    pub fn is_running(&self) -> bool {
        match &self.0 {
            Where::Here(_) => true,
            #[cfg(feature = "dynamic-modes")]
            Where::Sealed(sealed) => sealed.is_running(),
        }
    }
}
