//! Which sentence says what: coded reasons of the session as sentences for a customer.

use std::time::Duration;

use alongside::{
    admin_id::UNTIL_RESET,
    ports::AdminVerdict,
    protocol::{
        code::{CodeError, CodePart},
        ids::ModeId,
        reason::{EndReason, Refusal},
    },
    status::{Ask, CodeRefusal, ConnectProblem},
};

use super::{Id, ModeNames, Page, Slot, Text, Words};
use crate::panel::{Corner, StopKey};

/// How much is said of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// What stands on it.
    Short,
    /// That it is a key, and what stands on it.
    Whole,
}

impl Text {
    /// What is wrong with the digits; says nothing about which digits they were.
    pub fn code_error(self, error: CodeError) -> Words {
        match error {
            CodeError::NotADigit(part) => {
                self.fill(Id::EntryNotDigit, &[(Slot::Part, &self.part(part))])
            }
            CodeError::TooShort(part) => {
                self.fill(Id::EntryShort, &[(Slot::Part, &self.part(part))])
            }
            CodeError::TooLong => self.say(Id::EntryLong),
            CodeError::CheckDigit | _ => self.say(Id::EntryCheckDigit),
        }
    }

    fn part(self, part: CodePart) -> Words {
        self.say(match part {
            CodePart::First => Id::PartFirst,
            CodePart::Second => Id::PartSecond,
            CodePart::Third => Id::PartThird,
        })
    }

    /// What happened to a code, and what to do next.
    pub fn refusal(self, refusal: &CodeRefusal) -> (Words, Words) {
        let both = |what, next| (self.say(what), self.say(next));
        match refusal {
            CodeRefusal::Malformed(error) => (self.code_error(*error), self.say(Id::UnknownNext)),
            CodeRefusal::Unknown => both(Id::Unknown, Id::UnknownNext),
            CodeRefusal::Expired => both(Id::Expired, Id::ExpiredNext),
            CodeRefusal::Wrong { tries_left } => {
                let id = if *tries_left == 1 {
                    Id::WrongOne
                } else {
                    Id::WrongMany
                };
                (
                    self.fill(id, &[(Slot::Count, tries_left)]),
                    self.say(Id::WrongNext),
                )
            }
            CodeRefusal::Burnt => both(Id::Burnt, Id::BurntNext),
            CodeRefusal::EntryLocked { wait } if wait.is_zero() => {
                both(Id::EntryLocked, Id::EntryUnlocked)
            }
            CodeRefusal::EntryLocked { wait } => (
                self.say(Id::EntryLocked),
                self.fill(Id::EntryLockedNext, &[(Slot::Time, &self.time(*wait))]),
            ),
            CodeRefusal::NoConnection(problem) => match problem {
                ConnectProblem::NoWay(obstacle) => self.obstacle(obstacle),
                ConnectProblem::OperatorUnreachable | ConnectProblem::NobodyListens => {
                    both(Id::OperatorUnreachable, Id::OperatorUnreachableNext)
                }
                ConnectProblem::Incompatible => both(Id::Incompatible, Id::IncompatibleNext),
                _ => both(Id::OtherProblem, Id::OtherProblemNext),
            },
            CodeRefusal::RecordFailed => both(Id::EndedRecord, Id::OtherProblemNext),
            _ => both(Id::OtherProblem, Id::OtherProblemNext),
        }
    }

    /// What the customer holds to end a session.
    pub fn stop_key(self, stop: &StopKey, naming: Naming) -> Words {
        match (stop, naming) {
            (StopKey::Key(key), Naming::Short) => Words::data(key.as_str()),
            (StopKey::Key(key), Naming::Whole) => {
                self.fill(Id::StopKeyNamed, &[(Slot::Key, &key.as_str())])
            }
            (StopKey::Corner(corner), _) => self.say(match corner {
                Corner::TopLeft => Id::CornerTopLeft,
                Corner::TopRight => Id::CornerTopRight,
                Corner::BottomLeft => Id::CornerBottomLeft,
                Corner::BottomRight => Id::CornerBottomRight,
            }),
        }
    }

    /// Why a session ended.
    pub fn ended(self, reason: EndReason, stop: &StopKey) -> Words {
        if reason == EndReason::StopKey {
            let key = self.stop_key(stop, Naming::Whole);
            return self.fill(Id::EndedStopKey, &[(Slot::Key, &key)]);
        }
        self.say(match reason {
            EndReason::Exit => Id::EndedExit,
            EndReason::StopKey => Id::EndedStopKey,
            EndReason::OperatorEnded => Id::EndedOperator,
            EndReason::Idle => Id::EndedIdle,
            EndReason::SessionCap => Id::EndedCap,
            EndReason::PeerLost => Id::EndedPeerLost,
            EndReason::PeerClosed => Id::EndedPeerClosed,
            EndReason::RelayClosed => Id::EndedRelay,
            EndReason::RecordFailed => Id::EndedRecord,
            EndReason::Protocol => Id::EndedProtocol,
            EndReason::PanelFailed => Id::EndedPanel,
            EndReason::Shutdown => Id::EndedShutdown,
            EndReason::CodeNotProved => Id::EndedCode,
            _ => Id::EndedOther,
        })
    }

    /// Why a question of the operator's was not granted; `locked` is how long no administrator's ID is looked at.
    pub fn mode_refused(self, refusal: Refusal, locked: Option<Duration>) -> Words {
        self.say(match refusal {
            Refusal::Customer => Id::RefusedCustomer,
            Refusal::Timeout => Id::RefusedTimeout,
            Refusal::NoAdminId => Id::RefusedNoAdminId,
            Refusal::Locked => {
                return match locked {
                    Some(wait) if wait >= UNTIL_RESET => self.say(Page::AdminLockedForGood),
                    Some(wait) => {
                        self.fill(Id::RefusedLockedFor, &[(Slot::Time, &self.time(wait))])
                    }
                    None => self.say(Id::RefusedLocked),
                };
            }
            Refusal::Busy => Id::RefusedBusy,
            Refusal::Interrupted => Id::RefusedInterrupted,
            Refusal::Versions => Id::RefusedVersions,
            Refusal::Policy | _ => Id::RefusedPolicy,
        })
    }

    /// What came of an administrator's ID that was not right, `ago` after it was looked at.
    pub fn admin_verdict(self, verdict: AdminVerdict, ago: Duration) -> Words {
        match verdict {
            AdminVerdict::Ok => self.say(Id::Ok),
            AdminVerdict::Wrong { wait, tries_left } if wait.is_zero() => {
                self.say(if tries_left == 1 {
                    Page::AdminWrongLast
                } else {
                    Page::AdminWrong
                })
            }
            AdminVerdict::Locked { wait } if wait >= UNTIL_RESET => {
                self.say(Page::AdminLockedForGood)
            }
            AdminVerdict::Wrong { wait, .. } | AdminVerdict::Locked { wait } if wait <= ago => {
                self.say(Page::AdminAgain)
            }
            AdminVerdict::Wrong { wait, .. } => {
                self.fill(Page::AdminWait, &[(Slot::Time, &self.time(wait - ago))])
            }
            AdminVerdict::Locked { wait } => {
                self.fill(Page::AdminLocked, &[(Slot::Time, &self.time(wait - ago))])
            }
            AdminVerdict::Unavailable => self.say(Page::AdminUnavailable),
        }
    }

    /// What the operator may do in `mode`.
    pub fn may(self, mode: &ModeId, names: &ModeNames) -> Words {
        match mode.as_str() {
            ModeId::USER_GUIDE => self.say(Id::MayGuide),
            ModeId::OPERATOR_CONTROL => self.say(Id::MayControl),
            ModeId::ENGINEER_CONFIG => self.say(Id::MayConfigure),
            _ => self.fill(Id::MayOther, &[(Slot::Mode, &names.of(mode))]),
        }
    }

    /// What was done in `mode`, in a word.
    pub fn mode(self, mode: &ModeId, names: &ModeNames) -> Words {
        match mode.as_str() {
            ModeId::USER_GUIDE => self.say(Page::ModeGuide),
            ModeId::OPERATOR_CONTROL => self.say(Page::ModeControl),
            ModeId::ENGINEER_CONFIG => self.say(Page::ModeConfigure),
            _ => Words::data(names.of(mode)),
        }
    }

    /// What is going on while the operator may do more than guide.
    pub fn raised(self, mode: &ModeId, names: &ModeNames) -> Words {
        match mode.as_str() {
            ModeId::OPERATOR_CONTROL => self.say(Id::ControlOn),
            ModeId::ENGINEER_CONFIG => self.say(Id::ConfigureOn),
            _ => self.fill(Id::OtherOn, &[(Slot::Mode, &names.of(mode))]),
        }
    }

    /// What the operator did in `mode`, after the session.
    pub fn did(self, mode: &ModeId, names: &ModeNames) -> Words {
        match mode.as_str() {
            ModeId::USER_GUIDE => self.say(Id::DidGuide),
            ModeId::OPERATOR_CONTROL => self.say(Id::DidControl),
            ModeId::ENGINEER_CONFIG => self.say(Id::DidConfigure),
            _ => self.fill(Id::DidOther, &[(Slot::Mode, &names.of(mode))]),
        }
    }

    /// The question whether `name` may use what `ask` is about, or go on using it.
    pub fn may_they(self, ask: &Ask, name: &Words, names: &ModeNames) -> Words {
        let id = |first, again| if ask.is_renewal { again } else { first };
        match ask.mode.as_str() {
            ModeId::OPERATOR_CONTROL => self.fill(
                id(Id::AskControl, Id::AskControlAgain),
                &[(Slot::Name, name)],
            ),
            ModeId::ENGINEER_CONFIG => self.fill(
                id(Id::AskConfigure, Id::AskConfigureAgain),
                &[(Slot::Name, name)],
            ),
            _ => self.fill(
                id(Id::AskOther, Id::AskOtherAgain),
                &[(Slot::Name, name), (Slot::Mode, &names.of(&ask.mode))],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Locale;

    #[test]
    fn every_end_and_refusal_has_a_sentence_of_its_own() {
        let text = Text::new(Locale::English);
        let ends: Vec<_> = EndReason::ALL
            .iter()
            .map(|reason| text.ended(*reason, &StopKey::default()).to_string())
            .collect();
        let refusals: Vec<_> = Refusal::ALL
            .iter()
            .map(|reason| text.mode_refused(*reason, None).to_string())
            .collect();
        for sentences in [ends, refusals] {
            let distinct: std::collections::BTreeSet<_> = sentences.iter().collect();
            assert_eq!(distinct.len(), sentences.len(), "{sentences:?}");
        }
    }
}
