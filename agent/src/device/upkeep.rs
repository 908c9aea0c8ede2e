//! What stands behind the panel's settings page of Remote Assistance: the audit, and the doctor's checks.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use alongside::{
    Identity, PathKind, Relay,
    audit::{SessionCard, last_sessions},
    protocol::obstacle::ObstacleKind,
    settings::Schema,
};

use crate::{
    config::ConfigError,
    doctor::{self, Rung},
    exit::chain,
    panel::mfd::{Outcome, Route, Tell, Testing, TrialWay, Upkeep},
};

/// Sessions on the page.
const SESSIONS: usize = 10;

/// Which relay a route of the panel's choice leads to.
type ToRelay = Box<dyn Fn(&Route) -> Result<Relay, ConfigError> + Send + Sync>;

/// What stands behind the page of a device with a folder of its own.
pub struct DeviceUpkeep {
    to_relay: ToRelay,
    /// Where the audit is.
    folder: PathBuf,
    /// What names the settings that sessions changed.
    schema: Option<Arc<Schema>>,
}

impl fmt::Debug for DeviceUpkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceUpkeep")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl DeviceUpkeep {
    /// What stands behind the page of the device whose folder is `folder`.
    pub fn new(
        folder: PathBuf,
        schema: Option<Arc<Schema>>,
        to_relay: impl Fn(&Route) -> Result<Relay, ConfigError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            to_relay: Box::new(to_relay),
            folder,
            schema,
        }
    }

    /// The relay that `route` leads to.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it leads to none.
    pub fn relay(&self, route: &Route) -> Result<Relay, ConfigError> {
        (self.to_relay)(route)
    }

    async fn examine(&self, route: Route, tell: Tell<'_>) {
        // Nothing of this device's own is shown to whoever answers.
        let prepared = (self.relay(&route), Identity::generate());
        let (relay, identity) = match prepared {
            (Ok(relay), Ok(identity)) => (relay, Arc::new(identity)),
            (Err(error), _) => {
                tracing::warn!(error = %chain(&error), "the way to the relay cannot be tested");
                return TrialWay::ALL
                    .into_iter()
                    .for_each(|way| tell(way, Outcome::Fails(ObstacleKind::NotAllowed.into())));
            }
            (_, Err(error)) => {
                tracing::warn!(error = %chain(&error), "the way to the relay cannot be tested");
                return;
            }
        };
        let found = doctor::examine(&relay, &identity, &|rung| told(tell, rung)).await;
        found.rungs.iter().for_each(|rung| told(tell, rung));
    }
}

impl Upkeep for DeviceUpkeep {
    fn test<'a>(&'a self, route: Route, tell: Tell<'a>) -> Testing<'a> {
        Box::pin(self.examine(route, tell))
    }

    fn sessions(&self) -> Vec<SessionCard> {
        let mut cards = last_sessions(&self.folder, SESSIONS).unwrap_or_else(|error| {
            tracing::warn!(%error, "the audit cannot be read");
            Vec::new()
        });
        if let Some(schema) = &self.schema {
            cards.iter_mut().for_each(|card| card.name_settings(schema));
        }
        cards
    }
}

/// Tells the page what the doctor has found out of a way.
fn told(tell: Tell<'_>, rung: &Rung) {
    let way = match rung.kind {
        PathKind::RelayQuic => TrialWay::Udp,
        PathKind::RelayTls => TrialWay::Tls,
        PathKind::RelayProxy => TrialWay::Proxy,
        // The direct way takes two, and a session.
        PathKind::Direct | PathKind::None => return,
    };
    let outcome = match (&rung.why, rung.ms) {
        (Some(why), _) => Outcome::Fails(why.obstacle.clone()),
        (None, ms) => Outcome::Works(Duration::from_millis(ms.unwrap_or_default())),
    };
    tell(way, outcome);
}
