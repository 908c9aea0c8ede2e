//! Legs come in, with a token each.

use alongside_protocol::relay::RelayRefusal;

use super::{Action, CloseReason, Leg, LegId, NewLeg, Switchboard};
use crate::source::Source;

impl Switchboard {
    /// Takes in an authenticated leg.
    ///
    /// A token that is taken is given over only to the same role with the same key: the leg that held it is
    /// closed, and its meeting goes on with the new one.
    ///
    /// # Errors
    ///
    /// The refusal to tell the leg; nothing has changed then.
    pub fn admit(&mut self, id: LegId, new: NewLeg) -> Result<(), RelayRefusal> {
        let source = Source::of(new.source);
        if let Some(&old) = self.tokens.get(&new.token) {
            return self.replace(old, id, new, source);
        }
        let of_source = self.legs_by_source.get(&source).copied().unwrap_or(0);
        let full = self.legs.len() >= usize::try_from(self.limits.legs).unwrap_or(usize::MAX);
        if full || of_source >= self.limits.legs_per_source {
            return Err(RelayRefusal::Full);
        }
        self.insert(
            id,
            Leg {
                role: new.role,
                key: new.key,
                token: new.token,
                source,
                plate: None,
                wants_back: None,
            },
        );
        Ok(())
    }

    fn replace(
        &mut self,
        old: LegId,
        id: LegId,
        new: NewLeg,
        source: Source,
    ) -> Result<(), RelayRefusal> {
        let same = self
            .legs
            .get(&old)
            .is_some_and(|leg| leg.key == new.key && leg.role == new.role);
        if !same {
            return Err(RelayRefusal::TokenTaken);
        }
        let Some(leg) = self.forget(old) else {
            return Err(RelayRefusal::TokenTaken);
        };
        if let Some(invitation) = leg.plate.and_then(|plate| self.invitation(plate)) {
            invitation.replace_leg(old, id);
        }
        self.insert(id, Leg { source, ..leg });
        self.actions.push_back(Action::Close {
            leg: old,
            why: CloseReason::Replaced,
        });
        Ok(())
    }

    fn insert(&mut self, id: LegId, leg: Leg) {
        self.tokens.insert(leg.token, id);
        let count = self.legs_by_source.entry(leg.source).or_insert(0);
        *count = count.saturating_add(1);
        self.legs.insert(id, leg);
    }

    /// Removes a leg from the books, not from its meeting.
    pub(super) fn forget(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.legs.remove(&id)?;
        self.tokens.remove(&leg.token);
        if let Some(count) = self.legs_by_source.get_mut(&leg.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.legs_by_source.remove(&leg.source);
            }
        }
        Some(leg)
    }
}
