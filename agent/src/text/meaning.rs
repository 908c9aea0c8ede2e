//! Which sentence says what: coded reasons of the session as sentences for a customer.

use alongside::{
    protocol::{
        code::{CodeError, CodePart},
        ids::ModeId,
        reason::{EndReason, Refusal},
    },
    status::{CodeRefusal, ConnectProblem},
};

use super::{Id, Slot, Text, Words};

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
                ConnectProblem::NoDns => both(Id::NoDns, Id::NoDnsNext),
                ConnectProblem::RelayUnreachable => {
                    both(Id::RelayUnreachable, Id::RelayUnreachableNext)
                }
                ConnectProblem::RelayUntrusted => both(Id::RelayUntrusted, Id::RelayUntrustedNext),
                ConnectProblem::RelayName => both(Id::RelayName, Id::RelayNameNext),
                ConnectProblem::RelayRefused => both(Id::RelayRefused, Id::RelayRefusedNext),
                ConnectProblem::OperatorUnreachable => {
                    both(Id::OperatorUnreachable, Id::OperatorUnreachableNext)
                }
                ConnectProblem::Incompatible => both(Id::Incompatible, Id::IncompatibleNext),
                _ => both(Id::OtherProblem, Id::OtherProblemNext),
            },
            _ => both(Id::OtherProblem, Id::OtherProblemNext),
        }
    }

    /// Why a session ended.
    pub fn ended(self, reason: EndReason) -> Words {
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

    /// Why a question of the operator's was not granted.
    pub fn mode_refused(self, refusal: Refusal) -> Words {
        self.say(match refusal {
            Refusal::Customer => Id::RefusedCustomer,
            Refusal::Timeout => Id::RefusedTimeout,
            Refusal::NoAdminId => Id::RefusedNoAdminId,
            Refusal::Locked => Id::RefusedLocked,
            Refusal::Busy => Id::RefusedBusy,
            Refusal::Policy | _ => Id::RefusedPolicy,
        })
    }

    /// What the operator may do in `mode`.
    pub fn may(self, mode: &ModeId) -> Words {
        match mode.as_str() {
            ModeId::USER_GUIDE => self.say(Id::MayGuide),
            ModeId::OPERATOR_CONTROL => self.say(Id::MayControl),
            ModeId::ENGINEER_CONFIG => self.say(Id::MayConfigure),
            other => self.fill(Id::MayOther, &[(Slot::Mode, &other)]),
        }
    }

    /// The question whether `name` may use `mode`.
    pub fn may_they(self, mode: &ModeId, name: &Words) -> Words {
        match mode.as_str() {
            ModeId::OPERATOR_CONTROL => self.fill(Id::AskControl, &[(Slot::Name, name)]),
            ModeId::ENGINEER_CONFIG => self.fill(Id::AskConfigure, &[(Slot::Name, name)]),
            other => self.fill(Id::AskOther, &[(Slot::Name, name), (Slot::Mode, &other)]),
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
            .map(|reason| text.ended(*reason).to_string())
            .collect();
        let refusals: Vec<_> = Refusal::ALL
            .iter()
            .map(|reason| text.mode_refused(*reason).to_string())
            .collect();
        for sentences in [ends, refusals] {
            let distinct: std::collections::BTreeSet<_> = sentences.iter().collect();
            assert_eq!(distinct.len(), sentences.len(), "{sentences:?}");
        }
    }
}
