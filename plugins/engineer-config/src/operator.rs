//! The half beside the operator: it sends what the console asks, and confirms a change that has not cut it off.

use std::{collections::BTreeMap, time::Duration};

use alongside_mode::protocol::setting::{
    ChangeStage, SettingChange, SettingPath, SettingValue, SettingsVersion, Shown,
};
use alongside_mode::{Effects, Event, GiveUp, Half, Refused, SettingsAnswer, SettingsPart};

use crate::{
    SETTLE,
    console::{Ask, Surface, Tell},
    message::{ToDevice, ToOperator},
};

/// Most bytes of changes in one message: it has room for 4,000.
const MAX_CHANGES_LEN: usize = 3_600;
/// Largest schema that is taken in, in bytes: as much as one call can pass on, and more than 4,096 settings need.
const MAX_SCHEMA: usize = 700 * 1024;
/// Bytes of a piece of the schema for the console: twice that, for its quotes, fits into a message.
const PIECE: usize = 6 * 1024;

const CONFIRM: u32 = 1;

/// The half beside the operator.
#[derive(Debug, Default)]
pub struct AtOperator {
    requests: u32,
    schema: Vec<u8>,
    /// The change that is made and waits to be confirmed.
    applied: Option<u32>,
}

type Fx<'a, 'b> = &'a mut Effects<'b, ToDevice>;

impl Half for AtOperator {
    type Sends = ToDevice;
    type Hears = ToOperator;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events, today's and later ones, change nothing here"
    )]
    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<ToOperator>,
        fx: Fx<'_, '_>,
    ) -> Result<(), GiveUp> {
        match event {
            Event::Start(_) => *self = Self::default(),
            // What is no ask at all is the console's mistake, and no reason to give up.
            Event::Console(json) => {
                if let Ok(ask) = serde_json::from_value(json) {
                    self.on_ask(ask, fx)?;
                }
            }
            Event::Peer(ToOperator::Answer(answer)) => self.on_answer(answer, fx)?,
            Event::Peer(ToOperator::Denied { .. }) => fx.console(&Tell::denied())?,
            Event::Peer(ToOperator::NoSurface) => fx.console(&Tell::Surface {
                surface: Surface::None,
            })?,
            Event::Timer(CONFIRM) => {
                if let Some(request) = self.applied.take() {
                    fx.send(&ToDevice::Confirm { request })?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl AtOperator {
    fn on_ask(&mut self, ask: Ask, fx: Fx<'_, '_>) -> Result<(), Refused> {
        self.requests = self.requests.wrapping_add(1);
        let request = self.requests;
        match ask {
            Ask::Schema => {
                self.schema.clear();
                fx.send(&ToDevice::Schema { request })
            }
            Ask::Get { group } => fx.send(&ToDevice::Read { request, group }),
            Ask::Undo => fx.send(&ToDevice::Undo { request }),
            Ask::Apply {
                if_version,
                changes,
            } => propose(request, if_version, changes, fx),
        }
    }

    fn on_answer(&mut self, answer: SettingsAnswer, fx: Fx<'_, '_>) -> Result<(), Refused> {
        match answer.part {
            SettingsPart::Schema { json, is_last } => self.on_schema(&json, is_last, fx),
            SettingsPart::Values {
                version,
                values,
                is_last,
            } => tell_values(version, &values, is_last, fx),
            SettingsPart::Stage(stage) => {
                self.on_stage(answer.request, &stage, fx)?;
                fx.console(&Tell::stage(&stage))
            }
            SettingsPart::Failed(words) => fx.console(&Tell::Unreadable {
                words: words.as_str().to_owned(),
            }),
        }
    }

    /// A change that is made is confirmed in a while, if nothing happens to it meanwhile.
    fn on_stage(
        &mut self,
        request: u32,
        stage: &ChangeStage,
        fx: Fx<'_, '_>,
    ) -> Result<(), Refused> {
        if matches!(stage, ChangeStage::Applied { .. }) {
            self.applied = Some(request);
            return fx.set_timer(CONFIRM, SETTLE);
        }
        if self.applied == Some(request) {
            self.applied = None;
            return fx.cancel_timer(CONFIRM);
        }
        Ok(())
    }

    fn on_schema(&mut self, json: &[u8], is_last: bool, fx: Fx<'_, '_>) -> Result<(), Refused> {
        if self.schema.len() + json.len() > MAX_SCHEMA {
            self.schema.clear();
            return fx.console(&Tell::Unreadable {
                words: "the device's schema is too large".to_owned(),
            });
        }
        self.schema.extend_from_slice(json);
        if !is_last {
            return Ok(());
        }
        let Ok(text) = String::from_utf8(std::mem::take(&mut self.schema)) else {
            return fx.console(&Tell::Unreadable {
                words: "the device's schema is no text".to_owned(),
            });
        };
        let mut rest = text.as_str();
        loop {
            let mut end = rest.len().min(PIECE);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (piece, after) = rest.split_at(end);
            rest = after;
            let is_last = rest.is_empty();
            let text = piece.to_owned();
            fx.console(&Tell::Schema { text, is_last })?;
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Sends changes, as many to a message as fit.
fn propose(
    request: u32,
    if_version: Option<SettingsVersion>,
    changes: Vec<SettingChange>,
    fx: Fx<'_, '_>,
) -> Result<(), Refused> {
    let (mut part, mut len) = (Vec::new(), 0);
    for change in changes {
        let more = length(&change);
        if len + more > MAX_CHANGES_LEN {
            fx.send(&ToDevice::Change {
                request,
                if_version,
                changes: std::mem::take(&mut part),
                is_last: false,
            })?;
            len = 0;
        }
        len += more;
        part.push(change);
    }
    fx.send(&ToDevice::Change {
        request,
        if_version,
        changes: part,
        is_last: true,
    })
}

/// At least as many bytes as a change takes in a message.
fn length(change: &SettingChange) -> usize {
    let value = match &change.value {
        Some(SettingValue::Text(text)) => text.as_str().len(),
        Some(SettingValue::Bool(_) | SettingValue::Integer(_) | SettingValue::Number(_)) | None => {
            10
        }
    };
    change.path.as_str().len() + value + 8
}

/// Tells the console of values, in as many messages as it takes.
fn tell_values(
    version: SettingsVersion,
    values: &[(SettingPath, Shown)],
    is_last: bool,
    fx: Fx<'_, '_>,
) -> Result<(), Refused> {
    let shown = |(path, shown): &(SettingPath, Shown)| match shown {
        Shown::Absent => None,
        Shown::Secret => Some((path.clone(), None)),
        Shown::Value(value) => Some((path.clone(), Some(value.clone()))),
    };
    let map: BTreeMap<_, _> = values.iter().filter_map(shown).collect();
    let told = fx.console(&Tell::Values {
        version,
        values: map,
        is_last,
    });
    if told != Err(Refused::Malformed) || values.len() < 2 {
        return told;
    }
    let (first, second) = values.split_at(values.len() / 2);
    tell_values(version, first, false, fx)?;
    tell_values(version, second, is_last, fx)
}
