//! Anything that can happen to a session, and bytes as a script of it.

use std::time::Duration;

use alongside_mode::{Delivery, Effect, Line, SettingsCall, SettingsWish, TypedText};
use alongside_protocol::{
    Bytes, PanelPoint,
    annotation::Annotation,
    frame::Channel,
    ids::ModeId,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    setting::{
        ChangeRefusal, ChangeStage, Difference, RollBack, SettingPath, SettingValue, Shown, Words,
    },
    units::{Color, Pressure},
};

use super::Stage;
use crate::{
    Cause,
    device::{AdminVerdict, CustomerAction, SettingsNews},
    operator::OperatorAction,
};

/// One thing that happens to a session.
#[derive(Clone, Debug)]
pub enum Step {
    /// Time passes.
    Wait(Duration),
    /// A frame arrives.
    Message {
        /// On this channel.
        channel: Channel,
        /// With this type byte.
        kind: u8,
        /// And this body.
        body: Bytes,
    },
    /// A datagram arrives.
    Datagram(Bytes),
    /// The mode's half answers.
    Effects {
        /// The event before the last one by this many.
        back: u64,
        /// What it wants done.
        effects: Vec<Effect>,
    },
    /// The mode's half breaks down.
    Failed {
        /// At the event before the last one by this many.
        back: u64,
    },
    /// A picture is handed in.
    Picture {
        /// Its colour.
        shade: u8,
        /// Whether a part of it is masked.
        is_masked: bool,
    },
    /// The panel answers to an action.
    Answer {
        /// The action before the last one by this many.
        back: u64,
        /// Whether it was performed.
        ok: bool,
    },
    /// An administrator's ID has been checked.
    AdminId {
        /// The question before the last one by this many.
        back: u32,
        /// How the check went.
        verdict: AdminVerdict,
    },
    /// The device says something about its settings.
    Settings {
        /// In answer to the call before the last one by this many.
        back: u64,
        /// What it says.
        news: SettingsNews,
    },
    /// The customer allows.
    Allow {
        /// The question before the last one by this many.
        back: u32,
    },
    /// The customer refuses.
    Refuse {
        /// The question before the last one by this many.
        back: u32,
    },
    /// A stream has room.
    Room {
        /// Which stream.
        channel: Channel,
        /// For this many bytes.
        bytes: usize,
    },
    /// The customer acts.
    Customer(CustomerAction),
    /// The operator acts.
    Operator(OperatorAction),
    /// The embedder closes the session.
    Close(Cause),
    /// The connection breaks.
    Disconnected,
}

/// A mode that the customer is asked for, and no administrator.
pub(super) const EASY: &str = "example.easy";

/// Reads a script: one byte for where it begins, then steps.
pub(super) fn decode(data: &[u8]) -> (Stage, Vec<Step>) {
    let mut script = Script(data);
    let stage = if script.byte() % 4 == 0 {
        Stage::Proving
    } else {
        Stage::Active
    };
    let steps = std::iter::from_fn(|| script.step()).collect();
    (stage, steps)
}

struct Script<'a>(&'a [u8]);

impl Script<'_> {
    /// The next byte; zeros once there are no more.
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> Bytes {
        let len = usize::from(self.byte()).min(self.0.len());
        let (head, rest) = self.0.split_at(len);
        self.0 = rest;
        Bytes::copy_from_slice(head)
    }

    fn step(&mut self) -> Option<Step> {
        if self.0.is_empty() {
            return None;
        }
        Some(match self.byte() % 17 {
            0 => Step::Wait(Duration::from_millis(u64::from(self.byte()).pow(3))),
            1 => Step::Wait(Duration::from_millis(u64::from(self.byte()))),
            2..=5 => Step::Message {
                channel: self.channel(),
                kind: self.byte(),
                body: self.bytes(),
            },
            6 => Step::Datagram(self.bytes()),
            7..=9 => Step::Effects {
                back: u64::from(self.byte() % 4),
                effects: self.effects(),
            },
            10 => {
                let shade = self.byte();
                let is_masked = shade % 8 == 7;
                Step::Picture { shade, is_masked }
            }
            11 => Step::Room {
                channel: self.channel(),
                bytes: usize::from(self.byte()) << 4,
            },
            12 => self.customer(),
            13 => Step::Operator(self.operator()),
            14 => self.rare(),
            16 => self.settings(),
            _ => Step::Message {
                channel: Channel::Mode,
                kind: 0x20,
                body: self.bytes(),
            },
        })
    }

    fn channel(&mut self) -> Channel {
        Channel::from_id(self.byte() % 4 + 1).unwrap_or(Channel::Control)
    }

    fn effects(&mut self) -> Vec<Effect> {
        (0..self.byte() % 4).map(|_| self.effect()).collect()
    }

    fn effect(&mut self) -> Effect {
        let at = PanelPoint {
            x: i32::from(self.byte()),
            y: 0,
        };
        match self.byte() % 16 {
            0 => Effect::Annotate(Annotation::Pointer {
                at,
                color: Color::rgb(255, 0, 0),
            }),
            1 => Effect::Annotate(Annotation::Clear),
            2 => Effect::Pointer(self.pointer()),
            3 => Effect::SetTimer {
                id: u32::from(self.byte()),
                after: Duration::from_millis(u64::from(self.byte())),
            },
            4 => Effect::Peer {
                delivery: Delivery::Latest,
                body: self.bytes(),
            },
            5 => Effect::Console(self.bytes().to_vec()),
            6 => TypedText::new("1234")
                .map_or(Effect::Annotate(Annotation::PointerGone), Effect::Text),
            7 => line(Effect::Notice),
            8 => line(Effect::Audit),
            9 if self.byte() == 0 => line(Effect::Finish),
            10 => Effect::Peer {
                delivery: Delivery::Reliable,
                body: Bytes::from(vec![0; usize::from(self.byte()) << 5]),
            },
            14 | 15 => Effect::Settings(self.call()),
            11 | 12 => self.key().unwrap_or(Effect::Annotate(Annotation::Clear)),
            _ => Effect::Peer {
                delivery: Delivery::Reliable,
                body: self.bytes(),
            },
        }
    }

    fn call(&mut self) -> SettingsCall {
        let byte = self.byte();
        SettingsCall {
            request: u32::from(byte >> 6),
            wants: match byte % 8 {
                0 => SettingsWish::Schema,
                1 => SettingsWish::Read(None),
                2 => SettingsWish::Undo,
                3 | 4 => SettingsWish::Confirm,
                _ => SettingsWish::Propose {
                    if_version: None,
                    changes: Vec::new(),
                },
            },
        }
    }

    fn settings(&mut self) -> Step {
        let byte = self.byte();
        let shown = |value| Shown::Value(SettingValue::Bool(value));
        let stage = match byte % 8 {
            0 => ChangeStage::Conflict,
            1..=3 => ChangeStage::Applied { within_s: 60 },
            4 => ChangeStage::Confirmed,
            5 => ChangeStage::Refused(ChangeRefusal::Customer),
            6 => ChangeStage::Stuck(Words::new("no")),
            _ => ChangeStage::RolledBack(RollBack::Unconfirmed),
        };
        let news = match (self.byte() % 8, SettingPath::new("tray.paper")) {
            (0, _) => SettingsNews::Schema(vec![b' '; 5_000]),
            (1, _) | (_, Err(_)) => SettingsNews::Failed(Words::new("no")),
            (2..=4, Ok(path)) => SettingsNews::Ask {
                change: u64::from(byte),
                differences: vec![Difference {
                    name: "Paper".to_owned(),
                    unit: None,
                    before: shown(false),
                    after: shown(true),
                    path,
                }],
            },
            _ => SettingsNews::Stage(stage),
        };
        Step::Settings {
            back: u64::from(byte >> 7),
            news,
        }
    }

    fn pointer(&mut self) -> PointerEvent {
        let at = PanelPoint {
            x: i32::from(self.byte()),
            y: i32::from(self.byte()),
        };
        let phase = match at.y % 5 {
            0 => PointerPhase::Hover,
            1 => PointerPhase::Down,
            2 => PointerPhase::Move,
            3 => PointerPhase::Up,
            _ => PointerPhase::Leave,
        };
        PointerEvent {
            at,
            phase,
            buttons: Buttons::NONE,
            pressure: Pressure::FULL,
        }
    }

    fn customer(&mut self) -> Step {
        let back = |byte: u8| u32::from(byte >> 6);
        let byte = self.byte();
        Step::Customer(match byte % 16 {
            0 => CustomerAction::Exit,
            1..=3 => CustomerAction::StopKey(KeyMotion::Down),
            4..=8 => CustomerAction::StopKey(KeyMotion::Up),
            9 => CustomerAction::DialogKey,
            10 => CustomerAction::TakeBack,
            11 | 12 => return Step::Allow { back: back(byte) },
            13 => return Step::Refuse { back: back(byte) },
            14 => {
                return Step::AdminId {
                    back: back(byte),
                    verdict: self.verdict(),
                };
            }
            _ => CustomerAction::Touched,
        })
    }

    fn verdict(&mut self) -> AdminVerdict {
        let wait = Duration::from_secs(30);
        match self.byte() % 8 {
            0..=4 => AdminVerdict::Ok,
            5 => AdminVerdict::Wrong {
                tries_left: 2,
                wait,
            },
            6 => AdminVerdict::Locked { wait },
            _ => AdminVerdict::Unavailable,
        }
    }

    fn key(&mut self) -> Option<Effect> {
        let byte = self.byte();
        let name = if byte.is_multiple_of(2) { "#" } else { "5" };
        let motion = if byte & 2 == 0 {
            KeyMotion::Down
        } else {
            KeyMotion::Up
        };
        let key = KeyName::new(name).ok()?;
        Some(Effect::Key(KeyEvent { key, motion }))
    }

    fn operator(&mut self) -> OperatorAction {
        match self.byte() % 8 {
            0 => OperatorAction::Mode(ModeId::user_guide()),
            1 => self.mode(),
            2 => OperatorAction::Draw(Annotation::Clear),
            3 => OperatorAction::Console(self.bytes().to_vec()),
            4 => OperatorAction::StillHere,
            5 if self.byte() == 0 => OperatorAction::End,
            _ => OperatorAction::Pointer(self.pointer()),
        }
    }

    fn mode(&mut self) -> OperatorAction {
        let offered = [ModeId::OPERATOR_CONTROL, ModeId::ENGINEER_CONFIG, EASY];
        let wanted = offered.get(usize::from(self.byte() % 4)).copied();
        ModeId::new(wanted.unwrap_or("example.absent"))
            .map_or(OperatorAction::StillHere, OperatorAction::Mode)
    }

    fn rare(&mut self) -> Step {
        match self.byte() % 8 {
            0 => Step::Disconnected,
            1 => Step::Close(Cause::RecordFailed),
            2..=4 => Step::Answer {
                back: u64::from(self.byte() % 4),
                ok: self.byte() != 0,
            },
            _ => Step::Failed {
                back: u64::from(self.byte() % 4),
            },
        }
    }
}

fn line(effect: fn(Line) -> Effect) -> Effect {
    Line::new("a line of the mode's").map_or(Effect::Annotate(Annotation::Clear), effect)
}
