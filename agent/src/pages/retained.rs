//! What a page that comes late, or comes back, must be told to stand where the others stand.

use alongside::protocol::reason::{ModePhase, Refusal};

use crate::api::{Event, event};

/// Most points of ink that are kept; the oldest strokes go first (our choice: 1.5 MiB of JSON at worst).
const MAX_POINTS: usize = 32_768;

/// An event and the Unix milliseconds at which it was told.
pub(super) type Stamped = (u64, Event);

/// The events that still hold.
#[derive(Debug, Default)]
pub(super) struct Retained {
    ready: Option<Stamped>,
    code: Option<(u64, event::Code)>,
    problem: Option<Stamped>,
    connected: Option<Stamped>,
    modes: Vec<(u64, event::Mode)>,
    offered: Option<Stamped>,
    asked: Option<(u64, event::Asked)>,
    panel: Option<Stamped>,
    path: Option<Stamped>,
    link: Option<Stamped>,
    surface: Option<Stamped>,
    change: Option<Stamped>,
    ended: Option<Stamped>,
    strokes: Vec<(u64, event::Ink)>,
}

impl Retained {
    /// Takes in what everybody is told at `t`.
    pub(super) fn fold(&mut self, t: u64, event: &Event) {
        let told = || Some((t, event.clone()));
        match event {
            Event::Ready(_) => self.ready = told(),
            Event::Code(code) => {
                // A new code begins a new meeting.
                *self = Self {
                    ready: self.ready.take(),
                    path: self.path.take(),
                    code: Some((t, code.clone())),
                    ..Self::default()
                };
            }
            Event::Error(problem) if problem.id.is_none() => self.problem = told(),
            Event::Connected(_) => {
                *self = Self {
                    ready: self.ready.take(),
                    path: self.path.take(),
                    connected: told(),
                    ..Self::default()
                };
            }
            Event::Mode(mode) if self.is_unlooked_at(mode) => {}
            Event::Mode(mode) => {
                self.modes.retain(|(_, known)| known.mode != mode.mode);
                self.modes.push((t, mode.clone()));
                self.asked = None;
                if matches!(mode.state, ModePhase::Ended) {
                    self.surface = None;
                    self.change = None;
                }
            }
            Event::Modes { .. } => self.offered = told(),
            Event::Asked(asked) => self.asked = Some((t, asked.clone())),
            Event::Panel(_) => self.panel = told(),
            Event::Path(_) => self.path = told(),
            Event::Link(_) => self.link = told(),
            Event::Annotation(ink) => self.ink(t, ink),
            Event::Surface { .. } => self.surface = told(),
            Event::SettingsResult { .. } => self.change = told(),
            Event::Ended { .. } => {
                self.ended = told();
                self.asked = None;
                self.strokes.clear();
            }
            Event::Ok(_)
            | Event::Error(_)
            | Event::Injected(_)
            | Event::Latency(_)
            | Event::Console { .. }
            | Event::Idle { .. }
            | Event::Settings { .. }
            | Event::SettingsSchema { .. }
            | Event::Pages { .. } => {}
        }
    }

    /// Whether `mode` says that a wish was not looked at while the mode is asked for or on: it stays as it is.
    fn is_unlooked_at(&self, mode: &event::Mode) -> bool {
        let stays = |phase| {
            matches!(
                phase,
                ModePhase::Asked | ModePhase::Active | ModePhase::Paused
            )
        };
        mode.reason == Some(Refusal::Busy)
            && self
                .modes
                .iter()
                .any(|(_, known)| known.mode == mode.mode && stays(known.state))
    }

    fn ink(&mut self, t: u64, ink: &event::Ink) {
        match (ink.op, ink.id) {
            ("stroke", _) => self.strokes.push((t, ink.clone())),
            ("undo", None) => {
                let newest = self.strokes.last().and_then(|(_, ink)| ink.id);
                self.strokes.retain(|(_, ink)| ink.id != newest);
            }
            ("undo", id) => self.strokes.retain(|(_, ink)| ink.id != id),
            ("clear", _) => self.strokes.clear(),
            _ => {}
        }
        let mut points: usize = self.strokes.iter().map(|(_, ink)| ink.points.len()).sum();
        while points > MAX_POINTS && !self.strokes.is_empty() {
            points -= self.strokes.remove(0).1.points.len();
        }
    }

    /// The events in the order in which they make sense, countdowns as they stand at `now`.
    pub(super) fn replay(&self, now: u64) -> Vec<Stamped> {
        let left =
            |since: u64, seconds: u64| seconds.saturating_sub(now.saturating_sub(since) / 1_000);
        let code = self.code.iter().map(|(t, code)| {
            let expires_in_s = left(*t, code.expires_in_s);
            (
                now,
                Event::Code(event::Code {
                    expires_in_s,
                    ..code.clone()
                }),
            )
        });
        let modes = self.modes.iter().map(|(t, mode)| {
            let expires_in_s = mode
                .expires_in_s
                .map(|seconds| left(*t, seconds.into()) as u16);
            (
                *t,
                Event::Mode(event::Mode {
                    expires_in_s,
                    ..mode.clone()
                }),
            )
        });
        let asked = self.asked.iter().map(|(t, asked)| {
            let expires_in_s = left(*t, asked.expires_in_s);
            (
                now,
                Event::Asked(event::Asked {
                    expires_in_s,
                    ..asked.clone()
                }),
            )
        });
        let change = self.change.iter().map(|(t, event)| {
            let mut event = event.clone();
            if let Event::SettingsResult { expires_in_s, .. } = &mut event {
                *expires_in_s = expires_in_s.map(|seconds| left(*t, seconds.into()) as u16);
            }
            (*t, event)
        });
        let strokes = self
            .strokes
            .iter()
            .map(|(t, ink)| (*t, Event::Annotation(ink.clone())));
        self.ready
            .clone()
            .into_iter()
            .chain(code)
            .chain(self.problem.clone())
            .chain(self.connected.clone())
            .chain(self.offered.clone())
            .chain(modes)
            .chain(self.surface.clone())
            .chain(change)
            .chain(asked)
            .chain(self.panel.clone())
            .chain(self.path.clone())
            .chain(self.link.clone())
            .chain(strokes)
            .chain(self.ended.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use alongside::protocol::{
        ids::ModeId,
        reason::{EndReason, ModePhase, Party},
    };

    use super::*;
    use crate::api::{Done, ErrorCode, Failure};

    fn names(retained: &Retained, now: u64) -> Vec<String> {
        let name = |(t, event): &Stamped| {
            let line: serde_json::Value = serde_json::from_str(&event.line(*t)).expect("JSON");
            line["event"].as_str().expect("a name").to_owned()
        };
        retained.replay(now).iter().map(name).collect()
    }

    fn code() -> Event {
        Event::Code(event::Code {
            code: "123456789012".into(),
            expires_in_s: 600,
        })
    }

    fn stroke(id: u32, op: &'static str) -> Event {
        Event::Annotation(event::Ink {
            op,
            id: Some(id),
            points: vec![[1.0, 2.0, 1.0]],
            color: None,
            width: None,
            done: None,
        })
    }

    #[test]
    fn a_mode_that_is_asked_for_stays_so_when_another_wish_finds_the_customer_busy() {
        let mode = |state, reason| {
            Event::Mode(event::Mode {
                mode: ModeId::new(ModeId::USER_GUIDE).expect("an id"),
                state,
                reason,
                expires_in_s: None,
            })
        };
        let mut retained = Retained::default();
        retained.fold(1_000, &mode(ModePhase::Asked, None));
        retained.fold(2_000, &mode(ModePhase::Refused, Some(Refusal::Busy)));
        assert_eq!(
            retained.replay(2_000),
            [(1_000, mode(ModePhase::Asked, None))]
        );
        retained.fold(3_000, &mode(ModePhase::Refused, Some(Refusal::Customer)));
        assert_ne!(
            retained.replay(3_000),
            [(1_000, mode(ModePhase::Asked, None))]
        );
    }

    #[test]
    fn a_code_counts_down_and_a_new_one_takes_its_place() {
        let mut retained = Retained::default();
        retained.fold(1_000, &code());
        retained.fold(2_000, &Failure::new(ErrorCode::CodeWrong, "no").into());
        assert_eq!(names(&retained, 2_000), ["code", "error"]);
        let Some((_, Event::Code(left))) = retained.replay(61_999).into_iter().next() else {
            panic!("a code")
        };
        assert_eq!(left.expires_in_s, 540);
        retained.fold(3_000, &code());
        assert_eq!(names(&retained, 3_000), ["code"]);
    }

    #[test]
    fn replies_to_others_are_not_told_again() {
        let mut retained = Retained::default();
        retained.fold(0, &Event::reply(Some(1), Ok(Done::Accepted)));
        retained.fold(0, &Event::reply(Some(1), Err(Failure::bad_request("no"))));
        assert!(retained.replay(0).is_empty());
    }

    #[test]
    fn strokes_stay_until_they_are_taken_back_or_the_session_ends() {
        let mut retained = Retained::default();
        for event in [
            stroke(1, "stroke"),
            stroke(2, "stroke"),
            stroke(2, "stroke"),
            stroke(1, "undo"),
        ] {
            retained.fold(0, &event);
        }
        assert_eq!(names(&retained, 0), ["annotation", "annotation"]);
        let mode = event::Mode {
            mode: ModeId::user_guide(),
            state: ModePhase::Active,
            reason: None,
            expires_in_s: None,
        };
        retained.fold(0, &Event::Mode(mode));
        retained.fold(
            0,
            &Event::Ended {
                by: Party::Customer,
                reason: EndReason::Exit,
            },
        );
        assert_eq!(names(&retained, 0), ["mode", "ended"]);
    }
}
