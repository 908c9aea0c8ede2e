//! Who may try to authenticate: limits on connections of which nothing but the address is known.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{bucket::Bucket, config::Limits, source::Source};

/// Share of newcomers refused once half of the room is taken, in percent; it rises to 100 (OpenSSH: 30).
const DROP_FROM_PERCENT: u64 = 30;

/// Everybody who is about to authenticate.
#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    room: Mutex<Room>,
}

#[derive(Debug, Default)]
struct Room {
    pending: u32,
    by_source: HashMap<Source, Visitor>,
}

#[derive(Debug)]
struct Visitor {
    pending: u32,
    attempts: Bucket,
}

/// A place among those who are about to authenticate; leaves with the value.
#[derive(Debug)]
pub(super) struct Pending {
    admission: Arc<Admission>,
    source: Source,
}

/// Why somebody may not even try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// The relay has too many of them.
    Crowded,
    /// The source has too many at once.
    TooManyAtOnce,
    /// The source had too many lately.
    TooOften,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            room: Mutex::default(),
        }
    }

    /// Lets a connection of `source` try, or not. `dice` are random bytes.
    pub(super) fn enter(
        this: &Arc<Self>,
        now: Instant,
        source: Source,
        dice: [u8; 4],
    ) -> Result<Pending, Denied> {
        let limits = &this.limits;
        let mut room = this.room();
        if is_turned_away(room.pending, limits.unauthenticated, dice) {
            return Err(Denied::Crowded);
        }
        let tracked = usize::try_from(limits.tracked_sources).unwrap_or(usize::MAX);
        if room.by_source.len() >= tracked && !room.by_source.contains_key(&source) {
            room.by_source
                .retain(|_, visitor| visitor.pending > 0 || !visitor.attempts.is_full(now));
            if room.by_source.len() >= tracked {
                return Err(Denied::Crowded);
            }
        }
        let visitor = room.by_source.entry(source).or_insert_with(|| Visitor {
            pending: 0,
            attempts: Bucket::new(
                limits.connects_per_minute.into(),
                Duration::from_secs(60),
                limits.connect_burst.into(),
            ),
        });
        if visitor.pending >= limits.unauthenticated_per_source {
            return Err(Denied::TooManyAtOnce);
        }
        if !visitor.attempts.take(now, 1) {
            return Err(Denied::TooOften);
        }
        visitor.pending = visitor.pending.saturating_add(1);
        room.pending = room.pending.saturating_add(1);
        Ok(Pending {
            admission: Arc::clone(this),
            source,
        })
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// The connection authenticated: it costs its source nothing.
    pub(super) fn authenticated(self) {
        let mut room = self.admission.room();
        if let Some(visitor) = room.by_source.get_mut(&self.source) {
            visitor.attempts.give_back(1);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut room = self.admission.room();
        room.pending = room.pending.saturating_sub(1);
        if let Some(visitor) = room.by_source.get_mut(&self.source) {
            visitor.pending = visitor.pending.saturating_sub(1);
        }
    }
}

/// Whether chance turns a newcomer away: never below half of the room, always when it is full, between them ever
/// more often, so that honest legs keep a chance while somebody floods.
fn is_turned_away(pending: u32, room: u32, dice: [u8; 4]) -> bool {
    let (pending, room) = (u64::from(pending), u64::from(room));
    let half = room / 2;
    if pending < half {
        return false;
    }
    if pending >= room {
        return true;
    }
    let above = pending
        .saturating_sub(half)
        .saturating_mul(100 - DROP_FROM_PERCENT);
    let rise = above.checked_div(room.saturating_sub(half)).unwrap_or(0);
    let percent = DROP_FROM_PERCENT.saturating_add(rise);
    u64::from(u32::from_be_bytes(dice) % 100) < percent
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crowded => "too many connections that have not authenticated",
            Self::TooManyAtOnce => {
                "too many connections of this source that have not authenticated"
            }
            Self::TooOften => "too many connections of this source in a minute",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(n: u32) -> Source {
        Source::of(std::net::IpAddr::from(n.to_be_bytes()))
    }

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
        Instant::now()
    }

    const LUCKY: [u8; 4] = [0, 0, 0, 99];
    const UNLUCKY: [u8; 4] = [0, 0, 0, 0];

    #[test]
    fn one_source_has_sixteen_at_once_and_forty_that_fail() {
        let admission = Arc::new(Admission::new(&Limits::default()));
        let now = start();
        let held: Vec<_> = (0..16)
            .map(|_| Admission::enter(&admission, now, source(1), LUCKY).unwrap())
            .collect();
        assert_eq!(
            Admission::enter(&admission, now, source(1), LUCKY).unwrap_err(),
            Denied::TooManyAtOnce
        );
        Admission::enter(&admission, now, source(2), LUCKY).unwrap();
        drop(held);
        for _ in 16..40 {
            Admission::enter(&admission, now, source(1), LUCKY).unwrap();
        }
        assert_eq!(
            Admission::enter(&admission, now, source(1), LUCKY).unwrap_err(),
            Denied::TooOften
        );
        let later = now + Duration::from_secs(3);
        Admission::enter(&admission, later, source(1), LUCKY).unwrap();
    }

    #[test]
    fn a_hospital_of_honest_legs_is_not_held_up() {
        let admission = Arc::new(Admission::new(&Limits::default()));
        let now = start();
        for _ in 0..2000 {
            Admission::enter(&admission, now, source(1), LUCKY)
                .unwrap()
                .authenticated();
        }
    }

    #[test]
    fn a_flood_turns_newcomers_away_by_chance_and_never_all_before_it_is_full() {
        let admission = Arc::new(Admission::new(&Limits::default()));
        let now = start();
        let enter = |n: u32, dice| Admission::enter(&admission, now, source(n), dice);
        let mut held: Vec<_> = (0..512).map(|n| enter(n, UNLUCKY).unwrap()).collect();
        assert_eq!(enter(9999, UNLUCKY).unwrap_err(), Denied::Crowded);
        held.extend((512..1024).map(|n| enter(n, LUCKY).unwrap()));
        assert_eq!(enter(9999, LUCKY).unwrap_err(), Denied::Crowded);
        held.clear();
        enter(9999, UNLUCKY).unwrap();
    }

    #[test]
    fn memory_of_sources_is_bounded() {
        let limits = Limits {
            tracked_sources: 16,
            ..Limits::default()
        };
        let admission = Arc::new(Admission::new(&limits));
        let mut now = start();
        for n in 0..1000 {
            now += Duration::from_secs(1);
            let _ = Admission::enter(&admission, now, source(n), LUCKY);
            assert!(admission.room().by_source.len() <= 16);
        }
    }
}
