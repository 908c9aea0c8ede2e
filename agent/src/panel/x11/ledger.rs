//! Which events are the agent's own: every injection is taken off what the server tells, one for one.
//!
//! The server carries an injection out while it works on the request for it, and stamps what comes of it with the
//! number of that request. So the first event of its kind with that number is the agent's own, and whatever else
//! the server tells is of the customer's hand.

use std::collections::VecDeque;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// The pointer moved.
    Motion,
    /// A button went down.
    Press(u8),
    /// A button went up.
    Release(u8),
    /// A key went down.
    KeyDown(u8),
    /// A key went up.
    KeyUp(u8),
}

/// Keys can be part of a secret, so Debug shows none.
impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deed(..)")
    }
}

/// How the server tells of it; each of these tells once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// As it came from the device, to whoever watches all of them.
    Raw,
    /// To the window that it happened in.
    InWindow,
}

/// Injections whose events may be on their way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    own: VecDeque<Own>,
}

#[derive(Debug)]
struct Own {
    request: u64,
    deed: Deed,
    /// What has not been told yet.
    raw: bool,
    in_window: bool,
}

impl Ledger {
    /// Takes down an injection by the number of its request. Numbers grow.
    pub(super) fn injected(&mut self, request: u64, deed: Deed) {
        self.own.push_back(Own {
            request,
            deed,
            raw: true,
            in_window: true,
        });
    }

    /// Whether an event is the agent's own; each injection takes off one.
    ///
    /// `request` is the last one that the server had begun to work on. It never goes back.
    pub(super) fn takes(&mut self, told: Told, request: u64, deed: Deed) -> bool {
        // What has not been told of them by now never will be.
        while self.own.front().is_some_and(|own| own.request < request) {
            self.own.pop_front();
        }
        let found = self
            .own
            .iter_mut()
            .take_while(|own| own.request == request)
            .find(|own| own.deed == deed);
        let Some(own) = found else {
            return false;
        };
        std::mem::take(match told {
            Told::Raw => &mut own.raw,
            Told::InWindow => &mut own.in_window,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_injection_is_taken_off_once_each_way_and_its_like_is_the_customers() {
        let mut ledger = Ledger::default();
        ledger.injected(7, Deed::KeyDown(12));
        assert!(ledger.takes(Told::Raw, 7, Deed::KeyDown(12)));
        assert!(!ledger.takes(Told::Raw, 7, Deed::KeyDown(12)));
        assert!(ledger.takes(Told::InWindow, 7, Deed::KeyDown(12)));
        assert!(!ledger.takes(Told::InWindow, 7, Deed::KeyDown(12)));
    }

    #[test]
    fn what_came_before_or_of_another_kind_is_the_customers() {
        let mut ledger = Ledger::default();
        ledger.injected(7, Deed::KeyDown(12));
        ledger.injected(9, Deed::KeyUp(12));
        assert!(!ledger.takes(Told::Raw, 6, Deed::KeyDown(12)));
        assert!(!ledger.takes(Told::Raw, 7, Deed::KeyDown(13)));
        assert!(ledger.takes(Told::Raw, 7, Deed::KeyDown(12)));
        assert!(!ledger.takes(Told::Raw, 8, Deed::KeyUp(12)));
        assert!(ledger.takes(Told::Raw, 9, Deed::KeyUp(12)));
    }

    #[test]
    fn an_injection_that_came_to_nothing_hides_nothing_later() {
        let mut ledger = Ledger::default();
        ledger.injected(7, Deed::KeyDown(12));
        assert!(!ledger.takes(Told::Raw, 8, Deed::KeyDown(12)));
        assert!(!ledger.takes(Told::Raw, 8, Deed::KeyDown(12)));
    }

    /// However the customer's events fall between the operator's, what is left over is exactly the customer's.
    #[test]
    fn of_any_mixture_exactly_the_customers_events_are_left() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut draw = |n: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % n
        };
        let mut ledger = Ledger::default();
        let (mut theirs, mut left) = (0, 0);
        for request in 1..20_000 {
            let deed = [Deed::Motion, Deed::Press(1), Deed::KeyDown(12)][draw(3) as usize];
            let is_injected = draw(2) == 0;
            if is_injected {
                ledger.injected(request, deed);
                left += usize::from(!ledger.takes(Told::Raw, request, deed));
            }
            for _ in 0..draw(3) {
                theirs += 1;
                let same = if draw(2) == 0 { deed } else { Deed::Release(1) };
                left += usize::from(!ledger.takes(Told::Raw, request, same));
            }
        }
        assert_eq!(left, theirs);
    }
}
