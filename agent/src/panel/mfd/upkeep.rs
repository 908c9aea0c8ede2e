//! What stands behind the settings page of Remote Assistance, as the page sees it.

use std::{fmt, pin::Pin};

use alongside::audit::SessionCard;

use super::{
    remote::Route,
    trial::{Outcome, TrialWay},
};

/// Who is told what came of a way.
pub type Tell<'a> = &'a (dyn Fn(TrialWay, Outcome) + Send + Sync);

/// A test that is under way.
pub type Testing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What stands behind the settings page.
pub trait Upkeep: Send + Sync + fmt::Debug {
    /// Tries every way to the service that `route` leads to, and tells what comes of each.
    fn test<'a>(&'a self, route: Route, tell: Tell<'a>) -> Testing<'a>;

    /// The last sessions, newest first. May block.
    fn sessions(&self) -> Vec<SessionCard>;
}
