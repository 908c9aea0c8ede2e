//! Nameplates of an operator who listens: drawn here, kept from use once they are dead, guarded against guessing.

use std::{
    collections::VecDeque,
    net::IpAddr,
    time::{Duration, Instant},
};

use alongside_protocol::{Nameplate, relay::RelayRefusal};
use alongside_session::IssuedCode;

/// How long a dead nameplate is kept out of use: as long as a relay does by default, so that nobody who comes late with
/// an old code meets a new one.
const QUARANTINE: Duration = Duration::from_secs(3600);

/// Failed claims of one address within [`WINDOW`] from which on it has to wait (as at a relay).
const CLAIMS: usize = 5;

/// Times that a code may be come for. Three wrong proofs burn it; two more are for devices that got lost (as at a relay).
const JOINS: u8 = 5;

/// Time within which they count.
const WINDOW: Duration = Duration::from_secs(600);

/// How long it waits.
const WAIT: Duration = Duration::from_secs(60);

/// Failed claims that are remembered, of everybody: the oldest is forgotten.
const REMEMBERED: usize = 1024;

/// Dead nameplates that are remembered; with a code a minute they are not more in [`QUARANTINE`].
const DEAD: usize = 256;

/// Draws before it is given up: with [`DEAD`] of 100,000 taken not even the second is needed.
const DRAWS: usize = 8;

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its time is over.
    Expired,
    /// It was tried too often.
    Burnt,
    /// A session came of it.
    Spent,
    /// The operator asked for another.
    Replaced,
}

/// What is known of nameplates that are not in use.
#[derive(Debug, Default)]
pub(super) struct Plates {
    /// Oldest first.
    dead: VecDeque<(Instant, Nameplate, Fate)>,
    failed: VecDeque<(Instant, IpAddr)>,
    /// How often the code in use has been come for.
    joins: Option<(Nameplate, u8)>,
}

impl Plates {
    /// A nameplate that nobody remembers, from random bytes that `random` gives.
    pub(super) fn draw(&mut self, now: Instant, random: impl Fn() -> [u8; 4]) -> Option<Nameplate> {
        self.forget(now);
        (0..DRAWS).find_map(|_| {
            // The few numbers at the top would come once more often than the others.
            let even = u32::MAX - u32::MAX % Nameplate::COUNT;
            let number = Some(u32::from_be_bytes(random())).filter(|number| *number < even)?;
            let nameplate = Nameplate::new(number % Nameplate::COUNT)?;
            self.fate(nameplate).is_none().then_some(nameplate)
        })
    }

    /// A code is dead.
    pub(super) fn retire(&mut self, now: Instant, code: &IssuedCode, fate: Fate) {
        self.retire_number(now, code.code().nameplate(), fate);
    }

    pub(super) fn retire_number(&mut self, now: Instant, nameplate: Nameplate, fate: Fate) {
        if self.dead.len() >= DEAD {
            self.dead.pop_front();
        }
        self.dead.push_back((now, nameplate, fate));
    }

    /// Whether somebody at `source` may try the code `issued` who claims `nameplate`; if not, why, and how long they
    /// have to wait.
    pub(super) fn claim(
        &mut self,
        now: Instant,
        source: IpAddr,
        nameplate: Nameplate,
        issued: Option<&IssuedCode>,
    ) -> Result<(), (RelayRefusal, Option<Duration>)> {
        self.forget(now);
        let failures = self.failed.iter().filter(|(_, from)| *from == source);
        let failures: Vec<Instant> = failures.map(|(at, _)| *at).collect();
        if failures.len() >= CLAIMS
            && let Some(last) = failures.last()
            && now < *last + WAIT
        {
            return Err((RelayRefusal::TooManyClaims, Some(*last + WAIT - now)));
        }
        if issued.is_some_and(|code| code.code().nameplate() == nameplate && code.is_live(now)) {
            let before = self.joins.filter(|(of, _)| *of == nameplate);
            let joins = before.map_or(0, |(_, joins)| joins);
            if joins >= JOINS {
                return Err((RelayRefusal::CodeBurnt, None));
            }
            self.joins = Some((nameplate, joins + 1));
            return Ok(());
        }
        if self.failed.len() >= REMEMBERED {
            self.failed.pop_front();
        }
        self.failed.push_back((now, source));
        let reason = match self.fate(nameplate) {
            Some(Fate::Expired) => RelayRefusal::CodeExpired,
            Some(Fate::Burnt) => RelayRefusal::CodeBurnt,
            Some(Fate::Spent | Fate::Replaced) | None => RelayRefusal::CodeUnknown,
        };
        Err((reason, None))
    }

    fn fate(&self, nameplate: Nameplate) -> Option<Fate> {
        let mut dead = self.dead.iter().rev();
        dead.find(|(_, known, _)| *known == nameplate)
            .map(|(_, _, fate)| *fate)
    }

    fn forget(&mut self, now: Instant) {
        self.dead
            .retain(|(at, ..)| now.saturating_duration_since(*at) < QUARANTINE);
        self.failed
            .retain(|(at, _)| now.saturating_duration_since(*at) < WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::{AccessCode, code::CodeSecret};

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn plate(number: u32) -> Nameplate {
        Nameplate::new(number).expect("a nameplate")
    }

    fn code(number: u32, expires_at: Instant) -> IssuedCode {
        let secret = CodeSecret::draw(&[1; 48]).expect("a secret");
        IssuedCode::new(AccessCode::new(plate(number), secret), expires_at)
    }

    #[test]
    fn a_dead_nameplate_is_not_drawn_for_an_hour_and_says_what_became_of_it() {
        let now = clock();
        let mut plates = Plates::default();
        let seven = || 7_u32.to_be_bytes();
        assert_eq!(plates.draw(now, seven), Some(plate(7)));
        plates.retire(now, &code(7, now), Fate::Expired);
        assert_eq!(plates.draw(now, seven), None);
        let claimed = plates.claim(now, HERE, plate(7), None);
        assert_eq!(claimed, Err((RelayRefusal::CodeExpired, None)));
        plates.retire_number(now, plate(8), Fate::Burnt);
        let claimed = plates.claim(now, HERE, plate(8), None);
        assert_eq!(claimed, Err((RelayRefusal::CodeBurnt, None)));
        assert_eq!(plates.draw(now + QUARANTINE, seven), Some(plate(7)));
        assert_eq!(plates.draw(now, || [0xff; 4]), None, "an uneven draw");
    }

    #[test]
    fn whoever_guesses_nameplates_waits_and_nobody_else_does() {
        let now = clock();
        let mut plates = Plates::default();
        let issued = code(7, now + WINDOW);
        for n in 10..15 {
            let claimed = plates.claim(now, HERE, plate(n), Some(&issued));
            assert_eq!(claimed, Err((RelayRefusal::CodeUnknown, None)));
        }
        let claimed = plates.claim(now, HERE, plate(7), Some(&issued));
        assert_eq!(claimed, Err((RelayRefusal::TooManyClaims, Some(WAIT))));
        assert_eq!(plates.claim(now, THERE, plate(7), Some(&issued)), Ok(()));
        assert_eq!(
            plates.claim(now + WAIT, HERE, plate(7), Some(&issued)),
            Ok(())
        );
        let late = plates.claim(now + WINDOW, THERE, plate(7), Some(&issued));
        assert_eq!(
            late,
            Err((RelayRefusal::CodeUnknown, None)),
            "not live any more"
        );
    }

    #[test]
    fn a_code_is_come_for_five_times_and_the_next_one_anew() {
        let now = clock();
        let mut plates = Plates::default();
        let issued = code(7, now + WINDOW);
        for _ in 0..JOINS {
            assert_eq!(plates.claim(now, HERE, plate(7), Some(&issued)), Ok(()));
        }
        let claimed = plates.claim(now, THERE, plate(7), Some(&issued));
        assert_eq!(claimed, Err((RelayRefusal::CodeBurnt, None)));
        let next = code(8, now + WINDOW);
        assert_eq!(plates.claim(now, THERE, plate(8), Some(&next)), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let now = clock();
        let mut plates = Plates::default();
        for n in 0..2 * REMEMBERED as u32 {
            plates.retire_number(now, plate(n), Fate::Spent);
            let _refused = plates.claim(now, HERE, plate(99_999), None);
            plates.failed.push_back((now, THERE));
            plates.failed.truncate(REMEMBERED);
        }
        assert!(plates.dead.len() <= DEAD && plates.failed.len() <= REMEMBERED);
    }

    fn clock() -> Instant {
        crate::clock::now()
    }
}
