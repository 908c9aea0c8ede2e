//! Who may speak to a page: single-use tickets, and the secret that a ticket is traded for.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::{constant_time::verify_slices_are_equal, rand};
use tokio::time::Instant;

/// Tickets that may be open at once; an older one makes room.
const OPEN: usize = 8;
/// Bytes of a ticket or secret: more than anyone can guess.
const BYTES: usize = 32;

/// Tickets of one page.
#[derive(Debug)]
pub(super) struct Tickets {
    open: Mutex<Vec<Ticket>>,
    session: Secret,
}

#[derive(Debug)]
struct Ticket {
    secret: Secret,
    valid_until: Instant,
}

impl Tickets {
    /// None open yet.
    ///
    /// # Errors
    ///
    /// The system has no random bytes.
    pub(super) fn new() -> Result<Self, NoRandom> {
        Ok(Self {
            open: Mutex::default(),
            session: Secret::draw()?,
        })
    }

    /// A new ticket, valid once and for `life`.
    ///
    /// # Errors
    ///
    /// The system has no random bytes.
    pub(super) fn issue(&self, now: Instant, life: Duration) -> Result<String, NoRandom> {
        let secret = Secret::draw()?;
        let text = secret.0.clone();
        let mut open = self.lock();
        open.retain(|ticket| now < ticket.valid_until);
        if open.len() >= OPEN {
            open.remove(0);
        }
        open.push(Ticket {
            secret,
            valid_until: now + life,
        });
        Ok(text)
    }

    /// Until when the ticket that lives longest can be used; `None` if there is none.
    pub(super) fn last_until(&self, now: Instant) -> Option<Instant> {
        let until = self.lock().iter().map(|ticket| ticket.valid_until).max();
        until.filter(|until| now < *until)
    }

    /// Whether `offered` is an open ticket; it is spent by this.
    pub(super) fn redeem(&self, now: Instant, offered: &str) -> bool {
        let mut open = self.lock();
        open.retain(|ticket| now < ticket.valid_until);
        let before = open.len();
        open.retain(|ticket| !ticket.secret.is(offered));
        open.len() < before
    }

    /// Whether `offered` is what a spent ticket was traded for.
    pub(super) fn is_session(&self, offered: &str) -> bool {
        self.session.is(offered)
    }

    /// What a ticket is traded for: lets the page that has it come back after a reload.
    pub(super) fn session(&self) -> &str {
        &self.session.0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Ticket>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct NoRandom;

/// Random hexadecimal digits that only their holder knows.
struct Secret(String);

impl Secret {
    fn draw() -> Result<Self, NoRandom> {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes).map_err(|_| NoRandom)?;
        Ok(Self(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    fn is(&self, offered: &str) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), offered.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_ticket_works_once() {
        let tickets = Tickets::new().expect("random");
        let ticket = tickets.issue(Instant::now(), MINUTE).expect("random");
        assert!(!tickets.redeem(Instant::now(), "0"));
        assert!(tickets.redeem(Instant::now(), &ticket));
        assert!(!tickets.redeem(Instant::now(), &ticket));
        assert!(!tickets.is_session(&ticket));
        assert!(tickets.is_session(tickets.session()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_dead_after_its_time() {
        let tickets = Tickets::new().expect("random");
        let ticket = tickets.issue(Instant::now(), MINUTE).expect("random");
        assert_eq!(
            tickets.last_until(Instant::now()),
            Some(Instant::now() + MINUTE)
        );
        tokio::time::advance(MINUTE).await;
        assert_eq!(tickets.last_until(Instant::now()), None);
        assert!(!tickets.redeem(Instant::now(), &ticket));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_tickets_are_open() {
        let tickets = Tickets::new().expect("random");
        let first = tickets.issue(Instant::now(), MINUTE).expect("random");
        let others: Vec<_> = (0..OPEN)
            .map(|_| tickets.issue(Instant::now(), MINUTE).expect("random"))
            .collect();
        assert!(!tickets.redeem(Instant::now(), &first));
        assert!(
            others
                .iter()
                .all(|ticket| tickets.redeem(Instant::now(), ticket))
        );
    }
}
