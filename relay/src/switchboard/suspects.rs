//! Meetings that the device's side ended so early that it may have been a guesser who did not wait for the answer.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alongside_protocol::{PublicKey, RendezvousId};

use crate::source::Source;

/// How long the operator's side has to say what became of the code: the 10 s that it waits for a frame of the
/// proof, and room for a slow network.
const HEARING: Duration = Duration::from_secs(15);

/// Suspects who wait for their verdict, oldest first.
///
/// The relay sees no proof, and what it counts of a meeting, a guesser can bring about. The operator's side has
/// seen the proof and is authenticated; one that lies spares only those who guess its own codes.
#[derive(Debug, Default)]
pub(super) struct Suspects(VecDeque<Suspect>);

#[derive(Debug)]
struct Suspect {
    /// The attempt.
    rendezvous: RendezvousId,
    /// Who may say what became of it.
    operator: PublicKey,
    source: Source,
    until: Instant,
}

impl Suspects {
    pub(super) fn add(
        &mut self,
        now: Instant,
        rendezvous: RendezvousId,
        operator: PublicKey,
        source: Source,
    ) {
        self.0.push_back(Suspect {
            rendezvous,
            operator,
            source,
            until: now + HEARING,
        });
    }

    /// How many of `source` wait, and when the first of them is heard no longer.
    pub(super) fn of(&self, source: Source) -> (usize, Option<Instant>) {
        let mut of_source = self.0.iter().filter(|suspect| suspect.source == source);
        let first = of_source.next().map(|suspect| suspect.until);
        (
            usize::from(first.is_some()).saturating_add(of_source.count()),
            first,
        )
    }

    /// The operator's side says what became of an attempt: it is a suspect no longer, and this is its source.
    pub(super) fn hear(&mut self, rendezvous: RendezvousId, operator: PublicKey) -> Option<Source> {
        let at = self
            .0
            .iter()
            .position(|suspect| suspect.rendezvous == rendezvous && suspect.operator == operator)?;
        self.0.remove(at).map(|suspect| suspect.source)
    }

    /// One for whom nobody spoke.
    pub(super) fn pop_unheard(&mut self, now: Instant) -> Option<Source> {
        self.0.front().filter(|suspect| suspect.until <= now)?;
        self.0.pop_front().map(|suspect| suspect.source)
    }
}
